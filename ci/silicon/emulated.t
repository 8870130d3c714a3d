#!/bin/bash
# What needs AVX-512 and is no boot of the image, on every machine: the unit tests, zmmtest-linux, and what a
# tracer breaks beneath it, in a small Linux on a Skylake-X that Bochs emulates.
. "$(dirname "$0")/../boot/lib.sh"

faults="zmm_hi256 hi16_zmm opmask avx register flip swapped stale"
programs=("$root/build/zmmtest-linux" "$root/build/inject")
commands="linux zmmtest-linux passes=2"
traced=
names=
mapfile -t sources < <(grep -lE 'need_avx512|skip_here|without_avx512' "$root"/ci/unit/test_*.c)
for source in "${sources[@]}"; do
    name=$(basename "$source" .c)
    names="$names $name"
    programs+=("$root/build/unit/$name")
    commands="$commands
$name CMOCKA_MESSAGE_OUTPUT=TAP $name"
done
for fault in $faults; do
    traced="$traced
traced-$fault inject --fault $fault --moments 15 --every 20 --at-hold --log traced-$fault.log \
zmmtest-linux exits=hold time=2 findings=1000"
done

# Two machines at once: what is asked of the one does not wait for the other.
machine() { # NAME COMMANDS
    "$root/ci/boot/linux" "$work/$1.kept" "${programs[@]}" <<<"$2" >"$work/$1" 2>"$work/$1.err"
    echo $? >"$work/$1.code"
    find "$work/$1.kept" -type f ! -name serial -exec mv -t "$work" {} +
}
"$root/ci/boot/kernel" image >/dev/null # which both need
machine units "$commands" &
machine tracer "$(sed '/^$/d' <<<"$traced")" &
wait
for about in units tracer; do
    check "Linux in Bochs ran every command" exits_with 0
    sed 's/^/# /' "$work/$about.err"
done

# Bochs 2.7's XSAVEC is wrong; the test that says so looked for itself.
leaves_nothing_out() {
    ! grep -E '# not tested here:|# SKIP' "$work/$about" | grep -Ev 'rounds by XSAVEC|xsavec_is_used_where_it_is_right'
}
for about in $names; do
    check "passes" exits_with 0
    check "has its tests in it" says '^ok [1-9]'
    check "leaves nothing out, with AVX-512" leaves_nothing_out
done

about=linux
check "exits 0 for PASS" exits_with 0
check "ends with the verdict" ends_with_verdict PASS
check "the self-test named all it planted" says 'ev=selftest planted=298 named=298'
check "AVX-512 is on" says 'ev=state cpu=0 .*xcr0=0xe7'
check "every exit has rounds or a reason" every_exit_accounted_for
check "every component has rounds or a reason" every_component_accounted_for
check "no finding" never_says 'ev=finding'

for fault in $faults; do
    about=traced-$fault
    check "exits 1 for FAIL" exits_with 1
    check "all of it is found and named" found_and_named
done
finish
