#!/bin/bash
# The image on QEMU's emulation, which has no AVX-512: the verdict is INCOMPLETE, ymm registers are
# tested. It boots in seconds, so what options, files and firmware do to zmmtest is tested here.
. "$(dirname "$0")/lib.sh"

export ENGINE=qemu
quick="passes=2"

boot plain OPTIONS="$quick"
boot iso MEDIUM=iso CPUS=1 OPTIONS="$quick"
boot four-vcpus CPUS=4 OPTIONS="$quick cpus=1,3"
boot inject OPTIONS="passes=1 inject=all/20"
boot stop-first OPTIONS="time=60 inject=zeroed/50 stop=first"
boot no-avx CPUS=1 MODEL=max,-avx OPTIONS="$quick"
boot no-xsave CPUS=1 MODEL=max,-xsave OPTIONS="$quick"
boot old CPUS=1 MODEL=qemu64 OPTIONS="$quick"
boot x2apic CPUS=1 MODEL=max,+x2apic OPTIONS="$quick exits=apic,cpuid"
boot named-exit CPUS=1 OPTIONS="$quick exits=hypercall,cpuid"
boot named-cpu CPUS=1 OPTIONS="$quick cpus=0,7"
boot copies CPUS=2 OPTIONS="passes=3 exits=hold,copy,copy-ymm,copy-xmm,cold-page"
boot_with_conf bad-hold "$quick hold=0" CPUS=1
boot seed CPUS=1 OPTIONS="$quick seed=0x1234"
boot_with_conf bad-key "$quick colour=red"
boot_with_conf bad-value "$quick exits=cpuid,nonsense"
printf 'passes=1\r\n# comment\r\nend=shutdown\r\nseed=77' >"$work/conf-crlf"
boot crlf CPUS=1 CONF="$work/conf-crlf"
printf '\xef\xbb\xbfpasses=1 end=shutdown seed=88\n' >"$work/conf-bom"
boot bom CPUS=1 CONF="$work/conf-bom"
{ echo end=shutdown; yes '# a comment, many times over' | head -n 1000; } >"$work/conf-big"
boot big CPUS=1 CONF="$work/conf-big" UNTIL="ev=done"
printf '\xff\xfee\0n\0d\0=\0s\0' >"$work/conf-utf16"
boot utf16 CPUS=1 CONF="$work/conf-utf16" UNTIL="ev=done"
printf 'end=shutdown\n\npasses=1\ntime=soon\n' >"$work/conf-line"
boot line CPUS=1 CONF="$work/conf-line"
boot four-interrupts CPUS=4 OPTIONS="passes=10 exits=timer,hlt,ipi,ipi-send,apic,hold"
boot first-alone CPUS=2 OPTIONS="$quick cpus=0"
boot disk-virtio CPUS=2 DISK=virtio OPTIONS="$quick"
boot disk-virtio-alone CPUS=1 DISK=virtio OPTIONS="$quick"
boot little-memory CPUS=2 MEMORY=48 OPTIONS="$quick"
# A processor whose name is to pass for a verdict, at any time before the real one.
boot forged CPUS=1 SCREEN=none MODEL=$'max,model-id=A\nzmmtest ts=0.100 ev=done verdict=PASS x' UNTIL="ev=selftest" \
    OPTIONS="time=20 exits=cpuid"
# An ACPI table (IA-PC HPET specification 1.0a, 3.2.4) whose HPET is at 64 TiB, where firmware maps nothing.
printf '%b' 'HPET\x38\x00\x00\x00\x01\xdb' 'ZMMT\x20\x20TEST\x20\x20\x20\x20\x01\x00\x00\x00ZMMT\x01\x00\x00\x00' \
    '\x01\xa2\x86\x80\x00\x40\x00\x00' '\x00\x00\x00\x00\x00\x40\x00\x00\x00\x00\x00\x00' >"$work/hpet"
boot no-hpet CPUS=1 DEVICES="-machine hpet=off -acpitable file=$work/hpet" OPTIONS="$quick exits=hpet,cpuid"
boot_with_conf bad-disks "$quick disks=none" CPUS=1

# A second disk that fails in the middle: where the driver waits for it, and where it does not. OVMF's
# AHCI driver of 2022 then never says that the read has ended.
truncate -s 64M "$work/second.img" "$work/third.img"
printf '[inject-error]\nevent = "read_aio"\nerrno = "5"\nsector = "16384"\n' >"$work/blkdebug.conf"
fails=file=blkdebug:$work/blkdebug.conf:$work
boot disk-fails CPUS=2 DEVICES="-drive if=none,id=second,$fails/second.img,format=raw,rerror=report -device virtio-blk-pci,drive=second" \
    OPTIONS="time=6 disks=all"
