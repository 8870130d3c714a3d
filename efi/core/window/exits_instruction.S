/*
 * Exits that an instruction of the processor itself raises. The operands of each come from its row
 * in exits.c.
 */
#include "window.h"

/* No event at all: what a round costs by itself, taken off the cycles that are reported. */
    window bare, "", "nop"

    window cpuid, "rax, rbx, rcx, rdx", "cpuid"

/*
 * Hypercalls. KVM answers in RAX and keeps the rest; Xen may change the argument registers of the
 * call as well (xen/include/public/arch-x86/xen-x86_64.h); VMware's call has the registers of its
 * backdoor, all of which may change (open-vm-tools, backdoorGcc64.c).
 */
    window vmcall, "rax", "vmcall"
    window vmmcall, "rax", "vmmcall"
    window xen_vmcall, "rax, rdi, rsi", "vmcall"
    window xen_vmmcall, "rax, rdi, rsi", "vmmcall"
    window vmware_vmcall, "rax, rbx, rcx, rdx, rsi, rdi", "vmcall"
    window vmware_vmmcall, "rax, rbx, rcx, rdx, rsi, rdi", "vmmcall"

    window xsetbv, "", "xsetbv"

    window rdmsr, "rax, rdx", "rdmsr"
    window wrmsr, "", "wrmsr"

    window wbinvd, "", "wbinvd"
    window invlpg, "", "invlpg [rsp]"

/* Each register gets back the value just read. */
    window mov_dr, "rax", "mov rax, dr7; mov dr7, rax"
    window mov_cr, "rax", "mov rax, cr0; mov cr0, rax; mov rax, cr3; mov cr3, rax; mov rax, cr4; mov cr4, rax; mov rax, cr8; mov cr8, rax"

    window rdpmc, "rax, rdx", "rdpmc"
    window rdtsc, "rax, rdx", "rdtsc"

/* RCX pauses in a row, without a flag changed: PAUSE-loop exiting counts them by their spacing. */
    window pause, "rcx", "1: pause; loop 1b"

/*
 * MWAIT without a MONITOR before it: it exits where a hypervisor intercepts it, and falls through
 * where none does, since nothing is armed (SDM vol. 2B, MWAIT). With a MONITOR it could sleep for
 * ever, interrupts being off.
 */
    window mwait, "", "mwait"

    .section .note.GNU-stack, "", @progbits
