/* Compares the TSCs of the other vCPUs with the boot vCPU's. */
#ifndef ZMMTEST_CORE_RUN_SKEW_H
#define ZMMTEST_CORE_RUN_SKEW_H

#include "run_state.h"

/* A notice where one is off by a millisecond, and again when that is twice as much. */
void skew_look(struct run *run);

#endif
