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

# A picture of the display, which takes QEMU a moment.
picture() { # NAME OF-WHAT
    sleep 1
    tell "$1" "screendump $work/$1.$2"
    sleep 1
}


# Until something of ours is on the display; with a key that means nothing, which the menu waits longer for.
until_seen() { # NAME [KEY]
    local n
    for ((n = 0; n < 60; n++)); do
        tell "$1" "screendump $work/$1.seen" ${2:+"sendkey $2"}
        sleep 0.7
        "$here/screen" looks "$work/$1.seen" >/dev/null 2>&1 && return
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
    picture display end
    press display f
    picture display finding
    press display esc r
    picture display report
    tell display quit
) &
(
    until_seen menu 1
    picture menu menu
    press menu down down ret
    until_said menu 'ev=selftest'
    sleep 2
    press menu p
    until_said menu 'ev=pause'
    picture menu paused
    picture menu later
    press menu p
    until_said menu 'ev=resume'
    # A storm: all that means something but Y, many times over.
    for ((n = 0; n < 40; n++)); do
        press menu s f left right q m o r up down t esc x 1 spc p p
    done
    sleep 3
    press menu esc esc
    picture menu stormed
    press menu s n
    sleep 1
    press menu s
    picture menu question
    press menu y
    until_said menu 'ev=done'
    press menu s
) &
(
    until_said text 'ev=done'
    sleep 3
    tell text quit
) &
(
    until_said details 'ev=finding n=2 '
    sleep 1
    press details f
    sleep 2
    press details o
    sleep 2
    press details n o y
) &
all_booted

watched countdown CONF="$work/no-options" DEVICES="-machine i8042=off"
watched serial SCREEN=none CONF="$work/no-options"
faultvisor_image avx256 <<<"fault=avx256 every=500 after=200 pose=vmware -- time=5 end=menu"
boot bochs-fail ENGINE=bochs SCREEN=vga QUIET=12 IMAGE="$work/avx256.img"
boot bochs-pass ENGINE=bochs SCREEN=vga QUIET=12 OPTIONS="time=5 end=menu"
(
    until_said serial 'ev=selftest'
    press serial esc
    until_said serial 'ev=done'
    press serial x
    tell serial quit
) &
(
    until_seen countdown
    picture countdown menu
    until_said countdown 'ev=selftest'
    picture countdown running
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

# Row 5 of the screen is dword 15, row 20 dword 0; column 48 is zmm0.
map_row() { # DWORD
    row $((20 - $1)) | cut -c 49-80
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
is_a_page() { # PICTURE: of text, without a title
    [ -s "$1" ] && ! looks "$1" 2>"$work/why" && grep -q 'there is no title' "$work/why"
}
check "R shows the report" is_a_page "$work/display.report"

about=menu
check "without options the menu is shown" looks "$work/menu.menu"
check "with the choice that starts by itself" grep -Eq '^kkb{40,}k+$' "$work/looks"
check "Down, Down, Enter is Soak" says 'text="Chosen at the start menu: time=0 exits=all"'
check "P stops the clock" says 'ev=pause elapsed='
check "which the screen says" looks "$work/menu.paused"
check "in its place" grep -q '^yyyyyyyy' <(row 3)
check "nothing moves meanwhile" cmp "$work/menu.paused" "$work/menu.later"
clock_stood_still() {
    local begun ended paused elapsed
    begun=$(sed -n 's/^zmmtest ts=\([0-9]*\).* ev=selftest .*/\1/p' "$work/menu")
    ended=$(sed -n 's/^zmmtest ts=\([0-9]*\).* ev=done .*/\1/p' "$work/menu")
    paused=$(sed -n 's/.* ev=resume ms=\([0-9]*\)$/\1/p' "$work/menu" | awk '{ sum += $1 } END { print int(sum / 1000) }')
    elapsed=$(value "done" elapsed)
    echo "# $((ended - begun)) s, of which $paused s paused; the run says $elapsed s"
    [ "$paused" -ge 3 ] && [ "$elapsed" -le $((ended - begun - paused + 2)) ]
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
check "the map, without colour: zeroed, changed, not tested" shows ' 7 o{16}-{16}$'
check "and intact" shows ' 3 \.xxx\.xx\.{8}x-{16}$'
check "the last finding in words" shows '^INJECTED FINDING [0-9]+: .*, after inject on vCPU [01]'
check "the keys" shows '^R report +F findings +M map by vCPU +S shut down'
check "the log goes on beneath it, each line whole and once" log_is_whole

about=details
check "O asks first, and Y powers off, with the verdict" exits_with 1
check "long before its time" says 'ev=done verdict=FAIL .*elapsed=[1-4]?[0-9] '
check "and says why" says 'ev=done .*reason="registers changed, but only where zmmtest INJECTED it"'
check "the finding is shown in full" grep -q 'expected          found             which is' "$work/details.kept/serial"
check "with where the value came from" grep -Eq 'ymm1: swapped: run [0-9a-f]+, vCPU [01], generation [0-9]+, ymm2 lane 0' \
    "$work/details.kept/serial"

about=u-boot
rows=25
check "on 80x25 all has its place: the title" shows '^ zmmtest [0-9]'
check "as many exits as there is room for" shows '^exit 16 of [0-9]+ +rounds'
check "the map's last row" shows ' 0 \.xx\.{13}-{16}$'
check "the last finding" shows '^INJECTED FINDING [0-9]+: ymm1-2, bits 255:0 swapped, after inject on vCPU 0'
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
check "and the upper left quadrant of the map, and nothing else" map_is r 8 15

about=bochs-pass
check "a PASS on a display" looks "$work/bochs-pass.kept/screen.xwd"
check "is a green bar" row_is 3 g
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
