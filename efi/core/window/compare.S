/*
 * The second half of every window: compare the flags, MXCSR, the opmasks and the vector registers, and the
 * ways out. RSP still points to the round; the general registers have been verified and serve as
 * scratch.
 *
 * keep_* store the register state as it was found, each from the point of the compare where the
 * difference showed: what was verified before that point is as expected, what comes after it is
 * untouched. on_fault_* do the same when an instruction of the window faulted (guard.c
 * resumes there). All of them leave with an enum window_result in EAX.
 */
#include "window.h"

/* The flags and MXCSR, which were taken off right after the event. */
.macro compare_control form
    mov eax, [rsp + ROUND_FOUND + STATE_MXCSR]
    cmp eax, [rsp + STATE_MXCSR]
    jne keep_opmask_\form
    mov rax, [rsp + ROUND_FOUND + STATE_RFLAGS]
    xor rax, [rsp + STATE_RFLAGS]
    test rax, [rsp + ROUND_FLAGS_KEPT]
    jnz keep_opmask_\form
.endm

.macro compare_one_zmm k, n, mask
    vpcmpeqq \k \mask, zmm\n, [rsp + STATE_VECTOR + 64 * \n]
.endm

.macro compare_seven_zmm a, b, c, d, e, f, g
    compare_one_zmm k1, \a, {k1}
    compare_one_zmm k2, \b, {k2}
    compare_one_zmm k3, \c, {k3}
    compare_one_zmm k4, \d, {k4}
    compare_one_zmm k5, \e, {k5}
    compare_one_zmm k6, \f, {k6}
    compare_one_zmm k7, \g, {k7}
.endm

    .section .text.window, "ax", @progbits

/*
 * The opmasks, once verified by way of general registers, are free to gather the equality of the
 * zmm registers. VPCMPEQQ under a mask only keeps those bits that were equal so far, so seven
 * chains end in seven masks that must still be 0xff: a mask that something zeroed on the way shows
 * as a difference, never as equality.
 */
    .balign 64
    .globl compare_zmm
compare_zmm:
    compare_control zmm
    .irp n, OPMASKS
    kmovq rax, k\n
    cmp rax, [rsp + STATE_OPMASK + 8 * \n]
    jne keep_opmask_zmm
    .endr
    compare_one_zmm k1, 0
    compare_one_zmm k2, 1
    compare_one_zmm k3, 2
    compare_one_zmm k4, 3
    compare_one_zmm k5, 4
    compare_one_zmm k6, 5
    compare_one_zmm k7, 6
    compare_seven_zmm 7, 8, 9, 10, 11, 12, 13
    compare_seven_zmm 14, 15, 16, 17, 18, 19, 20
    compare_seven_zmm 21, 22, 23, 24, 25, 26, 27
    compare_one_zmm k1, 28, {k1}
    compare_one_zmm k2, 29, {k2}
    compare_one_zmm k3, 30, {k3}
    compare_one_zmm k4, 31, {k4}
    kandw k1, k1, k2
    kandw k3, k3, k4
    kandw k5, k5, k6
    kandw k1, k1, k3
    kandw k5, k5, k7
    kandw k1, k1, k5
    kmovw eax, k1
    cmp eax, 0xff
    jne keep_vector_zmm
    xor eax, eax
    jmp leave_window

.macro store_opmasks_zmm
    .irp n, OPMASKS
    kmovq [rsp + ROUND_FOUND + STATE_OPMASK + 8 * \n], k\n
    .endr
.endm

.macro store_opmasks_ymm
.endm

.macro store_opmasks_xmm
.endm

.macro store_vectors_zmm
    .irp n, VECTORS_32
    vmovdqa64 [rsp + ROUND_FOUND + STATE_VECTOR + 64 * \n], zmm\n
    .endr
.endm

.macro store_vectors_ymm
    .irp n, VECTORS_16
    vmovdqa [rsp + ROUND_FOUND + STATE_VECTOR + 64 * \n], ymm\n
    .endr
.endm

.macro store_vectors_xmm
    .irp n, VECTORS_16
    movdqa [rsp + ROUND_FOUND + STATE_VECTOR + 64 * \n], xmm\n
    .endr
.endm

/*
 * Without opmasks there is no place to gather a result that is not itself under test, so the
 * registers are stored and compared in memory, where round.c has put zeros before the round: a lost
 * store cannot pass.
 */
