/*
 * The memory types of a vCPU: MTRRs and PAT, which are to be the same on all of a machine (SDM vol.
 * 3, 11.11.8). INIT leaves them as they are, and after a reset the MTRRs make all memory uncached.
 */
#ifndef ZMMTEST_RING0_MEMORY_TYPES_H
#define ZMMTEST_RING0_MEMORY_TYPES_H

#include <stdint.h>

#define MTRR_FIXED    11u
#define MTRR_VARIABLE 32u /* of those that a processor has, the first so many */

struct memory_types {
    uint64_t has_mtrrs, has_pat; /* 1 or 0; no padding: it is compared as a whole */
    uint64_t pat, default_type;
    uint64_t fixed[MTRR_FIXED];
    uint64_t variable[2 * MTRR_VARIABLE]; /* base and mask in turn */
};

/* On the calling vCPU, between traps_enter() and traps_leave(): a hypervisor may hide them. */
void memory_types_read(struct memory_types *types);

enum memory_types_taken {
    MEMORY_TYPES_SAME,   /* as they are */
    MEMORY_TYPES_SET,    /* now, and were not before */
    MEMORY_TYPES_DIFFER, /* even so */
};

/* The same: makes them those of another vCPU. */
enum memory_types_taken memory_types_take(const struct memory_types *types);

#endif
