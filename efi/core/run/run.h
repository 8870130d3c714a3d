/* A run from start to end, on the boot vCPU. */
#ifndef ZMMTEST_CORE_RUN_RUN_H
#define ZMMTEST_CORE_RUN_RUN_H

#include "run_state.h"

/*
 * The whole of a run: tests zmmtest itself, decides what runs, runs it until the time is over, the
 * passes are done, a key is pressed or the first finding asks, and reports the counts and the
 * verdict, which is then in run->outcome. machine and options are set. `seed` is for the patterns
 * where the options have none; `wrong` is what is wrong with the options, for which nothing is
 * tested; "": nothing.
 */
void run_everything(struct run *run, uint64_t seed, const char *wrong);

#endif