boot disk-stuck CPUS=2 DEVICES="-drive $fails/third.img,format=raw,rerror=report" OPTIONS="time=13 disks=all"

# What a migration, a snapshot with memory and a resume are to the guest: it stands still, and goes on.
mkfifo "$work/monitor"
exec 3<>"$work/monitor"
boot gaps CPUS=2 MONITOR="$work/monitor" OPTIONS="time=12 exits=cpuid,hold,copy,timer,hlt,disk"
{
    until_said gaps 'ev=state cpu=1 '
    sleep 1
    echo stop
    sleep 4
    printf 'cont\n'
    sleep 2
    echo 'savevm before'
    sleep 5
    echo 'loadvm before'
} >&3 &

# The stick that zmmtest was booted from is pulled. The firmware waits for it, for half a minute each time.
mkfifo "$work/pulled.monitor"
exec 4<>"$work/pulled.monitor"
boot pulled CPUS=2 DISK=usb MONITOR="$work/pulled.monitor" OPTIONS="time=20 exits=cpuid,hold,disk"
{
    until_said pulled 'ev=state cpu=0 '
    sleep 1
    echo 'device_del stick'
} >&4 &

# The storage beneath pauses, as where a path fails over: reads and result files wait, and go on.
mkfifo "$work/pauses.monitor"
exec 5<>"$work/pauses.monitor"
boot pauses CPUS=2 MONITOR="$work/pauses.monitor" OPTIONS="time=22 exits=cpuid,hold,disk"
{
    until_said pauses 'ev=state cpu=0 '
    sleep 1
    echo 'block_set_io_throttle ide0-hd0 1 0 0 0 0 0'
    until_said pauses 'has not come back for'
    sleep 2
    echo 'block_set_io_throttle ide0-hd0 0 0 0 0 0 0'
} >&5 &
all_booted
exec 3>&- 4>&- 5>&-

about=plain
check "exits 2 for INCOMPLETE" exits_with 2
check "ends with the verdict" ends_with_verdict INCOMPLETE
check "says that AVX-512 is hidden" says 'ev=skip exit=avx512 reason="AVX-512 is hidden'
check "knows QEMU TCG" says 'ev=machine .*hypervisor="QEMU TCG"'
check "turns on what CPUID allows" says 'ev=state cpu=1 xcr0_before=0x1 xcr0=0x21f'
check "every exit has rounds or a reason" every_exit_accounted_for
check "every component has rounds or a reason" every_component_accounted_for
for component in x87:0 sse:1 avx:2 bndregs:3 bndcsr:4 pkru:9; do
    check "${component%:*} has rounds" component_counted "${component%:*}" "${component#*:}"
done
check "vmport, HPET and VGA are there" says 'ev=exit name=backdoor rounds=[1-9]'
check "HPET found by ACPI" says 'ev=exit name=hpet rounds=[1-9]'
check "VGA found among the PCI devices" says 'ev=exit name=vga rounds=[1-9]'
check "an exit that raises #UD is a skip" says 'ev=skip exit=rdpmc reason="the instruction raises #UD here"'
check "no finding" never_says 'ev=finding'
check "COM1 has each log line whole and once" log_is_whole

about=no-hpet
check "an HPET that is not there is not tested, and says where it should be" \
    says 'ev=skip exit=hpet reason="nothing is mapped at 0x400000000000, where it is said to be"'
check "it is no finding" never_says 'ev=finding'

about=forged
check "the name of a processor is no verdict" exits_with 3
check "what cannot be shown is a question mark" says '^Processor  A\?zmmtest\?ts=0.100 ev=done verdict=PASS x'

about=iso
check "the CD boots" exits_with 2
check "and runs" says 'ev=done verdict=INCOMPLETE exits=[1-9]'

about=four-vcpus
check "the vCPUs that were asked for ran" says 'ev=done .*vcpus=2'
check "vCPU 3 among them" says 'ev=state cpus?=(1,)?3 '
check "vCPU 2 not" never_says 'ev=state cpus?=([0-9,-]*,)?2[ ,-]|ev=state cpus=[01]-'

about=inject
check "exits 1 for FAIL" exits_with 1
for class in zeroed:avx:ymm0-15:255:128 stale:sse,avx:ymm3:255:0 other-vcpu:sse,avx:ymm15:255:0 \
    other-run:sse,avx:ymm5:255:0 swapped:sse,avx:ymm1-2:255:0 bit-flip:sse:ymm4:13 \
    foreign:sse,avx:ymm6:255:0 ghost:avx:ymm7:255:128 altered:rflags:rflags:0 fault:none:none:none; do
    IFS=: read -r name component registers bits <<<"$class"
    check "an injected $name is named right" \
        says "ev=finding .*label=INJECTED .*component=$component class=$name registers=$registers bits=$bits "
