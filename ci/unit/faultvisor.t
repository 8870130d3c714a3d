#!/bin/bash
# What the guides say of faultvisor's faults is what it has.
. "$(dirname "$0")/../boot/lib.sh"

# The first column of the table of faults, in whatever guide it stands.
find "$root" -maxdepth 2 -name '*.md' -exec cat {} + | awk -F '|' '
    /^\| fault \|/ { inside = 1; next }
    !/^\|/ { inside = 0 }
    inside && $2 !~ /---/ {
        gsub(/[`,]/, " ", $2)
        count = split($2, name, " ")
        for (n = 1; n <= count; n++)
            print name[n]
    }' | sort >"$work/in-guides"
"$root/build/faultvisor-list" faults | sort >"$work/in-faultvisor"

about=guides
check "there are faults" [ -s "$work/in-faultvisor" ]
check "the table of faults names each of them, once, and no other" diff "$work/in-guides" "$work/in-faultvisor"
finish
