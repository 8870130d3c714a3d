#!/bin/bash
# What ci/boot/run says before a boot, and when one comes to no verdict: the words, the exit code, and that it
# boots nothing where it need not.
. "$(dirname "$0")/lib.sh"

# ran_as NAME VARIABLE=VALUE... [-- ARGUMENT]: ci/boot/run itself, with a limit on the clock, far away.
ran_as() {
    local variables=()
    about=$1
    shift
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        variables+=("$1")
        shift
    done
    [ $# = 0 ] || shift
    env -u DISPLAY "${variables[@]}" timeout 600 "$here/run" "$@" >"$work/$about" 2>"$work/$about.err" </dev/null
    echo $? >"$work/$about.code"
}
tells() {
    grep -Eq -- "$1" "$work/$about.err"
}
never_tells() {
    ! grep -Eq -- "$1" "$work/$about.err"
}
boots_nothing() {
    never_tells '^Booting '
}

ran_as help -- --help
check "exits 0" exits_with 0
check "lists the variables" says '^  *SCREEN +window'
check "boots nothing" boots_nothing
ran_as argument -- boot
check "an argument is refused" exits_with 3
check "and told" tells '^run: boot is not allowed'
ran_as engine ENGINE=foo
check "an unknown engine is refused" exits_with 3
check "with what is allowed" tells '^run: ENGINE=foo: allowed are kvm, bochs, qemu'
ran_as window ENGINE=qemu SCREEN=window
check "a window without a desktop is refused" exits_with 3
check "with what to do" tells 'SCREEN=vnc needs none'
ran_as wrong-option ENGINE=qemu OPTIONS="colour=red"
check "a wrong option is refused" exits_with 3
check "as it was typed" tells '^options: colour=red: no such option. Allowed: time='
check "nothing boots" boots_nothing
ran_as quotes ENGINE=qemu OPTIONS='exits="cpuid"'
check "quotes that are part of a value are pointed out" tells 'exits="cpuid": .*without the quotes'
ran_as looks-only ENGINE=qemu OPTIONS="passes=1" -- --check
check "--check exits 0 where nothing is wrong" exits_with 0
check "and boots nothing" boots_nothing

ran_as model ENGINE=qemu MODEL=foo
check "an emulator that ends at once is ERROR" exits_with 3
check "it ended" tells '^run: qemu ended without a verdict'
check "its last words are shown" tells "unable to find CPU model 'foo'"
ran_as limit ENGINE=qemu CPUS=1 LIMIT=2 OPTIONS="time=60"
check "a machine at its limit is ERROR" exits_with 3
check "it was stopped" tells '^run: stopped: it had 2 s of processor time \(LIMIT=\)'
check "and did not end" never_tells 'ended'
ran_as until ENGINE=qemu CPUS=1 UNTIL="ev=selftest" OPTIONS="time=60"
check "it is stopped once COM1 has said so" tells '^run: stopped: COM1 said what UNTIL= asks for'
check "which it had" says 'ev=selftest'
check "before its end" never_says 'ev=done'

# A QEMU that aborts, as it does with a KVM that cannot create a vCPU; and one whose machine KVM cannot run.
mkdir "$work/bin"
printf '#!/bin/bash\necho "kvm_init_vcpu failed" >&2\nkill -ABRT $$\n' >"$work/bin/qemu-system-x86_64"
chmod +x "$work/bin/qemu-system-x86_64"
ran_as aborts ENGINE=kvm PATH="$work/bin:$PATH"
check "an abort is ERROR" exits_with 3
check "QEMU's words are shown" tells 'kvm_init_vcpu failed'
check "and none of the shell's" never_tells 'Aborted|line [0-9]+:'
printf '#!/bin/bash\necho "KVM internal error. Suberror: 1"\nexec sleep 500\n' >"$work/bin/qemu-system-x86_64"
ran_as stands ENGINE=kvm PATH="$work/bin:$PATH"
check "KVM that cannot run a machine is told at once" tells 'KVM cannot run this machine .*ENGINE=bochs can'

# What a test says of a boot that is missing.
about=missing
of_nothing() {
    ! "$@" >"$work/said" && grep -q '^# boot missing did not run' "$work/said"
}
for ask in says never_says; do
    check "$ask fails of a boot that did not run, and tells" of_nothing "$ask" .
done

finish
