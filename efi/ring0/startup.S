/*
 * What a vCPU executes between SIPI and C, and after C. The first part is copied to a page below
 * 1 MiB, as real mode begins there, and stays there; the second is code of the program.
 */
    .intel_syntax noprefix

    .set GDT_CODE32, 0x08
    .set GDT_DATA, 0x10

/* struct parameters of startup.c, by offsets from its start. */
    .set GDT_POINTER, 32
    .set FAR32, 38
    .set FAR64, 44
    .set CR0_VALUE, 52
    .set CR4_VALUE, 56
    .set EFER_VALUE, 60
    .set ROOT, 64 /* below 4 GiB */
    .set BOOT_CR3, 72
    .set ENTRY, 80
    .set SLOTS, 88
    .set PARK, 96
    .set SLOT_COUNT, 104
    .set CR4_PARKED, 108
    .set IDT_POINTER, 112

/* struct startup_slot */
    .set SLOT_STATE, 4
    .set SLOT_STACK, 8
    .set SLOT_BYTES, 32
    .set PARKED, 2

/*
 * Several vCPUs are here at once: nothing is written, and there is no stack. RBX is the page.
 * SDM vol. 3, 9.9.1 and 9.8.5: to protected mode, and from there to IA-32e mode.
 */
    .section .rodata
    .balign 16
    .globl startup_page
startup_page:
    .code16
    cli
    cld
    mov ax, cs
    mov ds, ax
    xor ebx, ebx
    mov bx, ax
    shl ebx, 4
    lgdt [startup_parameters - startup_page + GDT_POINTER]
    mov eax, cr0
    or al, 1
    mov cr0, eax
    jmp fword ptr [startup_parameters - startup_page + FAR32]

    .code32
startup_protected:
    mov eax, GDT_DATA
    mov ds, eax
    mov es, eax
    mov ss, eax
    lea esi, [ebx + startup_parameters - startup_page]
    mov eax, [esi + CR4_VALUE]
    mov cr4, eax
    mov eax, [esi + ROOT]
    mov cr3, eax
    mov ecx, 0xc0000080 /* EFER */
    mov eax, [esi + EFER_VALUE]
    xor edx, edx
    wrmsr
    mov eax, [esi + CR0_VALUE]
    mov cr0, eax
    jmp fword ptr [esi + FAR64]

    .code64
startup_long:
    mov esi, esi /* the upper half is undefined since the change of mode */
    jmp [rsi + ENTRY]

/*
 * RDI: where the state goes; 0: nowhere. Whoever sees it may free all but these pages. What CLI
 * does not hold off comes back to the halt. All that halt here share a stack: nobody reads it.
 */
startup_park:
    lea rsp, [rip + startup_stack_end]
    lidt [rip + startup_parameters + IDT_POINTER]
    mov rax, cr4
    or eax, [rip + startup_parameters + CR4_PARKED]
    mov cr4, rax
    test rdi, rdi
    jz startup_halt
    mov dword ptr [rdi], PARKED
startup_halt:
    cli
    hlt
    jmp startup_halt

/* Without an IRET further ones wait for INIT (SDM vol. 3, 6.7.1). */
startup_nmi:
    lea rsp, [rip + startup_stack_end]
    jmp startup_halt

/* A machine check while MCIP is set would shut the processor down (SDM vol. 3, 15.3.1.2). */
startup_machine_check:
    mov ecx, 0x17a /* IA32_MCG_STATUS */
    xor eax, eax
    xor edx, edx
    wrmsr
    jmp startup_nmi

    .balign 16
startup_parameters:
    .zero 128
startup_idt:
    .zero 16 * 19 /* up to #MC */
    .zero 64
startup_stack_end:
startup_page_end:
    .balign 4
    .globl startup_page_bytes, startup_parameters_at
    .globl startup_protected_at, startup_long_at, startup_park_at
    .globl startup_idt_at, startup_nmi_at, startup_machine_check_at
startup_page_bytes:   .long startup_page_end - startup_page
startup_parameters_at: .long startup_parameters - startup_page
startup_protected_at: .long startup_protected - startup_page
startup_long_at:      .long startup_long - startup_page
startup_park_at:      .long startup_park - startup_page
startup_idt_at:       .long startup_idt - startup_page
startup_nmi_at:       .long startup_nmi - startup_page
startup_machine_check_at: .long startup_machine_check - startup_page

    .text

/*
 * By the tables of the reserved pages, which map this code as well; then by the boot vCPU's. Finds
 * its slot by its APIC id, calls startup_main(slot), and goes back the same way.
 */
    .balign 256
    .globl startup_entry
    .type startup_entry, @function
startup_entry:
    mov rbp, rsi
    mov rax, [rbp + BOOT_CR3]
    mov cr3, rax
    /* The APIC id, as startup_apic_id() has it. */
    xor eax, eax
    cpuid
    cmp eax, 0xb
    jb 1f
    mov eax, 0xb
    xor ecx, ecx
    cpuid
    test ebx, ebx
    jnz 2f
1:  mov eax, 1
    cpuid
    mov edx, ebx
    shr edx, 24
2:  mov rdi, [rbp + SLOTS]
    mov ecx, [rbp + SLOT_COUNT]
3:  cmp [rdi], edx
    je 4f
    add rdi, SLOT_BYTES
    dec ecx
    jnz 3b
    xor edi, edi
    jmp 5f
4:  mov rbx, rdi
    mov rsp, [rdi + SLOT_STACK]
    call startup_main
    lea rdi, [rbx + SLOT_STATE]
5:  mov rcx, [rbp + PARK]
    mov eax, [rbp + ROOT]
    mov cr3, rax
    jmp rcx
    .size startup_entry, . - startup_entry

    .section .note.GNU-stack, "", @progbits