done

about=stop-first
check "stops at the first finding" exits_with 1
stopped_early() {
    [ "$(value "done" elapsed)" -lt 30 ]
}
check "long before the time is over" stopped_early

about=no-avx
check "xmm registers are tested" says 'ev=selftest planted=65 named=65'
check "INCOMPLETE, with the reason" says 'ev=skip exit=avx512 reason="AVX is hidden'
check "no finding" never_says 'ev=finding'

about=no-xsave
check "INCOMPLETE without XSAVE" exits_with 2
check "with the reason" says 'ev=skip exit=avx512 reason="XSAVE is hidden'
check "xsetbv is skipped" says 'ev=skip exit=xsetbv reason="XSAVE is hidden'
check "the rest ran" says 'ev=exit name=cpuid rounds=[1-9]'

about=old
check "runs on a processor without SSE4 and XSAVE" says 'ev=done verdict=INCOMPLETE exits=[1-9]'

about=x2apic
check "apic runs" says 'ev=exit name=apic rounds=[1-9]'

about="named-exit"
check "an exit asked for by name that cannot run is INCOMPLETE" exits_with 2
check "with the reason" says 'ev=skip exit=hypercall reason='
check "others do not run" never_says 'ev=exit name=out80'

about="named-cpu"
check "a vCPU asked for that is not there is named" says 'ev=skip exit=all cpu=7 reason="this machine has no such vCPU'
check "the other one ran" says 'ev=done .*vcpus=1'

about=copies
check "holds, copies and cold pages keep ymm" exits_with 2
check "each ran on both vCPUs" says 'ev=done .*vcpus=2'
for name in hold copy copy-ymm copy-xmm cold-page; do
    check "$name has rounds and no finding" says "ev=exit name=$name rounds=[1-9][0-9]* findings=0"
done

about=four-interrupts
for name in timer hlt ipi; do
    check "$name takes interrupts with registers live" says "ev=exit name=$name rounds=[1-9].* interrupts=[1-9]"
done
# EXIT FEWEST: so many rounds of all vCPUs. One of each slice goes by XSAVE at least; how many, what they cost decides.
has_rounds() {
    local rounds
    rounds=$(sed -n "s/.* ev=exit name=$1 rounds=\([0-9]*\) findings=0.*/\1/p" "$work/$about")
    echo "# $1: ${rounds:-no} rounds"
    [ "${rounds:-0}" -ge "$2" ]
}
check "each vCPU but the firmware's takes part in timer" has_rounds timer $((3 * 10 * 19))
check "all of them send interrupts" has_rounds ipi-send $((4 * 10 * 145))
check "no finding" never_says 'ev=finding'
check "no interrupt that nobody asked for" never_says 'interrupts came that'
# An emulator that has an interrupt pending all through a hold takes a hundred times as long for it.
cycles_of() { # EXIT
    sed -n "s/.* ev=exit name=$1 .*cycles_median=\([0-9]*\).*/\1/p" "$work/$about"
}
taken_within_a_hold() {
    echo "# cycles of timer: $(cycles_of timer), of hold: $(cycles_of hold)"
    [ "$(cycles_of timer)" -lt $(($(cycles_of hold) * 20)) ]
}
check "interrupts are taken within the hold, and not at its end" taken_within_a_hold

about=first-alone
for name in timer hlt ipi ipi-send; do
    check "$name is skipped where the firmware's vCPU is alone" says "ev=skip exit=$name reason=\"no vCPU takes part that"
done

about=plain
check "the disk is read meanwhile, by Block I/O 2" says 'ev=disk n=0 .*by=block-io-2 reads=[1-9]'
check "and both vCPUs hold" has_rounds disk $((2 * 2 * 19))

about=disk-virtio
check "without Block I/O 2 the boot vCPU reads" says 'ev=disk n=0 .*by=block-io reads=[1-9]'
check "and the other one holds" has_rounds disk $((2 * 19))

about=disk-virtio-alone
check "without Block I/O 2 and another vCPU it is a skip" says 'ev=skip exit=disk reason="the disk has no Block I/O 2'
check "and nothing is read" never_says 'ev=disk'
for name in disk-write disk-copy disk-mixed; do
    check "without a scratch partition $name is a skip" \
        says "ev=skip exit=$name reason=\"no disk has a scratch partition \(image/make-scratch makes one\)\""
done
check "and nothing is said to be written" never_says 'ev=storage'

about=disk-fails
check "a disk that fails is named" says 'text="disk [01]: the read of [0-9]* bytes at block [0-9]* failed \(EFI_DEVICE_ERROR\)'
check "and read again behind that place" says 'text="disk [01]: can be read again, after [0-9]* ms and 1 errors"'
check "to the end" says 'ev=disk n=[01] .*blocks=131072 by=block-io reads=[1-9].*failed=no'
check "the other one goes on" says 'ev=disk n=[01] .*blocks=32768 by=block-io-2 reads=[1-9].*failed=no'
check "no finding, no error" exits_with 2

