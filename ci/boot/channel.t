#!/bin/bash
# What zmmtest and the hypervisor say to each other: options from VMware's guestinfo and QEMU's fw_cfg,
# findings to vmware.log, the verdict to guestinfo; and a VMware that refuses, is silent or never ends.
# VMware is faultvisor's pose; one boot of it has all its runs.
. "$(dirname "$0")/lib.sh"

quick="passes=1 exits=cpuid,backdoor"
runs=(taken later-wins findings injected refuse silent endless absent wrong huge no-vmware)
faultvisor_image vmware <<END
pose=vmware guestinfo="seed=0xab passes=1 exits=cpuid,rdtsc" --
pose=vmware guestinfo="seed=0xab exits=all" -- $quick seed=0xcd
fault=avx256 every=40 pose=vmware -- $quick findings=3
pose=vmware -- $quick inject=zeroed/50
pose=vmware rpci=refuse -- $quick
pose=vmware rpci=silent -- $quick
pose=vmware rpci=endless guestinfo="colour=red" -- $quick
pose=vmware rpci=absent -- $quick
pose=vmware guestinfo="time=1 colour=red" -- $quick
pose=vmware guestinfo="# $(printf 'x%.0s' {1..17000})" -- $quick
guestinfo="colour=red" -- $quick
pose=vmware rpci=nonsense -- $quick
pose=vmware guestinfo=unquoted -- $quick
END
boot vmware ENGINE=bochs CPUS=1 IMAGE="$work/vmware.img"

export ENGINE=qemu CPUS=1
fw_cfg() { # name, what fw_cfg has, more options in zmmtest.conf
    boot_with_conf "$1" "$quick ${3:-}" DEVICES="-fw_cfg name=opt/zmmtest/options,$2"
}
printf 'x%.0s' {1..20000} >"$work/large"
printf 'passes=1\0' >"$work/binary"
fw_cfg fw-taken string=seed=0x77 seed=0x11
fw_cfg fw-wrong string=colour=red
fw_cfg fw-large "file=$work/large"
fw_cfg fw-binary "file=$work/binary"
fw_cfg fw-second string=shape=round colour=red
boot fw-other DEVICES="-fw_cfg name=opt/zmmtest/options2,string=colour=red" OPTIONS="$quick"

# All three sources, each of which has something that the later ones leave alone.
printf 'seed=0x11 exits=cpuid end=exit time=30\n' >"$work/conf"
"$root/image/make-image" disk "$root/build/zmmtest.efi" "$work/conf" "$work/disk"
mcopy -i "$work/disk" "$root/build/zmmtest.efi" ::/zmmtest.efi
mdel -i "$work/disk" ::/EFI/BOOT/BOOTX64.EFI
printf 'fs0:\nzmmtest.efi\nzmmtest.efi seed=0x33\nreset -s\n' >"$work/startup.nsh"
mcopy -i "$work/disk" "$work/startup.nsh" ::/startup.nsh
printf 'seed=0x22\npasses=1 time=20\n' >"$work/middle"
boot order DEVICES="-fw_cfg name=opt/zmmtest/options,file=$work/middle" IMAGE="$work/disk"
all_booted

# Each run of the boot gets a file of its own, as if it had been a boot.
awk -v folder="$work" -v names="${runs[*]}" 'BEGIN { split(names, name, " ") }
    /^zmmtest ts=.* ev=start/ { run++ }
    { print >(folder "/" (run in name ? name[run] : "more")) }' "$work/vmware"

# What the pose got for vmware.log, and what of COM1 belongs there.
in_vmware_log() {
    sed -n 's/^faultvisor ev=vmware-log text="\(.*\)"$/\1/p' "$work/$about"
}
log_is_the_same() {
    [ -n "$(in_vmware_log)" ] &&
        diff <(in_vmware_log) <(grep -E '^zmmtest ts=[0-9.]+ ev=(start|finding|done) ' "$work/$about")
}
# The value of guestinfo.zmmtest.KEY at the end.
guestinfo() {
    sed -n "s/^faultvisor ev=guestinfo key=guestinfo.zmmtest.$1 value=\"\(.*\)\"\$/\1/p" "$work/$about" | tail -n 1
}
verdict_is() {
    says "^zmmtest ts=.* ev=done verdict=$1 " && [ "$(guestinfo verdict)" = "$1" ]
}
summary_matches() {
    grep -Eqx -- "$1" <<<"$(guestinfo summary)"
}
one_notice() {
    [ "$(count '^zmmtest ts=.* ev=notice .*VMware')" = 1 ] && says "^zmmtest ts=.* ev=notice text=\"$1"
}
nothing_told() {
    never_says '^faultvisor ev=(vmware-log|guestinfo)'
}

about=taken
check "options come from guestinfo" says 'ev=start .*seed=0xab '
check "all of them" says 'ev=exit name=rdtsc rounds=[1-9]'
check "and no others" never_says 'ev=exit name=wrmsr'
check "vmware.log has start and verdict, in the words of the log" log_is_the_same
check "the verdict is in guestinfo" verdict_is PASS
check "and a summary" summary_matches 'PASS: [1-9][0-9]* exits verified on 1 vCPUs in [0-9]+ s, 0 findings: all that was asked ran, .*'
check "until then it is RUNNING" says 'key=guestinfo.zmmtest.verdict value="RUNNING"'
check "nothing to notice" never_says 'ev=notice .*VMware'

