/* How far a run is, for a screen. */
#ifndef ZMMTEST_CORE_RUN_PROGRESS_H
#define ZMMTEST_CORE_RUN_PROGRESS_H

#include "run_state.h"

/* How long it may take, in milliseconds; 0: no limit. */
uint64_t run_time_limit(const struct run *run);

/* Shows it where a sink does and it is time to; some times a second, at the most. */
void run_show(struct run *run);

/* The next time is as soon as may be: whoever pressed a key waits. Or at once. */
void run_show_soon(struct run *run);
void run_show_now(struct run *run);

#endif
