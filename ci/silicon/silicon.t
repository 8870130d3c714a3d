#!/bin/bash
# zmmtest-linux on the processor that is here: it passes, it finds what a tracer breaks beneath it,
# and it finds its way where AVX-512 is missing. What needs AVX-512 emulated.t does on every machine.
. "$(dirname "$0")/../boot/lib.sh"

program=$root/build/zmmtest-linux

# process NAME COMMAND...
process() {
    local name=$1
    shift
    timeout 60 "$@" >"$work/$name" 2>"$work/$name.err"
    echo $? >"$work/$name.code"
    about=$name
}

skip() { # reason, descriptions
    local reason=$1
    shift
    echo "# not tested here: zmmtest-linux on this processor: $reason"
    for description; do
        tests=$((tests + 1))
        echo "ok $tests - $description # skip $reason"
    done
}

no_avx512="this processor has no AVX-512 (ci/silicon/emulated.t has one in Bochs)"
avx512() {
    grep -q '^flags.* avx512bw' /proc/cpuinfo
}

log_lines_are_whole() {
    ! grep '^zmmtest ts=' "$work/$about" | grep -q '.\{257\}' &&
        ! grep 'zmmtest ts=' "$work/$about" | grep -vq '^zmmtest ts=[0-9]*\.[0-9][0-9][0-9] ev=[a-z]*'
}

# What a process may do has rounds on every CPU, two of them or more.
process default "$program" time=2
if avx512; then
    check "exits 0 for PASS" exits_with 0
    check "ends with the verdict" ends_with_verdict PASS
    check "the self-test named all it planted" selftest_is_whole
else
    skip "$no_avx512" "default: exits 0 for PASS" "default: ends with the verdict" \
        "default: the self-test named all it planted"
fi
check "every exit has rounds or a reason" every_exit_accounted_for
for exit in cpuid rdtsc pause hold copy copy-ymm copy-xmm cold-page; do
    check "$exit has rounds" says "ev=exit name=$exit rounds=[1-9]"
done
check "no finding" never_says 'ev=finding'
check "every component has rounds or a reason" every_component_accounted_for
check "every CPU of this process took part" says "ev=done .*vcpus=$(nproc) "
check "says that an operating system is in the loop" says 'Linux [0-9].* is in the loop'
check "says so in the log" says 'ev=machine .*system="Linux '
check "log lines are whole" log_lines_are_whole

process injected-by-itself "$program" inject=all/300 passes=30
check "exits 1 for FAIL" exits_with 1
all_injected() {
    [ "$(value "done" findings)" = "$(value "done" injected)" ] && [ "$(value "done" findings)" -gt 20 ]
}
check "only what was injected was found" all_injected

process few-in-full "$program" inject=all/300 passes=30 findings_total=2
first_of_each() {
    [ "$(grep -o 'ev=finding .* class=[a-z-]*' "$work/$about" | sed 's/.*class=//' | sort -u | wc -l)" = 10 ] &&
        [ "$(count 'ev=finding n=')" -le 15 ]
}
check "with findings_total= the first of each class is told in full, and few others" first_of_each
check "and how many there were" says '^1[0-5] of the [0-9]* findings are told in full'
check "which all count" all_injected

process wrong-option "$program" exits=cpuid colour=red
check "exits 3 for ERROR" exits_with 3
check "says what is allowed" says 'ev=error reason=".*colour=red: no such option. Allowed: time=.*findings='

check "names no line of a file" never_says 'line [0-9]'

process options-in-force "$program" exits=cpuid passes=2 time=5 passes=1
check "the log says what is in force, and from where" \
    says 'ev=start version=.* options="command line: exits=cpuid time=5 passes=1"$'
check "so does the report" says '^Options    command line: exits=cpuid time=5 passes=1$'

for help in --help -h; do
    process "help$help" "$program" $help
    check "exits 0" exits_with 0
    check "says how it is used" says '^Usage: zmmtest-linux \[OPTION=VALUE...\]$'
    check "says what an option may be" says '^  end= .* menu, shutdown, reboot, exit\.'
    check "says what the exit codes are" says '0 PASS, 1 FAIL, 2 INCOMPLETE, 3 ERROR'
    check "runs nothing" never_says 'ev=|ERROR$'
