/* Tells the map of what was hit, vCPU by vCPU. */
#ifndef ZMMTEST_CORE_RUN_TELLING_HITS_H
#define ZMMTEST_CORE_RUN_TELLING_HITS_H

#include "run_state.h"

/* Those that are alike are told together. Of planted faults only where they hit something. */
void tell_hits(const struct run *run);

#endif
