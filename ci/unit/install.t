#!/bin/bash
# ci/install on a machine that has nothing: what it says, and that it keeps its hands off where it is told to.
. "$(dirname "$0")/../boot/lib.sh"

# A Debian with no package, whose apt-get notes that it was called.
mkdir "$work/bin"
printf '#!/bin/sh\nexit 1\n' >"$work/bin/dpkg-query"
# shellcheck disable=SC2016 # the other shell's own
printf '#!/bin/sh\necho "$*" >>"%s"\n' "$work/apt" >"$work/bin/apt-get"
printf '#!/bin/sh\nexec "$@"\n' >"$work/bin/sudo"
chmod +x "$work"/bin/*

asked() { # NAME VARIABLE=VALUE... PURPOSE
    about=$1
    shift
    rm -f "$work/apt"
    env PATH="$work/bin:$PATH" "${@:1:$#-1}" "$root/ci/install" "${@: -1}" >"$work/$about" 2>&1
    echo $? >"$work/$about.code"
}

asked forbidden INSTALL=no build
check "fails" exits_with 1
check "names what is missing" says '^Missing packages: gcc .*gnu-efi'
check "and how to get it" says '^"make deps" installs them'
check "installs nothing" [ ! -e "$work/apt" ]
asked forbidden-check INSTALL=no check
check "names the purpose" says '^"make deps FOR=check" installs them'
asked asked-for A=b build
check "says what it installs, and how to prevent it" says '^Installing what is missing \(INSTALL=no prevents it\): gcc '
check "and does" grep -q '^install -y .*gnu-efi' "$work/apt"
asked unknown A=b nothing
check "an unknown purpose is told" says "^usage: install build "

# A plain make installs nothing, whatever is missing.
about=plain-make
rm -f "$work/apt"
env PATH="$work/bin:$PATH" make -C "$root" BUILD="$work/build" "$work/build/tools" >"$work/plain-make" 2>&1
echo $? >"$work/plain-make.code"
check "make fails" exits_with 2
check "says what to do" says '^"make deps" installs them'
check "and calls no apt-get" [ ! -e "$work/apt" ]

finish
