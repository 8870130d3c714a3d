#!/bin/bash
# The matrix that proves the detector: every fault that faultvisor knows, on every kind of exit. Those that strike in
# some rounds only run on one vCPU, which takes long enough, the others on two, and on one with an exit of each sort;
# those of PKRU on the processor that has it, and those that inject exceptions, which are no
# findings, in traps.t; those of system registers in registers.t, and those of what comes behind an exit in steps.t. The
# tables are kept in
# build/matrix-*.txt; a number in one says how often the fault struck there - and was found each time,
# and named right.
. "$(dirname "$0")/lib.sh"

mapfile -t names < <("$root/build/faultvisor-list" faults | grep -v -e 'pkru$' -e '^inject-' -e '^step-' -e '^rf-' -e '-shadow-' |
    grep -Fxv -f <("$root/build/faultvisor-list" registers))
mapfile -t pkru_names < <("$root/build/faultvisor-list" faults | grep 'pkru$')
mapfile -t kinds < <("$root/build/faultvisor-list" exits)

# The exits of zmmtest on which no fault strikes.
declare -A not_struck=(
    [hpet]="only the first touch of its page exits: faultvisor takes away the page of the local APIC alone"
    [vga]="only the first touch of its page exits: faultvisor takes away the page of the local APIC alone"
    [rdpmc]="faultvisor does not intercept RDPMC"
    [copy-ymm]="its loads zero the upper half of zmm0, and faults strike where all vector state is live"
    [copy-xmm]="its loads zero the upper part of zmm0, and faults strike where all vector state is live"
    [ipi-send]="its stores exit by chance only; what comes while a vCPU waits for an interrupt is in ipi"
    [disk]="the machines of these boots have no disk that it may read; its window is that of hold"
    [disk-write]="the machines of these boots have no scratch partition; its window is that of hold"
    [disk-copy]="the machines of these boots have no scratch partition; its window is that of copy"
    [disk-mixed]="the machines of these boots have no scratch partition; its window is that of hold"
    [net]="the machines of these boots have no network adapter; its window is that of hold"
)

struck_or_excused() { # exit
    local reason=${not_struck[$1]:-}
    if grep -Fqx -- "$1" <(printf '%s\n' "${kinds[@]}"); then
        [ -z "$reason" ]
    else
        echo "# no fault strikes on $1: $reason"
        [ -n "$reason" ]
    fi
}

is_exit() {
    grep -Fqx -- "$1" <<<"$exit_names"
}

about=exits
for name in $exit_names; do
    check "faults strike on $name, or there is a reason why not" struck_or_excused "$name"
done
for name in "${kinds[@]}" "${!not_struck[@]}"; do
    check "zmmtest has an exit $name" is_exit "$name"
done

rest="seed=1 findings=1 findings_total=100000"
# What is looked at is the log: nothing is spent on text for a console, nor on what VMware would be told.
beneath="console=none pose=vmware rpci=refuse"

# Some faults strike only on rounds in which a component is in its INIT state, or which go by XSAVE.
# An exit with a single such round meets all mixes of seven in as many passes, and of those that go by
# each kind in eight; one that no instruction asks for need not hit it each time. Those that zmmtest
# finds in rounds by XSAVE only are spared the exits on which they do not strike, which take long.
# Exits that something has to come behind are steps.t's; here they have the first fault.
behind='-(tf|rf|ss|sti)$'
others=$(grep -Ev -- "$behind" <<<"$exit_names" | paste -sd,)
by_xsave=$(grep -Ev -- "$behind" <<<"$exit_names" | grep -Evx 'pause|apic|copy.*|cold-.*|disk.*' | paste -sd,)
seldom='^(ghost-.*|x87|x87-tag|init-x87|init-all-x87|fcw|fip)$'
mapfile -t names_seldom < <(printf '%s\n' "${names[@]}" | grep -E "$seldom")
mapfile -t names_often < <(printf '%s\n' "${names[@]}" | grep -Ev "$seldom")
each_sort=cpuid,string-io,apic,hold,copy,cold-page