done

silent() {
    [ ! -s "$work/$about" ] && [ ! -s "$work/$about.err" ]
}
one_line_that_says() { # pattern
    [ ! -s "$work/$about" ] && [ "$(wc -l <"$work/$about.err")" = 1 ] && grep -Eq -- "$1" "$work/$about.err"
}

process check-good "$program" --check-options 'time=10 end=shutdown ui=lines exits=hlt,ipi # comment'
check "exits 0" exits_with 0
check "says nothing" silent
process check-empty "$program" --check-options ''
check "no option is none that is wrong" exits_with 0
process check-wrong "$program" --check-options $'time=10\nend=off'
check "exits 3" exits_with 3
check "names it, and what is allowed" one_line_that_says \
    '^options: end=off: value not allowed. Allowed for end: menu, shutdown, reboot, exit$'
process check-quotes "$program" --check-options 'exits="cpuid"'
check "points out quotes" one_line_that_says '^options: exits="cpuid": value not allowed, write it without the quotes\.'
process check-nothing "$program" --check-options
check "wants a text" one_line_that_says '^zmmtest-linux: --check-options takes one TEXT'
check "exits 3" exits_with 3
process check-several "$program" --check-options time=5 end=off
check "and one alone" exits_with 3

# They are as many as exits= takes.
lists_every_exit() {
    "$program" --check-options exits=nothing 2>&1 |
        grep -Eq "Allowed for exits: all, or a list of $(paste -sd, "$work/$about")\$"
}
process list-exits "$program" --list-exits
check "exits 0" exits_with 0
check "names each exit" lists_every_exit
process list-several "$program" --list-exits cpuid
check "and takes nothing more" exits_with 3

process kept-by-kernel "$program" exits=cpuid,wrmsr time=1
check "exits 2 for INCOMPLETE" exits_with 2
check "says why" says 'ev=skip exit=wrmsr reason='

process on-one-cpu taskset -c "$(taskset -cp $$ | sed 's/.*[ ,-]//')" "$program" time=1
check "is content with the CPU it was given" ends_with_verdict "$(avx512 && echo PASS || echo INCOMPLETE)"
check "one CPU takes part" says 'ev=done .*vcpus=1 '

process disk-alone "$program" exits=disk passes=3 cpus="$(taskset -cp $$ | sed 's/.*: \([0-9]*\).*/\1/')"
check "a single CPU waits for the reads of others" says 'ev=exit name=disk rounds=[1-9]'

process stopped timeout -s TERM 1 "$program" time=0
check "ends when it is told to" ends_with_verdict "$(avx512 && echo PASS || echo INCOMPLETE)"

why_not_traced=
avx512 || why_not_traced=$no_avx512
if [ -z "$why_not_traced" ] && "$root/build/inject" --moments 0 true 2>&1 | grep -q 'cannot trace.*not permitted'; then
    why_not_traced="ptrace is not allowed here"
fi
# Each fault, at moments when every register is live.
for fault in zmm_hi256 hi16_zmm opmask avx register flip swapped stale; do
    if [ -z "$why_not_traced" ]; then
        process "traced-$fault" "$root/build/inject" --fault "$fault" --moments 15 --every 20 --at-hold \
            --log "$work/traced-$fault.log" "$program" exits=hold time=2 findings=1000
        check "exits 1 for FAIL" exits_with 1
        check "all of it is found and named" found_and_named
    else
        skip "$why_not_traced" "traced-$fault: exits 1 for FAIL" "traced-$fault: all of it is found and named"
    fi
done

# A processor without AVX-512: one that QEMU emulates for a process.
process without-avx512 qemu-x86_64 -cpu max "$program" passes=1 hold=100 cpus=0
check "exits 2 for INCOMPLETE" exits_with 2
check "says why" says 'ev=skip exit=avx512 reason="AVX-512 is hidden or missing'
check "tests what is left, ymm" says 'ev=selftest planted=98 named=98'
check "no finding" never_says 'ev=finding'

finish