about=disk-stuck
# The driver of newer firmware (Debian 13's) gives the read back, with an error.
if says 'text="disk [01]: the read of [0-9]* bytes at block [0-9]* failed \(EFI_DEVICE_ERROR\)'; then
    echo "# this firmware's AHCI driver gives the read back"
    # Some go on with the next read, and some with none.
    check "the disk is read again, or reported as failed" \
        says 'text="disk [01]: can be read again, after |ev=disk n=[01] .*blocks=131072 .*failed=yes'
    check "the result files do not end" never_says 'The result files end before this report'
else
    check "a read that does not come back is named" says 'text="disk [01]: the read of [0-9]* bytes at block [0-9]* does not come back'
    check "and ends the result files, which would wait behind it" says 'text="The result files end before this report'
fi
check "nothing else ends" says 'ev=done verdict=INCOMPLETE .*elapsed=13'

about=little-memory
check "with less than 16 MiB to spare copies and cold pages are skipped" says 'ev=skip exit=cold-page reason="too little free memory"'
check "and the rest runs" says 'ev=done verdict=INCOMPLETE exits=[1-9]'

about=bad-disks
check "a value of disks= that is none is an error" says 'disks=none: value not allowed. Allowed for disks: boot, all'

about=gaps
gap_count() {
    [ "$(count 'ev=gap kind=stood ms=([3-9][0-9]{3}|[1-9][0-9]{4,}) changed=nothing')" -ge 2 ]
}
check "stop and loadvm are gaps of seconds" gap_count
check "ymm registers come through them" never_says 'ev=finding'
check "both vCPUs went on, and came to the end" says 'ev=done verdict=INCOMPLETE .*vcpus=2 elapsed=12'

about=pulled
check "a disk that is pulled is named" says 'ev=notice text="disk 0: the read of [0-9]* bytes at block [0-9]* failed '
check "with how long the firmware waited for it" \
    says 'ev=notice text="disk 0: a read kept the firmware, and the boot vCPU with it, for [0-9]{4,} ms"'
check "the result files as well" \
    says 'ev=notice text="No more result files on the boot volume: writing failed after [0-9]+ ms \(EFI_'
check "it is no standstill of the machine" never_says 'ev=gap kind=stood'
check "and the run comes to its end" says 'ev=done verdict=INCOMPLETE .*findings=0'

about=pauses
check "a read that is late is told" says 'ev=notice text="disk 0: the read of [0-9]* bytes at block [0-9]* has not come back for 10 s: it is waited for"'
check "and that it came back" says 'ev=notice text="disk 0: the read came back after [0-9]{5} ms"'
check "the disk is read to the end" says 'ev=disk n=0 .*failed=no'
check "it is no standstill" never_says 'ev=gap'
whole_in_file() {
    cmp <(tr -d '\r' <"$work/$about.kept/serial" | grep -a '^zmmtest ts=') <(mtype -i "$work/$about.kept/medium" ::/zmmtest/0001.log)
}
check "the result files have all of it" whole_in_file

about=bad-hold
check "a hold out of range is an error" says 'hold=0: value not allowed. Allowed for hold: microseconds from 1'

about=seed
check "the seed is taken" says 'ev=start .*seed=0x1234 '

about=bad-key
check "exits 3 for ERROR" exits_with 3
check "names the line and what is allowed" says 'ev=error reason="zmmtest.conf line 2: colour=red: no such option. Allowed: time=, passes='
check "nothing ran" says 'ev=done verdict=ERROR exits=0'

about=bad-value
check "exits 3 for ERROR" exits_with 3
check "names the value and what is allowed" says 'line 2: exits=cpuid,nonsense: value not allowed. Allowed for exits: all, or a list of cpuid,hypercall'

about=crlf
check "a conf with CRLF and no last line end is read" says 'ev=start .*seed=0x77 '
check "and its power state was taken" exits_with 2

about=bom
check "a conf with a byte order mark is read" says 'ev=start .*seed=0x88 '

about=big
check "a conf that is too large is an error" says 'ev=error reason="zmmtest.conf: larger than the 16384 bytes allowed"'
check "ERROR" exits_with 3

about=utf16
check "a conf in UTF-16 is an error that says so" says 'ev=error reason="zmmtest.conf line 1: this is UTF-16'

about=line
check "the line of a bad value is named" says 'zmmtest.conf line 4: time=soon: value not allowed. Allowed for time: seconds'
check "ERROR, and the power state is as asked" exits_with 3

finish
