#!/bin/bash
# The matrix that proves the detector: every fault that faultvisor knows, on every kind of exit, with
# one and two vCPUs. The tables are kept in build/matrix-1.txt and build/matrix-2.txt; a number in
# one says how often the fault struck there - and was found each time, and named right.
. "$(dirname "$0")/lib.sh"

faults=$(sed -n 's/^    {\.name = "\([a-z0-9_-]*\)",.*/\1/p' "$root/ci/faultvisor/faults.c")

rest="seed=1 findings=1"

# Ghosts strike only on rounds with a component in its INIT state; an exit with a single such round meets
# all kinds of them in seven passes, and one that no instruction asks for need not hit it each time.
runs_of() { # faults
    local fault
    for fault in "$@"; do
        case $fault in
        ghost-*) echo "fault=$fault pose=vmware -- passes=10 $rest" ;;
        dr2) echo "fault=$fault pose=vmware -- passes=4 $rest" ;;
        *) echo "fault=$fault pose=vmware -- passes=1 $rest" ;;
        esac
    done
}

# Two vCPUs are two boots, so that the two cores of a small machine are both busy to the end.
read -ra names <<<"$(echo "$faults" | tr '\n' ' ')"
half=$((${#names[@]} / 2))
{
    echo "fault=none pose=vmware -- passes=25 $rest"
    runs_of "${names[@]}"
} | faultvisor_image one
{
    echo "fault=none pose=vmware -- passes=12 $rest"
    runs_of "${names[@]:0:half}"
} | faultvisor_image two-a
runs_of "${names[@]:half}" | faultvisor_image two-b
printf 'fault=nonsense -- passes=1\nfault=none on=cpuid,nothing -- passes=1\n' | faultvisor_image bad
printf 'fault=avx256 -- passes=1\n' | faultvisor_image bare

boot two-a ENGINE=bochs CPUS=2 IMAGE="$work/two-a.img" LIMIT=900
boot two-b ENGINE=bochs CPUS=2 IMAGE="$work/two-b.img" LIMIT=900
boot one ENGINE=bochs CPUS=1 IMAGE="$work/one.img" LIMIT=900
boot bad ENGINE=bochs CPUS=1 IMAGE="$work/bad.img"
boot bare ENGINE=qemu CPUS=1 IMAGE="$work/bare.img"
all_booted

fault_count=$(echo "$faults" | wc -w)
total_cells=0

row_is_ok() {
    [ "$1" = ok ]
}

matrix() { # vCPUs, boots
    local vcpus=$1 rows=0 result fault cells strikes verified why
    shift
    : >"$work/log"
    for about in "$@"; do
        check "runs to its end" grep -aq 'faultvisor ev=done good=yes' "$work/$about.kept/serial"
        tr -d '\r' <"$work/$about.kept/serial" | sed 's/\x1b\[[0-9;=?]*[A-Za-z]//g' >>"$work/log"
    done
    awk -v vcpus="$vcpus" -v table="$root/build/matrix-$vcpus.txt" -f "$here/matrix.awk" \
        "$work/log" >"$work/rows"
    while read -r result fault cells strikes verified why; do
        check "$fault: $strikes strikes in $cells cells, each found and named $why" row_is_ok "$result"
        rows=$((rows + 1))
        total_cells=$((total_cells + cells))
        if [ "$fault" = none ]; then
            check "no finding in $verified exits without a fault" [ "$verified" -ge 100000 ]
        fi
    done <"$work/rows"
    check "all $fault_count faults and none had their run" [ "$rows" = $((fault_count + 1)) ]
    sed 's/^/# /' "$root/build/matrix-$vcpus.txt"
}

matrix 1 one
matrix 2 two-a two-b
check "at least 100 cells ($total_cells)" [ "$total_cells" -ge 100 ]

about=one
check "zmmtest knows VMware and its build" says 'ev=machine .*hypervisor=VMware build=22380479'
check "the hypercall of VMware runs" says 'ev=exit name=hypercall rounds=[1-9]'

about=bad
bad_says() {
    grep -aq "$1" "$work/bad.kept/serial"
}
check "an unknown fault is an error that lists the faults" bad_says 'fault=nonsense is not allowed: fault= takes none, avx256, '
check "an unknown exit is an error that lists the exits" bad_says 'on=cpuid,nothing is not allowed: on= takes cpuid, hypercall, '

about=bare
check "without VMX zmmtest runs bare" grep -aq 'this processor has no VMX, or it is hidden: zmmtest runs bare' "$work/bare.kept/serial"
check "and comes to its own verdict" says 'ev=done verdict=INCOMPLETE'

finish
