#!/bin/bash
# Frames to the adapter itself: what leaves each adapter, as QEMU dumps it, is what the log says and nothing else; adapters
# that somebody needs are left alone; and the firmware's network works afterwards.
. "$(dirname "$0")/lib.sh"

export ENGINE=qemu
mac=52:54:00:12:34:
pair="exits=net,hold"

# adapter NUMBER DEVICE [NETDEV]: adds it to $devices. The first 16 bytes of each frame go to a file, behind 16 that
# have its length.
adapter() {
    devices+=" -netdev ${3:-user},id=n$1 -device $2,netdev=n$1,mac=$mac$((56 + $1))"
    devices+=" -object filter-dump,id=f$1,netdev=n$1,maxlen=16,file=$work/$about.$1"
}

virtio="virtio-net-pci,romfile="
about=virtio devices=""
adapter 0 "$virtio"
boot virtio CPUS=2 DEVICES="$devices" OPTIONS="time=3 net=on $pair"

# Two of them, of which the driver is iPXE's.
about=e1000 devices=""
adapter 0 e1000
adapter 1 e1000
boot e1000 CPUS=1 DEVICES="$devices" OPTIONS="time=3 net=on $pair"

# U-Boot's driver, which takes one frame at a time; the shutdown of that firmware leaves the machine on.
about=u-boot devices=""
adapter 0 e1000,romfile=
boot u-boot FIRMWARE=u-boot MACHINE=pc CPUS=1 DEVICES="$devices" OPTIONS="time=3 net=on $pair end=reboot"

about=off devices=""
adapter 0 "$virtio"
boot off CPUS=1 DEVICES="$devices" OPTIONS="time=2 exits=all"

boot none CPUS=1 OPTIONS="passes=1 net=on $pair"

# A hub with nothing else on it takes no frame from virtio. After ten seconds without any, hold may have another four of its
# own before net has its next turn.
about=silent devices=""
adapter 0 "$virtio" hubport,hubid=0
boot silent CPUS=1 DEVICES="$devices" OPTIONS="time=20 net=on $pair"

# Its own adapter has the address that ends with 56, and leads to where it was booted from.
about=booted devices=""
adapter 1 "$virtio"
boot booted CPUS=1 MEDIUM=tftp DEVICES="$devices" OPTIONS="time=2 net=on $pair"

# With an order of boot devices OVMF connects only these, so the first run finds no adapter connected. The second finds it
# with the firmware's network stack, which has to get an address and an answer afterwards.
"$root/image/make-image" disk "$root/build/zmmtest.efi" /dev/null "$work/disk"
mcopy -i "$work/disk" "$root/build/zmmtest.efi" ::/zmmtest.efi
mdel -i "$work/disk" ::/EFI/BOOT/BOOTX64.EFI
cat >"$work/startup.nsh" <<'END'
echo -off
fs0:
zmmtest.efi passes=20 net=on exits=net,hold end=exit seed=0x51
connect -r
zmmtest.efi passes=20 net=on exits=net,hold end=exit seed=0x52
ifconfig -s eth0 dhcp
for %n run (1 20)
    stall 1000000
    ping -n 1 10.0.2.2
    if %lasterror% == 0x0 then
        goto answered
    endif
endfor
:answered
reset -s
END
mcopy -i "$work/disk" "$work/startup.nsh" ::/startup.nsh
head -c 1M /dev/zero >"$work/empty"
about=shell devices="-drive if=none,id=first,format=raw,file=$work/disk -device virtio-blk-pci,drive=first,bootindex=0"
adapter 0 "$virtio"
boot shell CPUS=1 IMAGE="$work/empty" DEVICES="$devices"
all_booted

# frames NUMBER: of the dump of that adapter: frames from it to itself with the EtherType, their bytes, others with the
# EtherType, and others at all after the first of ours. The dump has 24 bytes first.
frames() {
    od -An -v -tx1 -w32 -j24 "$work/$about.$1" | awk -v own="$mac$((56 + $1))" '
        function hex(digits,   n, value) {
            for (n = 1; n <= length(digits); n++)
                value = value * 16 + index("0123456789abcdef", substr(digits, n, 1)) - 1
            return value
        }
        BEGIN { gsub(/:/, " ", own) }
        { to = $17 " " $18 " " $19 " " $20 " " $21 " " $22; from = $23 " " $24 " " $25 " " $26 " " $27 " " $28 }
        $29 $30 == "88b5" && to == own && from == own { count++; bytes += hex($16 $15 $14 $13); next }
        $29 $30 == "88b5" { strange++ }
        count { behind++ }
        END { print count + 0, bytes + 0, strange + 0, behind + 0 }'
}

# As many as the log says, nothing else with that EtherType, and nothing else behind the first of them.
sent_as_logged() { # NUMBER
    local count bytes strange behind
    read -r count bytes strange behind < <(frames "$1")
    echo "# of adapter $1: $count frames of $bytes bytes, $strange with the EtherType elsewhere, $behind others behind them"
    [ "$count" -gt 64 ] && [ "$strange" = 0 ] && [ "$behind" = 0 ] &&
        says "ev=net n=[01] address=$mac$((56 + $1)) frames=$count bytes=$bytes frames_per_second=[1-9][0-9]* kib_per_second=[1-9].* returned=0 dropped=0 failed=no"
}
sent_nothing() { # NUMBER
    local count bytes strange behind
    read -r count bytes strange behind < <(frames "$1")
    [ "$count" = 0 ] && [ "$strange" = 0 ]
}
has_rounds() {
    says "ev=exit name=net rounds=[1-9][0-9]* findings=0 "
}

about=virtio
check "comes to its verdict" exits_with 2
check "what leaves the adapter are frames to itself, as many as the log says" sent_as_logged 0
check "64 of them are in flight at once" says 'ev=net n=0 .* in_flight=64 '
check "and registers are held meanwhile" has_rounds
about=e1000
check "comes to its verdict" exits_with 2
check "what leaves the first adapter are frames to itself, as many as the log says" sent_as_logged 0
check "and the second" sent_as_logged 1
check "and registers are held meanwhile, by a single vCPU" has_rounds
about=u-boot
check "in U-Boot, too, they are frames to itself, as many as the log says" sent_as_logged 0
about=off
check "without net=on nothing is sent" sent_nothing 0
check "which is a skip" says 'ev=skip exit=net reason="frames are sent only where net=on asks for them"'
check "and none that counts" says 'ev=done verdict=INCOMPLETE .* reason="AVX-512'
about=none
check "without an adapter it is a skip" says 'ev=skip exit=net reason="there is no network adapter that nobody needs'
check "that counts" exits_with 2
check "and no word of one" never_says 'ev=net '
about=silent
check "frames that do not end are told" says 'ev=notice text="network adapter 52:54:00:12:34:56: no frame has ended for 10 s, and [1-9][0-9]* are in flight: no more are sent"'
check "and end its holds" says 'ev=notice text="net stopped on 1 vCPUs: no network adapter is left that sends"'
check "and are not lost from sight" says 'ev=net n=0 .* frames=[1-9].* dropped=[1-9][0-9]* failed=yes'
about=booted
check "the adapter that it was booted by is left alone" \
    says "ev=notice text=\"the network adapter ${mac}56 is left alone: zmmtest was booted by it\""
check "the other one sends" sent_as_logged 1
about=shell
check "each of two runs sends, whether the adapter is connected or not" [ "$(count 'ev=net n=0 .* frames=[1-9].* failed=no')" = 2 ]
check "and afterwards the firmware's network works" says '1 packets transmitted, 1 received'
finish
