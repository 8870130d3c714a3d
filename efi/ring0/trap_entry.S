/*
 * Entry points of exceptions and of our own interrupts. No vector register is touched: a window's
 * registers are still in place when the handler resumes it.
 */
    .intel_syntax noprefix
    .text

/*
 * One entry per vector: push an error code where the processor does not (SDM vol. 3, 6.13), then
 * the vector. The entries are 16 bytes apart; idt.c computes their addresses.
 */
    .balign 16
    .globl trap_entries
trap_entries:
    .set vector, 0
    .rept 256
    .balign 16
    .if (vector == 8) || (vector == 10) || (vector == 11) || (vector == 12) || (vector == 13) || (vector == 14) || (vector == 17) || (vector == 21) || (vector == 29) || (vector == 30)
    .else
    push 0
    .endif
    push vector
    jmp trap_common
    .set vector, vector + 1
    .endr

/* Saves what C may change, calls trap_handle(struct trap_frame *), and resumes where that says. */
    .balign 16
trap_common:
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
