/* The platform's own clocks: one to measure the TSC's rate against, which beneath UEFI is Stall,
 * the one that is everywhere, and one that goes on while the machine stands still. */
#ifndef ZMMTEST_PLATFORM_CLOCK_H
#define ZMMTEST_PLATFORM_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* All of it on the boot vCPU only. */

/* The TSC's frequency in Hz, measured with patience; 0: it cannot be measured. */
uint64_t clock_measure_first(void);

/* The same within a few milliseconds; 0: it cannot be told. */
uint64_t clock_measure(void);

/* The firmware's clock, in seconds since some moment; false if it cannot be read. */
bool clock_wall(uint64_t *seconds);

/* Lets the firmware and the other vCPUs have the processor for a while. */
void clock_wait(uint32_t milliseconds);

#endif
