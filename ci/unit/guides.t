#!/bin/bash
# The tables of the guides against the programs' own lists: options with their defaults, exits, faultvisor's faults. Each
# has a row, and nothing else has one.
. "$(dirname "$0")/../boot/lib.sh"

# NAME DEFAULT. In the help an option goes over several lines.
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
    }' | sort >"$work/option.program"
"$root/build/zmmtest-linux" --list-exits | sort >"$work/exit.program"
{
    echo none
    "$root/build/faultvisor-list" faults
} | sort >"$work/fault.program"

# rows GUIDE TABLE: of the table whose first column is headed so, each name in that column, and its last column.
rows() {
    awk -v table="$2" -F ' *[|] *' '
        !/^[|]/ { inside = before = 0 }
        inside && !/^[|]-/ {
            gsub(/`/, "", $2)
            count = split($2, name, /, /)
            for (n = 1; n <= count; n++)
                print name[n] "\t" $(NF - 1)
        }
        /^[|]/ { inside = inside || (!before && $2 == table); before = 1 }' "$root/$1"
}

# The default is the last column; what follows a colon there explains it.
rows efi/README.md option | sed -E 's/=[^\t]*\t/= /; s/:.*//' | sort >"$work/option.guide"
rows efi/README.md exit | cut -f 1 | sort >"$work/exit.guide"
rows ci/README.md fault | cut -f 1 | sort >"$work/fault.guide"

lists() { # what it has more than the other
    comm -23 "$work/$1" "$work/$2" >"$work/only"
    [ -s "$work/$1" ] && [ ! -s "$work/only" ]
}
for about in option exit fault; do
    check "each of the program has a row in the guide" lists "$about.program" "$about.guide"
    sed 's/^/# only in the program: /' "$work/only"
    check "each row of the guide is in the program" lists "$about.guide" "$about.program"
    sed 's/^/# only in the guide: /' "$work/only"
done
finish
