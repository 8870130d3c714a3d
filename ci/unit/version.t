#!/bin/bash
# ci/version by the headings of a changelog, in a repository, changed, as a source archive, and unpacked in another's.
. "$(dirname "$0")/../boot/lib.sh"

# A repository like this one in all that ci/version looks at, and no configuration of whoever runs this.
export HOME=$work GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@localhost \
    GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@localhost
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
repository=$work/repository
mkdir -p "$repository/ci" "$repository/efi/uefi" "$repository/efi/core" "$repository/linker" "$repository/image"
cp "$root/ci/version" "$repository/ci/version"
cp "$root/.gitattributes" "$repository/.gitattributes"
touch "$repository/efi/uefi/main.c" "$repository/Makefile" "$repository/image/zmmtest.conf"

in_it() {
    git -C "$repository" "$@" >/dev/null 2>&1
}
commit() {
    in_it add -A
    in_it commit --allow-empty -m "$1"
}
short() {
    git -C "$repository" rev-parse --short=12 HEAD
}

# is VERSION COMMIT [FOLDER]: what ci/version says there.
is() {
    printf '#define ZMMTEST_VERSION "%s"\n#define ZMMTEST_COMMIT "%s"\n' "$1" "$2" >"$work/want"
    "${3:-$repository}/ci/version" >"$work/got" 2>&1
    diff "$work/want" "$work/got" | sed 's/^/# /'
    cmp -s "$work/want" "$work/got"
}

# dated EPOCH [FOLDER]: the time it says there.
dated() {
    "${2:-$repository}/ci/version" epoch >"$work/got" 2>&1
    sed 's/^/# says /' "$work/got"
    [ "$(cat "$work/got")" = "$1" ]
}

is_wrong_use() {
    "$repository/ci/version" "$@" >"$work/got" 2>&1
    [ $? = 2 ] && grep -q "^usage: " "$work/got"
}

newest() { # heading, over older ones
    printf '# Changelog\n\nText.\n\n## [%s\n\n### Added\n\n- A thing.\n\n## [0.1] - 2026-01-31\n' "$1" >"$repository/CHANGELOG.md"
}
refuses() {
    "$repository/ci/version" >"$work/got" 2>&1
    [ $? = 1 ] && grep -q '^ci/version: CHANGELOG.md has no heading' "$work/got"
}

about=version
newest "0.3] - unreleased"
check "before the first commit: not known" is 0.3-dev unknown
check "nor when it was" dated ""
check "a wrong argument is told" is_wrong_use date
in_it init
commit one
check "unreleased: on the way" is 0.3-dev "$(short)"
in_it tag v0.9
check "a tag changes nothing" is 0.3-dev "$(short)"
check "the time is the commit's" dated "$(git -C "$repository" log -1 --format=%ct)"
echo "text" >"$repository/CHANGELOG.md"
check "no heading at all is an error" refuses
newest '0.3"; x] - unreleased'
check "one that would break the C header is passed over" is 0.1 "$(short)"
newest "1.0-rc1] - 2026-02-28"
commit candidate
check "a release has a date, and may be a candidate" is 1.0-rc1 "$(short)"

echo "int x;" >>"$repository/efi/uefi/main.c"
check "a changed source" is 1.0-rc1 "$(short)-changed"
in_it checkout efi/uefi/main.c
touch "$repository/efi/core/new.c"
check "a new one" is 1.0-rc1 "$(short)-changed"
rm "$repository/efi/core/new.c"
echo "time=1" >>"$repository/image/zmmtest.conf"
check "a changed configuration of the images" is 1.0-rc1 "$(short)-changed"
in_it checkout image/zmmtest.conf
touch "$repository/image/screen.png" "$repository/efi/README.md"
check "pictures and guides are not built" is 1.0-rc1 "$(short)"
rm "$repository/image/screen.png" "$repository/efi/README.md"
touch "$repository/notes"
check "what is not built does not count" is 1.0-rc1 "$(short)"
rm "$repository/notes"

in_it clone --depth 1 "file://$repository" "$work/shallow"
check "a shallow clone without tags" is 1.0-rc1 "$(short)" "$work/shallow"

archive() { # what, where
    mkdir -p "$2"
    git -C "$repository" archive "$1" | tar -xf - -C "$2"
}
export GIT_COMMITTER_DATE="@1000000000 +0200"
newest "1.0] - 2026-03-31"
commit release
archive HEAD "$work/archive"
check "a source archive" is 1.0 "$(short)" "$work/archive"
check "its time is the commit's" dated 1000000000 "$work/archive"
archive HEAD "$repository/vendor"
check "unpacked in another's repository" is 1.0 "$(short)" "$repository/vendor"
vendored=$(short)
export GIT_COMMITTER_DATE="@1100000000 +0000"
in_it commit --allow-empty -m "somebody else's"
check "which goes on" is 1.0 "$vendored" "$repository/vendor"
check "its time is not the other's" dated 1000000000 "$repository/vendor"
check "which has its own" dated 1100000000
cp -r "$repository" "$work/copy"
rm -rf "$work/copy/.git"
check "a copy without its .git: the commit is not known" is 1.0 unknown "$work/copy"
check "nor when it was" dated "" "$work/copy"

# And what was built here has it.
built=$(sed -n 's/.*VERSION "\(.*\)"/\1/p' "$root/build/version.h")
says_version() {
    "$root/build/zmmtest-linux" passes=1 exits=cpuid | grep -q "ev=start version=$built commit="
}
check "the banner and the log have it" says_version
finish
