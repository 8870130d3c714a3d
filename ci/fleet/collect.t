#!/usr/bin/env python3
"""zmmtest-collect on a thousand logs of real runs, whose verdicts it must count as their exit codes do;
and on what is no log: junk, cut at each byte, in other encodings, huge, unreadable.

The runs are zmmtest-linux's on the processor that is here, and two boots in QEMU. Where AVX-512 is
missing they are INCOMPLETE, and counted as that."""
import csv
import io
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build/zmmtest-linux"
COLLECT = ROOT / "image/fleet/zmmtest-collect"
RUNS = 1000
OF_EXIT_CODE = {0: "PASS", 1: "FAIL", 2: "INCOMPLETE", 3: "ERROR", -signal.SIGKILL: "NO END"}
tests = failed = 0


def check(description, holds, *about):
    global tests, failed
    tests += 1
    print(f"{'ok' if holds else 'not ok'} {tests} - {description}", flush=True)
    if not holds:
        failed += 1
        for what in about:
            print("#  ", str(what)[:2000].replace("\n", "\n#   "))


def collect(*arguments, **options):
    return subprocess.run([COLLECT, *arguments], capture_output=True, timeout=300, check=False, **options)


def table(*arguments):
    """The rows of the CSV, by column."""
    result = collect("--format=csv", *arguments)
    return list(csv.DictReader(io.StringIO(result.stdout.decode())))


def verdicts(*arguments):
    return [row["verdict"] for row in table(*arguments)]


# --- a thousand runs -------------------------------------------------------------------------------

ONE_CPU = f"cpus={min(os.sched_getaffinity(0))}"
CLASSES = ["zeroed", "stale", "other-vcpu", "other-run", "swapped", "bit-flip", "foreign", "ghost", "altered", "fault",
           "all"]
WRONG = ["colour=red", "exits=none", "passes=-1", 'a"=b', "time=\x1b[2J", "cpus=4096"]
EXITS = ["cpuid", "rdtsc", "pause", "hold", "copy", "copy-ymm", "copy-xmm", "cold-page", "cpuid,rdtsc", "hypercall"]


def some_run(rng):
    """Arguments of a run, and the signal that ends it, if one does."""
    kind = rng.choices(["plain", "inject", "kept", "wrong", "stop", "term", "kill", "long"],
                       [40, 20, 10, 10, 8, 4, 5, 3])[0]
    exits = "exits=" + rng.choice(EXITS)
    # hold= is that short because a slice has a hundred of them.
    cpus = rng.choices([ONE_CPU, "cpus=all"], [8, 1])[0]
    plain = ["passes=1", exits, "hold=20", cpus, f"seed={rng.getrandbits(64):x}"]
    if kind == "inject":
        return plain + [f"inject={rng.choice(CLASSES)}/{rng.randint(1, 60)}"], None
    if kind == "kept":
        return plain + [exits + ",wrmsr"], None
    if kind == "wrong":
        return plain + [rng.choice(WRONG)], None
    if kind == "stop":
        return plain + ["inject=all/30", "stop=first"], None
    if kind == "term":
        return ["time=0", exits, ONE_CPU], signal.SIGTERM
    if kind == "kill":
        return ["time=0", exits, ONE_CPU] + rng.choice([[], ["inject=all/50"]]), signal.SIGKILL
    if kind == "long":
        return ["time=1", exits, ONE_CPU], None
    return plain, None


def run(arguments, ending, path):
    """Runs zmmtest-linux, its output into path; returns its exit code."""
    with open(path, "ab") as log:
        before = log.tell()
        with subprocess.Popen([PROGRAM, *arguments], stdout=log, stderr=subprocess.DEVNULL) as process:
            if ending:
                while process.poll() is None and b"ev=selftest" not in Path(path).read_bytes()[before:]:
                    time.sleep(0.01)
                process.send_signal(ending)
            return process.wait(timeout=120)


