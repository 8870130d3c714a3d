#!/bin/bash
# The linked program is pure: vector instructions stand only in the window files, nothing is both
# writable and executable, and the PE file says what firmware and shim want to read.
set -u

cd "$(dirname "$0")/../.." || exit 1
tests=0
failed=0

check() { # description, then a command
    local description=$1
    shift
    tests=$((tests + 1))
    if "$@"; then
        echo "ok $tests - $description"
    else
        echo "not ok $tests - $description"
        failed=1
    fi
}

program=build/zmmtest.so
pe=build/zmmtest.efi

symbol() {
    nm "$program" | awk -v name="$1" '$3 == name { print $1 }'
}

# Instructions of a file that use vector, opmask, x87 or MMX registers, or save and load such state.
vector_instructions() { # objdump arguments
    objdump -d --no-show-raw-insn -M intel "$@" | awk '
        /^ +[0-9a-f]+:/ {
            if ($0 ~ /[^a-z](x|y|z)mm[0-9]|[^a-z]mm[0-7]|[^a-z0-9]k[0-7][^a-z0-9]|[^a-z0-9]k[0-7]$|[^a-z]st\([0-7]\)|\t(f[a-z0-9]+|v?ldmxcsr|v?stmxcsr|xsave[a-z0-9]*|xrstor[a-z0-9]*|emms|vzero[a-z]*) /)
                print
            else if ($2 ~ /^(f[a-z0-9]+|emms|vzero[a-z]*|v?ldmxcsr|v?stmxcsr|xsave[a-z0-9]*|xrstor[a-z0-9]*)$/)
                print
        }'
}

outside_windows() {
    local from to found
    from=$(symbol window_text_start)
    to=$(symbol vector_text_end)
    [ -n "$from" ] && [ -n "$to" ] || return 1
    found=$(
        vector_instructions "$program" --stop-address="0x$from"
        vector_instructions "$program" --start-address="0x$to"
    )
    [ -z "$found" ] && return 0
    echo "$found" | head -n 10 | sed 's/^/# /'
    return 1
}

inside_windows() {
    local count
    count=$(vector_instructions "$program" --start-address="0x$(symbol window_text_start)" \
        --stop-address="0x$(symbol vector_text_end)" | wc -l)
    echo "# $count vector instructions in the window files"
    [ "$count" -gt 1000 ]
}

# The check itself must be able to fail.
sees_each_kind() {
    local work instruction bad=0
    work=$(mktemp -d)
    for instruction in 'paddd xmm1, xmm2' 'vaddps ymm3, ymm4, ymm5' 'vpxorq zmm17, zmm1, zmm2' \
        'kmovq k1, rax' 'movq mm1, rax' 'fld1' 'fxsave [rdi]' 'ldmxcsr [rdi]' 'xsave [rdi]' 'xrstor64 [rdi]' \
        'vzeroupper' 'emms' 'movaps [rsp], xmm0' 'fadd st, st(1)'; do
        printf '.intel_syntax noprefix\n%s\n' "$instruction" | as -o "$work/one.o" - || bad=1
        if [ "$(vector_instructions "$work/one.o" | wc -l)" != 1 ]; then
            echo "# not seen: $instruction"
            bad=1
        fi
    done
    printf '.intel_syntax noprefix\nmov rax, rbx\nlock cmpxchg [rdi], rcx\nrep movsq\n' | as -o "$work/none.o" -
    [ "$(vector_instructions "$work/none.o" | wc -l)" = 0 ] || bad=1
    rm -rf "$work"
    return "$bad"
}

# Section flags of the PE file, from its section table.
sections() {
    objdump -h "$pe" | awk '/^ +[0-9]+ \./ { name = $2; address = $4; getline; print name, address, $0 }'
}

no_writable_code() {
    # A PE section without READONLY is writable; only .text and .window are CODE.
    ! sections | grep CODE | grep -qv READONLY && [ "$(sections | grep -Ec '^\.(text|window) .*CODE')" = 2 ]
}

separate_pages() {
    ! sections | awk '{ print $2 }' | grep -qv '000$'
}

has_sections() {
    local name
    for name in .text .window .rodata .windows .data .reloc .sbat; do
        sections | grep -q "^\\$name " || return 1
    done
}

nx_compatible() {
    objdump -p "$pe" | grep -Eq '^DllCharacteristics[[:space:]]+0*100$'
}

is_efi_application() {
    objdump -p "$pe" | grep -Eq '^Subsystem[[:space:]]+0*a[[:space:]]'
}

sbat_readable() {
    local work
    work=$(mktemp)
    objcopy -O binary -j .sbat --set-section-flags .sbat=alloc,load,contents "$pe" "$work" 2>/dev/null
    grep -q '^sbat,1,' "$work" && grep -q '^zmmtest,1,' "$work"
    local result=$?
    rm -f "$work"
    return "$result"
}

# _relocate goes by DT_RELASZ and DT_RELAENT: what else stands in that section would be applied as well.
only_relocations() {
    local size entry
    size=$(readelf -d "$program" | awk '$2 == "(RELASZ)" { print $3 }')
    entry=$(readelf -d "$program" | awk '$2 == "(RELAENT)" { print $3 }')
    [ "$((size / entry))" -gt 0 ] &&
        [ "$(readelf -rW "$program" 2>/dev/null | grep -c ' R_X86_64_RELATIVE  ')" = "$((size / entry))" ]
}

# A jump says that something came in which nobody asked for. It is 334 KiB by gcc 12.
small_enough() {
    local size
    size=$(stat -c %s "$pe")
    echo "# zmmtest.efi has $size bytes"
    [ "$size" -lt $((448 * 1024)) ]
}

check "the search sees every kind of vector instruction, and nothing else" sees_each_kind
check "no vector instruction outside the window files" outside_windows
check "and there are some inside" inside_windows
check "no section is both writable and executable" no_writable_code
check "sections start on 4 KiB boundaries" separate_pages
check "the expected sections are there" has_sections
check "the PE header says NX-compatible" nx_compatible
check "the PE header says EFI application" is_efi_application
check ".sbat holds the revocation lines" sbat_readable
check "the table of relocations holds relocations and nothing else" only_relocations
check "under 448 KiB" small_enough
echo "1..$tests"
exit $failed
