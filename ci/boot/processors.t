#!/bin/bash
# Who starts the other vCPUs. Where the firmware has no MP services (U-Boot), or processors=own says so, zmmtest does it
# by INIT and SIPI, and they take part in every exit. Those that are left out are missed.
. "$(dirname "$0")/lib.sh"

# What needs another vCPU. One boot of U-Boot and one of OVMF have every exit.
few="exits=cpuid,timer,hlt,ipi,ipi-send,mwait"

boot u-boot-2 ENGINE=qemu FIRMWARE=u-boot MACHINE=pc CPUS=2 OPTIONS="passes=1 end=reboot $few"
boot u-boot-8 ENGINE=qemu FIRMWARE=u-boot CPUS=8 OPTIONS="passes=1 end=reboot"
boot u-boot-firmware ENGINE=qemu FIRMWARE=u-boot MACHINE=pc CPUS=2 OPTIONS="passes=1 end=reboot exits=cpuid processors=firmware"
boot many ENGINE=qemu CPUS=32 MEMORY=256 SCREEN=none OPTIONS="passes=1 exits=cpuid"
boot many-own ENGINE=qemu CPUS=32 MEMORY=256 SCREEN=none OPTIONS="passes=1 exits=cpuid processors=own"
boot bochs ENGINE=bochs CPUS=2 OPTIONS="passes=1 processors=own"

# Beneath faultvisor the other vCPU starts natively, beside it: what it strikes is the boot vCPU. First by x2APIC.
faultvisor_image beneath <<'END'
apic=x2apic console=none -- passes=2 exits=cpuid,timer,hlt,ipi,ipi-send,apic processors=own
fault=avx256 every=5 on=cpuid console=none -- passes=1 exits=cpuid processors=own
END
boot beneath ENGINE=bochs CPUS=2 DEBUGGER=yes IMAGE="$work/beneath.img"

# Three vCPUs, whose APIC ids are 0, 1 and 256.
qemu=$(qemu-system-x86_64 --version | sed -n 's/.* version \([0-9]*\).*/\1/p')
if [ "$qemu" -ge 9 ]; then
    sparse="-smp sockets=2,cores=130,threads=1,maxcpus=260 -device max-x86_64-cpu,socket-id=1,core-id=0,thread-id=0"
    for by in firmware own; do
        boot "sparse-$by" ENGINE=qemu CPUS=2 SCREEN=none DEVICES="$sparse" \
            OPTIONS="passes=1 exits=cpuid,apic,ipi-send processors=$by"
    done
else
    echo "# not tested here: APIC ids above 255: QEMU has an x2APIC without KVM from version 9 on"
fi

# Twice from the shell of OVMF: the second time it takes them from where the first has left them, which is where
# machine checks have reached it.
"$root/image/make-image" disk "$root/build/zmmtest.efi" /dev/null "$work/disk"
mcopy -i "$work/disk" "$root/build/zmmtest.efi" ::/zmmtest.efi
mdel -i "$work/disk" ::/EFI/BOOT/BOOTX64.EFI
cat >"$work/startup.nsh" <<END
echo -off
fs0:
zmmtest.efi passes=1 end=exit processors=own $few
echo first status %lasterror%
echo vCPU 1 is left halted
stall 15000000
echo alive after machine checks
zmmtest.efi passes=1 end=exit processors=own $few
echo second status %lasterror%
zmmtest.efi passes=1 end=exit processors=firmware
echo third status %lasterror%
reset -s
END
mcopy -i "$work/disk" "$work/startup.nsh" ::/startup.nsh
mkfifo "$work/monitor"
exec 3<>"$work/monitor"
boot shell ENGINE=qemu CPUS=2 IMAGE="$work/disk" MONITOR="$work/monitor"
{
    until_said shell 'vCPU 1 is left halted'
    for address in 0x1000 0x2000; do
        echo "mce 1 2 0xbc00000000000000 0x5 $address 0x8c"
        sleep 1
    done
} >&3 &
all_booted
exec 3>&-

about=u-boot-2
check "U-Boot comes to its verdict" exits_with 2
check "zmmtest starts the other vCPU, and says so" says 'ev=notice text="the firmware has no MP services protocol: zmmtest starts'
check "both vCPUs ran, and only AVX-512 is missed" says 'ev=done verdict=INCOMPLETE .* findings=0 vcpus=2 .*reason="AVX-512 could not be tested'
check "its memory types are set as the boot vCPU's" \
    says 'ev=notice text="vCPU 1: the memory types \(MTRRs, PAT\) were not the boot vCPU.s, and are now"'
