#!/bin/bash
# Started from the UEFI shell: options from the command line, the status that comes back, and the
# machine as it was found - a second run finds XCR0, and the firmware its vCPUs, as the first did.
. "$(dirname "$0")/lib.sh"

"$root/image/make-image" disk "$root/build/zmmtest.efi" /dev/null "$work/disk"
mcopy -i "$work/disk" "$root/build/zmmtest.efi" ::/zmmtest.efi
mdel -i "$work/disk" ::/EFI/BOOT/BOOTX64.EFI
cat >"$work/startup.nsh" <<'END'
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
mcopy -i "$work/disk" "$work/startup.nsh" ::/startup.nsh

boot shell ENGINE=qemu CPUS=2 IMAGE="$work/disk"
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

finish
