#!/bin/bash
# The guide's table of options against the program's own list: each option has a row with its default, and nothing else has one.
. "$(dirname "$0")/../boot/lib.sh"

mapfile -t guides < <(grep -ls '^| `time=' "$root"/README.md "$root"/*/README.md)

# NAME DEFAULT, sorted. In the help an option goes over several lines.
"$root/build/zmmtest-linux" --help | awk '
    /^  [a-z_]+=/ { option = $1 }
    /^$/ { option = "" }
    option != "" { said[option] = said[option] " " $0 }
    END {
        for (option in said) {
            sub(/.* Default: +/, "", said[option])
            gsub(/ +/, " ", said[option])
            print option, said[option]
        }
    }' | sort >"$work/program"

# The default is the last column; what follows a colon there explains it.
awk -F ' *[|] *' '
    !/^[|]/ { rows = 0 }
    rows && !/^[|]-/ { sub(/:.*/, "", $4); gsub(/`/, "", $2); sub(/=.*/, "=", $2); print $2, $4 }
    /^[|] option [|]/ { rows = 1 }' "${guides[@]}" </dev/null | sort >"$work/guide"

lists() { # what it has more than the other
    comm -23 "$work/$1" "$work/$2" >"$work/options"
    [ -s "$work/$1" ] && [ ! -s "$work/options" ]
}
about=options
check "one guide has a table of options" [ "${#guides[@]}" = 1 ]
check "each option of the program has a row there, with its default" lists program guide
check "each row there is an option of the program, with its default" lists guide program
finish
