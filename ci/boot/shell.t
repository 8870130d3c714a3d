#!/bin/bash
# Started from the UEFI shell: options from the command line, the status that comes back, and the
# machine as it was found - a second run finds XCR0, and the firmware its vCPUs, as the first did.
# And vCPUs that zmmtest started itself, and parked, survive an NMI.
. "$(dirname "$0")/lib.sh"

disk_with_script() { # NAME: the script is on standard input
    "$root/image/make-image" disk "$root/build/zmmtest.efi" /dev/null "$work/$1.disk"
    mcopy -i "$work/$1.disk" "$root/build/zmmtest.efi" ::/zmmtest.efi
    mdel -i "$work/$1.disk" ::/EFI/BOOT/BOOTX64.EFI
    mcopy -i "$work/$1.disk" - ::/startup.nsh
}

disk_with_script shell <<'END'
echo -off
fs0:
zmmtest.efi passes=1 end=exit seed=0x51 cpus=0-1
echo first status %lasterror%
zmmtest.efi passes=1 end=exit seed=0x52 inject=stale/10
echo second status %lasterror%
zmmtest.efi passes=1 end=exit seed=0x53 colour=red
echo third status %lasterror%
reset -s
END
# mm writes to the interrupt command register of the boot vCPU's local APIC: NMI, all but itself (SDM volume 3,
# 11.6.1). Were it to end a parked vCPU, the machine would be reset, and QEMU end (-no-reboot).
disk_with_script parked <<'END'
echo -off
fs0:
zmmtest.efi passes=1 end=exit seed=0x54 processors=own
mm FEE00300 000C4400 -w 4 -MMIO -n
stall 100000
mm FEE00300 000C4400 -w 4 -MMIO -n
stall 100000
echo sent twice
zmmtest.efi passes=1 end=exit seed=0x55 processors=own
reset -s
END

boot shell ENGINE=qemu CPUS=2 IMAGE="$work/shell.disk"
boot parked ENGINE=qemu CPUS=3 IMAGE="$work/parked.disk"
all_booted

about=shell
check "the first run has its options" says 'ev=start .*seed=0x51 '
check "EFI_UNSUPPORTED comes back for INCOMPLETE" says 'first status 0x(80000000000000)?0*3$'
check "the second run has its own" says 'ev=start .*seed=0x52 '
check "EFI_COMPROMISED_DATA comes back for FAIL" says 'second status 0x(80000000000000)?0*21$'
check "EFI_ABORTED comes back for ERROR" says 'third status 0x(80000000000000)?0*15$'
check "the load options' error is named" says 'ev=error reason="load options line 1: colour=red: no such option'
both_found_xcr0_alike() {
    [ "$(count 'ev=state cpu=0 xcr0_before=0x1 ')" = 2 ] && [ "$(count 'ev=state cpu=1 xcr0_before=0x1 ')" = 2 ]
}
check "XCR0 is back as it was on both vCPUs" both_found_xcr0_alike
check "the second run had both vCPUs" says 'ev=done verdict=FAIL .*vcpus=2'

about=parked
check "an NMI, and a second, leave them parked" says 'sent twice'
both_had_three_vcpus() {
    [ "$(count 'ev=done .*vcpus=3')" = 2 ]
}
check "both runs had all three vCPUs" both_had_three_vcpus

finish
