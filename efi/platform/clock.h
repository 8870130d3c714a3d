/*
 * Time, by small steps of the TSC: one that goes back, or far ahead at once, changes nothing. Its
 * rate is measured against the firmware's Stall, which is the one clock everywhere.
 */
#ifndef ZMMTEST_PLATFORM_CLOCK_H
#define ZMMTEST_PLATFORM_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* All of it on the boot vCPU only. */

/* Measures the TSC and starts counting; returns its frequency in Hz, 0 where it cannot be measured.
 */
uint64_t clock_start(void);

/* The TSC has this frequency. */
void clock_set_rate(uint64_t hz);

/* Measures it anew, within a few milliseconds; 0: it cannot be told. */
uint64_t clock_measure(void);

/* Since clock_start; it never goes back. */
uint64_t clock_milliseconds(void);

/* Milliseconds of those steps of the TSC that were not counted. */
struct clock_jumps {
    uint64_t back, ahead;
};

/* Since this was asked last. */
struct clock_jumps clock_jumps(void);

/* The firmware's clock, in seconds since some moment; false if it cannot be read. */
bool clock_wall(uint64_t *seconds);

/* Lets the firmware and the other vCPUs have the processor for a while. */
void clock_wait(uint32_t milliseconds);

#endif