about=later-wins
check "load options win over guestinfo" says 'ev=start .*seed=0xcd '
check "where they differ" never_says 'ev=exit name=wrmsr'

about=findings
check "findings are in vmware.log, in the words of the log" log_is_the_same
several() {
    [ "$(in_vmware_log | grep -c 'ev=finding .*class=zeroed .*signature="ESXi 8.0.2')" -ge 3 ]
}
check "each of them, with its signature" several
check "FAIL" verdict_is FAIL
check "and the summary counts them" summary_matches "FAIL: .*, $(value "done" findings) findings: registers changed beneath this guest"

about=injected
check "what is injected is in vmware.log" log_is_the_same
labelled() {
    in_vmware_log | grep -q 'ev=finding n=1 label=INJECTED ' && ! in_vmware_log | grep -q 'ev=finding n=[0-9]* cpu='
}
check "each of them labelled" labelled
check "and in the summary" summary_matches 'FAIL: .* findings \([1-9][0-9]* INJECTED\): registers changed, but only where zmmtest INJECTED it'

about=refuse
check "a refusal is one notice, with the host's reason" \
    one_notice 'info-get guestinfo.zmmtest.options: VMware refuses \(Permission denied\)\. .*isolation\.tools'
about=silent
check "silence is one notice" one_notice 'info-get guestinfo.zmmtest.options: VMware does not open a channel\. .*isolation\.tools'
about=endless
check "a reply without end is one notice" one_notice 'info-get guestinfo.zmmtest.options: VMware sends a reply without end\. .*isolation\.tools'
about=absent
check "a VMware without its port is one notice" one_notice "VMware's port 0x5658 does not answer: no options"
# The exit backdoor was asked for and is not there.
check "INCOMPLETE, for what could not run" says 'ev=done verdict=INCOMPLETE exits=[1-9]'
for about in refuse silent endless; do
    check "the run goes on to its verdict" says 'ev=done verdict=PASS exits=[1-9]'
done
for about in refuse silent endless absent; do
    check "nothing arrives" nothing_told
done

about=wrong
check "a wrong option is an error that names guestinfo" \
    says 'ev=error reason="guestinfo.zmmtest.options line 1: colour=red: no such option. Allowed: time='
check "nothing ran" says 'ev=done verdict=ERROR exits=0'
check "and the host is told" verdict_is ERROR

about=huge
check "17,000 bytes are too many" says 'ev=error reason="guestinfo.zmmtest.options: larger than the 16384 bytes allowed"'
check "nothing ran" says 'ev=done verdict=ERROR exits=0'

about=no-vmware
check "nobody else is asked or told" nothing_told
check "nothing is noticed" never_says 'ev=notice .*VMware'
check "and the run has its verdict" says 'ev=done verdict=INCOMPLETE exits=[1-9]'
check "faultvisor lists how RPCI can behave" says 'rpci=nonsense is not allowed: rpci= takes answer, refuse, silent, endless, absent'
check "and wants its guestinfo quoted" says 'guestinfo=unquoted is not allowed: guestinfo= takes zmmtest.s options in double quotes'

about=fw-taken
check "options come from fw_cfg, after zmmtest.conf" says 'ev=start .*seed=0x77 '
check "what only zmmtest.conf has is kept" says 'ev=exit name=cpuid rounds=[1-9]'
check "and the run is as without it" exits_with 2

about=fw-wrong
check "a wrong option is an error that names fw_cfg" \
    says 'ev=error reason="fw_cfg opt/zmmtest/options line 1: colour=red: no such option. Allowed: time='
check "nothing ran" says 'ev=done verdict=ERROR exits=0'

about=fw-large
check "20,000 bytes are too many" says 'ev=error reason="fw_cfg opt/zmmtest/options: larger than the 16384 bytes allowed"'
check "ERROR" exits_with 3

about=fw-binary
check "what is no text is an error" says 'ev=error reason="fw_cfg opt/zmmtest/options line 1: this is no text'

about=fw-second
check "of two errors the first is named" says 'ev=error reason="zmmtest.conf line 2: colour=red: no such option'
check "and it alone" never_says 'shape=round'

about=fw-other
check "another file of fw_cfg is not taken" exits_with 2

about=order
check "fw_cfg wins over zmmtest.conf" says 'ev=start .*seed=0x22 '
check "load options win over fw_cfg" says 'ev=start .*seed=0x33 '
one_pass_each() {
    [ "$(count '^zmmtest ts=.* ev=done verdict=INCOMPLETE ')" = 2 ] && [ "$(count '^zmmtest ts=.* ev=exit name=')" = 2 ]
}
check "the log says what is in force, and from where" says \
    'ev=start .* options="zmmtest.conf: exits=cpuid end=exit; fw_cfg opt/zmmtest/options: seed=0x22 passes=1 time=20"'
check "what they do not name is that of the earlier ones" one_pass_each

finish
