/* Saves, restores and clears vector state around the rounds (vectors.h). */
#include "window.h"

    .section .text.vectors, "ax", @progbits

    .globl vectors_save_legacy
    .type vectors_save_legacy, @function
vectors_save_legacy:
    fxsave64 [rdi]
    ret
    .size vectors_save_legacy, . - vectors_save_legacy

    .globl vectors_restore_legacy
    .type vectors_restore_legacy, @function
vectors_restore_legacy:
    fxrstor64 [rdi]
    ret
    .size vectors_restore_legacy, . - vectors_restore_legacy

.macro with_area instruction, name
    .globl \name
    .type \name, @function
\name:
    mov eax, esi
    mov rdx, rsi
    shr rdx, 32
    \instruction [rdi]
    ret
    .size \name, . - \name
.endm

    with_area xsave64, vectors_save_area
    with_area xrstor64, vectors_restore_area

/* VZEROALL clears zmm0-15 whole, and with them the penalty that dirty uppers cost the firmware. */
    .globl vectors_clear
    .type vectors_clear, @function
vectors_clear:
    cmp edi, form_ymm
    jb 1f
    vzeroall
    je 2f
    .irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    vpxorq zmm\n, zmm\n, zmm\n
    .endr
    .irp n, OPMASKS
    kxorw k\n, k\n, k\n
    .endr
    ret
1:  .irp n, VECTORS_16
    pxor xmm\n, xmm\n
    .endr
2:  ret
    .size vectors_clear, . - vectors_clear

    .section .note.GNU-stack, "", @progbits