def thousand_runs(folder):
    """RUNS runs of 50 hosts in files of their own; of each tenth host all runs are in one file. The
    verdicts by their exit codes, by host."""
    rng = random.Random(8)
    by_host = {}

    def runs_of_host(host, plans):
        shared = folder / f"host{host:02}.log"
        own = folder / f"host{host:02}"
        if host % 10:
            own.mkdir()
        for n, (arguments, ending) in enumerate(plans):
            path = own / f"{n:04}.log" if host % 10 else shared
            by_host.setdefault(f"host{host:02}", []).append(OF_EXIT_CODE[run(arguments, ending, path)])

    with ThreadPoolExecutor(max(2, len(os.sched_getaffinity(0)))) as pool:
        for work in [pool.submit(runs_of_host, host, [some_run(rng) for _ in range(RUNS // 50)])
                     for host in range(50)]:
            work.result()
    return by_host


def boots(folder):
    """Two boots in QEMU beside them: COM1 as the firmware and zmmtest left it."""
    by_host = {}
    for name, options in {"qemu-plain": "passes=1", "qemu-inject": "passes=1 inject=zeroed/50"}.items():
        kept = folder / f"{name}.kept"
        environment = dict(os.environ, ENGINE="qemu", CPUS="1", KEEP=str(kept), OPTIONS=options)
        code = subprocess.run([ROOT / "ci/boot/run"], env=environment, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False).returncode
        (folder / name).mkdir()
        shutil.move(kept / "serial", folder / name / "serial.log")
        shutil.rmtree(kept)
        by_host[name] = [OF_EXIT_CODE[code]]
    return by_host


# Which is worse, said once more: the test must not ask the collector.
WORST_FIRST = ["FAIL", "ERROR", "NO END", "INCOMPLETE", "PASS"]


def without_label(verdict):
    return verdict.replace(" INJECTED", "")


def check_thousand(folder):
    started = time.monotonic()
    expected = {**thousand_runs(folder), **boots(folder)}
    count = Counter(verdict for of in expected.values() for verdict in of)
    print(f"# {sum(count.values())} runs in {time.monotonic() - started:.0f} s, by their exit codes: {dict(count)}")
    check("there are a thousand runs, and each way to end is among them",
          sum(count.values()) >= RUNS and set(count) >= {"FAIL", "INCOMPLETE", "ERROR", "NO END"}, count)

    started = time.monotonic()
    rows = table(folder)
    print(f"# collected in {time.monotonic() - started:.1f} s")
    seen = {}
    for row in rows:
        seen.setdefault(row["host"], []).append(without_label(row["verdict"]))
    check("as many rows as runs", len(rows) == sum(count.values()), len(rows))
    check("each host's verdicts are those of its exit codes",
          {host: Counter(of) for host, of in seen.items()} == {host: Counter(of) for host, of in expected.items()},
          [(host, of, seen.get(host)) for host, of in expected.items() if Counter(of) != Counter(seen.get(host, []))])
    check("every finding was injected, and says so in the CSV",
          all(row["findings"] == row["injected"] for row in rows)
          and all("INJECTED" in row["verdict"] for row in rows if row["verdict"].startswith("FAIL"))
          and all(row["looks_like"].startswith("INJECTED") for row in rows if int(row["findings"])))
    mixed = [row for row in rows if without_label(row["verdict"]) != without_label(row["host_verdict"])]
    check("hosts whose runs differ have their worst verdict", mixed and all(
        without_label(row["host_verdict"]) == without_label(worst_of(seen[row["host"]], rows, row["host"]))
        for row in rows), mixed[:3])
    check_text(folder, rows)
    check_junit(folder, rows)


def worst_of(of, rows, host):
    """FAIL of what was only injected is less than ERROR."""
    labelled = any(row["verdict"] == "FAIL" for row in rows if row["host"] == host)
    order = WORST_FIRST if labelled else ["ERROR", "NO END", "FAIL", "INCOMPLETE", "PASS"]
    return min(of, key=order.index)


def check_text(folder, rows):
    result = collect(folder)
    text = result.stdout.decode()
    lines = text.split("\n\n")[0].splitlines()
    check("the exit code is the worst verdict's", result.returncode == 3, result.returncode)
    starts = [lines[0].index(heading) for heading in ("HYPERVISOR", "BUILD", "CPU", "MICROCODE", "VERDICT", "RUNS")]
    check("the table is aligned", all(line[at - 1] == " " and line[at] != " " for line in lines for at in starts))
    check("it has a line for each host", len({line.split()[0] for line in lines[1:]}) == len({r["host"] for r in rows}))
    count = Counter(row["verdict"] for row in rows)
    check("its last line counts the runs", all(f"{n} {verdict}" in text.splitlines()[-1].split("Runs")[1]
                                               for verdict, n in count.items()), text.splitlines()[-1], count)
    check("what was injected is labelled in it", "FAIL INJECTED" in text
          and all("INJECTED" in line for line in text.splitlines() if "looks like" in line))


def check_junit(folder, rows):
    root = ET.fromstring(collect("--format=junit", folder).stdout)
    cases = root.findall("testsuite/testcase")
    count = Counter(row["verdict"] for row in rows)
    check("JUnit has a test case for each run", len(cases) == len(rows), len(cases))
    check("its failures are the FAILs, labelled",
          Counter(e.get("type") for e in root.iter("failure")) == Counter({"FAIL INJECTED": count["FAIL INJECTED"]})
          and all("label=INJECTED" in e.text for e in root.iter("failure")))
    check("its skipped the INCOMPLETEs, with reasons", len(list(root.iter("skipped"))) == count["INCOMPLETE"]
          and all(len(e.get("message")) > 20 for e in root.iter("skipped")))
    check("its errors all that came to nothing",
          len(list(root.iter("error"))) == count["ERROR"] + count["NO END"] + count["CUT OFF"] + count["NO RUN"])
    check("nothing in a case but what Jenkins knows, and the machine is in it", all(
        {element.tag for element in case} <= {"failure", "error", "skipped", "system-out"}
        and "cpu: " in case.findtext("system-out") for case in cases))
    check("and the suites' own counts say the same", all(
        int(suite.get("tests")) == len(suite.findall("testcase"))
        and int(suite.get("errors")) == len(suite.findall("testcase/error"))
        and int(suite.get("failures")) == len(suite.findall("testcase/failure"))
        and int(suite.get("skipped")) == len(suite.findall("testcase/skipped")) for suite in root.iter("testsuite")))


# --- what is no whole log --------------------------------------------------------------------------


def real_log(folder):
    """One whole log, its exit code's verdict, and its ev=done as a FAIL that nobody injected."""
    path = folder / "real.log"
    verdict = OF_EXIT_CODE[run(["passes=1", "exits=cpuid", ONE_CPU], None, path)]
    return path.read_bytes(), verdict


def failing(log):
    """The same with one finding: there is no way to a real one on a machine that has no bug."""
    finding = b'zmmtest ts=0.030 ev=finding n=1 cpu=0 exit=copy round=9 generation=3 component=zmm_hi256 ' \
              b'class=zeroed registers=zmm0-15 bits=511:256 signature="ESXi 8.0.2: AVX-256 host code, zmm not saved"\n'
    done = log.index(b"zmmtest ts=", log.index(b"ev=component name=x87"))
    for verdict in (b"verdict=PASS", b"verdict=INCOMPLETE"):
        log = log.replace(verdict, b"verdict=FAIL")
    return log[:done] + finding + log[done:].replace(b"findings=0 vcpus", b"findings=1 vcpus")


def write(folder, **logs):
    folder.mkdir()
    for name, data in logs.items():
        (folder / f"{name}.log").write_bytes(data)
    return folder


def check_worst(folder, log, verdict):
    bad = failing(log)
    rows = table(write(folder / "worst", once=log + bad + log, twice=log + log))
    check("FAIL once and twice not: all three are seen", [row["verdict"] for row in rows] ==
          [verdict, "FAIL", verdict] + [verdict] * 2, rows)
    check("and the host is FAIL, the other not", [row["host_verdict"] for row in rows] == ["FAIL"] * 3 + [verdict] * 2)
    check("exit code 1", collect(folder / "worst").returncode == 1)
    run(["colour=red"], None, folder / "error.log")
    error = (folder / "error.log").read_bytes()
    codes = [collect(write(folder / f"code{n}", a=data)).returncode for n, data in enumerate(
        [bad, log, log.split(b"ev=done")[0], b"", error, bad + log.split(b"ev=done")[0], bad + error])]
    check("exit codes: a FAIL is no less of one for a reset or an ERROR after it",
          codes == [1, 0 if verdict == "PASS" else 2, 3, 3, 3, 1, 1], codes)
    cut = bad.split(b"zmmtest ts=")
    cut = b"zmmtest ts=".join(part for part in cut if b"ev=done" not in part)
    check("a finding before a log without an end is a FAIL", verdicts(write(folder / "found", a=cut)) == ["FAIL"])
    lie = bad.replace(b"verdict=FAIL", b"verdict=PASS")
    check("PASS after a finding is an ERROR", verdicts(write(folder / "lie", a=lie)) == ["ERROR"])
    text = collect(folder / "worst").stdout.decode()
    check("what it looks like is said, and that nobody injected it",
          "looks like ESXi 8.0.2: AVX-256 host code, zmm not saved\n" in text and "INJECTED" not in text, text)


def check_cut(folder, log, verdict):
    """The same log, cut off after each byte; and one with an injected finding, around its label."""
    run(["passes=1", "exits=cpuid", ONE_CPU, "inject=zeroed/50"], None, folder / "injected.log")
    injected = (folder / "injected.log").read_bytes()
    cut = folder / "cut"
    cut.mkdir()
    for length in range(len(log)):
        (cut / f"{length:06}.log").write_bytes(log[:length])
    done = log.index(b'"', log.index(b'reason="', log.index(b"ev=done")) + 8) + 1
    rows = table(cut)
    early, late = rows[:done], rows[done:]
    count = Counter(row["verdict"] for row in early)
    print(f"# cut at each of {len(log)} bytes: {dict(count)}")
    check("cut anywhere before its end a log is no pass", set(count) == {"NO RUN", "CUT OFF", "NO END"}, count)
    label = injected.index(b"label=INJECTED")
    half = write(folder / "half", **{f"{n:03}": injected[:label + n] for n in range(-20, 30)})
    check("an injected finding that is cut before its label is no FAIL", set(verdicts(half)) == {"CUT OFF"})
    first = log.index(b"\n", log.index(b"ev=start"))
    check("between lines it is NO END, within one CUT OFF", all(
        row["verdict"] == ("CUT OFF" if log[:n].split(b"\n")[-1].strip() else "NO END")
        for n, row in enumerate(early) if n > first))
    check("cut after it, it has its verdict", {row["verdict"] for row in late} == {verdict}, late[:1])


def check_junk(folder, log, verdict):
    rng = random.Random(9)
    junk = rng.randbytes(100_000)
    crlf = log.replace(b"\n", b"\r\n")
    noisy = b"\x1b[2J\x1b[01;01HBdsDxe: loading Boot0001\r\n\0\0" + crlf.replace(b"\r\n", b"\x1b[K\r\n").replace(
        b"zmmtest ts=", b"\r\n\x1b[0m\x1b[37m\0zmmtest ts=") + b"\x1b[0m\0\0\xff"
    text = log.decode()
    vmware = "".join(f"2026-01-01T00:00:00.000Z In(05) vcpu-0 - Guest: {line}\n" for line in text.splitlines())
    quoted = "".join(line + f'\nfaultvisor ev=vmware-log text="{line}"\n' for line in text.splitlines())
    expected = {
        "crlf": [verdict], "quoted": [verdict], "noisy": [verdict], "twice": [verdict] * 2,
        "utf16le": [verdict], "utf16be": [verdict],
        "junk-before": [verdict], "junk-after": [verdict], "vm": [verdict], "headless": [verdict],
        "empty": ["NO RUN"], "junk": ["NO RUN"], "nul": ["NO RUN"], "words": ["NO RUN"],
        "restarted": ["NO END", verdict], "start-damaged": [verdict] * 2, "done-damaged": ["NO END"]}
    write(folder / "junk", crlf=crlf, noisy=noisy, twice=log + log, utf16le=text.encode("utf-16"),
          quoted=quoted.encode(),
          utf16be=b"\xfe\xff" + text.encode("utf-16-be"), vm=vmware.encode(),
          headless=log[log.index(b"zmmtest ts=", 5):], empty=b"", junk=junk, nul=bytes(5000),
          words=b"zmmtest is not here\n", restarted=log.split(b"ev=exit")[0] + b"\n" + log,
          **{"junk-before": junk + b"\n" + log, "junk-after": log + junk,
             "start-damaged": log + log.replace(b"ev=start", b"ev=st\xffrt"),
             "done-damaged": log.replace(b"exits=", b"ex\xffts=")})
    seen = {}
    for row in table(folder / "junk"):
        seen.setdefault(row["host"], []).append(row["verdict"])
    for host, of in expected.items():
        check(f"{host}: {', '.join(of)}", seen.get(host) == of, seen.get(host))
    machine = b"zmmtest ts=0.020 ev=machine cpu=x hypervisor=VMware build="
    end = log.index(b"zmmtest ts=", log.index(b"ev=machine"))
    builds = [b"22380479", b"22380479", b"24022510"]
    moved = log[:end] + b"".join(machine + build + b" cpus=1\n" for build in builds) + log[end:]
    check("a run that was moved has both builds",
          [row["build"] for row in table(write(folder / "moved", a=moved))] == ["22380479 then 24022510"])
    check("JUnit of it is XML", ET.fromstring(collect("--format=junit", folder / "junk").stdout) is not None)
    reasons = {row["host"]: row["reason"] for row in table(folder / "junk")}
    check("says that a file is empty", reasons["empty"] == "the file is empty")
    check("says what a file ends with that has no run", 'it ends "zmmtest is not here"' in reasons["words"])


def check_before_start(folder, log, verdict):
    """What is said before ev=start, as older versions did under U-Boot."""
    notice = b'zmmtest ts=0.001 ev=notice reason="no timer"\n'
    error = b'zmmtest ts=0.002 ev=error reason="no variables"\n'
    rows = table(write(folder / "before", a=notice + error + log, b=log + notice + error + log))
    check("a notice and an error before ev=start are of the run that starts",
          [(row["host"], row["verdict"], row["run_in_file"]) for row in rows]
          == [("a", verdict, "1"), ("b", verdict, "1"), ("b", verdict, "2")], rows)
    check("whose reason has the error", [row["reason"].endswith(": no variables") for row in rows]
          == [True, False, True], rows)
    rows = table(write(folder / "alone", a=notice + error, b=log + error, c=error + log.split(b"ev=machine")[0] + b"\n"))
    check("without a run after them they are none, and no pass",
          [row["verdict"] for row in rows] == ["NO RUN", verdict, "NO END"], rows)
    check("which is said", rows[0]["reason"].startswith("zmmtest started no run; it ends "), rows[0])


def check_names(folder, log, verdict):
    names = write(folder / "names")
    for name in [b"=1+1.log", b"-x.log", b"@a.log", b"a,b\"c.log", b"new\nline.log", b"esc\x1b[2J.log", b"\xff\xfe.log",
                 b"<&>.log", b"uml\xc3\xa4ut.log", b"esx01.example.com"]:
        Path(os.fsdecode(os.fsencode(names) + b"/" + name)).write_bytes(log)
    for name in ["vmware.log", "vmware-1.log", "junit.xml", "table.csv", ".hidden", "0001.txt"]:
        (names / name).write_text("not a log\n")
    hosts = sorted(row["host"] for row in table(names))
    check("hosts have their files' names, harmless to a spreadsheet and a terminal", hosts == sorted(
        ["'=1+1", "'-x", "'@a", 'a,b"c', "new?line", "esc?[2J", "??", "<&>", "umläut", "esx01.example.com"]), hosts)
    suites = ET.fromstring(collect("--format=junit", names).stdout).findall("testsuite")
    check("and are whole in JUnit", {"<&>", 'a,b"c', "umläut", "??"} <= {suite.get("name") for suite in suites})
    check("what is no log in a folder is passed over", len(hosts) == 10)
    check("named itself, it is read", verdicts(names / "vmware.log") == ["NO RUN"])
    plain = collect(names, env={"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PATH": os.environ["PATH"]})
    check("where the locale has ASCII alone as well",
          plain.returncode == (0 if verdict == "PASS" else 2) and not plain.stderr, plain.stderr)
    deep = folder / "deep"
    (deep / "esx01.out/zmmtest").mkdir(parents=True)
    (deep / "esx01.out/zmmtest/0001.log").write_bytes(log)
    check("the first folder beneath is the host", [row["host"] for row in table(deep)] == ["esx01.out"])
    check("with --host=folder the file's own", [row["host"] for row in table("--host=folder", deep)] == ["zmmtest"])


def limited():
    resource.setrlimit(resource.RLIMIT_AS, (192 << 20, 192 << 20))


def check_places(folder, log, verdict):
    places = write(folder / "places", a=log)
    (places / "loop").symlink_to(places)
    (places / "dangling.log").symlink_to(places / "nothing")
    os.mkfifo(places / "fifo.log")
    rows = table(places)
    check("loops of links and FIFOs are no trap, a dangling link is seen",
          [row["verdict"] for row in rows] == [verdict, "NO RUN"], rows)
    (places / "latest.log").symlink_to("a.log")
    check("a link to a log of the same folder is not that log twice", len(table(places)) == 2)
    (places / "latest.log").unlink()
    check("a file that is not there is a line", verdicts(places / "a.log", places / "b.log") == [verdict, "NO RUN"])
    (places / "b.log").write_bytes(log)
    (places / "b.log").chmod(0)
    (places / "locked").mkdir(mode=0)
    if os.geteuid():
        got = table(places)
    else:  # root may read it all the same
        places.chmod(0o755)
        folder.chmod(0o755)
        got = list(csv.DictReader(io.StringIO(subprocess.run(
            ["/usr/bin/python3", "-", "--format=csv", places], stdin=open(COLLECT, "rb"), capture_output=True,
            user=65534, group=65534, check=False).stdout.decode())))
    unreadable = {row["host"]: row["reason"] for row in got if row["verdict"] == "NO RUN"}
    check("an unreadable file or folder is a line that says why", {"b", "locked"} <= set(unreadable) and
          all("Permission denied" in unreadable[host] for host in ("b", "locked")), got)
    (places / "locked").chmod(0o700)

    huge = write(folder / "huge")
    block = random.Random(10).randbytes(1 << 20)
    with open(huge / "junk.log", "wb") as file:
        for n in range(100):  # most of it without a line end
            file.write(block if n >= 90 else block.replace(b"\n", b" ").replace(b"\r", b" "))
        file.write(b"\n" + log)
    with open(huge / "lines.log", "wb") as file:
        for _ in range(100 * (1 << 20) // len(log) // 20):
            file.write(log.replace(b"ev=done", b"ev=tick") * 20)
        file.write(log)
    started = time.monotonic()
    result = collect("--format=csv", huge / "junk.log", preexec_fn=limited)
    check("100 MB of junk before a log, in 192 MB of address space",
          [row["verdict"] for row in csv.DictReader(io.StringIO(result.stdout.decode()))] == [verdict], result.stderr)
    print(f"# in {time.monotonic() - started:.1f} s")
    started = time.monotonic()
    rows = table(huge / "lines.log")
    check("100 MB of runs that are all reset but the last", len(rows) > 1000 and rows[-1]["verdict"] == verdict
          and {row["verdict"] for row in rows[:-1]} == {"NO END"}, len(rows))
    print(f"# {len(rows)} runs in {time.monotonic() - started:.1f} s")


def check_writers(folder, log, verdict):
    """What programs on the way make of a log: each of ci/fleet/logs/ by a file, and consoles that wrap it."""
    files = sorted((Path(__file__).parent / "logs").iterdir())
    got = {path.name: verdicts(path) for path in files}
    check("logs as other programs wrote them", len(files) >= 8
          and got == {path.name: ["FAIL" if "fail" in path.name else "PASS"] for path in files}, got)
    lines = [line.rstrip(b"\r") for line in log.split(b"\n")]
    logs = {"as-it-was": log}
    for columns in range(40, 120):
        pieces = [line[at:at + columns] for line in lines for at in range(0, max(len(line), 1), columns)]
        logs[f"{columns}"] = b"\n".join(pieces)
        logs[f"{columns}-stripped"] = b"\n".join(piece.rstrip() for piece in pieces)
    rows = {tuple(row[key] for key in ("verdict", "exits", "cpu", "reason")) for row in table(write(folder / "wrapped", **logs))}
    check("a log that was wrapped at 40 to 119 columns", len(rows) == 1, rows)


def check_told_apart(folder):
    """Findings of storage from those of registers; rounds that stayed in the guest from those that tested something."""
    runs = Path(__file__).parent / "runs"
    rows = {row["host"]: row for row in table(runs)}
    check("a FAIL of storage is no FAIL of registers", {host: row["verdict"] for host, row in rows.items()} == {
        "fail": "FAIL", "nothing-left": "INCOMPLETE", "pass": "PASS", "stayed": "PASS", "storage": "FAIL STORAGE"}, rows)
    check("the CSV has its wrong blocks, and what stayed in the guest", [rows["storage"][key] for key in (
        "findings", "storage", "injected", "below_one_in")] == ["200", "200", "0", "2280"] and [rows["stayed"][key] for key in (
            "exits", "exits_left", "stayed", "stayed_exits")] == ["4048", "1736", "2312", "out80 rdpmc"], rows)
    text = collect(runs / "storage.log").stdout.decode()
    check("the table names storage, and no register", "  200 of storage  " in text and "looks like wrong blocks of storage, no register\n" in text
          and "registers changed" not in text and "no known bug" not in text and text.endswith("Runs 1: 1 FAIL STORAGE.\n"), text)
    check("with the bound of the registers", text.split("\n\n")[0].endswith("  2280"), text)
    lines = {line.split()[0]: line.split() for line in collect(runs).stdout.decode().split("\n\n")[0].splitlines()}
    check("its exits are those that left the guest", [lines[host][-4] for host in ("stayed", "nothing-left", "pass")] ==
          ["1736", "0", "54694"] and lines["nothing-left"][-1] == "-", lines)
    root = ET.fromstring(collect("--format=junit", runs / "storage.log").stdout)
    said = root.findtext("testsuite/testcase/system-out")
    check("JUnit, too", [element.get("type") for element in root.iter("failure")] == ["FAIL STORAGE"]
          and "findings: 200 of storage" in said and "stayed in the guest: out80 rdpmc" in
          collect("--format=junit", runs / "stayed.log").stdout.decode(), said)
    wrong, bad = ((runs / f"{name}.log").read_bytes() for name in ("storage", "fail"))
    blocks = wrong[wrong.index(b"zmmtest ts=1.038 ev=finding"):wrong.index(b"zmmtest ts=1.120")]
    planted = b"zmmtest ts=1.100 ev=finding n=9 label=INJECTED cpu=0 exit=inject class=zeroed registers=zmm0 bits=511:256 signature=none\n"
    logs = {"cut": wrong[:wrong.index(b"zmmtest ts=1.120")], "both": bad.replace(b"findings=44 ", b"findings=244 storage=200 "),
            "both-cut": bad[:bad.index(b"zmmtest ts=24.347 ev=tick")] + blocks,
            "planted": wrong.replace(b"zmmtest ts=1.120", planted + b"zmmtest ts=1.120").replace(b"findings=200 ", b"findings=201 injected=1 "),
            "reset": wrong + wrong.split(b"ev=skip")[0]}
    got, blocks_of = {}, {}
    for row in table(write(folder / "apart", **logs)):
        blocks_of[row["host"]] = row["storage"]
        got.setdefault(row["host"], []).append(row["verdict"])
    check("without an end, beside a register's finding, beside a planted one", got == {
        "cut": ["FAIL STORAGE"], "both": ["FAIL"], "both-cut": ["FAIL"], "planted": ["FAIL STORAGE"],
        "reset": ["FAIL STORAGE", "CUT OFF"]}, got)
    check("a log without an end has those that it tells", blocks_of["cut"] == "4" and blocks_of["both-cut"] == "4", blocks_of)
    text = collect(folder / "apart").stdout.decode()
    check("each with how many are whose", "244, 200 of them in storage" in text and "1 INJECTED, 200 of storage" in text
          and "wrong blocks of storage, and no register, before a log without an end" in text, text)
    finding = blocks.splitlines(True)[0]
    many = b"".join(finding.replace(b"from=zeroed", b"from=" + origin) for origin in (b"zeroed", b"stale", b"swapped", b"foreign") * 2)
    crowd = bad.replace(b"zmmtest ts=4.416", many + b"zmmtest ts=4.416", 1)
    looks = table(write(folder / "crowd", a=crowd))[0]["looks_like"]
    quoted = next(ET.fromstring(collect("--format=junit", folder / "crowd").stdout).iter("failure")).text
    late = next(ET.fromstring(collect("--format=junit", folder / "apart/both-cut.log").stdout).iter("failure")).text
    check("many wrong blocks do not crowd a register's finding out, nor the other way", late.count("class=storage") == 4 and looks == "wrong blocks of storage, no register; "
          "ESXi 8.0.2: AVX-256 host code, zmm not saved" and quoted.count("class=storage") == 4
          and quoted.count("registers=zmm0-15") == 4, looks, quoted)
    codes = [collect(folder / "apart" / f"{name}.log").returncode for name in logs]
    check("exit code 1, also where a reset came after", codes == [1] * 5, codes)


def check_use(folder):
    (folder / "nothing").mkdir()
    for arguments in ([], ["--format=pdf", folder], ["--nonsense"], [folder / "nothing"]):
        result = collect(*arguments)
        check(f"wrong use is 4 and says why: {' '.join(map(str, arguments[:1])) or 'no argument'}",
              result.returncode == 4 and result.stderr.startswith(b"zmmtest-collect: ") and not result.stdout, result)
    help_ = collect("--help")
    check("--help tells it all", help_.returncode == 0 and b"CUT OFF" in help_.stdout)


def check_trouble(folder, log):
    """Whatever goes wrong, the exit code is not 1, which means FAIL."""
    result = collect("")
    check("no name at all is 4", result.returncode == 4 and result.stderr.startswith(b"zmmtest-collect: "), result)
    (folder / "good").mkdir()
    (folder / "good" / "a.log").write_bytes(log)
    for name, where in (("a full disk", ">/dev/full"), ("an output that is closed", ">&-")):
        result = subprocess.run(["sh", "-c", f'exec "$0" "$1" {where}', COLLECT, folder / "good"],
                                capture_output=True, timeout=300, check=False)
        check(f"{name} is 4, and one line", result.returncode == 4 and result.stderr.count(b"\n") == 1, result)
    linked = folder / "linked"
    linked.mkdir()
    (folder / "secret").write_bytes(b"root:hash:of:a:password\n")
    (linked / "a.log").symlink_to(folder / "secret")
    (linked / "b.log").symlink_to("/proc/kmsg")
    (linked / "c").symlink_to(folder)
    (linked / "d.log").write_bytes(log)
    result = collect(linked)
    rows = table(linked)
    check("links out of a folder are not followed, and each is a line", b"password" not in result.stdout + result.stderr
          and [row["host"] for row in rows if row["verdict"] == "NO RUN"] == ["a", "b", "c"] and len(rows) == 4, rows)
    deep = folder / "endless"
    deep.mkdir()
    subprocess.run(["sh", "-c", 'cd "$0" && n=0 && while [ $n -lt 1500 ]; do mkdir d && cd d && n=$((n + 1)); done', deep],
                   check=True)
    result = collect(deep)
    check("folders without an end are no FAIL", result.returncode in (3, 4) and b"Traceback" not in result.stderr, result)
    subprocess.run(["rm", "-rf", deep], check=True)


def main():
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        log, verdict = real_log(folder)
        check_worst(folder, log, verdict)
        check_cut(folder, log, verdict)
        check_junk(folder, log, verdict)
        check_before_start(folder, log, verdict)
        check_names(folder, log, verdict)
        check_places(folder, log, verdict)
        check_writers(folder, log, verdict)
        check_told_apart(folder)
        check_use(folder)
        check_trouble(folder, log)
        (folder / "thousand").mkdir()
        check_thousand(folder / "thousand")
    print(f"1..{tests}")
    return 1 if failed else 0


sys.exit(main())
