# Shared by the boot tests: boots in the background, and checks in TAP on what they said. All tests that run share two
# places for boots. A test whose boots wait more than they work sets $at_once to more than two, and takes none. A test
# sources this, calls boot for each machine it wants, then all_booted, then check.
# shellcheck shell=bash

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
tests=0
failed=0
at_once=2

# A place, until this shell and what it started are over.
take_slot() {
    local slot n
    while true; do
        for n in 1 2; do
            exec {slot}>"$root/build/slot-$n" || exit
            flock --nonblock "$slot" && return
            exec {slot}>&-
        done
        sleep 0.2
    done
}

# in_background NAME COMMAND...: what it says goes to $work/NAME and NAME.err, its exit code to NAME.code.
in_background() {
    local name=$1
    shift
    while [ "$(jobs -rp | wc -l)" -ge "$at_once" ]; do
        wait -n
    done
    (
        [ "$at_once" -gt 2 ] || take_slot
        "$@" >"$work/$name" 2>"$work/$name.err"
        echo $? >"$work/$name.code"
    ) &
}

# boot NAME VARIABLE=VALUE...: by ci/boot/run, in the background.
boot() {
    local name=$1
    shift
    in_background "$name" env KEEP="$work/$name.kept" "$@" "$here/run"
}

# boot_with_conf NAME OPTIONS VARIABLE=VALUE...: boot, with options that ci/boot/run would refuse beforehand.
boot_with_conf() {
    local name=$1
    printf '%s\n' "time=10 end=shutdown" "$2" >"$work/$name.conf"
    shift 2
    boot "$name" CONF="$work/$name.conf" "$@"
}

# until_said NAME PATTERN: waits until that boot has said so, or is over.
until_said() {
    until grep -Eqs -- "$2" "$work/$1"; do
        [ ! -e "$work/$1.code" ] || return 1
        sleep 0.2
    done
}

# faultvisor_image NAME: a disk that boots faultvisor; its configuration comes from standard input, and is kept as
# $work/NAME.plan.
faultvisor_image() {
    cat >"$work/$1.plan"
    "$root/image/make-image" disk "$root/build/faultvisor.efi" /dev/null "$work/$1.img"
    mcopy -i "$work/$1.img" "$root/build/zmmtest.efi" ::/zmmtest.efi
    mcopy -i "$work/$1.img" "$work/$1.plan" ::/faultvisor.conf
}

# matrix_rows VCPUS TABLE NAME...: what matrix.awk makes of the boots of these images, in $work/rows; TABLE is a file for
# the table. The log that it was made of is left in $work/log.
matrix_rows() {
    local vcpus=$1 table=$2
    shift 2
    : >"$work/log"
    : >"$work/plan"
    for about in "$@"; do
        check "runs to its end" grep -aq 'faultvisor ev=done good=yes' "$work/$about.kept/serial"
        tr -d '\r' <"$work/$about.kept/serial" | sed 's/\x1b\[[0-9;=?]*[A-Za-z]//g' >>"$work/log"
        cat "$work/$about.plan" >>"$work/plan"
    done
    awk -v vcpus="$vcpus" -v table="$table" -f "$here/matrix.awk" "$work/plan" "$work/log" >"$work/rows"
}

row_is_ok() {
    [ "$1" = ok ]
}

all_booted() {
    wait
}

# check DESCRIPTION COMMAND...: one line of TAP; $about names the boot that a failure shows.
about=
check() {
    local description=$1
    shift
    tests=$((tests + 1))
    if "$@"; then
        echo "ok $tests - $about: $description"
        return
    fi
    echo "not ok $tests - $about: $description"
    failed=1
    echo "# failed: $*"
    # A line of TAP begins on a line of its own, whatever the last one of the boot was.
    tail -n 15 "$work/$about" "$work/$about.err" "$work/$about.kept/engine.log" 2>/dev/null |
        LC_ALL=C awk '{ gsub(/[^ -~]/, "?"); print "#   " $0 }'
}

