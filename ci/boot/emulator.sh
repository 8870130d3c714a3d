# Starts an emulator, tells what it took and how it ended; to be sourced.
# shellcheck shell=bash

# start_emulator LOG INPUT COMMAND...: in the background and in a session of its own, so that all of it can be
# stopped at once (stop_emulator), and of whose end the shell says nothing. What it prints goes to LOG.
start_emulator() {
    local log=$1 input=$2
    shift 2
    setsid "$@" <"$input" >"$log" 2>&1 9>&- &
    emulator=$!
    disown "$emulator"
}

# The same for a Bochs whose screen is a TCP port from 5900 (rfb): two that look for one at the same moment take
# the same, and one dies of it.
start_bochs_with_port() {
    local ports n
    local folder=${XDG_RUNTIME_DIR:-${HOME:-/nonexistent}/.cache} # of this user alone
    mkdir -p "$folder"
    exec 9>>"$folder/zmmtest-bochs.lock"
    flock -w 30 9
    ports=$(screen_ports)
    start_emulator "$@"
    for ((n = 0; n < 50; n++)); do
        [ "$(screen_ports)" = "$ports" ] || break
        sleep 0.1
    done
    exec 9>&-
}

# How many TCP ports from 5900 to 5951 somebody listens on (proc(5), /proc/net/tcp).
screen_ports() {
    awk '$4 == "0A" && $2 ~ /:17(0[C-F]|[123][0-9A-F])$/' /proc/net/tcp | wc -l
}

# Of 3.0 and later: there the debugger is a choice.
is_bochs_3() {
    bochs --help 2>&1 | grep -q -e ' -debugger'
}

stop_emulator() {
    [ -n "$emulator" ] || return 0
    kill -KILL -- "-$emulator" 2>/dev/null
    while kill -0 "$emulator" 2>/dev/null; do sleep 0.1; done
    emulator=
}

# The processor time that it has had, with all that it started, in seconds: a busy machine does not change it
# as it does the time on the clock.
processor_time() {
    ps -o cputimes= -s "$emulator" | awk '{ sum += $1 } END { print sum + 0 }'
}

# verdict_in FILE: that of zmmtest, in what COM1 said; of a line of the log, and a whole one. Empty: there is none.
verdict_in() {
    tr -d '\r' <"$1" | sed -n -e 's/\x1b\[[0-9;=?]*[A-Za-z]//g' \
        -e 's/^zmmtest ts=[0-9]*\.[0-9]\{3\} ev=done verdict=\([A-Z]*\) exits=.* reason="[^"]*"$/\1/p' | tail -n 1
}

# exit_with_verdict VERDICT: 0 PASS, 1 FAIL, 2 INCOMPLETE, 3 ERROR; goes on if it is none of them.
exit_with_verdict() {
    case $1 in
    PASS) exit 0 ;;
    FAIL) exit 1 ;;
    INCOMPLETE) exit 2 ;;
    ERROR) exit 3 ;;
    esac
}