.macro compare_stored_qword offset
    mov rax, [rsp + ROUND_FOUND + STATE_VECTOR + \offset]
    xor rax, [rsp + STATE_VECTOR + \offset]
    or rcx, rax
.endm

    .globl compare_ymm
compare_ymm:
    compare_control ymm
    store_vectors_ymm
    xor ecx, ecx
    .irp n, VECTORS_16
    compare_stored_qword "(64 * \n)"
    compare_stored_qword "(64 * \n + 8)"
    compare_stored_qword "(64 * \n + 16)"
    compare_stored_qword "(64 * \n + 24)"
    .endr
    test rcx, rcx
    jnz keep_vector_ymm
    xor eax, eax
    jmp leave_window

    .globl compare_xmm
compare_xmm:
    compare_control xmm
    store_vectors_xmm
    xor ecx, ecx
    .irp n, VECTORS_16
    compare_stored_qword "(64 * \n)"
    compare_stored_qword "(64 * \n + 8)"
    .endr
    test rcx, rcx
    jnz keep_vector_xmm
    xor eax, eax
    jmp leave_window

.macro keep_paths form
    .globl on_fault_\form
on_fault_\form:
    mov [rsp + ROUND_FOUND + STATE_GENERAL], rax
    mov eax, WINDOW_FAULT
    jmp keep_rest_\form
    .globl keep_general_\form
keep_general_\form:
    mov [rsp + ROUND_FOUND + STATE_GENERAL], rax
    mov eax, WINDOW_GENERAL_DIFFER
keep_rest_\form:
    .irp reg, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
    mov [rsp + ROUND_FOUND + STATE_GENERAL + 8 * number_\reg], \reg
    .endr
    store_opmasks_\form
    jmp keep_vectors_\form
keep_opmask_\form:
    mov eax, WINDOW_OPMASK_DIFFER
    store_opmasks_\form
    jmp keep_vectors_\form
keep_vector_\form:
    mov eax, WINDOW_VECTOR_DIFFER
keep_vectors_\form:
    store_vectors_\form
    jmp leave_window
.endm

    keep_paths zmm
    keep_paths ymm
    keep_paths xmm

/*
 * The xsave form. It compares the flags and MXCSR, and then has an XSAVE instruction store everything else;
 * area_compare.c compares what that stored, after the window. R8 keeps the result meanwhile.
 */
    .globl compare_xsave
compare_xsave:
    compare_control xsave
    xor r8d, r8d
save_area:
    mov eax, [rsp + ROUND_AREA_MASK]
    mov edx, [rsp + ROUND_AREA_MASK + 4]
    mov rbx, [rsp + ROUND_AREA_FOUND]
    jmp [rsp + ROUND_AREA_SAVE]

.macro save_by instruction, name
    .globl save_by_\name
save_by_\name:
    \instruction [rbx]
    jmp saved_area
.endm

    save_by xsave64, xsave
    save_by xsaveopt64, xsaveopt
    save_by xsavec64, xsavec
    save_by xsaves64, xsaves

saved_area:
    cmp qword ptr [rsp + ROUND_AREA_XGETBV], 0
    je 1f
    mov ecx, 1
    xgetbv
    mov [rsp + ROUND_AREA_IN_USE], eax
    mov [rsp + ROUND_AREA_IN_USE + 4], edx
1:  mov eax, r8d
    jmp leave_window

keep_opmask_xsave:
    mov r8d, WINDOW_OPMASK_DIFFER
    jmp save_area

.macro keep_general_of_xsave label, result
    .globl \label
\label:
    .irp reg, GENERALS
    mov [rsp + ROUND_FOUND + STATE_GENERAL + 8 * number_\reg], \reg
    .endr
    mov r8d, \result
    jmp save_area
.endm

    keep_general_of_xsave keep_general_xsave, WINDOW_GENERAL_DIFFER
    keep_general_of_xsave on_fault_xsave, WINDOW_FAULT

/* Where even storing the state faults (the component was switched off): nothing can be kept. */
    .globl on_second_fault
on_second_fault:
    mov eax, WINDOW_FAULT_TWICE

/* Back to C, which the ABI promises a clear direction flag and its callee-saved registers. */
    .globl leave_window
leave_window:
    cld
    mov rsp, [rsp + ROUND_CALLER_RSP]
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    pop rbx
    ret

    .section .note.GNU-stack, "", @progbits