finish() {
    echo "1..$tests"
    exit $failed
}

# Of the boot $about: that there was one; its exit code; a line that matches; none that matches; how many match.
ran() {
    [ -e "$work/$about" ] || { echo "# boot $about did not run"; return 1; }
}

exits_with() {
    ran && [ "$(cat "$work/$about.code")" = "$1" ]
}

says() {
    ran && grep -Eq -- "$1" "$work/$about"
}

never_says() {
    ran && ! grep -Eq -- "$1" "$work/$about"
}

count() {
    grep -Ecs -- "$1" "$work/$about"
}

# The value of key in the first line of event: value EVENT KEY
value() {
    sed -n "s/.* ev=$1 .*\\b$2=\\([^ ]*\\).*/\\1/p" "$work/$about" | head -n 1
}

# The last line that zmmtest logged is its verdict.
ends_with_verdict() {
    grep 'zmmtest ts=' "$work/$about" | tail -n 1 | grep -q "ev=done verdict=$1 "
}

# COM1 as the machine left it: each log line stands alone, whole, within 256 bytes, and only once.
log_is_whole() {
    local serial=$work/$about.kept/serial
    grep -aq '^zmmtest ts=' "$serial" &&
        ! tr -d '\r' <"$serial" | grep -a 'zmmtest ts=' | grep -avq '^zmmtest ts=[0-9]*\.[0-9][0-9][0-9] ev=[a-z]*' &&
        ! tr -d '\r' <"$serial" | grep -a '^zmmtest ts=' | grep -aq '.\{257\}' &&
        [ -z "$(tr -d '\r' <"$serial" | grep -a '^zmmtest ts=' | sort | uniq -d)" ]
}

# Of the boot or process $about, with the log of build/inject: as many findings as moments that it struck, and
# each is named right.
found_and_named() {
    local line found named
    line=$(cat "$work/$about.log")
    word() { sed -n "s/.* $1=\([^ ]*\).*/\1/p" <<<"$line"; }
    found=$(value "done" findings)
    named=$(count "ev=finding .* component=$(word component) class=$(word class) registers=$(word registers) bits=$(word bits) ")
    echo "# $(word fault): $(word changed) of $(word moments) moments struck, $found found, $named named right"
    [ "$(word changed)" -ge 12 ] && [ "$found" = "$(word changed)" ] && [ "$named" = "$found" ]
}

exit_names=$("$root/build/zmmtest-linux" --list-exits)

# Every component that CPUID.0D enumerates has rounds, or a line that says why not.
every_component_accounted_for() {
    local name names
    names=$(value state components | tr 'A-Z,' 'a-z ' | sed 's/:[0-9]*//g')
    [ -n "$names" ] || return 1
    for name in $names; do
        says "ev=component name=$name .* rounds=[1-9][0-9]* findings=0" && continue
        says "ev=component name=$name .* reason=\".+\"" || { echo "# nothing said of $name"; return 1; }
        never_says "ev=component name=$name .* reason=\"the run ended" || { echo "# $name had no turn"; return 1; }
    done
}

# The self-test named all that it planted, of as many kinds as a processor with AVX-512 has at least.
selftest_is_whole() {
    local planted
    planted=$(value selftest planted)
    echo "# planted $planted, named $(value selftest named)"
    [ "${planted:-0}" -ge 298 ] && [ "$planted" = "$(value selftest named)" ]
}

# component_counted NAME BIT: it has rounds.
component_counted() {
    says "ev=component name=$1 bit=$2 .* rounds=[1-9]"
}

# Every exit has rounds, or a line that says why not.
every_exit_accounted_for() {
    local name
    [ -n "$exit_names" ] || return 1
    for name in $exit_names; do
        says "ev=exit name=$name rounds=[1-9]" || says "ev=skip exit=$name .*reason=\".+\"" ||
            { echo "# nothing said of $name"; return 1; }
    done
}
