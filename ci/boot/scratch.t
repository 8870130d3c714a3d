#!/bin/bash
# Writes to scratch partitions: by each driver of the firmware, beside the disks of strangers, which are the same byte for
# byte afterwards; errors in mid-run, a stick that is pulled out among them; and a block that comes back wrong, which is
# storage's fault and no register's.
. "$(dirname "$0")/lib.sh"
# shellcheck source=image/scratch.sh
. "$root/image/scratch.sh"

export ENGINE=qemu

image() { # NAME OPTIONS: the disk of make dist
    printf '%s\n' "$2" >"$work/$1.conf"
    "$root/image/make-image" gpt "$root/build/zmmtest.efi" "$work/$1.conf" "$work/$1.img"
}

# Adds a disk to $devices, as a device of that driver: attach FILE DRIVER [MORE OF THE DRIVE].
attach() {
    local number
    number=$(grep -o 'id=d[0-9]*' <<<"$devices" | wc -l)
    devices+=" -drive if=none,id=d$number,format=raw,file=$1${3:+,$3} -device $2,drive=d$number"
    [ "$2" != nvme ] || devices+=",serial=$number"
}

# partition FILE MIBS TYPE: random data, and in it a partition of so many MiB from 1 MiB on.
partition() {
    head -c $(($2 + 2))M /dev/urandom >"$1"
    sgdisk --zap-all "$1" >/dev/null 2>&1
    sgdisk --clear --new=1:2048:$((2047 + $2 * 2048)) --typecode=1:"$3" "$1" >/dev/null
}

# put FILE SECTOR: standard input
put() {
    dd of="$1" bs=512 seek="$2" conv=notrunc status=none
}

# The disks of strangers. The partition of an MBR has all but the type, which is no GUID there.
strangers="plain bare mbr typed signed torn small read-only"
cd "$work" || exit 1
head -c 8M /dev/urandom >plain
head -c 8M /dev/urandom >bare
scratch_signature 8388608 | put bare 0
head -c 8M /dev/urandom >mbr
{
    head -c 446 /dev/zero
    printf '\x00\x20\x21\x00\x83\xff\xff\xff\x00\x08\x00\x00\x00\x30\x00\x00'
    head -c 48 /dev/zero
    printf '\x55\xaa'
} | put mbr 0
scratch_signature 6291456 | put mbr 2048
partition typed 8 "$scratch_type"
partition signed 8 8300
scratch_signature 8388608 | put signed 2048
partition torn 8 "$scratch_type"
scratch_signature 8388608 | head -c 256 | put torn 2048
partition small 3 "$scratch_type"
scratch_signature 3145728 | put small 2048
"$root/image/make-scratch" read-only 8M
for name in $strangers; do
    cp "$name" "$name.before"
done
# Ours; and one whose storage fails at the write of a block.
"$root/image/make-scratch" nvme 64M
"$root/image/make-scratch" virtio 16M
cp nvme nvme.before
cp virtio virtio.before
printf '[inject-error]\nevent = "write_aio"\nerrno = "5"\nonce = "on"\nsector = "2072"\n' >blkdebug.conf

image drivers "time=6 end=shutdown disks=all exits=disk,disk-write,disk-copy,disk-mixed"
devices=""
attach nvme nvme
attach "blkdebug:$work/blkdebug.conf:$work/virtio" virtio-blk-pci werror=report
for name in $strangers; do
    driver=virtio-blk-pci
    [ "$name" != typed ] && [ "$name" != signed ] || driver=nvme
    attach "$name" "$driver" "$([ "$name" != read-only ] || echo readonly=on)"
done
boot drivers CPUS=2 IMAGE="$work/drivers.img" DEVICES="$devices"

# The host writes over what the test has written: all but the signature, again and again until the test has seen it.
image wrong "time=60 end=shutdown stop=first exits=disk-write"
"$root/image/make-scratch" overwritten 16M
devices=""
attach overwritten nvme
at_once=3
boot wrong CPUS=2 IMAGE="$work/wrong.img" DEVICES="$devices"
if until_said wrong 'ev=selftest'; then
    until [ -e wrong.code ]; do
        sleep 0.5
        dd if=/dev/zero of=overwritten bs=4096 seek=257 count=3000 conv=notrunc status=none
    done
fi

# The stick is pulled out between two requests, or in the midst of one. That one the firmware's driver tries again, for
# half a minute.
image pulled "time=8 end=shutdown exits=hold,disk-write"
"$root/image/make-scratch" stick 16M
mkfifo monitor
exec 3<>monitor
devices="-device qemu-xhci"
attach stick usb-storage
boot pulled CPUS=2 IMAGE="$work/pulled.img" DEVICES="$devices,id=stick" MONITOR="$work/monitor"
if until_said pulled 'ev=selftest'; then
    sleep 3
    echo 'device_del stick' >&3
fi

all_booted
exec 3>&-

