#!/bin/bash
# faultvisor strikes by the clock, whatever the guest runs then: at the same distances in each run, inside of windows and
# outside. What it strikes while a hold has every register live is found, and told soon.
. "$(dirname "$0")/lib.sh"

# Holds are long here, so that most strikes meet one.
line="fault=avx256 mean-ms=250 console=none -- exits=hold hold=5000 time=8 findings=1000 findings_total=100000"
printf '%s\n%s\n' "$line" "$line" | faultvisor_image moments
boot moments ENGINE=bochs CPUS=2 DEBUGGER=yes IMAGE="$work/moments.img"
all_booted

about=moments
check "runs to its end" says 'faultvisor ev=done good=yes'
"$root/ci/silicon/strikes" "$root/build/zmmtest.so" <"$work/$about" >"$work/times"
sed 's/^/# /' "$work/times"

# Of both runs together.
sum() { # PATTERN, KEY
    sed -n "s/^$1 .*\\b$2=\\([0-9]*\\).*/\\1/p" "$work/times" | awk '{ sum += $1 } END { print sum + 0 }'
}
# In 16 s of two vCPUs 128 are expected, and eleven are their standard deviation.
as_many_as_expected() {
    [ "$(sum run strikes)" -ge 95 ] && [ "$(sum run strikes)" -le 160 ]
}
check "they are as many as the clock says" as_many_as_expected
at_whatever_instruction() {
    [ "$(sum "place event of hold" strikes)" -gt 30 ] && [ "$(sum place strikes)" -gt "$(sum "place event of hold" strikes)" ]
}
check "some meet a hold, others what zmmtest does in between" at_whatever_instruction
# But for a second one in the same round, which is the same finding.
live_is_found() {
    local live found
    live=$(sum "place event of hold" changed)
    found=$(sum "place event of hold" found)
    echo "# $found of $live in holds are found"
    [ "$live" -gt 20 ] && [ $((10 * (live - found))) -le "$live" ]
}
check "what it changed in a hold is found, 9 of 10 or more" live_is_found
check "nothing else is" [ "$(sum run unmatched)" = 0 ]
# A slice has sixteen holds of 5 ms, and what was found is told between slices.
told_soon() {
    awk '/^run / { runs++; sub(/.* p95_ms=/, ""); if ($1 + 0 > 0 && $1 + 0 < 1000) soon++ } END { exit runs != 2 || soon != 2 }' "$work/times"
}
check "95 % of them are told within a second" told_soon

# The distances of the first vCPU's strikes in each run, in milliseconds.
distances() { # RUN: of what is shown of the log, the first has no line at its start
    awk -v run="$1" '/^faultvisor ev=run / { n++ }
        n + 0 == run && / what=strike cpu=0 / {
            sub(/.* tsc=/, ""); if (before) printf "%.1f\n", ($1 - before) / 4000; before = $1 }' "$work/$about" | head -n 20
}
same_distances() {
    distances 0 >"$work/first"
    distances 1 >"$work/second"
    [ "$(wc -l <"$work/first")" -ge 10 ] &&
        paste "$work/first" "$work/second" | awk '$1 - $2 > 1 || $2 - $1 > 1 { exit 1 }'
}
check "a run repeats its distances" same_distances
finish
