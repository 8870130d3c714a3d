/* The kinds of exits that a fault can strike on, by the names that zmmtest has for them. */
#ifndef ZMMTEST_FAULTVISOR_EXIT_KIND_H
#define ZMMTEST_FAULTVISOR_EXIT_KIND_H

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
    EXIT_KIND_COUNT,
    EXIT_KIND_NONE,        /* an exit of no interest */
    EXIT_KIND_ASYNCHRONOUS /* one that no instruction asked for: its RIP tells the kind */
};

const char *exit_kind_name(enum exit_kind kind);

#endif
