/*
 * The registers of a vCPU that are no component of XSAVE and no general register: control and debug
 * registers, MSRs, descriptor tables and segments. A new one is a row of the table, and a way to
 * read and write it (system_access.c) unless it is an MSR.
 */
#ifndef ZMMTEST_CORE_WINDOW_SYSTEM_TABLE_H
#define ZMMTEST_CORE_WINDOW_SYSTEM_TABLE_H

#include <stdbool.h>
#include <stdint.h>

/* IDTR and GDTR stand first: what is wrong with them is put right before anything rests on it. */
enum system_register {
    SYSTEM_XCR0, /* looked at and mended by areas_mend_xcr0() */
    SYSTEM_IDTR,
    SYSTEM_GDTR,
    SYSTEM_TR,
    SYSTEM_LDTR,
    SYSTEM_CS,
    SYSTEM_SS,
    SYSTEM_DS,
    SYSTEM_ES,
    SYSTEM_FS,
    SYSTEM_GS, /* the last with a second quadword */
    SYSTEM_CR0,
    SYSTEM_CR2,
    SYSTEM_CR3,
    SYSTEM_CR4,
    SYSTEM_CR8,
    SYSTEM_DR7, /* before those that it turns into breakpoints */
    SYSTEM_DR6,
    SYSTEM_DR0,
    SYSTEM_DR1,
    SYSTEM_DR2,
    SYSTEM_DR3,
    SYSTEM_EFER, /* the first that is an MSR, as are those behind it */
    SYSTEM_FS_BASE,
    SYSTEM_GS_BASE,
    SYSTEM_KERNEL_GS_BASE,
    SYSTEM_TSC_AUX,
    SYSTEM_STAR,
    SYSTEM_LSTAR,
    SYSTEM_CSTAR,
    SYSTEM_SFMASK,
    SYSTEM_SYSENTER_CS,
    SYSTEM_SYSENTER_ESP,
    SYSTEM_SYSENTER_EIP,
    SYSTEM_PAT,
    SYSTEM_XSS,
    SYSTEM_DEBUGCTL,
    SYSTEM_SPEC_CTRL,
    SYSTEM_PKRS,
    SYSTEM_U_CET,
    SYSTEM_S_CET,
    SYSTEM_PL0_SSP,
    SYSTEM_PL1_SSP,
    SYSTEM_PL2_SSP,
    SYSTEM_PL3_SSP,
    SYSTEM_COUNT
};

#define SYSTEM_BIT(number) (UINT64_C(1) << (number))
#define SYSTEM_WIDE        (SYSTEM_GS + 1) /* registers before this have a second quadword */

/* A bit of CPUID, by a mask of one of its registers: 0 is EAX, then EBX, ECX, EDX. */
struct cpuid_bits {
    uint32_t leaf, subleaf;
    uint32_t reg;
    uint32_t mask;
};

/* Of pattern bits: an address, canonical with four levels of page tables as with five. */
#define SYSTEM_CANONICAL UINT64_MAX

struct system_row {
    const char *name;           /* in log lines; the manuals' in lower case */
    uint32_t msr;               /* 0: it is none */
    struct cpuid_bits there[2]; /* one of them says that it is there; none: it always is */
    uint64_t pattern_bits;      /* that may hold anything, as nothing uses them; 0: none may */
    uint64_t amd_pattern_bits;  /* of an AMD processor; 0: the same */
    bool needs_quiet;           /* a pattern only where no interrupt is taken */
    bool is_left;               /* is never written, not even with what was read from it */
};

extern const struct system_row system_rows[SYSTEM_COUNT];

#endif
