/* Time, by the TSC: measured once against the firmware's Stall, which is the one clock everywhere.
 */
#ifndef ZMMTEST_MACHINE_CLOCK_H
#define ZMMTEST_MACHINE_CLOCK_H

#include <stdint.h>

/* Measures the TSC and starts counting; returns its frequency in Hz. The boot vCPU only. */
uint64_t clock_start(void);

/* Since clock_start. */
uint64_t clock_milliseconds(void);

/* Lets the firmware and the other vCPUs have the processor for a while. */
void clock_wait(uint32_t milliseconds);

#endif
