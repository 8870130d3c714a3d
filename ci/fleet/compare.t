#!/usr/bin/env python3
"""zmmtest-collect --compare: its statistics against published values, against sums of whole distributions, and by how
often they are wrong; and what it says of runs before and after a change.

The logs are those of ci/fleet/runs: zmmtest over faultvisor in Bochs, as ESXi 8.0.2 does it and without the fault; with
exits that stay in the guest; and in QEMU, over a disk that loses what was written."""
import math
import subprocess
import sys
import tempfile
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "ci"), str(ROOT / "ci/fleet"), str(ROOT / "image/fleet")]
import collector  # noqa: E402
import comparing  # noqa: E402
from tap import check, finish  # noqa: E402

BAD = (ROOT / "ci/fleet/runs/fail.log").read_text()
GOOD = (ROOT / "ci/fleet/runs/pass.log").read_text()
STORAGE = (ROOT / "ci/fleet/runs/storage.log").read_text()
STAYED = (ROOT / "ci/fleet/runs/stayed.log").read_text()
NOTHING_LEFT = (ROOT / "ci/fleet/runs/nothing-left.log").read_text()


# --- statistics --------------------------------------------------------------------------------------------


def near(one, other, by=1e-9):
    return abs(one - other) <= by * max(abs(one), abs(other), 1e-300)


def poisson(count, mean):
    return math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))


def check_intervals():
    # Garwood's table, as textbooks have it.
    published = {0: (0, 3.689), 1: (0.0253, 5.572), 2: (0.242, 7.225), 5: (1.623, 11.668), 10: (4.795, 18.390),
                 50: (37.11, 65.92), 100: (81.36, 121.63)}
    wrong = [(count, comparing.poisson_interval(count)) for count, bounds in published.items()
             if not all(near(got, wanted, 1e-3) or got == wanted for got, wanted in zip(comparing.poisson_interval(count), bounds))]
    check("intervals are those of Garwood's table", not wrong, wrong)
    intervals = [comparing.poisson_interval(count) for count in range(120)]
    covered = {}
    for mean in [0.05 * n for n in range(1, 1000)]:
        covered[mean] = sum(poisson(count, mean) for count, (low, high) in enumerate(intervals) if low <= mean <= high)
    check("they hold the mean in 95 % of all cases at the least, whatever it is", min(covered.values()) > 0.95 - 1e-9, min(covered.values()))
    low, high = comparing.poisson_interval(10 ** 8)
    check("of large counts they are those of the normal distribution", near(10 ** 8 - low, 19600, 1e-3) and near(high - 10 ** 8, 19600, 1e-3),
          (low, high))


def by_sums(first, exits, second, other):
    """The conditional test once more, without a rounded number."""
    total, share = first + second, Fraction(exits, exits + other)
    chance = [math.comb(total, k) * share ** k * (1 - share) ** (total - k) for k in range(total + 1)]
    return float(min(1, 2 * min(sum(chance[:first + 1]), sum(chance[first:]))))


def check_rates():
    cases = [(44, 54549, 0, 66185), (5, 1000, 2, 1000), (0, 100, 3, 1000), (3, 10, 3, 10), (1, 5, 0, 5), (20, 1000, 40, 1500),
             (0, 7, 0, 9), (120, 10 ** 6, 90, 10 ** 6), (9, 10 ** 9, 0, 10 ** 9), (1, 3, 30, 10 ** 5)]
    wrong = [case for case in cases if not near(comparing.rates_differ(*case), by_sums(*case), 1e-9)]
    check("p of two rates is that of sums over the whole distribution", not wrong,
          [(case, comparing.rates_differ(*case), by_sums(*case)) for case in wrong])
    rejected = []
    for total in range(1, 60):
        for exits, other in ((1, 1), (1, 4), (10, 3)):
            share = exits / (exits + other)
            rejected.append(sum(math.comb(total, k) * share ** k * (1 - share) ** (total - k) for k in range(total + 1)
                                if comparing.rates_differ(k, exits, total - k, other) < comparing.ALPHA))
    check("where nothing differs it says so in 19 of 20 cases at the least", 0.01 < max(rejected) <= 0.05, max(rejected))
    check("it knows which side is which", comparing.rates_differ(1, 10 ** 6, 9, 10) < 1e-6
          and comparing.rates_differ(9, 10, 1, 10 ** 6) < 1e-6 and comparing.rates_differ(9, 10 ** 6, 9, 10 ** 6) == 1)
    # The lady who tasted tea (Fisher, 1935): 17 of 70 on one side.
    check("runs are compared as Fisher did", near(comparing.runs_differ(3, 4, 1, 4), 2 * 17 / 70))
    wrong = [(findings, exits) for findings in (1, 2, 5, 44) for exits in (100, 54549) for needed in
             [comparing.clean_exits_needed(findings, exits)]
             if not comparing.rates_differ(findings, exits, 0, needed + 1) < comparing.ALPHA <= comparing.rates_differ(
                 findings, exits, 0, max(1, needed - 1)) * 1.001]
    check("so many clean exits are needed as it says, and no fewer", not wrong, wrong)


# --- what it says ------------------------------------------------------------------------------------------


