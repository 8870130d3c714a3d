/* The operator, who may pause a run, end it, or power the machine off. */
#ifndef ZMMTEST_CORE_RUN_OPERATOR_H
#define ZMMTEST_CORE_RUN_OPERATOR_H

#include "run_state.h"

/* Reads the keys pressed so far. True if the run is to end. */
bool operator_says_stop(struct run *run);

#endif