about=drivers
# written BLOCKS BY: to the partition of that size, and each block that was read back was right
written() {
    says "ev=storage n=[0-2] of=write block_bytes=512 blocks=$1 by=$2 requests=[1-9].* wrong=0 failed=no" &&
        says "ev=storage n=[0-2] of=read block_bytes=512 blocks=$1 by=$2 requests=[1-9].* bytes=[1-9].* wrong=0 failed=no"
}
check "AHCI: it is written and read back, behind the volume that it was booted from" written 49152 block-io-2
check "NVMe: the same" written 126976 block-io-2
check "virtio: the same" written 28672 block-io
check "and nothing else is" [ "$(count 'ev=storage n=.* of=write')" = 3 ]
in_flight_at_once() {
    says 'ev=storage .* of=write .*blocks=126976 .* median_us=[1-9][0-9]* worst_us=[1-9][0-9]* in_flight=[2-7] '
}
check "several requests are in flight at once" in_flight_at_once
for name in disk-write disk-copy disk-mixed; do
    rounds=$(sed -n "s/.* ev=exit name=$name rounds=\([0-9]*\) findings=0 .*/\1/p" "$work/drivers")
    check "both vCPUs hold or copy in $name" [ "${rounds:-0}" -gt 40 ]
done
check "nothing is found" says 'ev=done verdict=INCOMPLETE .* findings=0 .*reason="AVX-512'
check "a write that fails is named" says 'ev=notice text="scratch [0-2]: the write of [0-9]* bytes at block [0-9]* failed \(EFI_DEVICE_ERROR\): it is tried again"'
check "and tried again" says 'ev=notice text="scratch [0-2]: it can be used again, after [0-9]* ms and 1 errors"'
for why in "its first block has no signature" "its signature is torn" "it is smaller than 4 MiB" "it is read-only"; do
    check "of those that have the type one is left alone: $why" \
        says "ev=notice text=\"a partition of the type of scratch partitions is left alone: $why\""
done
check "and no other" [ "$(count 'ev=notice .*is left alone: ')" = 4 ]
for name in $strangers; do
    check "the disk of a stranger is the same as before: $name" cmp "$work/$name" "$work/$name.before"
done
# Up to the end of the partition's first page, and from its end on.
only_the_inside() { # name, MiB
    cmp -n $((1048576 + 4096)) "$work/$1" "$work/$1.before" &&
        cmp -i $((($2 - 1) * 1048576)) "$work/$1" "$work/$1.before" && ! cmp -s "$work/$1" "$work/$1.before"
}
check "of a scratch disk only the inside of the partition has changed: nvme" only_the_inside nvme 64
check "virtio" only_the_inside virtio 16
medium_is_whole() {
    local medium=$work/drivers.kept/medium
    sgdisk -v "$medium" | grep -q '^No problems found' &&
        cmp -n 1048576 "$medium" "$work/drivers.img" &&
        cmp -i $((39 * 1048576)) -n 4096 "$medium" "$work/drivers.img" &&
        mcopy -n -i "$medium@@1M" ::/EFI/BOOT/BOOTX64.EFI "$work/again" && cmp "$work/again" "$root/build/zmmtest.efi" &&
        mtype -i "$medium@@1M" ::/zmmtest/0001.log | grep -q 'ev=done verdict=INCOMPLETE'
}
check "the boot volume is whole, and has the log" medium_is_whole
check "COM1 has each log line whole and once" log_is_whole

about=pulled
check "a stick that is pulled out was written to before" \
    says 'ev=storage n=[01] of=write block_bytes=512 blocks=28672 by=[^ ]* requests=[1-9].* failed=yes'
check "it is told" says 'ev=notice text="scratch [01]: the (read|write) of .* failed \(EFI_[A-Z_]*\): it is left alone from now on'
check "the other is written to for the rest of the run" says 'ev=storage n=[01] of=write .* blocks=49152 .* failed=no'
check "the run goes on to its end" says 'ev=done verdict=INCOMPLETE .* findings=0 .*reason="AVX-512'
check "and the log is whole" log_is_whole

about=wrong
check "exits 1 for FAIL" exits_with 1
check "a wrong block is a finding of storage, and tells whose it is" \
    says 'ev=finding n=1 cpu=0 exit=disk-write round=[0-9]* generation=[1-9][0-9]* component=storage class=storage registers=none bits=none scratch=[01] block=[0-9]* words=64 from=zeroed '
check "with the words expected and found" says 'ev=lane n=1 register=block lane=0 want=0x[0-9a-f]{12,16} got=0x0 from=zeroed'
check "the verdict names storage and no register" \
    says 'ev=done verdict=FAIL .* storage=[1-9].* reason="storage, not registers, gave back what was not written"'
check "each finding is of storage" [ "$(value "done" findings)" = "$(value "done" storage)" ]
check "and no exit has one" never_says 'ev=exit .* findings=[1-9]'
check "the advice is of storage" says "^ *Look at the host's storage"
check "and not of registers" never_says 'hide AVX-512'

about=make-scratch
never_over() {
    echo something >"$work/there" && ! "$root/image/make-scratch" "$work/there" 8M 2>"$work/err" &&
        [ "$(cat "$work/there")" = something ] && grep -q 'is there already' "$work/err"
}
check "never writes over a file" never_over
no_size() {
    ! "$root/image/make-scratch" "$work/no" nonsense 2>/dev/null && ! "$root/image/make-scratch" "$work/no" 1M 2>/dev/null &&
        [ ! -e "$work/no" ]
}
check "refuses what is no size, or too little" no_size
sparse() {
    "$root/image/make-scratch" "$work/large" 4G && [ "$(stat -c %s "$work/large")" = 4294967296 ] &&
        [ "$(stat -c %b "$work/large")" -lt 1000 ] && sgdisk -v "$work/large" | grep -q '^No problems found'
}
check "makes sparse disks" sparse
finish
