/* Who the processor says it is: CPUID, by leaf and by meaning. */
#ifndef ZMMTEST_CORE_MACHINE_CPU_H
#define ZMMTEST_CORE_MACHINE_CPU_H

#include <stdbool.h>
#include <stdint.h>

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

/* Executes CPUID. The unit tests link one that answers from a table. */
struct cpuid cpuid(uint32_t leaf, uint32_t subleaf);

struct cpu {
    char vendor[13];
    char brand[49]; /* trimmed; the vendor where there is no brand string */
    uint32_t family, model, stepping;
    uint32_t microcode; /* 0: not readable */
    uint32_t highest_leaf;
    uint64_t l2_bytes; /* 1 MiB where CPUID does not say */
    bool amd;          /* AMD or Hygon: VMMCALL is the hypercall instruction */
    bool hypervisor_bit;
    bool xsave, avx, avx512f, avx512bw, monitor, x2apic;
    bool protection_keys; /* PKRU, RDPKRU and CR4.PKE */
};

/* Fills all but microcode, which needs an MSR (platform/identify.h). */
void cpu_identify(struct cpu *cpu);

/*
 * Why nothing can be tested with this CR4; NULL: nothing prevents it. With FRED no exception goes
 * by the IDT (FRED specification 9.0, 3.3). With CET none may end a window by a return to
 * elsewhere, and each target of an indirect branch has to be marked (SDM vol. 1, chapter 18).
 */
const char *cpu_refused(uint64_t cr4);

#endif
