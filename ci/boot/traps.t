#!/bin/bash
# Exceptions that are never findings: machine checks, and those by which a confidential VM is told of exits. One of
# zmmtest's own that is a finding. And a hypervisor that CPUID hides.
. "$(dirname "$0")/lib.sh"

# What each run of faultvisor is about, and its line.
runs=(
    "ve fault=inject-ve every=3 on=out80,rdmsr"
    "vc fault=inject-vc every=1 after=20 on=cpuid,wrmsr"
    "mc fault=inject-mc every=50 on=cpuid,hold"
    "xcr0 fault=xcr0 every=1ms"
    "tdx cpuid=0.0:eax=21 cpuid=21.0:ebx=65746e49 cpuid=21.0:edx=5844546c cpuid=21.0:ecx=20202020"
)
for run in "${runs[@]}"; do
    echo "${run#* } console=none -- passes=2 seed=1"
done | faultvisor_image beneath
boot beneath ENGINE=bochs CPUS=1 IMAGE="$work/beneath.img"

# Twice, as the second one resets a machine whose MCG_STATUS.MCIP is still set. VAL, UC, EN, MISCV, ADDRV.
mkfifo "$work/monitor"
exec 3<>"$work/monitor"
boot machine-check ENGINE=qemu CPUS=2 MONITOR="$work/monitor" OPTIONS="time=4 exits=cpuid,hold,timer cpus=1"
{
    until_said machine-check 'ev=state cpu=1 '
    sleep 1
    echo 'mce 1 2 0xbc00000000000000 0x5 0x12345000 0x8c'
    sleep 1
    echo 'mce 1 3 0xbc00000000000000 0x4 0x6789a000 0x8c'
} >&3 &
boot hidden ENGINE=qemu CPUS=1 MODEL=max,-hypervisor OPTIONS="passes=1 exits=cpuid" \
    DEVICES="-smbios type=1,manufacturer=VMware,product=VMware20"
all_booted
exec 3>&-

# The log of that run.
run_of() { # NAME
    local n
    for n in "${!runs[@]}"; do
        [ "${runs[n]%% *}" = "$1" ] || continue
        awk -v n="$((n + 1))" '/^faultvisor ev=run / { run++ } run == n' "$work/beneath.kept/serial" | tr -d '\r' >"$work/$1"
    done
    about=$1
}

run_of ve
check "an event that raises #VE is a skip" says 'ev=skip exit=out80 reason="the instruction raises #VE here"'
check "and so is another" says 'ev=skip exit=rdmsr reason="the instruction raises #VE here"'
check "INCOMPLETE, as in a confidential VM" says 'ev=done verdict=INCOMPLETE .*reason="a confidential VM'
check "no finding" never_says 'ev=finding|ev=error'
check "the rest ran" says 'ev=exit name=cpuid rounds=[1-9]'

run_of vc
check "an event that comes to raise #VC is a skip" says 'ev=skip exit=cpuid reason="the instruction raises #VC here'
check "after rounds that count" says 'ev=exit name=cpuid rounds=20 findings=0'
check "INCOMPLETE, as in a confidential VM" says 'ev=done verdict=INCOMPLETE .*reason="a confidential VM'
check "no finding" never_says 'ev=finding|ev=error'

run_of mc
check "a machine check is an error" says 'ev=error reason="vCPU 0: machine check: memory or processor'
check "and the verdict" says 'ev=done verdict=ERROR .*reason="a machine check came'
check "no finding" never_says 'ev=finding'
check "the rest ran" says 'ev=exit name=out80 rounds=[1-9]'

run_of xcr0
check "a hypervisor that loses XCR0 all the time lets no self-test pass" says 'ev=selftest planted=[0-9]* named=[0-9]* .*missed='
check "it says what it missed first" says 'ev=selftest .* named=0 .*missed="nothing 0"'
check "the loss is a finding, with its name" says 'ev=finding n=1 cpu=0 exit=preparation .*component=xcr0 class=altered registers=xcr0 bits=7:5'
check "FAIL: this is no fault of zmmtest" says 'ev=done verdict=FAIL exits=0 findings=1 .*reason="registers changed beneath this guest"'

run_of tdx
check "TDX is recognised" says 'ev=machine .*confidential=TDX'
for name in pause hold copy copy-ymm copy-xmm cold-page cold-xsave; do
    check "$name runs" says "ev=exit name=$name rounds=[1-9][0-9]* findings=0"
done
check "what an instruction asks for does not" says 'ev=skip exit=cpuid reason="this confidential VM \(TDX\) is told of the exit by #VE'
check "nothing else does" [ "$(count 'ev=exit name=')" = 7 ]
check "INCOMPLETE" says 'ev=done verdict=INCOMPLETE .*reason="a confidential VM'
check "no finding" never_says 'ev=finding|ev=error'

about=machine-check
check "a machine check is told with its bank" \
    says 'ev=error reason="vCPU 1: machine check: memory or processor \(bank 2, status 0xbc00000000000000, address 0x12345000\)"'
check "the second one finds the machine alive" says 'text="2 machine checks came in all"'
check "ERROR" says 'ev=done verdict=ERROR .*reason="a machine check came'
check "no finding" never_says 'ev=finding'

about=hidden
check "a hidden hypervisor is told" says 'ev=machine .*hypervisor=none hidden="SMBIOS says VMware"'
check "in words as well" says '^Beneath +CPUID hides a hypervisor; SMBIOS says VMware$'
check "it is no control run" never_says 'nothing beneath to blame'
finish
