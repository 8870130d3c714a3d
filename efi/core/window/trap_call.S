/* The call under guard that an exception can unwind to. */
    .intel_syntax noprefix
    .text

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
