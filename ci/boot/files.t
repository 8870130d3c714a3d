#!/bin/bash
# The result files on the boot volume, read back with mtools: after a clean end, after the machine was
# killed in mid-run, and where the volume cannot take them.
. "$(dirname "$0")/lib.sh"

export ENGINE=qemu MTOOLS_SKIP_CHECK=1

boot clean CPUS=2 OPTIONS="passes=2 inject=all/500"
boot killed CPUS=2 OPTIONS="time=100 inject=zeroed/30000 stop=never" UNTIL="ev=tick elapsed=[2-9][0-9] .*findings=[1-9]"
boot read-only CPUS=1 MEDIUM=iso OPTIONS="passes=2"

# A volume that has room for the folder and some lines, and one that has none.
printf 'passes=3 inject=all/50 findings=1000 end=shutdown\n' >"$work/conf"
fill() { # NAME, bytes that are left
    "$root/image/make-image" disk "$root/build/zmmtest.efi" "$work/conf" "$work/$1.img"
    local bytes
    bytes=$(mdir -i "$work/$1.img" ::/ | sed -n 's/ //g; s/\([0-9]*\)bytesfree/\1/p')
    head -c $((bytes - $2)) /dev/zero | mcopy -i "$work/$1.img" - ::/ballast
}
fill full 16384
fill no-room 0
# And one whose last run was reset at the start menu, before it said anything.
printf 'passes=1 end=shutdown\n' >"$work/conf"
"$root/image/make-image" disk "$root/build/zmmtest.efi" "$work/conf" "$work/empty.img"
mmd -i "$work/empty.img" ::/zmmtest
mcopy -i "$work/empty.img" - ::/zmmtest/0001.log </dev/null
# One whose numbers are used up, by somebody else's file.
"$root/image/make-image" disk "$root/build/zmmtest.efi" "$work/conf" "$work/last.img"
mmd -i "$work/last.img" ::/zmmtest
mcopy -i "$work/last.img" - ::/zmmtest/99999999.txt <<<"somebody's"
# And machines that have their serial port elsewhere, or none.
boot last CPUS=1 IMAGE="$work/last.img"
boot pci CPUS=1 SERIAL=pci OPTIONS="passes=1"
boot no-serial CPUS=1 SERIAL=none OPTIONS="passes=1"
boot full CPUS=1 IMAGE="$work/full.img"
boot no-room CPUS=1 IMAGE="$work/no-room.img"
boot empty CPUS=1 IMAGE="$work/empty.img"
all_booted

# The same volume once more, after the power was lost.
file_of() { # boot, file
    mtype -i "$work/$1.kept/medium" "::/zmmtest/$2"
}
file_of killed 0001.log >"$work/killed.log"
cp "$work/killed.kept/medium" "$work/again.img"
boot again CPUS=1 IMAGE="$work/again.img" UNTIL="ev=tick"
all_booted
cp "$work/again.kept/medium" "$work/third.img"
boot third CPUS=1 IMAGE="$work/third.img" UNTIL="ev=state"
all_booted

log_of_com1() {
    tr -d '\r' <"$work/$about.kept/serial" | grep -a '^zmmtest ts='
}
file_says() { # file, pattern
    file_of "$about" "$1" | grep -Eq -- "$2"
}
file_never_says() {
    ! file_says "$@"
}

about=clean
log_is_that_of_com1() {
    cmp <(log_of_com1) <(file_of "$about" 0001.log)
}
check "the log file has each line that COM1 has" log_is_that_of_com1
check "and ends with the verdict" file_says 0001.log 'ev=done verdict=FAIL'
check "it says which run of the volume it is" file_says 0001.log 'ev=start .* boot=1 '
check "the other file has the report in words" file_says 0001.txt '^Verdict    FAIL: registers changed, but only where zmmtest INJECTED it'
check "and each finding" file_says 0001.txt '^INJECTED FINDING 1: vCPU '
check "nothing was wrong with it" never_says 'result files'

about=empty
check "a run that said nothing had not begun, and has its number all the same" says 'ev=start .* boot=2 '
check "it is none without an end" never_says 'came to no end'

about=killed
check "it was killed before its end" never_says 'ev=done'
check "the finding is in the file" file_says 0001.log 'ev=finding n=1 '
check "with its registers" file_says 0001.log 'ev=lane n=1 '
check "and the last tick" file_says 0001.log 'ev=tick elapsed=1[0-9] '
# It may have been killed while it wrote: the last line may be unfinished, and nothing else.
lines_are_whole() {
    file_of "$about" 0001.log >"$work/log"
    local finished
    finished=$(wc -l <"$work/log")
    head -n "$finished" "$work/log" | grep -avq '^zmmtest ts=[0-9]*\.[0-9][0-9][0-9] ev=[a-z]* *' && return 1
    ! tail -n "+$((finished + 1))" "$work/log" | LC_ALL=C grep -aq '[^ -~]'
}
check "each finished line in it is whole" lines_are_whole

about=again
check "the next run has a number of its own" says 'ev=start .* boot=2 '
check "and tells that the last one came to no end" says 'text="Run 0001 on this volume came to no end'
earlier_is_whole() {
    cmp "$work/killed.log" <(file_of "$about" 0001.log)
}
check "what the last one left is as it was" earlier_is_whole

about=third
check "a third one" says 'ev=start .* boot=3 '
check "knows how the second one ended" says 'text="Run 0002 on this volume came to no end'

about=read-only
check "a CD cannot be written, which is a notice" says 'ev=notice text="No result files on the boot volume: it cannot be written \(EFI_WRITE_PROTECTED\)"'
check "and no failure" exits_with 2

about=full
check "a volume that gets full is a notice" says 'ev=notice text="No more result files on the boot volume: writing failed after [0-9]* ms \(EFI_VOLUME_FULL\)"'
check "said once" [ "$(count 'ev=notice text="No more result files')" = 1 ]
check "and the run goes on to its verdict" says 'ev=done verdict=FAIL'
check "what was written until then stays" file_says 0001.log 'ev=start '

about=no-room
check "a volume without room is a notice" says 'ev=notice text="No result files on the boot volume: it cannot be written \(EFI_VOLUME_FULL\)"'
check "and the run goes on to its verdict" says 'ev=done verdict=FAIL'

about=last
check "a file with the last number is let alone, with a notice" \
    says 'text="No result files on the boot volume: a file there has the last number, 99999999 \(EFI_ACCESS_DENIED\)"'
only_that_file() {
    [ "$(mdir -b -i "$work/$about.kept/medium" ::/zmmtest)" = "::/zmmtest/99999999.txt" ] && file_says 99999999.txt '^somebody'
}
check "and nothing is written beside it" only_that_file

about=pci
check "a serial port on PCI has the log, whole" log_is_whole
check "which says so" says 'ev=notice text="There is no serial port at 3F8h \(COM1\): the log goes to the first one that the firmware drives."'
check "to the end" ends_with_verdict INCOMPLETE
check "the log file has each line of it" log_is_that_of_com1

about=no-serial
check "without a serial port the result files say that" \
    file_says 0001.log 'ev=notice text="There is no serial port at 3F8h \(COM1\), and the firmware drives none: there is no serial log."'
check "and have the verdict" file_says 0001.log 'ev=done verdict=INCOMPLETE'

finish
