#!/bin/bash
# esxi-fleet over a cluster that a stub of govc plays (ci/fleet/govc): hosts that work, and those that do not in
# each way that is known. What it asks of govc is recorded. ci/fleet/real/esxi.t has a real one.
. "$(dirname "$0")/../boot/lib.sh"

program=$root/build/zmmtest-linux
fleet=$root/image/fleet/esxi-fleet
PATH=$here/../fleet:$PATH
touch "$work/zmmtest.ova"

# cluster NAME HOST...: what the next runs are about, and the stub's state: $work/NAME.stub
cluster() {
    about=$1
    shift
    export STUB=$work/$about.stub
    mkdir -p "$STUB/vm" "$STUB/logs"
    cp "$work"/logs/* "$STUB/logs/"
    : >"$STUB/calls"
    printf '%s\n' "$@" >"$STUB/hosts"
}

# over [OPTION...]: runs esxi-fleet over it, what it says into $work/NAME and its results into $work/NAME.out.
over() {
    # A shell without job control starts what is in the background deaf to SIGINT; env undoes that.
    env --default-signal=INT "$fleet" --ova="$work/zmmtest.ova" --poll=1 --limit=60 --out="$work/$about.out" "$@" \
        /DC/host/C >"$work/$about" 2>"$work/$about.err" &
    pid=$!
}

over_to_its_end() {
    over "$@"
    wait $pid
    echo $? >"$work/$about.code"
}

called() {
    grep -Eq -- "$1" "$STUB/calls"
}

# The verdict of a host in the table.
verdict_of() {
    "$root/image/fleet/zmmtest-collect" --format=csv "$work/$about.out" | grep -a "^$1," | head -n 1 | cut -d, -f4
}

is_verdict_of() {
    [ "$(verdict_of "$1")" = "$2" ] || { echo "# $1 is $(verdict_of "$1")"; return 1; }
}

came_to_nothing() {
    case $(verdict_of "$1") in "NO RUN" | "NO END") ;; *) return 1 ;; esac
}

never_called() {
    ! called "$1"
}

says_why() { # host, words
    grep -q "^$1: not tested: .*$2" "$work/$about" && grep -q "^not tested: .*$2" "$work/$about.out/$1/not-tested.log"
}

# Every VM that was made is gone, and none was destroyed that was not made here.
no_vm_is_left() {
    [ -z "$(ls "$STUB/vm")" ]
}
only_own_destroyed() {
    local made destroyed
    made=$(sed -n 's/^import.ova .*-name=\([^ ]*\) .*/\1/p' "$STUB/calls" | sort)
    destroyed=$(sed -n 's|^vm.destroy .*/||p' "$STUB/calls" | sort)
    [ -z "$(comm -13 <(echo "$made") <(echo "$destroyed"))" ]
}

mkdir "$work/logs"
"$program" passes=1 exits=cpuid >"$work/logs/pass.log"
sed -n 's/.* ev=done verdict=\([A-Z]*\) .*/\1/p' "$work/logs/pass.log" >"$work/logs/pass.verdict"
# A finding that nobody injected: no machine here has one, so its labels are taken off.
"$program" passes=1 exits=cpuid inject=zeroed/50 |
    sed -e 's/ label=INJECTED//; s/ injected=[0-9]*//' -e '/^INJECTED/d' >"$work/logs/fail.log"
pass=$(cat "$work/logs/pass.verdict")

cluster well esx-a esx-b esx-c
over_to_its_end --parallel=3 --options="time=5 exits=hold" --datastore=store
check "exits with the worst verdict" exits_with "$([ "$pass" = PASS ] && echo 0 || echo 2)"
for host in esx-a esx-b esx-c; do
    check "$host has its verdict" is_verdict_of $host "$pass"
    check "$host has its logs" test -s "$work/well.out/$host/serial.log" -a -s "$work/well.out/$host/vmware.log"
    check "the OVA is deployed to $host" \
        called "^import.ova -host=/DC/host/C/$host -name=zmmtest-[0-9a-f]{16}-[0-9]+-$host $work/zmmtest.ova"
