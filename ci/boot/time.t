#!/bin/bash
# Time, by faultvisor: a migration that is over in half a second, one of five seconds in a run by the clock, a TSC that
# is set back, of all vCPUs and of one, a vCPU that gets no time for a while, the boot vCPU that does not, and a migration
# to a host without AVX-512. One boot, a line for each run.
. "$(dirname "$0")/lib.sh"

faultvisor_image time <<'END'
migrate=100 migrate-ms=500 pose=vmware console=none -- time=2 exits=cpuid
migrate=100 pose=vmware console=none -- time=3 exits=cpuid
tsc-back=100 tsc-back-ms=2000 console=none -- time=2 exits=cpuid
hang=100 hang-ms=12000 console=none -- time=14 exits=cpuid
hang=100 hang-ms=3000 hang-cpu=0 console=none -- time=5 exits=cpuid
tsc-back=100 tsc-back-ms=2000 tsc-back-cpu=1 console=none -- time=3 exits=cpuid
migrate=2000 migrate-ms=500 migrate-xcr0=7 console=none -- time=4 exits=cpuid,hold
END
boot time ENGINE=bochs CPUS=2 DEBUGGER=yes IMAGE="$work/time.img"
all_booted

# of_run N: from now on $about is what the Nth run said.
of_run() {
    about=run-$1
    awk -v n="$1" '/^zmmtest .* ev=start / { run++ } run == n' "$work/time" >"$work/$about"
}
elapsed_is() {
    echo "# elapsed=$(value "done" elapsed)"
    [ "$(value "done" elapsed)" = "$1" ]
}

of_run 1
check "half a second is no gap" never_says 'ev=gap'
check "and the other build is noticed" \
    says 'ev=notice text="the machine changed: build 22380479 is now 24022510"'
check "the machine is said anew" says 'ev=machine .*build=24022510'
check "the run goes on to its end, and PASS" says 'ev=done verdict=PASS'

of_run 2
check "five seconds are a gap" says 'ev=gap kind=stood ms=(49|5[0-9])[0-9][0-9] changed="build 22380479 is now 24022510"'
check "they are no part of the time tested" elapsed_is 3

of_run 3
check "a TSC that goes back is named" says 'ev=gap kind=back ms=-[12][0-9][0-9][0-9] changed=nothing'
check "and the run lasts what was asked" elapsed_is 2
check "PASS" says 'ev=done verdict=PASS'

of_run 4
check "a vCPU that stands still for ten seconds is noticed" \
    says 'ev=notice text="vCPU 1 made no progress for 10 s; it is in exit cpuid"'
check "and taken back when it goes on" says 'ev=notice text="vCPU 1 went on after 1[12] s in exit cpuid"'
check "PASS, as it works at the end" says 'ev=done verdict=PASS'

of_run 5
check "a boot vCPU that gets no time is no standstill of the machine" \
    says 'ev=gap kind=starved ms=[23][0-9][0-9][0-9] changed=nothing'
check "what the other did meanwhile is part of the run" elapsed_is 5
check "nobody stood still" never_says 'ev=gap kind=stood'
check "no TSC is off" never_says 'the TSC of'

of_run 6
check "a TSC that goes back on one vCPU is that vCPU's" says 'ev=gap kind=back cpu=1 ms=-[12][0-9][0-9][0-9]$'
check "and behind the boot vCPU's from then on" \
    says 'ev=notice text="the TSC of vCPU 1 is [12]\.[0-9]* s behind the boot vCPU.s"'
check "that is told once" [ "$(count 'ev=notice text="the TSC of vCPU')" = 1 ]
check "PASS" says 'ev=done verdict=PASS'

of_run 7
check "a host that has less is told" says 'ev=notice text="the machine changed: .*what CPUID allows in XCR0 0xe7 is now 0x7'
for cpu in 0 1; do
    check "vCPU $cpu finds its XCR0 lost" says "ev=finding n=[12] cpu=$cpu .*component=xcr0 class=altered .*bits=7:5"
    check "and stops, with the reason" says "ev=notice text=\"vCPUs? (0-)?$cpu(-1)?: unexpected #GP .* at image\\+0x[0-9a-f]{1,5} outside a window, as XCR0 was lost\""
done
check "once each: more would say nothing" [ "$(count 'ev=finding')" = 2 ]
check "FAIL: this is no fault of zmmtest" says 'ev=done verdict=FAIL .*reason="registers changed beneath this guest"'
check "no error" never_says 'ev=error'
finish
