#!/bin/bash
# The power is cut while zmmtest writes: result files to the boot volume, blocks to the scratch partition behind it. The
# file system is to be whole after each cut. A cut is a snapshot of the disk while the machine runs; the disk is made
# slow, so that cuts fall between the writes of one file. CUTS=N makes N of them (10).
. "$(dirname "$0")/lib.sh"

cuts=${CUTS:-10}
export MTOOLS_SKIP_CHECK=1
printf 'time=%d exits=cpuid,hold,disk-write inject=zeroed/300 findings=1000 findings_total=100000 end=shutdown\n' \
    $((cuts + 10)) >"$work/conf"
"$root/image/make-image" gpt "$root/build/zmmtest.efi" "$work/conf" "$work/medium"
mkfifo "$work/monitor"
exec 4<>"$work/monitor"
boot power ENGINE=qemu CPUS=2 DISK=nvme IMAGE="$work/medium" MONITOR="$work/monitor"
{
    until_said power 'ev=finding'
    echo 'block_set_io_throttle boot 0 0 0 100 0 0'
    for ((n = 1; n <= cuts; n++)); do
        sleep "0.$((RANDOM % 9 + 1))"
        echo "snapshot_blkdev_internal boot cut-$n"
    done
    echo 'block_set_io_throttle boot 0 0 0 0 0 0'
} >&4 &
all_booted

about=power
check "the run comes to its end" says 'ev=done '
check "the scratch partition was written meanwhile" says 'ev=storage n=0 of=write .* requests=[1-9]'

# The EFI system partition of $work/raw, in $work/esp.
esp_of_raw() {
    local first last
    read -r first last < <(sgdisk -i 1 "$work/raw" | awk '/^First sector/ { first = $3 } /^Last sector/ { print first, $3 }')
    dd if="$work/raw" of="$work/esp" bs=512 skip="$first" count=$((last - first + 1)) status=none
}

# That of the disk as it was at a cut.
take_esp() { # cut
    qemu-img convert -f qcow2 -l "snapshot.name=$1" -O raw "$work/power.kept/medium.qcow2" "$work/raw" && esp_of_raw
}

# FAT has no journal. What a cut may leave amiss is what fsck mends without loss: the mark of a volume in use, the count
# of free clusters, one FAT behind the other, and a cluster behind the end of the file that was being written.
esp_is_whole() {
    take_esp "$1" || return 1
    fsck.fat -n "$work/esp" >"$work/fsck"
    grep -Ev -e '^fsck.fat |files, .* clusters$|^Leaving filesystem unchanged|^$' \
        -e '^Dirty bit is set|^ *Automatically removing dirty bit' \
        -e '^Free cluster summary wrong|^ *Auto-correcting' \
        -e '^FATs differ but appear to be intact|^ *Using first FAT' \
        -e '^/ZMMTEST/0001\.(LOG|TXT)$|^ *File size is .* cluster chain length is > |^ *Truncating file to' \
        "$work/fsck" >"$work/amiss"
    sed 's/^/# /' "$work/amiss"
    [ ! -s "$work/amiss" ]
}

# After fsck has mended it: what was there before is as it was, and of the log at least what was good at the cut before.
# The firmware may write the new size before the data: the last lines are then what the clusters held.
nothing_is_lost() {
    fsck.fat -a "$work/esp" >"$work/fsck"
    fsck.fat -n "$work/esp" >"$work/fsck" || return 1
    mtype -i "$work/esp" ::/EFI/BOOT/BOOTX64.EFI | cmp - "$root/build/zmmtest.efi" || return 1
    mtype -i "$work/esp" ::/zmmtest.conf | cmp - "$work/conf" || return 1
    mtype -i "$work/esp" ::/zmmtest/0001.log >"$work/log"
    good=$(cmp "$work/log" "$work/whole-log" 2>&1 | sed -n 's/.* differ: byte \([0-9]*\),.*/\1/p')
    good=$((${good:-$(($(wc -c <"$work/log") + 1))} - 1))
    [ "$good" -ge "$good_before" ]
}

# The disk as it is at the end is the cut behind the last.
qemu-img convert -f qcow2 -O raw "$work/power.kept/medium.qcow2" "$work/raw"
esp_of_raw
mtype -i "$work/esp" ::/zmmtest/0001.log >"$work/whole-log"
good=0 good_before=0 grown=0
for ((n = 1; n <= cuts; n++)); do
    check "the file system is whole after cut $n" esp_is_whole "cut-$n"
    check "and nothing is lost" nothing_is_lost
    [ "$good" -le "$good_before" ] || grown=$((grown + 1))
    good_before=$good
done
echo "# the log had grown at $grown of $cuts cuts, to $good bytes"
log_grew() {
    [ "$grown" -ge 2 ]
}
check "files were written between cuts" log_grew
finish