runs_of() { # faults
    local fault
    for fault in "$@"; do
        case $fault in
        # Of 13 mixes one has all live, and one x87 in eight is in its INIT state by chance.
        init-all-x87) echo "fault=$fault $beneath -- passes=26 exits=cpuid,xsetbv,out80,rdmsr,wrmsr $rest" ;;
        *x87 | x87-tag | fcw | fip | ghost-sse | ghost-old-xmm | *pkru) echo "fault=$fault $beneath -- passes=8 exits=$by_xsave $rest" ;;
        ghost-*) echo "fault=$fault $beneath -- passes=10 exits=$others $rest" ;;
        stale* | other-vcpu) echo "fault=$fault $beneath -- passes=3 exits=$others $rest" ;;
        avx256) echo "fault=$fault $beneath -- passes=1 $rest" ;;
        *) echo "fault=$fault $beneath -- passes=1 exits=$others $rest" ;;
        esac
    done
}

# Every second one, from the first or the second on: boots that take as long as each other.
every_second() { # 0 or 1, faults
    local n
    for ((n = 2 + $1; n <= $#; n += 2)); do
        echo "${!n}"
    done
}

# Two vCPUs are two boots, so that the two cores of a small machine are both busy.
mapfile -t names_a < <(every_second 0 "${names_often[@]}")
mapfile -t names_b < <(every_second 1 "${names_often[@]}")
# Not other-vcpu, which one vCPU does not have.
mapfile -t names_one < <(printf '%s\n' "${names_often[@]}" | grep -vx other-vcpu)
{
    echo "fault=none $beneath -- passes=25 $rest"
    runs_of "${names_seldom[@]}"
    runs_of "${names_one[@]}" | sed -E "s/ exits=[^ ]*//; s/ -- /&exits=$each_sort /"
} | faultvisor_image one
{
    echo "fault=none $beneath -- passes=12 $rest"
    runs_of "${names_a[@]}"
} | faultvisor_image two-a
runs_of "${names_b[@]}" | faultvisor_image two-b
{
    echo "fault=none $beneath -- passes=2 $rest"
    runs_of "${pkru_names[@]}"
} | faultvisor_image pkru
printf 'fault=nonsense -- passes=1\nfault=none on=cpuid,nothing -- passes=1\n' | faultvisor_image bad
printf 'fault=avx256 -- passes=1\n' | faultvisor_image bare

# The longest one first.
boot one ENGINE=bochs CPUS=1 IMAGE="$work/one.img" LIMIT=1800
boot two-a ENGINE=bochs CPUS=2 DEBUGGER=yes IMAGE="$work/two-a.img" LIMIT=1800
boot two-b ENGINE=bochs CPUS=2 DEBUGGER=yes IMAGE="$work/two-b.img" LIMIT=1800
boot pkru ENGINE=bochs CPUS=1 MODEL=tigerlake IMAGE="$work/pkru.img" LIMIT=1800
boot bad ENGINE=bochs CPUS=1 IMAGE="$work/bad.img"
boot bare ENGINE=qemu CPUS=1 IMAGE="$work/bare.img"
all_booted

total_cells=0

matrix() { # name, vCPUs, faults, exits without a fault, boots
    local name=$1 vcpus=$2 fault_count=$3 fewest=$4 rows=0 result fault cells strikes verified why
    shift 4
    matrix_rows "$vcpus" "$root/build/matrix-$name.txt" "$@"
    while read -r result fault cells strikes verified why; do
        check "$fault: $strikes strikes in $cells cells, each found and named $why" row_is_ok "$result"
        rows=$((rows + 1))
        total_cells=$((total_cells + cells))
        if [ "$fault" = none ]; then
            check "no finding in $verified exits without a fault" [ "$verified" -ge "$fewest" ]
        fi
    done <"$work/rows"
    check "all $fault_count faults and none had their run" [ "$rows" = $((fault_count + 1)) ]
    sed 's/^/# /' "$root/build/matrix-$name.txt"
}

matrix 1 1 $((${#names_seldom[@]} + ${#names_one[@]})) 100000 one
matrix 2 2 ${#names_often[@]} 100000 two-a two-b
matrix pkru 1 ${#pkru_names[@]} 5000 pkru
check "there are faults of PKRU and others" [ $((${#names[@]} * ${#pkru_names[@]})) -gt 0 ]
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
