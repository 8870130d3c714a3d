/* The end of a run: what it came to, judged and told. */
#ifndef ZMMTEST_CORE_RUN_OUTCOME_H
#define ZMMTEST_CORE_RUN_OUTCOME_H

#include "run_state.h"

/* The causes that follow from what all exits counted: a set of bits (causes.h). run->counted is
 * filled. */
uint32_t outcome_causes(const struct run *run, const struct totals *totals);

/* Tells what was counted: exits, components, interrupts, disks. */
void outcome_tell(const struct run *run, const struct totals *totals);

/* The verdict by all causes, and what goes with it. */
struct outcome outcome_of(struct run *run, const struct totals *totals);

#endif