done
check "options are set, and end=menu" \
    called '^vm.change -vm /DC/vm/zmmtest-[^ ]* -e guestinfo.zmmtest.options=time=5 exits=hold end=menu$'
check "DRS is kept away" \
    called '^cluster.override.change -cluster /DC/host/C -vm /DC/vm/zmmtest-[^ ]* -drs-enabled=false'
check "COM1 goes to a file" \
    called '^device.serial.connect -vm /DC/vm/zmmtest-[^ ]* \[store\] zmmtest-[^ ]*/zmmtest-com1.log$'
check "the table is shown" says "^Hosts 3: 3 $pass"
check "the summary is shown" says "^esx-a: $pass: some words of it"
check "no VM is left" no_vm_is_left
check "only own VMs were destroyed" only_own_destroyed
in_order() {
    grep "esx-a" "$STUB/calls" | cut -d' ' -f1 | uniq | diff - <(printf '%s\n' find import.ova find object.collect \
        device.serial.connect vm.change cluster.override.change vm.power vm.info vm.power datastore.download \
        find vm.destroy) | sed 's/^/# /'
    [ "${PIPESTATUS[3]}" = 0 ]
}
check "all that in order" in_order

cluster ill esx-a esx-fail esx-full esx-broken esx-dark esx-silent esx-off esx-shy esx-moved esx-differs esx-mute \
    esx-lost esx-flaky esx-portless esx-nodrs esx-taken esx-hung esx-noted
over_to_its_end --parallel=18 --patience=10 --limit=15 # a busy machine has its time for five questions
check "a FAIL is the worst" exits_with 1
# The stub makes that file a link to /dev/full, which the collector does not follow.
check "notes that find no room keep no host from its verdict" says "^esx-noted: $pass: some words of it"
check "and are told of" grep -q "esx-noted/esxi-fleet.txt: No space left" "$work/ill.err"
check "FAIL" is_verdict_of esx-fail FAIL
for host in esx-a esx-flaky esx-portless esx-nodrs esx-shy; do
    check "$host has its verdict in spite of all" is_verdict_of $host "$pass"
done
check "a host without room says so" says_why esx-full "import.ova: govc: No host is compatible.*insufficient capacity"
check "a deploy that breaks says so" says_why esx-broken "import.ova: .*connection reset"
check "a VM that does not start says so" says_why esx-dark "vm.power -on: .*insufficient"
check "a verdict that never comes is none" says_why esx-silent "no verdict: none within 15 s"
check "but what the serial log has is kept" grep -q ev=machine "$work/ill.out/esx-silent/serial.log"
check "a VM that goes off is none" says_why esx-off "no verdict: none before the VM was off"
asked_thrice() {
    [ "$(grep -c '^vm.info.*-esx-off$' "$STUB/calls")" = 3 ]
}
check "and is not waited for" asked_thrice
check "a VM that was moved is no verdict on this host" says_why esx-moved "it ran on esx-other in the end"
check "guestinfo and a serial log that differ are none" \
    says_why esx-differs "guestinfo says $pass and the serial log FAIL"
check "no serial log is none" says_why esx-mute "no serial log; the verdict in guestinfo: $pass"
check "a vCenter that stops answering is none" says_why esx-lost "vm.info: .*503"
check "a vCenter that never answers is none" says_why esx-hung "no answer within 10 s"
check "a name that is taken is let alone" says_why esx-taken "which is not this run's"
check "and what has it not destroyed" never_called "^vm.destroy .*esx-taken"
for host in esx-full esx-broken esx-dark esx-silent esx-off esx-moved esx-mute esx-lost esx-taken esx-hung; do
    check "$host is no pass in the table" came_to_nothing $host
done
check "no VM is left" no_vm_is_left
check "only own VMs were destroyed" only_own_destroyed

# Names that would be one and the same, that lead out of the results' folder, or that steer a terminal.
long=$(printf 'x%.0s' {1..50})
cluster names .. . 'esx a' 'esx?a' "${long}1" "${long}2" $'esx\e[2Jb' esx-garbled
over_to_its_end --parallel=8
check "each host has a folder of its own" test "$(find "$work/names.out" -mindepth 1 -type d | wc -l)" = 8
check "nothing is written beside it" test ! -e "$work/not-tested.log" -a ! -e "$work/serial.log"
check "each host but one has its verdict" says "^Hosts 8: .*7 $pass"
check "each has a VM of its own" \
    test "$(sed -n 's/^import.ova .*-name=\([^ ]*\) .*/\1/p' "$STUB/calls" | sort -u | wc -l)" = 8
