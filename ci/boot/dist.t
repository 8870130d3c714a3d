#!/bin/bash
# What make dist makes: the same bytes wherever and whenever, each of them boots, and the appliance keeps
# the rules of OVF. No ESXi is at hand: what is tested of the appliance is its form and its disk.
. "$(dirname "$0")/lib.sh"

export ENGINE=qemu

# The same tree in two places, built at different times by different clocks, once by somebody who lets no other read.
for place in one "two/and more"; do
    mkdir -p "$work/$place"
    tar -C "$root" --exclude=./build --exclude=./.cache -cf - . | tar -C "$work/$place" -xf -
done
two="$work/two/and more"
make -s -C "$work/one" dist >"$work/made" 2>&1
find "$two" -type f -exec touch {} +
chmod -R go-rwx "$two"
(umask 077 && TZ=Asia/Kathmandu LC_ALL=C.UTF-8 make -s -C "$two" dist >>"$work/made" 2>&1)
dist=$work/one/build/dist
cp "$two/build/dist/SHA256SUMS" "$work/second"
# The efi has no date in it: the same one, and media of another day.
SOURCE_DATE_EPOCH=1000000000 "$two/image/make-dist" "$two/build/zmmtest.efi" "$two/image/zmmtest.conf" \
    "$two/build/dist" >>"$work/made" 2>&1
cp "$two/build/dist/SHA256SUMS" "$work/other-day"

mkdir "$work/appliance"
tar -C "$work/appliance" -xf "$dist/zmmtest.ova"
ovf=$work/appliance/zmmtest.ovf
disk=$work/appliance/zmmtest-disk1.vmdk

printf 'passes=1 end=shutdown\n' >"$work/options"
options="-fw_cfg name=opt/zmmtest/options,file=$work/options"
boot efi MEDIUM=tftp EFI="$dist/zmmtest.efi" OPTIONS="passes=1"
boot iso MEDIUM=iso IMAGE="$dist/zmmtest.iso" DEVICES="$options"
boot stick DISK=usb IMAGE="$dist/zmmtest.iso" DEVICES="$options"
boot img DISK=usb IMAGE="$dist/zmmtest.img" DEVICES="$options"
boot qcow2 DISK=virtio IMAGE="$dist/zmmtest.qcow2" FORMAT=qcow2 DEVICES="$options"
boot vhd MACHINE=pc DISK=ide IMAGE="$dist/zmmtest.vhd" FORMAT=vpc DEVICES="$options"
boot vmdk IMAGE="$dist/zmmtest.vmdk" FORMAT=vmdk DEVICES="$options"
boot ova FIRMWARE=ovmf-4m IMAGE="$disk" FORMAT=vmdk DEVICES="$options"
all_booted

about=made
artefacts="zmmtest.efi zmmtest.img zmmtest.iso zmmtest.ova zmmtest.qcow2 zmmtest.vhd zmmtest.vmdk"
all_there() {
    [ "$(cd "$dist" && echo zmmtest.*)" = "$artefacts" ] && (cd "$dist" && sha256sum --quiet -c SHA256SUMS) &&
        [ "$(wc -l <"$dist/SHA256SUMS")" = 7 ]
}
check "every artefact is there, and its checksum" all_there
check "another folder, another time, another umask: the same bytes" diff "$dist/SHA256SUMS" "$work/second"
dated() {
    [ "$(diff "$work/second" "$work/other-day" | grep -c '^>')" = 6 ] &&
        ! diff "$work/second" "$work/other-day" | grep -q 'zmmtest.efi'
}
check "SOURCE_DATE_EPOCH dates all but the program" dated
# The size of the disk itself: QEMU 10 also tells that of the file that it lies in, and first.
virtual_size() { # format, file
    qemu-img info -f "$1" --output=json "$2" | python3 -c 'import json, sys; print(json.load(sys.stdin)["virtual-size"])'
}
same_disk() { # format, file
    [ "$(virtual_size "$1" "$2")" = "$(stat -c %s "$dist/zmmtest.img")" ] &&
        qemu-img compare -q -f raw -F "$1" "$dist/zmmtest.img" "$2"
}
for format in qcow2 vmdk; do
    check "the $format holds the disk" same_disk "$format" "$dist/zmmtest.$format"
