/* What the kinds of exits are called. */
#include "exit_kind.h"

const char *exit_kind_name(enum exit_kind kind)
{
    static const char *const names[EXIT_KIND_COUNT] = {
        [EXIT_KIND_CPUID] = "cpuid",
        [EXIT_KIND_HYPERCALL] = "hypercall",
        [EXIT_KIND_XSETBV] = "xsetbv",
        [EXIT_KIND_OUT80] = "out80",
        [EXIT_KIND_RTC] = "rtc",
        [EXIT_KIND_PCI] = "pci",
        [EXIT_KIND_STRING_IO] = "string-io",
        [EXIT_KIND_BACKDOOR] = "backdoor",
        [EXIT_KIND_RDMSR] = "rdmsr",
        [EXIT_KIND_WRMSR] = "wrmsr",
        [EXIT_KIND_APIC] = "apic",
        [EXIT_KIND_WBINVD] = "wbinvd",
        [EXIT_KIND_INVLPG] = "invlpg",
        [EXIT_KIND_MOV_DR] = "mov-dr",
        [EXIT_KIND_MOV_CR] = "mov-cr",
        [EXIT_KIND_RDTSC] = "rdtsc",
        [EXIT_KIND_PAUSE] = "pause",
        [EXIT_KIND_MWAIT] = "mwait",
        [EXIT_KIND_HOLD] = "hold",
        [EXIT_KIND_COPY] = "copy",
        [EXIT_KIND_COLD_PAGE] = "cold-page",
        [EXIT_KIND_COLD_XSAVE] = "cold-xsave",
        [EXIT_KIND_TIMER] = "timer",
        [EXIT_KIND_HLT] = "hlt",
        [EXIT_KIND_IPI] = "ipi",
    };
    return names[kind];
}
