/*
 * XSAVE state: what CPUID offers, what of it zmmtest turns on in XCR0, and which form of the
 * windows that allows.
 */
#ifndef ZMMTEST_CORE_MACHINE_XSTATE_H
#define ZMMTEST_CORE_MACHINE_XSTATE_H

#include "../../platform/form.h"
#include "cpu.h"
#include <stdbool.h>
#include <stdint.h>

/* XSAVE state components by their number, which is their bit in XCR0 (SDM vol. 1, 13.1). */
enum xstate_bit {
    XSTATE_X87,
    XSTATE_SSE,
    XSTATE_AVX,
    XSTATE_BNDREGS,
    XSTATE_BNDCSR,
    XSTATE_OPMASK,
    XSTATE_ZMM_HI256,
    XSTATE_HI16_ZMM,
    XSTATE_PKRU = 9,
    XSTATE_TILECFG = 17,
    XSTATE_TILEDATA = 18,
};

/* Those that belong together. */
#define XCR0_X87    (UINT64_C(1) << 0)
#define XCR0_SSE    (UINT64_C(1) << 1)
#define XCR0_AVX    (UINT64_C(1) << 2)
#define XCR0_MPX    (UINT64_C(3) << 3)
#define XCR0_AVX512 (UINT64_C(7) << 5)
#define XCR0_PKRU   (UINT64_C(1) << 9)
#define XCR0_AMX    (UINT64_C(3) << 17)
#define XCR0_BITS   63u

struct xstate {
    uint64_t offered;           /* XCR0 bits that CPUID.0D allows */
    uint64_t wanted;            /* of them, a combination that XSETBV accepts */
    uint32_t size[XCR0_BITS];   /* bytes of each component offered; 0 otherwise */
    uint32_t offset[XCR0_BITS]; /* of each in the standard format (SDM vol. 1, 13.4) */
    uint64_t aligned;           /* bits of those that the compacted format aligns to 64 bytes */
    uint64_t
        contradicts; /* bits of those that CPUID.0D describes as they cannot be; their size is 0 */
    uint32_t area_bytes; /* of an area that holds all that have a size, 64-byte multiple */
    bool xsaveopt, xsavec, xgetbv1, xsaves; /* instructions, by CPUID.0D.1 */
    uint64_t supervisor;                    /* bits that only IA32_XSS enables */
    /* CPUID.0D offers PKRU and gives it no size, so no area has room for it (Bochs 2.7). */
    bool pkru_by_register;
    enum form form; /* the widest form that `wanted` and the CPU's features allow */
    /* Why AVX-512 cannot be tested, in words; NULL where it can. */
    const char *no_avx512;
};

/*
 * Reads CPUID, which a hypervisor may have made up: no size or offset that it says is taken without
 * a look. An area has AREA_MOST bytes at the most.
 */
#define AREA_MOST (64u << 10)
void xstate_identify(struct xstate *xstate, const struct cpu *cpu);

/* Intel's name of an XSAVE component; NULL for one that has no name here. */
const char *xstate_component_name(unsigned int bit);

/* The same with "component-N" for one that has none; and that in lower case, as findings have it.
 */
#define XSTATE_NAME 16u
void xstate_name(unsigned int bit, char name[XSTATE_NAME]);
void xstate_log_name(unsigned int bit, char name[XSTATE_NAME]);

/* The widest form that this XCR0 allows. */
enum form xstate_form(uint64_t xcr0);

#endif