done
check "the vhd holds the disk" same_disk vpc "$dist/zmmtest.vhd"
partition_table_right() { # file, number of the partition
    sgdisk -v "$1" | grep -q '^No problems found' &&
        sgdisk -i "$2" "$1" | grep -q 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B'
}
check "the disk has a GPT with an EFI system partition" partition_table_right "$dist/zmmtest.img" 1
has_scratch() {
    sgdisk -i 2 "$dist/zmmtest.img" | grep -q '5D2A3730-BAC1-4705-A7AC-21A4865F550A' &&
        dd if="$dist/zmmtest.img" bs=1M skip=39 count=24 status=none | head -c 512 | grep -q 'bytes=25165824 *$'
}
check "and a scratch partition" has_scratch
check "the CD has one, too" partition_table_right "$dist/zmmtest.iso" 2
# Of the volume's 4 MiB there is one copy, which is the El Torito boot image as well.
one_volume() {
    [ "$(stat -c %s "$dist/zmmtest.iso")" -lt $((5 << 20)) ] && mtype -i "$dist/zmmtest.iso@@70K" ::/zmmtest.conf | cmp - "$root/image/zmmtest.conf"
}
check "and is not twice as large for it" one_volume
boots_both_ways() {
    [ "$(xorriso -indev "$dist/zmmtest.iso" -report_el_torito plain 2>/dev/null |
        awk '/^El Torito boot img/ { printf "%s ", $7 }')" = "BIOS UEFI " ]
}
check "El Torito has an image for BIOS and one for UEFI" boots_both_ways
vhd_footer_right() {
    tail -c 512 "$dist/zmmtest.vhd" | od -An -v -tu1 -w1 | awk -v size="$(stat -c %s "$dist/zmmtest.img")" '
        { byte[NR - 1] = $1; if (NR <= 64 || NR > 68) sum += $1 }
        function number(at, n, value) { for (; n; n--) value = value * 256 + byte[at++]; return value }
        END { exit !(number(64, 4) == 4294967295 - sum && number(48, 8) == size && number(60, 4) == 2 && size % 1048576 == 0) }'
}
check "the vhd is fixed, of whole MiB, and its footer's checksum right" vhd_footer_right

for about in efi iso stick img qcow2 vhd vmdk ova; do
    check "boots" says 'ev=done verdict=INCOMPLETE exits=[1-9][0-9]* findings=0 vcpus=2 '
done

about=ova
in_order() {
    [ "$(tar -tf "$dist/zmmtest.ova" | tr '\n' ' ')" = "zmmtest.ovf zmmtest.mf zmmtest-disk1.vmdk " ] &&
        [ "$(dd if="$dist/zmmtest.ova" bs=1 skip=257 count=5 status=none)" = ustar ]
}
check "a ustar archive: descriptor, manifest, disk" in_order
manifest_right() {
    sed -n 's/^SHA256(\([^)]*\))= \([0-9a-f]\{64\}\)$/\2  \1/p' "$work/appliance/zmmtest.mf" >"$work/digests"
    [ "$(wc -l <"$work/appliance/zmmtest.mf")" = 2 ] &&
        [ "$(cut -c 67- "$work/digests" | sort | tr '\n' ' ')" = "zmmtest-disk1.vmdk zmmtest.ovf " ] &&
        (cd "$work/appliance" && sha256sum -c --quiet --strict "$work/digests")
}
check "the manifest has the digests of both" manifest_right
by_the_rules() {
    xmllint --nonet --noout --relaxng "$here/ovf.rng" "$1" 2>"$work/xmllint"
}
check "the descriptor is by the rules" by_the_rules "$ovf"
refused() { # what sed does to the descriptor
    sed "$1" "$ovf" >"$work/broken.ovf"
    ! cmp -s "$ovf" "$work/broken.ovf" && ! by_the_rules "$work/broken.ovf"
}
check "which see a missing attribute" refused 's/ ovf:diskId="vmdisk1"//'
check "a missing element" refused '/<rasd:ElementName>serial0/d'
check "a wrong order" refused '/<rasd:InstanceID>4/{h;d};/<rasd:Parent>3/{G}'
check "a foreign namespace" refused 's,schemas.dmtf.org/ovf/envelope/1,schemas.example.org/ovf,'
check "and a number that is none" refused 's/ovf:size="/&x/'

