/* Tells a machine that stood still, or is another one now, from a vCPU that got no time. */
#ifndef ZMMTEST_CORE_RUN_STANDSTILL_H
#define ZMMTEST_CORE_RUN_STANDSTILL_H

#include "run_state.h"

/* The clock of the run begins with the first look, so that no gap takes more from it than it has
 * counted. */
void standstill_start(struct run *run);

/* At each look of the boot vCPU. Time in which the machine stood still is taken out of the run's.
 */
void standstill_look(struct run *run);

/* At the end of the run: what changed since the last look may be why it ends. */
void standstill_end(struct run *run);

/* At each tick: whether the TSC still has its rate. */
void standstill_tick(struct run *run);

#endif