check "no VM is left" no_vm_is_left
nothing_steers() {
    ! LC_ALL=C grep -rq '[^ -~[:space:]]' "$work/names" "$work/names.err" "$work/names.out" --include=names* \
        --include=esxi-fleet.txt --include=not-tested.log
}
check "no escape sequence comes through" nothing_steers
check "but the words around it do" says_why esx-garbled 'import.ova: .*?\[31mred'

cluster stuck esx-stuck
over_to_its_end
check "a VM that cannot be removed is told of" \
    says '^esx-stuck: the VM zmmtest-[0-9a-f]{16}-0-esx-stuck may be left behind'
check "and is no success" exits_with 3

cluster limited esx-1 esx-2 esx-3 esx-4 esx-5
over_to_its_end --parallel=02 --limit=060
two_at_a_time() {
    awk '/^import.ova/ { n++ } /^vm.destroy/ { n-- } n > 2 { exit 1 }' "$STUB/calls"
}
check "numbers are decimal" grep -q ", 2 at a time, 60 s each" "$work/limited.err"
check "two at a time, no more" two_at_a_time
check "all have had their turn" says "^Hosts 5: 5 $pass"

# Interrupted in the middle of a deploy, and of a wait; the third host has not had its turn.
for signal in INT TERM; do
    cluster "interrupted-$signal" esx-slow esx-silent esx-late
    over --parallel=2 --limit=100
    for ((n = 0; n < 100; n++)); do
        called '^vm.info.*esx-silent' && break
        sleep 0.1
    done
    kill -"$signal" $pid
    wait $pid
    echo $? >"$work/$about.code"
    check "the one that waited" says_why esx-silent interrupted
    check "and the one in its deploy" says_why esx-slow interrupted
    check "the one whose turn it was not" grep -q "it was not its turn" "$work/$about.out/esx-late/not-tested.log"
    check "it was never deployed" never_called "^import.ova .*esx-late"
    check "no VM is left" no_vm_is_left
    check "only own VMs were destroyed" only_own_destroyed
    check "exits with 3" exits_with 3
done

is_wrong_use() {
    exits_with 4 && grep -q -- "$1" "$work/wrong.err"
}
wrong() { # words, arguments
    local words=$1
    shift
    "$fleet" "$@" >"$work/wrong" 2>"$work/wrong.err"
    echo $? >"$work/wrong.code"
    check "$words" is_wrong_use "$words"
}
cluster wrong
: >"$STUB/hosts"
ova=--ova=$work/zmmtest.ova
wrong "which cluster" "$ova"
wrong "no such option" "$ova" --colour=red /DC/host/C
wrong "cannot be read" --ova="$work/none.ova" /DC/host/C
wrong "--limit=SECONDS is needed" "$ova" --options=passes=1 /DC/host/C
wrong "--limit=SECONDS is needed" "$ova" --options=time=0 /DC/host/C
wrong "--limit=SECONDS is needed" "$ova" --options=time=00 /DC/host/C
wrong "a number from 1 to 999999999" "$ova" --parallel=0 /DC/host/C
wrong "a number from 1 to 999999999" "$ova" --parallel=00 /DC/host/C
wrong "a number from 1 to 999999999" "$ova" --parallel=18446744073709551616 /DC/host/C
wrong "a number from 1 to 999999999" "$ova" --limit=0x10 /DC/host/C
wrong "there is no host in" "$ova" --out="$work/nobody" /DC/host/C
echo esx-a >"$STUB/hosts"
wrong "is not empty" "$ova" --options=time=08 --out="$work/well.out" /DC/host/C
no_arithmetic_error() {
    [ "$(grep -c . "$work/wrong.err")" = 1 ]
}
check "time=08 is a time" no_arithmetic_error

finish
