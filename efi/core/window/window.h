/*
 * The macro that makes a window. For the assembly files of this folder only.
 *
 * A window is one straight line of instructions: load every register with the pattern, let the
 * event happen, compare every register. No compiler takes part in it, and nothing else may stand
 * between load and compare. `window` is a macro and not a function because the same text has to
 * come out four times (zmm, ymm, xmm and xsave form) around any event, with no call, no branch and no
 * extra register in between. It ends with the compare of the general registers, which differs from
 * window to window; the flags, opmasks and vector registers are the same work after every event
 * and are compared in compare.S, one jump further.
 *
 * How a window uses the machine:
 *  - RSP points to the expected state of its round (layout.h), so that no other register is needed
 *    to find the patterns, and each of the 15 others can carry one.
 *  - The operands of the event (a port number, a CPUID leaf) are in the round as well, in the slot
 *    of their register: they are loaded and compared like any pattern.
 *  - The compare leaves what it has not yet compared untouched. At the first difference it jumps to
 *    a keep_* path (compare.S), which stores the state as it was found.
 */
#ifndef ZMMTEST_CORE_WINDOW_WINDOW_H
#define ZMMTEST_CORE_WINDOW_WINDOW_H

#include "layout.h"

    .intel_syntax noprefix

#define VECTORS_16 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
#define VECTORS_32 VECTORS_16, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
#define OPMASKS    0, 1, 2, 3, 4, 5, 6, 7
/* The general registers that carry a pattern, in the order of their numbers; RSP is the base. */
#define GENERALS   rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15

    .set form_xmm, 0
    .set form_ymm, 1
    .set form_zmm, 2
    .set form_xsave, 3

    .set number_rax, 0
    .set number_rcx, 1
    .set number_rdx, 2
    .set number_rbx, 3
    .set number_rbp, 5
    .set number_rsi, 6
    .set number_rdi, 7
    .set number_r8, 8
    .set number_r9, 9
    .set number_r10, 10
    .set number_r11, 11
    .set number_r12, 12
    .set number_r13, 13
    .set number_r14, 14
    .set number_r15, 15

/* Put the vector state of one form in. `from` is the distance of a register_state from RSP. */
.macro load_zmm from
    .irp n, VECTORS_32
    vmovdqa64 zmm\n, [rsp + \from + STATE_VECTOR + 64 * \n]
    .endr
    .irp n, OPMASKS
    kmovq k\n, [rsp + \from + STATE_OPMASK + 8 * \n]
    .endr
.endm

.macro load_ymm from
    .irp n, VECTORS_16
    vmovdqa ymm\n, [rsp + \from + STATE_VECTOR + 64 * \n]
    .endr
.endm

.macro load_xmm from
    .irp n, VECTORS_16
    movdqa xmm\n, [rsp + \from + STATE_VECTOR + 64 * \n]
    .endr
.endm

/* All state by XRSTOR, from an area of the round; it clobbers what load_general puts in anyway. */
.macro load_xsave_of which
    mov eax, [rsp + ROUND_AREA_MASK]
    mov edx, [rsp + ROUND_AREA_MASK + 4]
    mov rbx, [rsp + \which]
    xrstor64 [rbx]
.endm

.macro load_xsave from
    load_xsave_of ROUND_AREA
.endm

/*
 * MXCSR, and first of all: a new value waits for what is under way in the vector unit. Behind the
 * vector loads it cost 70 cycles on a Zen 4, before them 45.
 */
.macro load_control from
    ldmxcsr [rsp + \from + STATE_MXCSR]
.endm

/*
 * The status flags and the general registers. SAHF after an ADD sets all six status flags in three
 * cheap instructions; POPFQ would cost more than all the vector loads together.
 */
.macro load_general from
    mov eax, [rsp + \from + STATE_FLAGS_SOURCE]
    add al, 0x7f
    sahf
    .irp reg, GENERALS
    mov \reg, [rsp + \from + STATE_GENERAL + 8 * number_\reg]
    .endr
.endm

.macro window_form name, form, event
    .balign 64
    .type \name\()_\form, @function
\name\()_\form:
    push rbx
    push rbp
    push r12
    push r13
    push r14
    push r15
    mov [rdi + ROUND_STACK_SIZE + ROUND_CALLER_RSP], rsp
    lea rsp, [rdi + ROUND_STACK_SIZE]
    load_control 0
    load_\form 0
    load_general 0
    .set window_form_is, form_\form
\name\()_\form\()_event:
    \event
\name\()_\form\()_event_end:
    pushfq
    pop [rsp + ROUND_FOUND + STATE_RFLAGS]
    stmxcsr [rsp + ROUND_FOUND + STATE_MXCSR]
    .irp reg, GENERALS
    .if (window_changes >> number_\reg) & 1
    .else
    cmp \reg, [rsp + STATE_GENERAL + 8 * number_\reg]
    jne keep_general_\form
    .endif
    .endr
    jmp compare_\form
    .size \name\()_\form, . - \name\()_\form
.endm

.macro window_form_entry name, form
    .quad \name\()_\form, \name\()_\form\()_event, \name\()_\form\()_event_end
.endm

/*
 * window NAME, "CHANGED REGISTERS", "EVENT"
 *
 * Emits the four forms of the window and `window_NAME`, a struct window (state.h). The changed
 * registers are those general ones that the event itself writes: they are loaded (they may be its
 * operands) but not compared. The event is one instruction, or several with ; between them. An event
 * that needs other instructions in each form is a macro of its own that asks window_form_is.
 */
.macro window name, changes, event
    .set window_changes, 0
    .irp reg, \changes
    .ifnc "\reg", ""
    .set window_changes, window_changes | (1 << number_\reg)
    .endif
    .endr
    .section .text.window, "ax", @progbits
    window_form \name, zmm, "\event"
    window_form \name, ymm, "\event"
    window_form \name, xmm, "\event"
    window_form \name, xsave, "\event"
    .section .data.rel.ro.window, "aw", @progbits
    .balign 8
    .globl window_\name
    .type window_\name, @object
window_\name:
    window_form_entry \name, xmm
    window_form_entry \name, ymm
    window_form_entry \name, zmm
    window_form_entry \name, xsave
    .quad window_changes
    .asciz "\name"
    .org window_\name + WINDOW_SIZE
    .size window_\name, . - window_\name
    .previous
.endm

#endif
