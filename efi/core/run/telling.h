/* What a run tells while it goes on. */
#ifndef ZMMTEST_CORE_RUN_TELLING_H
#define ZMMTEST_CORE_RUN_TELLING_H

#include "run_state.h"

/* What is in force, and on which machine. */
void tell_start(struct run *run);

/* Something broke: told, and kept for the screen. */
void tell_error(struct run *run, const char *reason);

/* Of each of these vCPUs the first machine check, once. */
void tell_machine_checks(struct run *run, const struct cpus *cpus);

/* The XCR0 of these vCPUs, and whether they could turn on what was wanted. */
void tell_states(struct run *run, const struct cpus *cpus);

/* These vCPUs take no part, each for its reason. */
void tell_no_part(struct run *run, const struct cpus *cpus);

/* Some of the findings that wait in the queues of the vCPUs, each with its diagnosis. */
void tell_findings(struct run *run);

/* After the last round: those that are left, as far as that takes no more than some seconds. */
void tell_rest(struct run *run);

/*
 * What was told so far is to outlast the machine. Not while a request is in flight: what the
 * firmware writes may wait behind it, for ever if need be.
 */
void tell_flush(struct run *run);

#endif