for name in timer hlt ipi ipi-send mwait; do
    check "$name has rounds" says "ev=exit name=$name rounds=[1-9]"
done

about=u-boot-8
exits_of() { # BOOT: those that have rounds, but for vga, as U-Boot has no PCI I/O protocol
    sed -n 's/.* ev=exit name=\([^ ]*\) rounds=[1-9].*/\1/p' "$work/$1" | grep -v '^vga$' | sort -u
}
as_many_exits_as_ovmf() {
    [ -n "$(exits_of shell)" ] && [ "$(exits_of u-boot-8)" = "$(exits_of shell)" ]
}
check "every exit that has rounds in OVMF has them in U-Boot" as_many_exits_as_ovmf

check "all eight vCPUs ran" says 'ev=done verdict=INCOMPLETE .* findings=0 vcpus=8 .*reason="AVX-512 could not be tested'
check "the memory types of seven are told once" says 'ev=notice text="vCPUs 1-7: the memory types'

about=u-boot-firmware
check "a vCPU that the firmware does not know is missed, by number" \
    says 'ev=skip exit=all reason="the firmware.s ACPI tables list 2 processors, and 1 of them takes part"'
check "and nobody starts it" says 'ev=done verdict=INCOMPLETE .* vcpus=1 '

# Of which of these vCPUs there is a state line, a number a line.
states() {
    sed -n 's/^zmmtest .* ev=state cpus\{0,1\}=\([0-9,-]*\) .*/\1/p' "$work/$about" | tr , '\n' |
        awk -F- '{ for (n = $1; n <= ($2 == "" ? $1 : $2); n++) print n }'
}
each_state_is_told_once() {
    [ "$(states | sort -n)" = "$(seq 0 31)" ]
}
states_are_folded() {
    echo "# $(count 'ev=state ') lines"
    [ "$(count 'ev=state ')" -le 16 ]
}
for about in many many-own; do
    check "all 32 vCPUs ran" says 'ev=done verdict=INCOMPLETE .* findings=0 vcpus=32 .*reason="AVX-512 could not be tested'
    check "the state of each is told" each_state_is_told_once
    check "in few lines" states_are_folded
    check "several in one of them" says 'ev=state cpus=[0-9]+[-,][0-9]'
done

about=bochs
check "AVX-512 on vCPUs of our own start: a PASS" says 'ev=done verdict=PASS exits=[1-9][0-9]* findings=0 vcpus=2 '
check "memory types that are the boot vCPU's are left alone" never_says 'the memory types'
check "by all state of theirs" says 'ev=state cpu=1 .*Hi16_ZMM:1024'

of_run() { # N
    about=beneath-$1
    awk -v n="$1" '/^zmmtest .* ev=start / { run++ } run == n' "$work/beneath" >"$work/$about"
}
of_run 1
check "started by x2APIC, a PASS on both vCPUs" says 'ev=done verdict=PASS .* vcpus=2 '
for name in timer hlt ipi ipi-send; do
    check "$name has rounds" says "ev=exit name=$name rounds=[1-9][0-9]* findings=0"
done
of_run 2
strikes_are_found() {
    local strikes
    strikes=$(sed -n 's/^faultvisor ev=strikes .* exit=cpuid .* strikes=\([0-9]*\) .*/\1/p' "$work/$about")
    echo "# $strikes strikes, $(value "done" findings) found"
    [ "${strikes:-0}" -gt 0 ] && [ "$strikes" = "$(value "done" findings)" ]
}
check "each strike on the boot vCPU is found" strikes_are_found
check "none elsewhere" never_says 'ev=finding .*cpu=[1-9]'
check "FAIL, with both vCPUs" says 'ev=done verdict=FAIL .* vcpus=2 '

for by in firmware own; do
    [ "$qemu" -ge 9 ] || continue
    about=sparse-$by
    check "an APIC id above 255 takes part" says 'ev=done verdict=INCOMPLETE .* findings=0 vcpus=3 .*reason="AVX-512 could not be tested'
    check "it sends interrupts by x2APIC" says 'ev=exit name=ipi-send rounds=[1-9][0-9]* findings=0'
done

about=shell
all_runs() { # PATTERN TIMES
    [ "$(count "$1")" = "$2" ]
}
check "two machine checks on a vCPU that is left halted change nothing" says 'alive after machine checks'
check "the firmware goes on after each run" says 'third status 0x(80000000000000)?0*3'
check "each run had both vCPUs" all_runs 'ev=done verdict=INCOMPLETE .* findings=0 vcpus=2 ' 3
check "how they are left is told" all_runs 'ev=notice text="The vCPUs that zmmtest started are left halted' 2

finish
