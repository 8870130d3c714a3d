#!/bin/bash
# The unit tests on a processor that is seldom the build machine's: the one of QEMU's user mode, with
# protection keys and MPX, without AVX-512.
. "$(dirname "$0")/../boot/lib.sh"

about=processor
qemu-x86_64 -cpu max "$root/build/zmmtest-linux" passes=1 exits=cpuid cpus=0 >"$work/processor" 2>&1
for component in BNDREGS BNDCSR PKRU; do
    check "it has $component" says "ev=state cpu=0 .*$component:"
done
check "and no AVX-512" never_says 'ev=state cpu=0 .*ZMM_Hi256'

passes_in_qemu() { # PROGRAM
    CMOCKA_MESSAGE_OUTPUT=TAP qemu-x86_64 -cpu max "$1" >"$work/$about" 2>"$work/$about.err"
}
for program in "$root"/build/unit/test_*; do
    [ -x "$program" ] || continue
    about=$(basename "$program")
    check "passes" passes_in_qemu "$program"
done
finish
