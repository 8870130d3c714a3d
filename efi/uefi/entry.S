/*
 * Where the firmware enters (UEFI 2.10, 2.3.4: Microsoft x64 calls). Relocates the image, calls
 * efi_main as C code here expects it, and keeps RDI and RSI, which gnu-efi's own crt0 does not.
 */
    .intel_syntax noprefix
    .text
    .globl _start
    .type _start, @function
_start:
    push rdi
    push rsi
    push rcx
    push rdx
    sub rsp, 8
    lea rdi, [rip + ImageBase]
    lea rsi, [rip + _DYNAMIC]
    call _relocate
    add rsp, 8
    pop rsi
    pop rdi
    test rax, rax
    jnz 1f
    sub rsp, 8
    call efi_main
    add rsp, 8
1:  pop rsi
    pop rdi
    ret
    .size _start, . - _start

/*
 * PE loaders want base relocations from an image that may be loaded anywhere. _relocate does the
 * work, so there is one block, with one entry that says "nothing to do here".
 */
    .section .reloc, "a", @progbits
    .long 0   /* page */
    .long 12  /* size of this block */
    .short 0  /* IMAGE_REL_BASED_ABSOLUTE: padding */
    .short 0

    .section .note.GNU-stack, "", @progbits
