/*
 * Patterns of system registers. They are narrower than those of the vector registers: an address
 * has 47 bits that are free, some registers 32 and some a few. Where there is room, a pattern says
 * whose it is.
 */
#ifndef ZMMTEST_CORE_WINDOW_SYSTEM_PATTERN_H
#define ZMMTEST_CORE_WINDOW_SYSTEM_PATTERN_H

#include "patterns.h"
#include "system_table.h"

/*
 * What a register is to hold in the bits that are `free` in it, which are its pattern bits or some
 * of them; in the others it is 0. Each generation has another one.
 */
uint64_t system_pattern(const struct pattern_key *key, enum system_register number,
                        uint32_t generation, uint64_t free);

/*
 * Of which vCPU, generation and register (`reg`) a value is, if it is a pattern that fits into this
 * register and is of the same run. False: it is none.
 */
bool system_pattern_decode(uint64_t value, const struct pattern_key *key,
                           enum system_register number, struct pattern_origin *origin);

#endif
