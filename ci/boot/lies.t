#!/bin/bash
# A hypervisor whose CPUID contradicts itself, by faultvisor: zmmtest finds nothing that is not there, and says what it
# does not use.
. "$(dirname "$0")/lib.sh"

# What CPUID says, and the component that is then not tested by XSAVE; none: all are.
lies=(
    "d.0:ecx=240 none"          # an area without room for AVX
    "d.0:ecx=ffffffff none"     # of 4 GiB
    "d.5:eax=80 opmask"         # 128 bytes of opmasks
    "d.6:ebx=ffffff00 zmm_hi256" # at the end of 4 GiB
    "d.7:eax=ffffffff hi16_zmm" # of 4 GiB
    "d.7:ebx=480 hi16_zmm"      # where ZMM_Hi256 is
    "d.2:ebx=260 avx"           # 32 bytes beside the place where the processor has it
)
for lie in "${lies[@]}"; do
    echo "cpuid=${lie% *} console=none -- passes=3 seed=1"
done | faultvisor_image lies
printf 'cpuid=%s -- passes=1\n' d.0:ecx d.0:efx=1 d:ecx=1 x.0:ecx=1 d.0:ecx=100000000 | faultvisor_image bad
boot lies ENGINE=bochs CPUS=1 IMAGE="$work/lies.img"
boot bad ENGINE=bochs CPUS=1 IMAGE="$work/bad.img"
all_booted

# The log of run N, from 1.
run_of() {
    awk -v n="$1" '/^faultvisor ev=run / { run++ } run == n' "$work/lies.kept/serial" | tr -d '\r'
}
one_says() {
    grep -Eq -- "$1" "$work/run"
}
finds_nothing() {
    one_says 'ev=done verdict=PASS ' && ! one_says 'ev=finding|ev=error'
}
not_tested() { # its components, and nothing else
    [ "$(sed -n 's/.* ev=component name=\([^ ]*\) .*reason="\(CPUID.0D describes\|XSAVE does not\).*/\1/p' "$work/run")" = "$1" ]
}
for n in "${!lies[@]}"; do
    about=${lies[n]% *}
    component=${lies[n]#* }
    run_of $((n + 1)) >"$work/run"
    cp "$work/run" "$work/$about"
    check "nothing is found" finds_nothing
    check "the self-test names all of it" one_says 'ev=selftest planted=([0-9]*) named=\1$'
    check "not tested, with the reason: $component" not_tested "${component#none}"
done

about=bad
refused() {
    [ "$(grep -ac 'cpuid= takes LEAF.SUBLEAF:REGISTER=VALUE' "$work/bad.kept/serial")" = 5 ]
}
check "a lie that is none is refused" refused
finish
