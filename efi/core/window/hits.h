/*
 * Which registers of a vCPU were ever hit, dword by dword, by all findings: also by those that are
 * counted and not kept.
 */
#ifndef ZMMTEST_CORE_WINDOW_HITS_H
#define ZMMTEST_CORE_WINDOW_HITS_H

#include "state.h"
#include <stdatomic.h>

#define VECTOR_DWORDS 16u

/* Bits of hits.other: from the first opmask on, from the first general register on, and two more.
 */
enum { HIT_OPMASK = 0, HIT_GENERAL = 8, HIT_RFLAGS = 24, HIT_MXCSR = 25 };

/* Written by the vCPU, read by the boot vCPU. */
struct hits {
    /* Of each vector register: bit n is dword n; bit 16 + n, that it came back zero. */
    _Atomic uint32_t vector[VECTOR_COUNT];
    _Atomic uint32_t other;
    _Atomic uint32_t compared; /* general registers that were compared in some round */
    _Atomic uint32_t form;     /* enum form of the windows */
};

/* Rounds have begun whose event leaves these general registers alone: bit n is register n. */
void hits_compare(struct hits *hits, enum form form, uint64_t compared);

/*
 * Adds what differs between a round's expected and found state. `compared` is the general registers
 * that its event leaves alone: bit n is register n.
 */
void hits_add(struct hits *hits, const struct round *round, enum form form, uint64_t compared);

#endif
