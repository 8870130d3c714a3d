/* When the fault of the plan strikes, and how often it did. */
#ifndef ZMMTEST_FAULTVISOR_TRIGGER_H
#define ZMMTEST_FAULTVISOR_TRIGGER_H

#include "host_cpu.h"

/* An exit has been handled; the guest was in the event of cpu->kind. */
void trigger_exit(struct host_cpu *cpu, enum exit_cause cause);

/* At any instruction of zmmtest: strikes if it is time. */
void trigger_time(struct host_cpu *cpu, uint64_t rip);

/* Here and now, whatever the guest runs; true if that changed anything. */
bool trigger_strike(struct host_cpu *cpu);

/* Before a run: nothing was seen yet, no page was touched, no time has passed. */
void trigger_reset(void);

/* Log lines: what the fault should be named as, and how often it struck. */
void trigger_describe(void);
void trigger_report(void);

#endif
