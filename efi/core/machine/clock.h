/* Time since the start, by small steps of the TSC: one that goes back, or far ahead at once,
 * changes nothing. All of it on the boot vCPU only. */
#ifndef ZMMTEST_CORE_MACHINE_CLOCK_H
#define ZMMTEST_CORE_MACHINE_CLOCK_H

#include <stdint.h>

/* Measures the TSC and starts counting; returns its frequency in Hz, 0 where it cannot be measured.
 */
uint64_t clock_start(void);

/* The TSC has this frequency. */
void clock_set_rate(uint64_t hz);

/* Since clock_start; it never goes back. */
uint64_t clock_milliseconds(void);

/* Milliseconds of those steps of the TSC that were not counted. */
struct clock_jumps {
    uint64_t back, ahead;
};

/* Since this was asked last. */
struct clock_jumps clock_jumps(void);

#endif
