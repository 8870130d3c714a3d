/* A rare fault is to be seen often enough for a report: where something was found, more is run. */
#ifndef ZMMTEST_CORE_RUN_FOCUS_H
#define ZMMTEST_CORE_RUN_FOCUS_H

#include "run_state.h"

/* Looks what was found since the last time, and gives those exits more turns, on all vCPUs. */
void focus_follow(struct run *run, const struct totals *totals);

#endif
