/*
 * Strikes by the clock, whatever the guest runs then, and the log of them: how long zmmtest takes
 * to find a fault that comes at a random moment, and which ones it does not find.
 */
#ifndef ZMMTEST_FAULTVISOR_MOMENTS_H
#define ZMMTEST_FAULTVISOR_MOMENTS_H

#include "host_cpu.h"

/* At an exit whose guest stood there: strikes if it is time, and sets the timer for the next. */
void moments_look(struct host_cpu *cpu, uint64_t rip);

/*
 * One more character of what zmmtest says on COM1. True: it is kept until the end of the run, and
 * does not take the time of a real port, of which the telling of a finding would be a tenth of a
 * second.
 */
bool moments_hear(char c);

/* Before a run: no moment has been. */
void moments_reset(void);

/* What zmmtest said, and log lines: each moment. */
void moments_report(void);

#endif
