#!/bin/bash
# One boot for the quick loop: the image with AVX-512 in Bochs, every exit and every component, and what is
# planted is found.
. "$(dirname "$0")/lib.sh"

boot quick ENGINE=bochs CPUS=2 OPTIONS="passes=2 inject=zeroed/500"
all_booted

about=quick
check "exits 1 for FAIL" exits_with 1
check "ends with the verdict" ends_with_verdict FAIL
check "XCR0 has AVX-512 on both vCPUs" [ "$(count 'ev=state cpu=[01] .*xcr0=0x[0-9a-f]*e7 ')" = 2 ]
check "the self-test named all it planted" says 'ev=selftest planted=298 named=298'
check "every exit has rounds or a reason" every_exit_accounted_for
check "a planted finding is named, and labelled" \
    says 'ev=finding .*label=INJECTED .*class=zeroed registers=zmm0-15 bits=511:256 signature="ESXi 8.0.2'
only_what_was_planted() {
    [ "$(value "done" findings)" = "$(value "done" injected)" ] && [ "$(value "done" findings)" -ge 1 ]
}
check "only what was planted is found" only_what_was_planted
check "COM1 has each log line whole and once" log_is_whole

finish
