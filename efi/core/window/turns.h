/*
 * Whose slice is next on a vCPU. Each exit has one in each pass, in the order of the plan. What
 * finds a fault that strikes at a random moment is the time for which all registers are live: where
 * the plan is weighed, holds have more slices between those, as many as keep registers live for
 * most of the run.
 */
#ifndef ZMMTEST_CORE_WINDOW_TURNS_H
#define ZMMTEST_CORE_WINDOW_TURNS_H

#include "rounds.h"

/* After a slice, from `start` to `end`: chooses the next one, and counts the pass when it is over.
 */
void turns_next(struct turns *turns, struct rounds *rounds, uint64_t start, uint64_t end);

/* For how long a round of this slice may wait for what another vCPU has to begin. */
uint32_t turns_wait_milliseconds(const struct rounds *rounds);

#endif