class Sides:
    """Folders of logs, each pair of its own."""

    def __init__(self, folder):
        self.folder, self.count = folder, 0

    def compare(self, before, after, *arguments):
        self.count += 1
        paths = []
        for name, logs in (("before", before), ("after", after)):
            paths.append(self.folder / f"{self.count}" / name)
            paths[-1].mkdir(parents=True)
            for host, log in logs.items():
                (paths[-1] / f"{host}.log").write_text(log)
        result = subprocess.run([*collector.COLLECT, "--compare", *arguments, *(f"{path}/" for path in paths)],
                                capture_output=True, timeout=60, check=False)
        self.code, self.said = result.returncode, result.stderr
        return result.stdout.decode()


def with_counts(log, exits, findings):
    log = log.replace("exits=54549 findings=44", f"exits={exits} findings={findings}")
    return log.replace("exits=54694 findings=0", f"exits={exits} findings={findings}")


def rows(text):
    return defaultdict(str, {line.split("  ")[0]: line for line in text.splitlines()})


def check_words(sides):
    text = sides.compare({"a": BAD}, {"a": GOOD.replace("22380479", "24022510")})
    check("a bug that is mended: more than chance, and exit code 0", "more than chance (p < 0.0001): nothing was found after"
          in text and sides.code == 0, text)
    check("verdict, build, findings and rate changed, processor and options did not",
          all(rows(text)[fact].endswith("changed") for fact in ("verdict", "build", "findings", "rate"))
          and not any(rows(text)[fact].endswith("changed") for fact in ("cpu", "microcode", "options", "AVX-512")), text)
    check("both rates are there, with interval and bound", "1 in 1,240 (1 in 1,706 to 1 in 923)" in rows(text)["rate"]
          and "none found: below 1 in 18,231" in rows(text)["rate"], rows(text)["rate"])
    check("the test is named", "conditional test of two Poisson rates" in text and "(Garwood)" in text)
    check("and that one run each says little", "1 of 1 with findings before, 0 of 1 after (p = 1)" in text, text)
    text = sides.compare({"a": GOOD}, {"a": BAD})
    check("a bug that is new: lost more often, and exit code 1", "more than chance (p < 0.0001): registers are lost more often after"
          in text and sides.code == 1, text)
    text = sides.compare({"a": with_counts(BAD, 54549, 440)}, {"a": BAD})
    check("a bug that is rarer is said to be so", "registers are lost less often after" in text, text)
    text = sides.compare({"a": with_counts(BAD, 54549, 3)}, {"a": with_counts(GOOD, 20000, 0)})
    check("too few exits may be chance, and it says how many are needed",
          "may be chance (p = " in text and f"{comparing.clean_exits_needed(3, 54549):,} exits without a finding" in text, text)
    text = sides.compare({"a": GOOD}, {"a": GOOD})
    check("nothing on either side is no sign of anything", "no sign that something was mended" in text and "chance" not in text, text)


def check_cautions(sides):
    text = sides.compare({"a": BAD}, {"a": GOOD.replace("22380479", "24022510").replace("microcode=0x0", "microcode=0x5")})
    check("two things that changed are both named", "More than one thing changed (build, microcode)" in text, text)
    text = sides.compare({"a": BAD}, {"a": GOOD.replace("passes=5", "passes=6 exits=cpuid").replace("seed=0x1", "seed=0x2")})
    check("other options are a caution", "The options differ" in text and "exits=cpuid passes=6" in rows(text)["options"], text)
    masked = GOOD.replace(",opmask:64,ZMM_Hi256:512,Hi16_ZMM:1024", "").replace("xcr0=0xe7", "xcr0=0x7")
    text = sides.compare({"a": BAD}, {"a": masked})
    check("AVX-512 that is masked is a fact", rows(text)["AVX-512"].split() == ["AVX-512", "tested", "not", "tested", "changed"], text)
    cut = BAD[:BAD.index("zmmtest ts=24.347 ev=tick")]
    text = sides.compare({"a": BAD, "b": cut}, {"a": GOOD})
    check("a run without an end counts up to its last tick", rows(text)["exits"].split()[1] == f"{54549 + 26246:,}"
          and rows(text)["findings"].split()[1] == "80", text)
    text = sides.compare({"a": BAD, "b": BAD[:BAD.index("zmmtest ts=15.255 ev=tick")]}, {"a": GOOD})
    check("one without a tick is in no rate, which is said", rows(text)["exits"].split()[1] == "54,549"
          and "1 of 2 runs of" in text and "are in no rate" in text, text)
    planted = BAD.replace("ev=finding n", "ev=finding label=INJECTED n").replace("findings=44 v", "findings=44 injected=44 v")
    text = sides.compare({"a": planted}, {"a": GOOD})
    check("planted faults are no findings", rows(text)["findings"].split()[1] == "0" and "44 findings of" in text
          and "were INJECTED" in text, text)
    text = sides.compare({"a": "junk\n"}, {"a": GOOD})
    check("a side without a run compares with nothing", "Nothing can be compared: no run of" in text, text)


