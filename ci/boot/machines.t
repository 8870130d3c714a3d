#!/bin/bash
# Firmware and machines: two builds of OVMF and U-Boot, old and new chipsets, every kind of boot disk, CD and
# network, with a display and without, 1 to 8 vCPUs, 64 MiB to 4 GiB. Each boot covers a point of several
# axes; what cannot boot is in image/README.md. QEMU has no AVX-512, so the verdict is INCOMPLETE everywhere.
. "$(dirname "$0")/lib.sh"

export ENGINE=qemu
quick="passes=1"

# One machine a line: name, firmware, machine, medium or disk, screen, vCPUs, MiB.
machines="
a ovmf     q35 ahci   vga  1 64
b ovmf     pc  nvme   none 8 64
c ovmf     pc  iso    vga  4 256
d ovmf     pc  ahci   none 1 128
e ovmf     q35 usb    none 2 4096
f ovmf-4m  pc  ide    none 2 128
g ovmf-4m  q35 virtio none 4 512
h ovmf-4m  pc  nvme   vga  8 4096
i ovmf-4m  pc  usb    vga  1 64
j ovmf-4m  q35 iso    none 2 1024
k ovmf     pc  tftp   vga  2 256
l ovmf-4m  q35 http   none 2 256
"
while read -r name firmware machine medium screen cpus memory; do
    [ -n "$name" ] || continue
    case $medium in
    iso | tftp | http) where=MEDIUM ;;
    *) where=DISK ;;
    esac
    boot "$name" FIRMWARE="$firmware" MACHINE="$machine" "$where=$medium" SCREEN="$screen" CPUS="$cpus" \
        MEMORY="$memory" OPTIONS="$quick seed=0x$memory$cpus"
done <<<"$machines"

# The disk with a partition table: in Bochs, and in U-Boot, whose shutdown leaves the machine on.
partitioned() { # name, the options at the end
    printf 'passes=1 %s\n' "$2" >"$work/$1.conf"
    "$root/image/make-image" gpt "$root/build/zmmtest.efi" "$work/$1.conf" "$work/$1.img"
}
partitioned gpt-bochs "end=shutdown exits=cpuid"
boot gpt-bochs ENGINE=bochs CPUS=1 IMAGE="$work/gpt-bochs.img"
partitioned u-boot-virtio end=reboot
boot u-boot-virtio FIRMWARE=u-boot MACHINE=pc DISK=virtio CPUS=2 MEMORY=4096 IMAGE="$work/u-boot-virtio.img"
boot u-boot-ide FIRMWARE=u-boot MACHINE=pc DISK=ide CPUS=2 OPTIONS="$quick end=reboot"
boot u-boot-ahci FIRMWARE=u-boot DISK=ahci SCREEN=none CPUS=1 MEMORY=64 OPTIONS="$quick end=reboot"

# The CD as a stick: its GPT leads to the same volume.
hybrid() { # name, the options at the end
    printf 'passes=1 %s\n' "$2" >"$work/$1.conf"
    "$root/image/make-image" iso "$root/build/zmmtest.efi" "$work/$1.conf" "$work/$1.iso"
}
hybrid stick end=shutdown
boot stick FIRMWARE=ovmf-4m DISK=usb IMAGE="$work/stick.iso"
hybrid u-boot-usb end=reboot
boot u-boot-usb FIRMWARE=u-boot MACHINE=pc DISK=usb CPUS=2 IMAGE="$work/u-boot-usb.iso"

# Secure Boot with Debian's test keys, whose password is no secret.
openssl rsa -in /usr/share/ovmf/PkKek-1-snakeoil.key -passin pass:snakeoil -out "$work/key" 2>/dev/null
make -s -C "$root" sign KEY="$work/key" CERT=/usr/share/ovmf/PkKek-1-snakeoil.pem >"$work/sign" 2>&1
boot signed FIRMWARE=ovmf-secure EFI="$root/build/zmmtest.signed.efi" OPTIONS="$quick"
boot unsigned FIRMWARE=ovmf-secure UNTIL="Access Denied" OPTIONS="$quick"
all_booted

while read -r about firmware machine medium screen cpus memory; do
    [ -n "$about" ] || continue
    what="$firmware, $machine, $medium, screen $screen, $cpus vCPUs, $memory MiB"
    check "$what: comes to its verdict" exits_with 2
    check "the options arrived, and all vCPUs ran" says "ev=done verdict=INCOMPLETE exits=[1-9][0-9]* findings=0 vcpus=$cpus "
    check "the seed among them" says "ev=start .*seed=0x$memory$cpus "
    case $screen in
    vga) check "the display's memory is found" says 'ev=exit name=vga rounds=[1-9]' ;;
    none) check "without a display it is a skip" says 'ev=skip exit=vga reason="no PCI device' ;;
    esac
    case $medium in
    iso) check "a CD takes no result files, and says so" says 'ev=notice text="No result files on the boot volume' ;;
    tftp | http)
        check "a network takes no result files, and says so" says 'ev=notice text="No result files on the boot volume'
        check "and no device of the firmware's is taken for a disk" never_says 'ev=(notice .*"disk 0|disk )'
        ;;
    *) check "the disk is read meanwhile" says 'ev=disk n=0 .*reads=[1-9].*failed=no|ev=skip exit=disk reason="the disk has no Block' ;;
    esac
done <<<"$machines"

reset_by_itself() {
    tr -d '\r' <"$work/$about.kept/serial" | grep -aq 'resetting \.\.\.$'
}
for machine in "u-boot-virtio 2" "u-boot-ide 2" "u-boot-ahci 1" "u-boot-usb 2"; do
    read -r about cpus <<<"$machine"
    check "U-Boot comes to its verdict on all vCPUs" says "ev=done verdict=INCOMPLETE exits=[1-9][0-9]* findings=0 vcpus=$cpus "
    check "is named, and has result files" says 'ev=start .*boot=1 firmware="Das U-Boot'
    check "has no MP services, which is said" says 'ev=notice text="the firmware has no MP services protocol'
    check "its bootargs are a notice" says "ev=notice text=\"U-Boot's bootargs are no options of zmmtest"
    check "and its reset ends the machine" reset_by_itself
done

about=u-boot-virtio
check "a scratch partition is known by the disk's table, where the firmware says no types" \
    says 'ev=storage n=0 of=write block_bytes=512 blocks=49152 by=block-io requests=[1-9].* wrong=0 failed=no'

about=gpt-bochs
check "the partitioned disk boots in Bochs, with AVX-512" says 'ev=done verdict=PASS exits=[1-9]'

about=stick
check "the CD boots as a USB stick" says 'ev=done verdict=INCOMPLETE exits=[1-9][0-9]* findings=0 vcpus=2 '
check "and takes result files there" says 'ev=start .*boot=1 '

about=signed
check "signed, it boots with Secure Boot on" exits_with 2
about=unsigned
check "unsigned, it does not" exits_with 3
check "and says nothing" never_says 'ev=start'
refused() {
    grep -aq 'failed to load .*HARDDISK.*Access Denied' "$work/unsigned.kept/serial"
}
check "as the firmware refused it" refused

finish
