#!/bin/bash
# The engine of make run: KVM is taken where a machine comes to run on it, and not where QEMU aborts
# or the machine stops at its first instructions. QEMU is a stub.
. "$(dirname "$0")/../boot/lib.sh"

mkdir "$work/bin"
qemu_does() { # shell commands
    about=$1
    printf '#!/bin/sh\n%s\n' "$1" >"$work/bin/qemu-system-x86_64"
    chmod +x "$work/bin/qemu-system-x86_64"
}
chooses() {
    [ "$(PATH="$work/bin:$PATH" "$root/ci/boot/engine")" = "$1" ]
}

kvm=kvm
[ -w /dev/kvm ] && grep -qw avx512f /proc/cpuinfo || kvm=bochs
qemu_does 'echo "VM status: running"'
check "a machine that runs has $kvm here" chooses $kvm
qemu_does 'echo "VM status: paused (internal-error)"'
check "one that stops has Bochs" chooses bochs
qemu_does 'kill -ABRT $$'
check "one that does not start has Bochs" chooses bochs
finish