# elements NAME: their values; attributes ELEMENT NAME: theirs.
elements() {
    xmllint --xpath "//*[local-name()='$1']/text()" "$ovf" 2>/dev/null
}
attributes() {
    xmllint --xpath "//*[local-name()='$1']/@*[local-name()='$2']" "$ovf" 2>/dev/null |
        sed 's/^[^"]*"\(.*\)"$/\1/'
}
config() { # key: its value
    xmllint --xpath "string(//*[local-name()='Config'][@*[local-name()='key']='$1']/@*[local-name()='value'])" "$ovf"
}
resolve() { # the references must not be none, and each must be among the names, which must differ
    [ -n "$1" ] && [ -z "$(sort <<<"$2" | uniq -d)" ] && [ -z "$(comm -23 <(sort -u <<<"$1") <(sort -u <<<"$2"))" ]
}
check "each disk has its file" resolve "$(attributes Disk fileRef)" "$(attributes File id)"
check "each file is in the archive" resolve "$(attributes File href)" "$(ls "$work/appliance")"
check "each drive has its disk" resolve "$(elements HostResource)" "$(attributes Disk diskId | sed 's,^,ovf:/disk/,')"
check "each parent is an item" resolve "$(elements Parent)" \
    "$(xmllint --xpath "//*[local-name()='Item']/*[local-name()='InstanceID']/text()" "$ovf")"
networks_resolve() {
    [ -z "$(elements Connection)$(attributes Network name)" ]
}
check "there is no network, and none is referred to" networks_resolve
sizes_right() {
    [ "$(attributes File size)" = "$(stat -c %s "$disk")" ] && same_disk vmdk "$disk" &&
        [ "$(attributes Disk capacity)" = "$(stat -c %s "$dist/zmmtest.img")" ]
}
check "file and disk have the sizes named" sizes_right
stream_optimised() { # magic, version 3, compressed grains with markers (Virtual Disk Format 5.0, "Hosted Sparse Extent Header")
    [ "$(od -An -tx4 -N 12 "$disk" | tr -d ' ')" = 564d444b0000000300030001 ] &&
        head -c 16384 "$disk" | grep -aq '^createType="streamOptimized"$' &&
        qemu-img check -q -f vmdk "$disk"
}
check "the disk is a stream-optimised VMDK" stream_optimised
# 7-Zip goes from marker to marker. The first partition is the EFI system partition.
readable_by_markers() {
    7z e -so "$disk" '0.*' >"$work/esp.img" && 7z l "$work/esp.img" | grep -q 'EFI/BOOT/BOOTX64\.EFI$'
}
check "each of whose parts has its marker" readable_by_markers
identified() {
    local id
    id=$(sha256sum "$dist/zmmtest.img" | cut -c 1-32)
    head -c 16384 "$disk" | grep -aqx "CID=${id:24}" && head -c 16384 "$disk" | grep -aqx "ddb.longContentID = \"$id\""
}
check "and whose content IDs are its own" identified
for_esxi_7() {
    [ "$(elements VirtualSystemType)" = vmx-17 ] && [ "$(config firmware)" = efi ] &&
        [ "$(config bootOptions.efiSecureBootEnabled)" = false ]
}
check "hardware version 17, EFI, Secure Boot off" for_esxi_7
equipped() {
    local quantities
    quantities=$(xmllint --xpath "//*[local-name()='Item'][*[local-name()='ResourceType']='3' or *[local-name()='ResourceType']='4']/*[local-name()='VirtualQuantity']/text()" "$ovf" | tr '\n' ' ')
    [ "$quantities" = "2 1024 " ] && elements ResourceSubType | grep -qx vmware.serialport.file &&
        [ "$(config backing.fileName)" = zmmtest-com1.log ]
}
check "2 vCPUs, 1 GiB, a serial port to a file" equipped
nothing_masked() {
    [ -n "$(attributes Config key)" ] && ! { attributes Config key; attributes ExtraConfig key; } | grep -Eqi 'featMask|cpuid'
}
check "and no feature of the processor masked" nothing_masked

finish
