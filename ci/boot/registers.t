#!/bin/bash
# System registers that are lost beneath the guest, once and from then on, or the same each time: faultvisor plants each
# on an exit that is fast, one that is slow, and one that is an interrupt. Each strike is found once, and
# named; what was put back is no second finding. The tables are in build/matrix-registers-*.txt.
. "$(dirname "$0")/lib.sh"

# Those of the processors of recent years, which an emulated Tiger Lake has.
recent="xss spec_ctrl u_cet s_cet pl0_ssp pl1_ssp pl2_ssp pl3_ssp"
mapfile -t all < <("$root/build/faultvisor-list" registers)
mapfile -t names < <(printf '%s\n' "${all[@]}" | grep -Fxv -f <(tr ' ' '\n' <<<"$recent"))
kinds=cpuid,pci,timer
beneath="console=none"
rest="exits=$kinds seed=1 findings=1 findings_total=100000"

half() { # 0 or 1: every second fault, and a run without one
    local n
    echo "fault=none $beneath -- passes=4 $rest"
    for ((n = $1; n < ${#names[@]}; n += 2)); do
        echo "fault=${names[n]} on=$kinds $beneath -- passes=2 $rest"
    done
}
half 0 | faultvisor_image a
half 1 | faultvisor_image b
{
    echo "fault=none $beneath -- passes=4 ${rest/,timer/}"
    for fault in $recent; do
        echo "fault=$fault on=$kinds $beneath -- passes=2 ${rest/,timer/}"
    done
} | faultvisor_image c
boot a ENGINE=bochs CPUS=2 DEBUGGER=yes IMAGE="$work/a.img" LIMIT=900
boot b ENGINE=bochs CPUS=2 DEBUGGER=yes IMAGE="$work/b.img" LIMIT=900
boot c ENGINE=bochs CPUS=1 MODEL=tigerlake IMAGE="$work/c.img" LIMIT=900
all_booted

# In each of two slices twice, the second time in a round by XSAVE. Not where nobody can put it back, or where another
# vCPU has to be ready.
again_and_again() { # fault, strikes, cells
    case $1 in
    tr | spec_ctrl | tsc_aux-other) [ "$2" -ge 1 ] ;;
    *) [ "$2" -ge $((4 * $3)) ] ;;
    esac
}

seen_in_slice() { # fault
    awk -v fault="$1" '/^faultvisor ev=run / { inside = $0 ~ " fault=" fault " " }
        inside && / ev=finding .* seen=slice / { seen = 1 }
        END { exit !seen }' "$work/log"
}

faults=0
for boot in a b c; do
    matrix_rows "$([ "$boot" = c ] && echo 1 || echo 2)" "$root/build/matrix-registers-$boot.txt" "$boot"
    while read -r result fault cells strikes _ why; do
        check "$fault: $strikes strikes in $cells cells, each found and named $why" row_is_ok "$result"
        [ "$fault" != none ] || continue
        faults=$((faults + 1))
        check "$fault: put back, and lost again" again_and_again "$fault" "$strikes" "$cells"
        check "$fault: seen at the end of a slice" seen_in_slice "$fault"
    done <"$work/rows"
    sed 's/^/# /' "$root/build/matrix-registers-$boot.txt"
done
check "each register of the list was lost ($faults)" [ "$faults" = ${#all[@]} ]
finish
