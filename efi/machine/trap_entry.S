/*
 * Entry points of exceptions and of our own interrupts, and the call under guard that an exception
 * can unwind to. No vector register is touched: a window's registers are still in place when the
 * handler resumes it.
 */
    .intel_syntax noprefix
    .text

/*
 * One entry per exception vector, and behind them one for each enum interrupt: push an error code
 * where the processor does not (SDM vol. 3, 6.13), then the number. The entries are 16 bytes apart;
 * traps.c computes their addresses.
 */
    .balign 16
    .globl trap_entries
trap_entries:
    .set vector, 0
    .rept 35
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

/*
 * bool trap_call(function rdi, argument rsi, struct trap_guard *rdx): calls function(argument).
 * Returns 1, or 0 by way of the guard when the handler resumed there.
 */
    .globl trap_call
    .type trap_call, @function
trap_call:
    push rbx
    push rbp
    push r12
    push r13
    push r14
    push r15
    push rdx
    mov [rdx], rsp
    lea rax, [rip + 1f]
    mov [rdx + 8], rax
    mov rax, rdi
    mov rdi, rsi
    call rax
    mov eax, 1
    jmp 2f
1:  xor eax, eax
2:  pop rdx
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    pop rbx
    ret
    .size trap_call, . - trap_call

    .section .note.GNU-stack, "", @progbits
