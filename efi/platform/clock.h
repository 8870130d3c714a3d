/* Time, by the TSC: measured once against the firmware's Stall, which is the one clock everywhere.
 */
#ifndef ZMMTEST_PLATFORM_CLOCK_H
#define ZMMTEST_PLATFORM_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Measures the TSC and starts counting; returns its frequency in Hz. The boot vCPU only. */
uint64_t clock_start(void);

/* Since clock_start. */
uint64_t clock_milliseconds(void);

/* The firmware's clock, in seconds since some moment; false if it cannot be read. */
bool clock_wall(uint64_t *seconds);

/* Lets the firmware and the other vCPUs have the processor for a while. */
void clock_wait(uint32_t milliseconds);

#endif
