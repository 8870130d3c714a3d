/* What is to run: on which vCPUs, which exits, in how much memory. What cannot is told with its
 * reason. */
#ifndef ZMMTEST_CORE_RUN_PLANNING_H
#define ZMMTEST_CORE_RUN_PLANNING_H

#include "run_state.h"

/* Finds the vCPUs and makes the boot vCPU's, for the self-test. False: not enough memory. */
bool planning_boot_vcpu(struct run *run);

/* All of the plan. False: not enough memory. */
bool planning_all(struct run *run);

/* Gives all memory back, once every vCPU has returned. */
void planning_undo(struct run *run);

#endif
