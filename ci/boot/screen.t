#!/bin/bash
# The screen, the keys and the start menu: on QEMU's display and on its serial console, and in Bochs,
# with AVX-512, the bug that zmmtest is for. `screen` turns pictures and terminals into rows of cells.
. "$(dirname "$0")/lib.sh"

export ENGINE=qemu
: >"$work/no-options"
declare -A monitor

# watched NAME VARIABLE=VALUE...: a boot that takes commands of QEMU's monitor by tell.
watched() {
    local fd
    mkfifo "$work/$1.monitor"
    exec {fd}<>"$work/$1.monitor"
    monitor[$1]=$fd
    boot "$@" MONITOR="$work/$1.monitor"
}

tell() { # NAME COMMAND...
    local name=$1 command
    shift
    for command; do
        echo "$command" >&"${monitor[$name]}"
    done
}

press() { # NAME KEY...
    local name=$1
    shift
    tell "$name" "${@/#/sendkey }"
}

# press_until NAME PATTERN KEY: again where a busy machine lost it, as its keyboard may do with keys that come in a row.
press_until() {
    local n
    for ((n = 0; n < 300; n++)); do
        [ $((n % 60)) != 0 ] || press "$1" "$3"
        ! grep -Eq -- "$2" "$work/$1" || return 0
        [ ! -e "$work/$1.code" ] || return 1
        sleep 0.5
    done
    return 1
}

# picture NAME OF-WHAT TEST...: of the display, again and again until TEST FILE is true of it, for a minute
# or to the end of the boot. What is there by then is left for the checks. With $freeze the machine stands still
# while its picture is looked at, which takes long on a busy machine.
freeze=
picture() {
    local name=$1 file=$work/$1.$2 n good
    shift 2
    for ((n = 0; n < ${tries:-60}; n++)); do
        tell "$name" ${freeze:+stop} "screendump $file"
        sleep 1
        good=no
        [ ! -s "$file" ] || ! "$@" "$file" || good=yes
        [ -z "$freeze" ] || tell "$name" cont
        [ "$good" = no ] || return 0
        [ ! -e "$work/$name.code" ] || return 1
        [ -z "$freeze" ] || sleep 1
    done
    return 1
}

# picture's tests. The rows are those of the screen, from 0.
has_title() { # FILE
    "$here/screen" looks "$1" >/dev/null 2>&1
}

row_begins() { # ROW PATTERN FILE
    "$here/screen" looks "$3" 2>/dev/null | sed -n "$(($1 + 1))p" | grep -Eq "^$2"
}

