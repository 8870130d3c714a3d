#!/bin/bash
# What happens beneath a guest without its asking, by faultvisor: the bug of ESXi 8.0.2 by the clock
# and not by exits, one that strikes all the time, a migration to a host of another build, vCPUs in x2APIC mode, a vCPU that gets no
# more time.
. "$(dirname "$0")/lib.sh"

echo 'fault=avx256 every=50ms -- time=5 findings=1' | faultvisor_image by-time
echo 'migrate=700 pose=vmware -- passes=4' | faultvisor_image migrate
echo 'apic=x2apic -- passes=2' | faultvisor_image x2apic
echo 'hang=300 -- time=30' | faultvisor_image hang
echo 'fault=avx256 every=1 -- time=3 findings=1000' | faultvisor_image flood

for name in by-time migrate x2apic hang flood; do
    boot "$name" ENGINE=bochs CPUS=2 DEBUGGER=yes IMAGE="$work/$name.img"
done
all_booted

about=by-time
seconds_to_first() {
    awk '/ ev=state cpu=0 /{ start = substr($2, 4) } / ev=finding n=1 /{ first = substr($2, 4) }
        END { printf "%.1f\n", first - start; exit !(first && first - start < 5) }' "$work/$about"
}
check "the default plan finds the bug that strikes every 50 ms, within 5 s" seconds_to_first
check "and names it" says 'ev=finding n=1 .*class=zeroed .*bits=511:256 signature="ESXi 8.0.2'
shares() {
    local strikes findings
    strikes=$(sed -n 's/.*ev=strikes-by-time .* strikes=\([0-9]*\).*/\1/p' "$work/$about")
    findings=$(value "done" findings)
    echo "# $findings of $strikes strikes at random instructions were found"
    [ "$strikes" -gt 50 ] && [ "$findings" -gt 0 ] && [ "$findings" -le "$strikes" ]
}
check "no more findings than strikes" shares

about=migrate
check "a migration is a gap of five seconds, and the other build is named" \
    says 'ev=gap kind=stood ms=5[0-9][0-9][0-9] changed="build 22380479 is now 24022510"'
check "the conclusion names both" says 'beneath the run: build 22380479 is now 24022510'
check "the machine is said anew" says 'ev=machine .*hypervisor=VMware build=24022510'
check "the run goes on to its end, and PASS" says 'ev=done verdict=PASS'

about=x2apic
for name in timer hlt ipi; do
    check "$name takes interrupts by x2APIC" says "ev=exit name=$name rounds=38 findings=0 .* interrupts=[1-9]"
done
check "apic and ipi-send run by x2APIC" says "ev=exit name=ipi-send rounds=580 findings=0"
check "PASS" says 'ev=done verdict=PASS'

about=hang
check "a vCPU that makes no progress is named, with its exit" \
    says 'ev=notice text="vCPU 1 made no progress for 10 s; it is in exit cpuid"'
check "it is an error at the end" says 'ev=error reason="vCPU 1 made no progress for [23][0-9] s; it is in exit cpuid"'
check "ERROR" exits_with 3

about=flood
in_time() {
    local elapsed
    elapsed=$(value "done" elapsed)
    [ "${elapsed:-99}" -le 4 ]
}
check "more findings than can be told do not keep it from its end" in_time
check "it says how many are told" says 'ev=notice text="[0-9]* of the [0-9]* findings are told in full'
check "it is not taken for a standstill" never_says 'ev=gap kind=stood'
finish
