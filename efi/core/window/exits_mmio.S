/*
 * Exits that memory-mapped device registers raise. RBX holds the address, which comes from ACPI,
 * an MSR or the firmware's PCI driver, never from a guess.
 */
#include "window.h"

/* xAPIC: the timer's current count, and the task priority written back as read (SDM vol. 3, 11). */
    window xapic, "rax", "mov eax, [rbx + 0x390]; mov eax, [rbx + 0x80]; mov [rbx + 0x80], eax"

/* x2APIC: the same two registers as MSRs 0x839 and 0x808. */
    window x2apic, "rax, rcx, rdx", "rdmsr; mov ecx, 0x808; rdmsr; wrmsr"

/* HPET: the general capabilities register, 64 bits at offset 0. */
    window hpet, "rax", "mov rax, [rbx]"

/* VGA: one byte of the legacy frame buffer. */
    window vga, "rax", "mov al, [rbx]"

    .section .note.GNU-stack, "", @progbits
