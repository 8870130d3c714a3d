/*
 * Exits around interrupts of our own, taken with every register live: interrupts are on between STI
 * and CLI, and there only. The handlers (ring0/trap_entry.S) keep every register and use no vector
 * instruction, so to the window they are part of the event.
 */
#include "window.h"

/*
 * A hold with interrupts on. STI holds them off for one instruction (SDM vol. 2B, STI); QEMU 7.2's emulation does for as
 * long as that instruction is a LOOP to itself, which would take the interrupt at the end of the hold only.
 */
.macro open_hold
    sti
    nop
1:  loop 1b
    cli
.endm

    window timer, "rcx", "open_hold"

/* STI holds interrupts off until HLT has begun (SDM vol. 2B, STI): no wake-up is lost. */
    window hlt, "", "sti; hlt; cli"

/*
 * An interrupt to another vCPU (SDM vol. 3, 10.6.1): RBX holds the xAPIC's address or RCX the MSR's
 * number, RDX the destination, RAX the command, R8 how long to wait for what others send.
 */
.macro send_by_memory
    mov [rbx + 0x310], edx
    mov [rbx + 0x300], eax
.endm

.macro send_by_memory_and_wait
    send_by_memory
    open_hold
.endm

.macro send_by_msr_and_wait
    wrmsr
    mov rcx, r8
    open_hold
.endm

    window xapic_send, "", "send_by_memory"
    window x2apic_send, "", "wrmsr"
    window xapic_ipi, "rcx", "send_by_memory_and_wait"
    window x2apic_ipi, "rcx", "send_by_msr_and_wait"

    .section .note.GNU-stack, "", @progbits
