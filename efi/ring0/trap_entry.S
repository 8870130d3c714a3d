/*
 * Entry points of exceptions and of our own interrupts. No vector register is touched: a window's
 * registers are still in place when the handler resumes it.
 */
    .intel_syntax noprefix
    .text

/* One entry per vector. The entries are 16 bytes apart; idt.c computes their addresses. */
    .balign 16
    .globl trap_entries
trap_entries:
    .set vector, 0
    .rept 256
    .balign 16
    push vector
    jmp trap_common
    .set vector, vector + 1
    .endr

/*
 * Saves what C may change, calls trap_handle(struct trap_frame *), and resumes where that says.
 *
 * Whether there is an error code beneath the vector is told by the stack, not by a list of vectors:
 * the processor aligns it to 16 bytes before it stores five quadwords or six (SDM vol. 3, 6.14.2).
 * The same vector comes with one and without: #VC as an exception, and as INT or injected beneath.
 */
    .balign 16
trap_common:
    test spl, 8
    jnz 1f
    push qword ptr [rsp]
    mov qword ptr [rsp + 8], 0
1:
    push rax
    push rcx
    push rdx
    push rsi
    push rdi
    push r8
    push r9
    push r10
    push r11
    cld
    mov rdi, rsp
    push rbp
    mov rbp, rsp
    and rsp, -16
    call trap_handle
    mov rsp, rbp
    pop rbp
    pop r11
    pop r10
    pop r9
    pop r8
    pop rdi
    pop rsi
    pop rdx
    pop rcx
    pop rax
    add rsp, 16
    iretq

    .section .note.GNU-stack, "", @progbits
