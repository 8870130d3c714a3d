/*
 * Exits that no instruction asks for: what hits a guest while its registers are live for long, or
 * between a load and the store next to it. This is where the ESXi 8.0.2 bug struck.
 */
#include "window.h"

/* RCX times around, without an exiting instruction, without a flag or another register changed. */
    window hold, "rcx", "1: loop 1b"

/*
 * What Erlang's JIT does with a tuple: load 64 bytes, store 64 bytes, by one register that is live
 * across one instruction boundary. RSI to RDI, RCX times. ADD would change the flags, LEA does not.
 * The pointers end where they began, and are compared like any register.
 */
.macro copy_lines load_store, register, bytes
1:  \load_store \register, [rsi]
    \load_store [rdi], \register
    lea rsi, [rsi + \bytes]
    lea rdi, [rdi + \bytes]
    loop 1b
    lea rsi, [rsi - COPY_PIECE_BYTES]
    lea rdi, [rdi - COPY_PIECE_BYTES]
.endm

/* In rounds by XSAVE by MOVDQU, which leaves the rest of the register as the area has it. */
.macro copy_widest
    .if window_form_is == form_zmm
    copy_lines vmovdqu64, zmm0, 64
    .elseif window_form_is == form_ymm
    copy_lines vmovdqu, ymm0, 32
    .else
    copy_lines movdqu, xmm0, 16
    .endif
.endm

/* The controls, which users of the workaround run: the same with narrower registers. */
.macro copy_by_ymm
    .if window_form_is == form_zmm || window_form_is == form_ymm
    copy_lines vmovdqu, ymm0, 32
    .else
    copy_lines movdqu, xmm0, 16
    .endif
.endm

.macro copy_by_xmm
    .if window_form_is == form_zmm || window_form_is == form_ymm
    copy_lines vmovdqu, xmm0, 16
    .else
    copy_lines movdqu, xmm0, 16
    .endif
.endm

    window copy, "rcx", copy_widest
    window copy_ymm, "rcx", copy_by_ymm
    window copy_xmm, "rcx", copy_by_xmm

/* A store to memory that was never touched: the store itself exits, with everything live. */
.macro store_widest
    .if window_form_is == form_zmm
    vmovdqa64 [rdi], zmm0
    .elseif window_form_is == form_ymm
    vmovdqa [rdi], ymm0
    .else
    movdqa [rdi], xmm0
    .endif
.endm

    window cold_page, "", store_widest

/*
 * The same by XSAVE: it stores all of the state by itself, and may be stopped in the middle of it,
 * between two pages. What it saves is what a process or a guest has left of its registers.
 */
    window cold_xsave, "", "xsave64 [rdi]"

    .section .note.GNU-stack, "", @progbits
