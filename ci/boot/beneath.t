#!/bin/bash
# What happens beneath a guest without its asking, by faultvisor: the bug of ESXi 8.0.2 by the clock
# and not by exits, one that strikes all the time, a migration to a host of another build, vCPUs in x2APIC mode, a vCPU that gets no
# more time.
. "$(dirname "$0")/lib.sh"

echo 'fault=avx256 every=50ms -- time=5 findings=1' | faultvisor_image by-time
{
    echo 'migrate=700 pose=vmware -- passes=4'
    # More runs, of a second each: exits that are none.
    echo 'through=80 pose=vmware -- passes=2 exits=out80,out80-tf,string-io,rdpmc,cpuid'
    echo 'through=80,71 pose=vmware -- passes=1 exits=out80,string-io'
    echo 'through=80 pose=vmware -- passes=1 exits=out80'
} | faultvisor_image migrate
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
check "what was found runs more often from then on" says 'ev=notice text="findings in [a-z0-9, -]*: .* more often from here on'
check "it says how often, and where" \
    says 'ev=rate findings=[1-9][0-9]* per_hour=[1-9][0-9]* low=[1-9][0-9]* high=[1-9][0-9]* again_within=[1-9][0-9]* cpus=[01].* exits='
check "and for how long to run what shows it again" says 'ev=again text=".*time=[6-9][0-9]"'
options=$(sed -n 's/.* ev=again text="\(.*\)".*/\1/p' "$work/$about" | tr '\n' ' ')
within=$(value rate again_within)
echo "fault=avx256 every=50ms -- $options findings=1 time=${within:-1}" | faultvisor_image again
boot again ENGINE=bochs CPUS=2 DEBUGGER=yes IMAGE="$work/again.img"
all_booted
about=again
echo "# again with $options time=$within"
check "a run by the options that it tells finds it again in that time" says 'ev=finding n=1 .*class=zeroed .*bits=511:256'
# Whichever the strikes by the clock met. One second in Bochs may be too short for the last of them.
none_but_those_exits() {
    local asked ran
    asked=$(sed -n 's/.*exits=\([^ ]*\) .*/\1/p' <<<"$options" | tr ',' '\n')
    ran=$(sed -n 's/^zmmtest .* ev=exit name=\([^ ]*\) .*/\1/p' "$work/$about")
    [ -n "$asked" ] && [ -n "$ran" ] && ! grep -Fxqv -- "$asked" <<<"$ran"
}
check "and has no other exits" none_but_those_exits

about=migrate
check "a migration is a gap of five seconds, and the other build is named" \
    says 'ev=gap kind=stood ms=5[0-9][0-9][0-9] changed="build 22380479 is now 24022510"'
check "the conclusion names both" says 'beneath the run: build 22380479 is now 24022510'
check "the machine is said anew" says 'ev=machine .*hypervisor=VMware build=24022510'
check "the run goes on to its end, and PASS" says 'ev=done verdict=PASS'

rows_are() { # HOW MANY, PATTERN
    [ "$(count "$2")" = "$1" ]
}
check "a port that is passed through is no exit, and has no bound" \
    rows_are 3 'ev=exit name=out80 rounds=[0-9]* findings=0 cycles_min=[0-9]* cycles_median=[0-9]* cycles_total=[0-9]* exits=no$'
check "nor is it one with a single step" says 'ev=exit name=out80-tf .* exits=no$'
check "nor is what nobody intercepts" says 'ev=exit name=rdpmc .* exits=no$'
check "they are listed as not tested" says 'ev=skip exit=rdpmc reason="it stays in the guest here: [0-9]* cycles, where an exit takes [1-9]'
check "with what is known of the port" says 'ev=skip exit=out80 reason="it stays in the guest here: its port is passed through"'
check "what exits is one" rows_are 2 'ev=exit name=cpuid .* below_one_in=[1-9][0-9]* exits=yes$'
check "string I/O takes the RTC then, or PCI where that does not exit either" \
    rows_are 3 'ev=exit name=string-io .* below_one_in=[1-9][0-9]* exits=yes$'
bound_is_of_exits() {
    local alone bound
    alone=$(grep '^zmmtest .* ev=exit name=string-io' "$work/$about" | sed -n '3s/.* below_one_in=\([0-9]*\).*/\1/p')
    bound=$(grep '^zmmtest .* ev=done' "$work/$about" | sed -n '3s/.* below_one_in=\([0-9]*\).*/\1/p')
    echo "# $bound of the run, $alone of the one exit in it that is one"
    [ "${bound:-0}" -gt 0 ] && [ "$bound" = "$alone" ]
}
check "the bound counts what left the guest alone" bound_is_of_exits
check "the conclusion names the others" says 'These stayed in the guest here, and count for nothing: out80'
check "where nothing left it, this is no PASS" says 'ev=done verdict=INCOMPLETE .*reason="nothing that ran left the guest here"'

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