# The same a second before, too: what is being drawn shows its first rows first.
is_settled() { # TEST... FILE
    local file=${!#}
    if "$@" && "$here/screen" looks "$file" 2>/dev/null | cmp -s - "$file.before"; then
        return
    fi
    "$here/screen" looks "$file" >"$file.before" 2>/dev/null
    return 1
}

asks() { # FILE: in its last row
    "$here/screen" looks "$1" 2>/dev/null | grep -Eq '^w{40,}k*$'
}

is_a_page() { # FILE: of text, without a title
    [ -s "$1" ] && ! "$here/screen" looks "$1" >/dev/null 2>"$1.why" && grep -q 'there is no title' "$1.why"
}

# Waits until the terminal on that boot's COM1 shows it, or the boot is over.
until_shown() { # NAME PATTERN
    until "$here/screen" text "$work/$1.kept/serial" 2>/dev/null | grep -Eq -- "$2"; do
        [ ! -e "$work/$1.code" ] || return 1
        sleep 0.5
    done
}

# They wait for keys and clocks more than for the processor.
at_once=5
watched display OPTIONS="time=4 inject=zeroed/100 end=menu"
watched menu CONF="$work/no-options"
watched text SCREEN=none OPTIONS="time=3 inject=all/100 ui=screen end=menu"
watched details SCREEN=none OPTIONS="time=60 inject=swapped/100 ui=screen"
# A console of 80x25, without graphics, of another firmware.
boot u-boot FIRMWARE=u-boot MACHINE=pc CPUS=1 SCREEN=none QUIET=5 OPTIONS="time=3 inject=swapped/100 ui=screen end=menu"
(
    until_said display 'ev=done'
    picture display end is_settled row_begins 3 'm{80}'
    press display f
    picture display finding row_begins 0 'm{80}'
    press display esc r
    picture display report is_a_page
    tell display quit
) &
(
    # The menu starts by itself after ten seconds of the machine's own.
    freeze=yes
    picture menu menu has_title
    freeze=
    press menu down down ret
    until_said menu 'ev=state cpu=1'
    press_until menu 'ev=pause' p
    picture menu paused row_begins 3 y
    # Until all of it is drawn, which takes a while on a busy machine: then two pictures are the same.
    for ((n = 0; n < 30; n++)); do
        sleep 3
        picture menu later row_begins 3 y
        ! cmp -s "$work/menu.paused" "$work/menu.later" || break
        mv "$work/menu.later" "$work/menu.paused"
    done
    press_until menu 'ev=resume' p
    until sed -n '/ev=resume/,$p' "$work/menu" | grep -q 'ev=tick'; do
        [ ! -e "$work/menu.code" ] || exit
        sleep 0.2
    done
    # A storm: all that means something but Y, many times over, as fast as QEMU passes keys on.
    for ((n = 0; n < 12; n++)); do
        press menu s f left right q m o r up down t esc x 1 spc p p
        sleep 2
    done
    press menu esc esc
    picture menu stormed has_title
    press menu s n
    # What was asked while the machine was slow is asked again: another key but Y is a No.
    for ((n = 0; n < 10; n++)); do
        press menu s
        tries=5 picture menu question asks && break
    done
    press menu y
    until_said menu 'ev=done' || exit
    until [ -e "$work/menu.code" ]; do
        press menu s
        sleep 1
    done
) &
(
    until_shown text '^R report .*S shut down'
    tell text quit
) &
(
    until_said details 'ev=finding n=2 '
    press details f
    until_shown details 'expected +found +which is'
    press details o
    until_shown details 'power the machine off. Y: yes'
    press details n o y
) &
all_booted

watched countdown CONF="$work/no-options" DEVICES="-machine i8042=off"
watched serial SCREEN=none CONF="$work/no-options"
faultvisor_image avx256 <<<"fault=avx256 every=500 after=200 pose=vmware -- time=5 end=menu"
boot bochs-fail ENGINE=bochs DEBUGGER=yes SCREEN=vga QUIET=12 IMAGE="$work/avx256.img"
boot bochs-pass ENGINE=bochs SCREEN=vga QUIET=12 OPTIONS="passes=1 end=menu"
(
    until_said serial 'ev=selftest'
    press serial esc
    until_said serial 'ev=done'
    tell serial quit
) &
(
    picture countdown menu has_title
    until_said countdown 'ev=selftest'
    picture countdown running row_begins 0 '[^k]{80}'
    tell countdown quit
) &
all_booted

# looks FILE: in $work/looks; row N of it.
looks() {
    "$here/screen" looks "$1" >"$work/looks"
}

row() {
    sed -n "$(($1 + 1))p" "$work/looks"
}

# Row 6 of the screen is dword 15, row 21 dword 0; column 48 is zmm0.
map_row() { # DWORD
    row $((21 - $1)) | cut -c 49-80
}

# map COLOUR FIRST-DWORD LAST-DWORD: zmm0-15 have it in these, and nothing else has any.
map_is() {
    local dword wanted intact hit
    intact=$(printf '%32s' '' | tr ' ' k)
    hit=$(printf '%16s' '' | tr ' ' "$1")${intact:16}
    for ((dword = 0; dword < 16; dword++)); do
        wanted=$intact
        [ "$dword" -lt "$2" ] || [ "$dword" -gt "$3" ] || wanted=$hit
        [ "$(map_row "$dword")" = "$wanted" ] || { echo "# dword $dword: $(map_row "$dword")"; return 1; }
    done
}

row_is() { # ROW COLOUR
    [ "$(row "$1")" = "$(printf '%80s' '' | tr ' ' "$2")" ]
}

shows() { # PATTERN: the terminal, as the boot left it, of as many rows as its firmware's
    "$here/screen" text "$work/$about.kept/serial" "$rows" >"$work/text" && grep -Eq -- "$1" "$work/text"
}

about=display
check "a display is found by itself" looks "$work/display.end"
check "the verdict is a bar in the colour of INJECTED" row_is 3 m
check "bits 255:128 of ymm0-15 are hit, and nothing else" map_is m 4 7
check "the serial console has the lines instead" says '^Self-test  98 faults planted'
check "and the log, each line whole and once" log_is_whole
check "F shows a finding" looks "$work/display.finding"
check "whose title says INJECTED by its colour" row_is 0 m
check "R shows the report" is_a_page "$work/display.report"

about=menu
check "without options the menu is shown" looks "$work/menu.menu"
check "with the choice that starts by itself" grep -Eq '^kkb{40,}k+$' "$work/looks"
check "Down, Down, Enter is Soak" says 'text="Chosen at the start menu: time=0 exits=all"'
check "the log has it among its options" says 'ev=start .* options="start menu: time=0 exits=all"'
check "P stops the clock" says 'ev=pause elapsed='
check "which the screen says" looks "$work/menu.paused"
check "in its place" grep -q '^yyyyyyyy' <(row 3)
check "nothing moves meanwhile" cmp "$work/menu.paused" "$work/menu.later"
# From a pause to the first tick after it the clock of the run goes no further than the machine did since.
clock_stood_still() {
    awk '/ ev=pause /  { sub(/.*elapsed=/, ""); before = $0 + 0 }
        / ev=resume /  { split($2, ts, "="); resumed = ts[2]; sub(/.*ms=/, ""); paused = $0 / 1000 }
        / ev=tick / && resumed {
            split($2, ts, "="); sub(/.*elapsed=/, "")
            printf "# paused for %.1f s at %d s; %.1f s later the run says %d s\n", paused, before, ts[2] - resumed, $0
            if (paused >= 3) long++
            if ($0 + 0 > before + 1 + ts[2] - resumed + 1) bad++
            resumed = 0
        }
        END { exit !(long && !bad) }' "$work/menu"
}
check "nor does the clock of the run" clock_stood_still
check "P again lets it go on" says 'ev=resume ms=[1-9][0-9][0-9][0-9]'
check "a storm of keys ends nothing" looks "$work/menu.stormed"
check "S asks first" looks "$work/menu.question"
check "in its last row" grep -q '^w\{40,\}k*$' "$work/looks"
check "and Y is the end of it" says 'ev=done verdict=INCOMPLETE .*vcpus=2'
check "S then shuts down" exits_with 2

about=text
rows=50
check "ui=screen on a serial console: the title" shows '^ zmmtest [0-9]'
check "the verdict" shows '^ FAIL: registers changed, but only where zmmtest INJECTED it'
check "the row of the injected faults" shows '^inject +[1-9][0-9]* +0 +[1-9][0-9]*'
check "the other exits" shows '^cpuid +[1-9][0-9]* +[0-9]+ +0 '
check "the map, without colour: zeroed, changed, not tested" shows ' 255 o{16}-{16}$'
check "and intact" shows ' 127 \.xxx\.xx\.{8}x-{16}$'
check "the first finding in words, and of how many" shows '^INJECTED FINDING 1 of [0-9]+: .*, after inject on vCPU [01]'
check "and since when" shows '^ Since 0:00:0[0-9]\. Looks like '
check "the options in force" shows '^Options +zmmtest.conf: .*time=3'
check "both have findings" shows '^vCPUs +xx '
check "for how long registers were live, and how busy the storage was" \
    shows '^Exposed +[1-9][0-9]* %, read [0-9]+(\.[0-9])? MB/s '
check "what could not run, by name" shows '^Left out hypercall, .*[a-z]'
check "the keys" shows '^R report +F findings +M map by vCPU +S shut down +B reboot +X firmware'
check "the log goes on beneath it, each line whole and once" log_is_whole

about=details
check "O asks first, and Y powers off, with the verdict" exits_with 1
check "long before its time" says 'ev=done verdict=FAIL .*elapsed=[1-4]?[0-9] '
check "and says why" says 'ev=done .*reason="registers changed, but only where zmmtest INJECTED it"'
check "the finding is shown in full" grep -q 'expected          found             which is' "$work/details.kept/serial"
check "with the options that try it again" grep -Eq 'Again with: inject=swapped cpus=[01] seed=0x[0-9a-f]+' \
    "$work/details.kept/serial"
check "with where the value came from" grep -Eq 'ymm1: swapped: run [0-9a-f]+, vCPU [01], generation [0-9]+, ymm2 lane 0' \
    "$work/details.kept/serial"

about=u-boot
rows=25
check "on 80x25 all has its place: the title" shows '^ zmmtest [0-9]'
check "as many exits as there is room for" shows '^10 of [0-9]+ shown, up/down'
check "the map's last row" shows ' 31 \.xx\.{13}-{16}$'
check "the first finding" shows '^INJECTED FINDING 1 of [0-9]+: ymm1-2, bits 255:0 swapped, after inject on vCPU 0'
check "and the keys, in the last row" grep -Eq '^R report +F findings' <(tail -n 1 "$work/text")

about=countdown
check "without a keyboard the menu starts the default" says 'text="Chosen at the start menu: time=60 exits=all"'
check "which is there to be seen" looks "$work/countdown.menu"
check "and the screen is there" looks "$work/countdown.running"

about=serial
check "no menu on serial only" never_says 'start menu'
check "but lines" says '^Self-test  98 faults planted'
check "Esc ends it" says 'ev=done verdict=INCOMPLETE'

about=bochs-fail
check "the ESXi 8.0.2 bug on a display" looks "$work/bochs-fail.kept/screen.xwd"
check "is a red bar" row_is 3 r
check "of two rows" row_is 4 r
check "and the upper left quadrant of the map, and nothing else" map_is r 8 15

about=bochs-pass
check "a PASS on a display" looks "$work/bochs-pass.kept/screen.xwd"
check "is a green bar" row_is 3 g
check "of two rows" row_is 4 g
check "and a map without a hit" map_is k 0 15
"$here/screen" inks "$work/bochs-pass.kept/screen.xwd" >"$work/looks"
all_green() {
    local dword
    for ((dword = 0; dword < 16; dword++)); do
        [ "$(map_row "$dword")" = "$(printf '%32s' '' | tr ' ' g)" ] || return 1
    done
}
check "in which each dword is green" all_green
check "while COM1 has each line whole and once" log_is_whole

finish