def check_storage(sides):
    text = sides.compare({"a": GOOD}, {"a": STORAGE})
    table = rows(text)
    check("wrong blocks are in a row of their own, and in no rate", table["wrong blocks"].split()[2:] == ["0", "200", "changed"]
          and table["findings"].split()[1:] == ["0", "0"] and "none found: below 1 in 2,280" in table["rate"], text)
    check("a side that has them alone has lost no register, and is FAIL STORAGE", "No register was lost on either side" in text
          and table["verdict"].split() == ["verdict", "1", "PASS", "1", "FAIL", "STORAGE", "changed"] and sides.code == 1, text)
    check("which is told", "200 findings of" in text and "are wrong blocks of storage and no registers, and are in no rate" in text, text)
    text = sides.compare({"a": BAD}, {"a": STORAGE})
    check("it does not read as if nothing was found", "no register was lost after" in text and "nothing was found after" not in text, text)
    both = BAD.replace("findings=44 v", "findings=244 storage=200 v")
    text = sides.compare({"a": both}, {"a": GOOD})
    check("beside registers' findings they change no rate", "1 in 1,240 (1 in 1,706 to 1 in 923)" in rows(text)["rate"]
          and rows(text)["findings"].split()[1] == "44" and "1 of 1 with findings before" in text, text)
    cut = STORAGE[:STORAGE.index("zmmtest ts=1.120")] + "zmmtest ts=1.120 ev=tick elapsed=1 exits=6841 findings=200\n"
    text = sides.compare({"a": BAD, "b": cut}, {"a": GOOD})
    check("a tick does not tell them apart, so that a run with them and without an end is in no rate",
          rows(text)["exits"].split()[1] == "54,549" and "1 of 2 runs of" in text, text)


def check_stayed(sides):
    text = sides.compare({"a": BAD}, {"a": STAYED})
    table = rows(text)
    check("rounds that stayed in the guest are no exits", table["exits"].split()[1:] == ["54,549", "1,736"]
          and table["stayed"].split()[1:] == ["0", "2,312"] and "below 1 in 578" in table["rate"], text)
    p = comparing.rates_differ(44, 54549, 0, 1736)
    check("nor tests: too few are left to tell chance", f"may be chance (p = {p:.2g})" in text and p > comparing.ALPHA
          and "there are 1,736" in text, text)
    check("which exits those were is told", "2,312 rounds of" in text and "are in no rate: out80, rdpmc." in text
          and "Not the same exits stayed in the guest" in text, text)
    text = sides.compare({"a": STAYED}, {"a": STAYED})
    check("the same ones on both sides are no difference", "Not the same exits" not in text, text)
    text = sides.compare({"a": BAD}, {"a": NOTHING_LEFT})
    check("a side in which nothing left the guest compares with nothing", "Nothing can be compared: nothing that ran in" in text
          and "1 of 1 runs of" in text and "had no exit that left the guest" in text and rows(text)["exits"].split()[2] == "0"
          and rows(text)["rate"].split()[-2:] == ["-", "changed"] and sides.code == 2, text)
    cut = BAD[:BAD.index("zmmtest ts=24.347 ev=tick")]
    text = sides.compare({"a": cut}, {"a": GOOD})
    check("that a tick does not tell them apart is said", "1 of 1 runs of" in text and "with what may have stayed in the guest" in text, text)


def check_hosts(sides):
    text = sides.compare({"a": BAD, "b": BAD, "only": BAD}, {"a": GOOD.replace("22380479", "24022510"), "b": BAD})
    table = rows(text)
    check("hosts of both sides stand in a table", {"a", "b"} <= set(table) and "only" not in table, text)
    check("each with both verdicts, builds and rates", table["a"].split()[1:8] == ["1", "FAIL", "1", "PASS", "22380479", "->", "24022510"]
          and table["a"].endswith("p < 0.0001") and table["b"].endswith("p = 1"), table["a"])
    check("and the exit code is the worst of after", sides.code == 1)
    if collector.missing():
        print(f"# not tested here: the page of a comparison: {collector.missing()}")
        return
    page = sides.compare({"a": BAD, "b": BAD}, {"a": GOOD, "b": BAD}, "--format=html")
    check("in the page, too", page.startswith("<!DOCTYPE html>") and "<tr><td>a</td><td>1 FAIL</td><td>1 PASS</td>" in page, page[:200])


def check_use(folder):
    (folder / "a.log").write_text(GOOD)
    for arguments in (["--compare", folder / "a.log"], ["--compare", "--format=csv", folder / "a.log", folder / "a.log"],
                      ["--compare", *[folder / "a.log"] * 3]):
        result = subprocess.run([*collector.COLLECT, *arguments], capture_output=True, timeout=60, check=False)
        check("wrong use is 4 and says what is right", result.returncode == 4 and not result.stdout
              and b"--compare takes two files or folders" in result.stderr, result)


def main():
    check_intervals()
    check_rates()
    with tempfile.TemporaryDirectory() as work:
        sides = Sides(Path(work))
        check_words(sides)
        check_cautions(sides)
        check_storage(sides)
        check_stayed(sides)
        check_hosts(sides)
        check_use(Path(work))
    return finish()


sys.exit(main())
