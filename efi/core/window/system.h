/* What a vCPU knows of its system registers: data only; system_state.h has what is done with it. */
#ifndef ZMMTEST_CORE_WINDOW_SYSTEM_H
#define ZMMTEST_CORE_WINDOW_SYSTEM_H

#include "system_access.h"
#include <stdatomic.h>

/* The reason of those that CPUID does not have, which are listed together. */
extern const char system_absent[];

struct system_state {
    /* Found out once. */
    uint64_t present;                 /* those that are compared: SYSTEM_BIT each */
    uint64_t patterned;               /* of them, those that get a pattern in a slice */
    uint64_t quiet;                   /* and only in one without interrupts */
    uint64_t free[SYSTEM_COUNT];      /* the bits that take one */
    const char *reason[SYSTEM_COUNT]; /* why it is not compared; NULL: it is */

    /* In slices. */
    bool begun; /* since then no firmware ran, and patterns may be in place */
    bool in_slice;
    bool seen;         /* compared since what was last run */
    uint64_t left_out; /* of the slice at hand: its event changes them */
    uint32_t generation;
    struct system_values want, got; /* got: as last read; 0 of what is not there, as in want */
    uint64_t kept[SYSTEM_COUNT];    /* of those that get a pattern: what was there */
    uint64_t changed_outside;       /* between two slices, while the firmware ran */

    /* Written by the vCPU, read by the boot vCPU. */
    _Atomic uint64_t comparisons;
};

#endif
