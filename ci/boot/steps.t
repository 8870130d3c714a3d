#!/bin/bash
# Exits behind which something has to come at an exact instruction: a single step, a breakpoint, an interrupt. They run on
# clean machines without a finding, and what faultvisor makes of them is found and named.
. "$(dirname "$0")/lib.sh"

steps=$(grep -E -- '-(tf|rf|ss|sti)$' <<<"$exit_names")
few="exits=$(paste -sd, <<<"$steps"),cpuid"
rest="seed=1 findings=1 findings_total=100000"
plants="step-lost step-late ss-shadow-kept rf-kept rf-lost rf-dr-lost sti-shadow-lost sti-shadow-kept"

{
    for fault in none $plants; do
        echo "fault=$fault console=none -- passes=1 $few $rest"
    done
    echo "apic=x2apic console=none -- passes=1 $few $rest"
} | faultvisor_image beneath

boot clean ENGINE=bochs CPUS=2 DEBUGGER=yes OPTIONS="passes=4 $few"
boot emulator ENGINE=qemu CPUS=2 OPTIONS="passes=4 $few"
boot alone ENGINE=qemu CPUS=1 OPTIONS="passes=2 exits=$(paste -sd, <<<"$steps")"
boot beneath ENGINE=bochs CPUS=2 DEBUGGER=yes IMAGE="$work/beneath.img" LIMIT=600
all_booted

check "there are twelve of them" [ "$(wc -l <<<"$steps")" = 12 ]

each_has_rounds() {
    local name
    for name in $steps; do
        says "ev=exit name=$name rounds=[1-9][0-9]* findings=0 " || { echo "# no rounds of $name"; return 1; }
    done
}

about=clean
check "PASS in Bochs" ends_with_verdict PASS
check "each exit has rounds, and no finding" each_has_rounds
check "each interrupt came" says 'ev=exit name=cpuid-sti .*interrupts=[1-9]'

about=emulator
check "nothing found in QEMU's emulation" says 'ev=done verdict=INCOMPLETE exits=[1-9][0-9]* findings=0 '
check "each exit has rounds, and no finding" each_has_rounds

about=alone
check "interrupts need a vCPU that the firmware does not use" says 'ev=skip exit=cpuid-sti reason="no vCPU takes part'
check "the others run" says 'ev=exit name=cpuid-ss rounds=[1-9][0-9]* findings=0'

matrix_rows 2 "$root/build/matrix-steps.txt" beneath
# The last run has an x2APIC and no fault, and is looked at below.
while read -r result fault cells strikes _ why; do
    check "$fault: $strikes strikes in $cells cells, each found and named $why" row_is_ok "$result"
done < <(head -n -1 "$work/rows")
check "each had its run" [ "$(wc -l <"$work/rows")" = $((2 + $(wc -w <<<"$plants"))) ]
sed 's/^/# /' "$root/build/matrix-steps.txt"

about=x2apic
awk '/^faultvisor ev=run / { run++ } run == 10' "$work/log" >"$work/x2apic"
check "nothing found" says 'ev=done verdict=INCOMPLETE exits=[1-9][0-9]* findings=0 '
check "by MSR there is nothing in memory to read" says 'ev=skip exit=apic-tf reason="the local APIC is not in memory'
check "the interrupt to itself comes by MSR" says 'ev=exit name=cpuid-sti rounds=[1-9]'

finish
