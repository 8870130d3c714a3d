/* The table of the kinds of exits: one row each. */
#include "exit_kind.h"
#include <stddef.h>

/*
 * hypercall: faultvisor answers VMware's call alone. copy: a store exits behind its load, while
 * zmm0 holds what is about to be stored; at other instructions of the loop nobody looks at zmm0 any
 * more. ipi: what comes while the sender waits; its stores exit by chance only.
 */
const struct exit_kind_row exit_kinds[EXIT_KIND_COUNT] = {
    [EXIT_KIND_CPUID] = {"cpuid", CAUSE_INSTRUCTION, {"cpuid"}},
    [EXIT_KIND_HYPERCALL] = {"hypercall", CAUSE_INSTRUCTION, {"vmware_vmcall"}},
    [EXIT_KIND_XSETBV] = {"xsetbv", CAUSE_INSTRUCTION, {"xsetbv"}},
    [EXIT_KIND_OUT80] = {"out80", CAUSE_INSTRUCTION, {"out80"}},
    [EXIT_KIND_RTC] = {"rtc", CAUSE_INSTRUCTION, {"rtc"}},
    [EXIT_KIND_PCI] = {"pci", CAUSE_INSTRUCTION, {"pci"}},
    [EXIT_KIND_STRING_IO] = {"string-io", CAUSE_INSTRUCTION, {"string_io"}},
    [EXIT_KIND_BACKDOOR] = {"backdoor", CAUSE_INSTRUCTION, {"backdoor"}},
    [EXIT_KIND_RDMSR] = {"rdmsr", CAUSE_INSTRUCTION, {"rdmsr"}},
    [EXIT_KIND_WRMSR] = {"wrmsr", CAUSE_INSTRUCTION, {"wrmsr"}},
    [EXIT_KIND_APIC] = {"apic", CAUSE_READ | CAUSE_WRITE, {"xapic"}},
    [EXIT_KIND_WBINVD] = {"wbinvd", CAUSE_INSTRUCTION, {"wbinvd"}},
    [EXIT_KIND_INVLPG] = {"invlpg", CAUSE_INSTRUCTION, {"invlpg"}},
    [EXIT_KIND_MOV_DR] = {"mov-dr", CAUSE_INSTRUCTION, {"mov_dr"}},
    [EXIT_KIND_MOV_CR] = {"mov-cr", CAUSE_INSTRUCTION, {"mov_cr"}},
    [EXIT_KIND_RDTSC] = {"rdtsc", CAUSE_INSTRUCTION, {"rdtsc"}},
    [EXIT_KIND_PAUSE] = {"pause", CAUSE_ASYNCHRONOUS, {"pause"}},
    [EXIT_KIND_MWAIT] = {"mwait", CAUSE_INSTRUCTION, {"mwait"}},
    [EXIT_KIND_HOLD] = {"hold", CAUSE_ASYNCHRONOUS, {"hold"}},
    [EXIT_KIND_COPY] = {"copy", CAUSE_WRITE, {"copy"}},
    [EXIT_KIND_COLD_PAGE] = {"cold-page", CAUSE_WRITE, {"cold_page"}},
    [EXIT_KIND_COLD_XSAVE] = {"cold-xsave", CAUSE_READ | CAUSE_WRITE, {"cold_xsave"}},
    [EXIT_KIND_TIMER] = {"timer", CAUSE_ASYNCHRONOUS, {"timer"}},
    [EXIT_KIND_HLT] = {"hlt", CAUSE_INSTRUCTION, {"hlt"}},
    [EXIT_KIND_IPI] = {"ipi", CAUSE_ASYNCHRONOUS, {"xapic_ipi", "x2apic_ipi"}},
    [EXIT_KIND_CPUID_TF] = {"cpuid-tf", CAUSE_INSTRUCTION, {"cpuid_step"}},
    [EXIT_KIND_CPUID_RF] = {"cpuid-rf", CAUSE_INSTRUCTION, {NULL}},
    [EXIT_KIND_CPUID_MOV_SS] = {"cpuid-ss", CAUSE_INSTRUCTION, {NULL}},
    [EXIT_KIND_CPUID_STI] = {"cpuid-sti", CAUSE_INSTRUCTION, {NULL}},
    [EXIT_KIND_OUT80_TF] = {"out80-tf", CAUSE_INSTRUCTION, {"out80_step"}},
    [EXIT_KIND_OUT80_RF] = {"out80-rf", CAUSE_INSTRUCTION, {NULL}},
    [EXIT_KIND_OUT80_MOV_SS] = {"out80-ss", CAUSE_INSTRUCTION, {NULL}},
    [EXIT_KIND_OUT80_STI] = {"out80-sti", CAUSE_INSTRUCTION, {NULL}},
    [EXIT_KIND_APIC_TF] = {"apic-tf", CAUSE_READ, {"xapic_step"}},
    [EXIT_KIND_APIC_RF] = {"apic-rf", CAUSE_READ, {NULL}},
    [EXIT_KIND_APIC_MOV_SS] = {"apic-ss", CAUSE_READ, {NULL}},
    [EXIT_KIND_APIC_STI] = {"apic-sti", CAUSE_READ, {NULL}},
};
