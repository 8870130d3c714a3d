/*
 * Patterns: what the registers must hold. Each quadword says, to whoever can invert the mix, which
 * run, vCPU, generation, register and lane it was made for, so that a wrong value can be traced to
 * where it came from - even to another VM that runs the same image.
 */
#ifndef ZMMTEST_CORE_WINDOW_PATTERNS_H
#define ZMMTEST_CORE_WINDOW_PATTERNS_H

#include "state.h"
#include <stdbool.h>
#include <stdint.h>

/* Register numbers in a pattern: vectors from 0, opmasks from 32, general registers from 40. */
#define PATTERN_OPMASK  32u
#define PATTERN_GENERAL 40u
#define PATTERN_END     56u

/* Widths of the fields of an origin, in bits. vCPU and generation numbers wrap at theirs. */
#define PATTERN_RUN_BITS        16
#define PATTERN_VCPU_BITS       10
#define PATTERN_GENERATION_BITS 18

struct pattern_origin {
    uint32_t run;
    uint32_t vcpu;
    uint32_t generation;
    uint32_t reg;
    uint32_t lane;
};

/* The pattern of one quadword. None of its bytes is zero, so a zeroed byte always shows. */
uint64_t pattern_make(const struct pattern_origin *origin);

/* Traces a quadword to its origin. False if it is no pattern; one random value in 256 passes. */
bool pattern_decode(uint64_t value, struct pattern_origin *origin);

/* Whose pattern to make, and for which registers. */
struct pattern_key {
    uint32_t run;
    uint32_t vcpu;
    enum form form;
};

/* Makes vectors, opmasks, general registers, flags and MXCSR; zero for a component in
 * init_components. */
void pattern_fill(struct register_state *state, const struct pattern_key *key, uint32_t generation,
                  uint32_t init_components);

/* Makes the general registers, flags and MXCSR only: the part that operands of an event replace. */
void pattern_fill_general(struct register_state *state, const struct pattern_key *key,
                          uint32_t generation);

#endif
