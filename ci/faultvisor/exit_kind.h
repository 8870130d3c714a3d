/*
 * The kinds of exits that a fault can strike on, by the names that zmmtest has for them: which
 * windows of zmmtest wait for such an exit, and how it comes about.
 */
#ifndef ZMMTEST_FAULTVISOR_EXIT_KIND_H
#define ZMMTEST_FAULTVISOR_EXIT_KIND_H

#include <stdint.h>

enum exit_kind {
    EXIT_KIND_CPUID,
    EXIT_KIND_HYPERCALL,
    EXIT_KIND_XSETBV,
    EXIT_KIND_OUT80,
    EXIT_KIND_RTC,
    EXIT_KIND_PCI,
    EXIT_KIND_STRING_IO,
    EXIT_KIND_BACKDOOR,
    EXIT_KIND_RDMSR,
    EXIT_KIND_WRMSR,
    EXIT_KIND_APIC,
    EXIT_KIND_WBINVD,
    EXIT_KIND_INVLPG,
    EXIT_KIND_MOV_DR,
    EXIT_KIND_MOV_CR,
    EXIT_KIND_RDTSC,
    EXIT_KIND_PAUSE,
    EXIT_KIND_MWAIT,
    EXIT_KIND_HOLD,
    EXIT_KIND_COPY,
    EXIT_KIND_COLD_PAGE,
    EXIT_KIND_COLD_XSAVE,
    EXIT_KIND_TIMER,
    EXIT_KIND_HLT,
    EXIT_KIND_IPI,
    /* One window for each four: what the guest's flags say tells them apart. */
    EXIT_KIND_CPUID_TF,
    EXIT_KIND_CPUID_RF,
    EXIT_KIND_CPUID_MOV_SS,
    EXIT_KIND_CPUID_STI,
    EXIT_KIND_OUT80_TF,
    EXIT_KIND_OUT80_RF,
    EXIT_KIND_OUT80_MOV_SS,
    EXIT_KIND_OUT80_STI,
    EXIT_KIND_APIC_TF,
    EXIT_KIND_APIC_RF,
    EXIT_KIND_APIC_MOV_SS,
    EXIT_KIND_APIC_STI,
    EXIT_KIND_COUNT,
    EXIT_KIND_NONE /* no window's event, or that of a window in which no fault strikes */
};

/* How an exit came about: one bit each. */
enum exit_cause {
    CAUSE_OTHER = 0,
    CAUSE_INSTRUCTION = 1u << 0,  /* one that asks the hypervisor for something */
    CAUSE_ASYNCHRONOUS = 1u << 1, /* the preemption timer, or an external interrupt */
    CAUSE_READ = 1u << 2,         /* of memory that EPT does not map */
    CAUSE_WRITE = 1u << 3,
};

#define EXIT_KIND_WINDOWS 2u

/* A set of them. */
#define KIND_BIT(kind) (UINT64_C(1) << (kind))

extern const struct exit_kind_row {
    const char *name;                       /* the exit's */
    uint32_t causes;                        /* enum exit_cause: in its event, only these count */
    const char *windows[EXIT_KIND_WINDOWS]; /* as efi/core/window/exits_*.S names them */
} exit_kinds[EXIT_KIND_COUNT];

#endif
