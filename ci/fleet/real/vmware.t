#!/usr/bin/env python3
"""VMware's own programs over faultvisor's pose as VMware (ci/faultvisor/vmware.c): vmware-rpctool and vmware-checkvm of
open-vm-tools, unmodified. build/vmware-host answers their backdoor: by port and by hypercall, with low and high
bandwidth. So what zmmtest is tested against is what VMware's client takes for VMware."""
import os
import re
import subprocess
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2])]
from tap import check, finish  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
CACHE = ROOT / ".cache/fleet"
TOOLS = CACHE / "open-vm-tools/usr"
LIBRARIES = TOOLS / "lib/x86_64-linux-gnu"
RPCTOOL, CHECKVM = str(TOOLS / "bin/vmware-rpctool"), str(TOOLS / "bin/vmware-checkvm")
INSTRUCTION = re.compile(r"^ *([0-9a-f]+):.*\t(?:cpuid *|vmcall *|vmmcall *|in +\(%dx\),%eax|rep insb .*|rep outsb .*)$", re.MULTILINE)
LARGEST = 65536


def sites():
    """Where in the programs the instructions stand that leave the guest: a file and an offset a line."""
    lines = []
    for file in (RPCTOOL, CHECKVM, str((LIBRARIES / "libvmtools.so.0").resolve())):
        code = subprocess.run(["objdump", "-d", file], capture_output=True, text=True, check=True).stdout
        lines += [f"{file} {offset}\n" for offset in INSTRUCTION.findall(code)]
    return "".join(lines)


class Host:
    """What the programs said, one after the other on the same host; the last one's exit code; what the host saw."""

    def __init__(self, where, options, *programs):
        command = [ROOT / "build/vmware-host", *options, "--"]
        for program in programs:
            command += [*program, ";"]
        environment = dict(os.environ, LD_LIBRARY_PATH=str(LIBRARIES))
        result = subprocess.run(command[:-1], input=where, capture_output=True, text=True, env=environment, timeout=300,
                                check=False)
        self.code = result.returncode
        self.said = result.stdout
        self.seen = result.stderr
        counts = result.stderr.splitlines()[-1] if result.stderr else ""
        self.counts = {key: int(count) for key, count in re.findall(r"(\S+)=(\d+)", counts)}

    def __repr__(self):
        return f"code {self.code}, said {self.said[-300:]!r}, seen {self.seen[-300:]!r}"


def rpc(request):
    return (RPCTOOL, request)


def check_each_way(where):
    for way, instruction in {"port": "in", "vmcall": "vmcall", "vmmcall": "vmmcall"}.items():
        for bandwidth in ("low", "high"):
            what = f"by {way}, {bandwidth} bandwidth"
            options = [f"--by={way}"] + (["--low-bandwidth"] if bandwidth == "low" else [])
            host = Host(where, [*options, "--guestinfo=time=5 exits=all"], rpc("info-get guestinfo.zmmtest.options"))
            check(f"{what}: info-get", host.code == 0 and host.said == "time=5 exits=all\n", host)
            check(f"{what}: that way was taken", host.counts[instruction] > 4
                  and (host.counts["high-bandwidth"] == 2) == (bandwidth == "high"), host.counts)
            host = Host(where, options, rpc("info-set guestinfo.a some words"), rpc("info-get guestinfo.a"))
            check(f"{what}: info-set", host.code == 0 and host.said == "\nsome words\n", host)
            host = Host(where, options, rpc("log zmmtest ts=1.000 ev=done verdict=PASS"))
            check(f"{what}: log", host.code == 0 and
                  host.seen.count('ev=vmware-log text="zmmtest ts=1.000 ev=done verdict=PASS"\n') == 1, host)
            large = "v" * (LARGEST - len("info-set guestinfo.a "))
            host = Host(where, options, rpc(f"info-set guestinfo.a {large}"), rpc("info-get guestinfo.a"))
            check(f"{what}: a value of 64 KiB", host.code == 0 and host.said == f"\n{large}\n", host)
            host = Host(where, options, rpc(f"info-set guestinfo.a {large}v"))
            check(f"{what}: one byte more is refused", host.code == 1 and "Unable to send" in host.seen, host)
        host = Host(where, [f"--by={way}"], (CHECKVM,))
        check(f"by {way}: checkvm takes it for VMware", host.code == 0 and "version 6 (good)" in host.said, host)


def check_refusals(where):
    host = Host(where, ["--rpci=refuse"], rpc("log a"))
    check("a refusal, with its reason", host.code == 1 and "Permission denied" in host.seen
          and "vmware-log" not in host.seen, host)
    host = Host(where, [], rpc("info-get guestinfo.none"))
    check("a value that nobody set", host.code == 1 and "No value found" in host.seen, host)
    host = Host(where, [], rpc("tools.capability.nonsense"))
    check("an unknown request", host.code == 1 and "Unknown command" in host.seen, host)
    host = Host(where, ["--rpci=silent"], rpc("log a"))
    check("a channel that is silent", host.code != 0 and "vmware-log" not in host.seen, host)
    host = Host(where, ["--rpci=endless"], rpc("info-get guestinfo.a"))
    check("a reply without end", host.code == 1 and "Unable to receive" in host.seen, host)
    for program in (rpc("log a"), (CHECKVM,)):
        for options in (["--rpci=absent"], ["--by=none"]):
            host = Host(where, options, program)
            check(f"{program[0].rsplit('/', 1)[-1]} {options[0]}: no VMware", host.code != 0
                  and "must be run inside a virtual machine" in host.seen, host)


def check_checkpoints(where):
    """VMware's client gives up where one interrupts the first steps, and goes on where one interrupts the bytes."""
    words = [f"line {n:03d} of a log that checkpoints interrupt" for n in range(60)]
    for options in ([], ["--low-bandwidth"]):
        host = Host(where, ["--rpci=checkpoints", *options], *[rpc(f"log {line}") for line in words])
        given_up = len(re.findall(r"^RpcOut: ", host.seen, re.MULTILINE))
        times = [host.seen.count(f'ev=vmware-log text="{line}"\n') for line in words]
        check(f"checkpoints {' '.join(options)}: no line twice, and at the most those missing that were given up",
              max(times) == 1 and times.count(0) <= given_up < len(words) / 2, given_up, times)


def main():
    print("#", (CACHE / "versions").read_text().splitlines()[1], flush=True)
    where = sites()
    check("the programs have such instructions", where.count("\n") > 20, where)
    check_each_way(where)
    check_refusals(where)
    check_checkpoints(where)
    return finish()


sys.exit(main())
