#!/usr/bin/env python3
"""ci/silicon/strikes: which finding belongs to which strike, after what time, and where the others struck; of logs made
up here, with the symbols of zmmtest-linux."""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "ci"))
from tap import check, finish  # noqa: E402

PROGRAM = ROOT / "build/zmmtest-linux"
SYMBOLS = {row.split()[-1]: row.split()[0] for row in
           subprocess.run(["nm", PROGRAM], check=True, capture_output=True, text=True).stdout.splitlines()}


def said(log):
    done = subprocess.run([ROOT / "ci/silicon/strikes", PROGRAM], input=log, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def strike(ms, cpu, changed="yes", symbol="hold_zmm_event", distance=0):
    address = hex(int(SYMBOLS[symbol], 16) + distance)
    return f"faultvisor ev=moment tsc={ms * 4000} what=strike cpu={cpu} changed={changed} image={address}\n"


def moment(ms):
    return f"faultvisor ev=moment tsc={ms * 4000} what=finding\n"


def finding(cpu):
    return f"zmmtest ts=1.000 ev=finding n=1 cpu={cpu} exit=hold round=1\n"


def run_of(lines, cpus, options="exits=hold time=1"):
    start = f'zmmtest ts=0.1 ev=start version=1 options="load options: end=exit {options}"\n'
    return ("faultvisor ev=run fault=avx256\n" + start + "".join(map(finding, cpus)) +
            "faultvisor ev=moments fault=avx256 mean_ms=250 tsc_khz=4000 count=9\n" + "".join(lines))


def is_run(log, **expected):
    text = said(log)
    holds = all(f" {key}={value}" in text.splitlines()[0] for key, value in expected.items()) if text else False
    return holds, text


def tell(description, log, **expected):
    holds, text = is_run(log, **expected)
    check(description, holds, text)


tell("one strike, one finding: 30 ms", run_of([strike(1000, 0), moment(1030)], [0]),
     exits="hold", strikes=1, changed=1, found=1, unmatched=0, median_ms="30.0", p95_ms="30.0")
tell("a finding is of the latest strike", run_of([strike(1000, 0), strike(2000, 0), moment(2030)], [0]),
     strikes=2, found=1, median_ms="30.0")
tell("two that were told late are both found", run_of([strike(1000, 0), strike(1010, 0), moment(1030), moment(1050)], [0, 0]),
     strikes=2, found=2, median_ms="50.0")
tell("one in a window comes first", run_of([strike(1000, 0), strike(1020, 0, "yes", "slice_run", 1), moment(1030)], [0]),
     strikes=2, found=1, median_ms="30.0")
tell("but for one that is long ago", run_of([strike(1000, 0), strike(9000, 0, "yes", "slice_run", 1), moment(9030)], [0]),
     strikes=2, found=1, median_ms="30.0")
tell("it is of a strike on its own vCPU", run_of([strike(1000, 1), strike(1020, 0), moment(1030)], [1]),
     strikes=2, found=1, median_ms="30.0")
tell("one that came before any strike is of none", run_of([moment(900), strike(1000, 0)], [0]),
     strikes=1, found=0, unmatched=1)
tell("what changed nothing is not found", run_of([strike(1000, 0, "no"), moment(1030)], [0]),
     strikes=1, changed=0, found=0, unmatched=1)
tell("without exits= it is all of them", run_of([strike(1000, 0)], [], "time=1"), exits="all")

many = [line for n in range(20) for line in (strike(1000 * n, 0), moment(1000 * n + 10 * (n + 1)))]
tell("median and 95 % of twenty", run_of(many, [0] * 20), found=20, median_ms="110.0", p95_ms="200.0")

two = said(run_of([strike(1000, 0)], []) + run_of([strike(1000, 0), moment(1030)], [0]))
check("each run by itself", re.findall(r"^run .* found=(\d)", two, re.M) == ["0", "1"], two)

inject = (f"inject ev=moment us=5000 what=strike task=77 changed=yes image=0x{SYMBOLS['copy_zmm_event']}\n"
          "inject ev=moment us=25000 what=finding\n"
          "inject fault=zmm_hi256 moments=1 changed=1\n")
tell("beneath inject, in microseconds", inject, strikes=1, found=1, median_ms="20.0")

places = said(run_of([strike(1000, 0), strike(2000, 0, "no", "copy_zmm", 4), strike(3000, 0, "no", "slice_run", 1),
                      strike(4000, 0, "no", "compare_zmm", 8),
                      "faultvisor ev=moment tsc=20000000 what=strike cpu=0 changed=no firmware=0x7d9c58a\n"], []))
for place, count in (("event of hold", 1), ("load or compare", 2), ("slice_run", 1), ("outside", 1)):
    check(f"a strike there is of place: {place}", re.search(f"^place {place} strikes={count} .* missed={count}$", places, re.M) is not None, places)

sys.exit(finish())
