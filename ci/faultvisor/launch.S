/* Into the guest, out of it, and away from VMX for good. No vector register is touched. */
    .intel_syntax noprefix
    .text

/* The guest's registers, but for RSP, whose place is skipped. */
.macro pop_guest
    pop rax
    pop rcx
    pop rdx
    pop rbx
    lea rsp, [rsp + 8]
    pop rbp
    pop rsi
    pop rdi
    pop r8
    pop r9
    pop r10
    pop r11
    pop r12
    pop r13
    pop r14
    pop r15
.endm

/*
 * int launch_enter(void): the caller goes on as the guest, and gets 0; or VMLAUNCH failed: 1. The
 * VMCS is current and complete but for the guest's RSP and RIP.
 */
    .globl launch_enter
    .type launch_enter, @function
launch_enter:
    push rbx
    push rbp
    push r12
    push r13
    push r14
    push r15
    mov eax, 0x681c /* GUEST_RSP */
    vmwrite rax, rsp
    lea rcx, [rip + 1f]
    mov eax, 0x681e /* GUEST_RIP */
    vmwrite rax, rcx
    vmlaunch
    mov eax, 1
    jmp 2f
1:  xor eax, eax
2:  pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    pop rbx
    ret
    .size launch_enter, . - launch_enter

/* VM exits arrive here; the top of the stack holds the struct host_cpu. */
    .globl launch_exit
launch_exit:
    push r15
    push r14
    push r13
    push r12
    push r11
    push r10
    push r9
    push r8
    push rdi
    push rsi
    push rbp
    push rax /* in RSP's place */
    push rbx
    push rdx
    push rcx
    push rax
    mov rdi, rsp
    mov rsi, [rsp + 128]
    cld
    call exits_handle
    test al, al
    jnz 1f
    pop_guest
    vmresume
    call launch_resume_failed
    ud2

/*
 * VMX is off. RSP's place holds the guest's stack pointer, and RFLAGS and RIP are on that stack
 * (launch_finish_leaving). Interrupts are off, so what was popped is still there below RSP.
 */
1:  pop_guest
    mov rsp, [rsp - 96]
    popfq
    ret

/* void faultvisor_leave(void) */
    .globl faultvisor_leave
    .type faultvisor_leave, @function
faultvisor_leave:
    movabs rax, 0x6661756c746f6666 /* LEAVE_CALL */
    vmcall
    ret
    .size faultvisor_leave, . - faultvisor_leave

    .section .note.GNU-stack, "", @progbits
