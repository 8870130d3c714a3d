/*
 * Work for the storage beneath: reads that stay in flight while vCPUs hold their registers, as on
 * the hosts of the ESXi 8.0.2 bug. Nothing is ever written. No window spans a call of the firmware,
 * whose calling convention lets it change most of the vector state (UEFI 2.10, 2.3.4.2).
 */
#ifndef ZMMTEST_DISKS_H
#define ZMMTEST_DISKS_H

#include "window/disk.h"
#include <stdbool.h>

/* The disk that zmmtest was booted from, or all there are; NULL, or the reason why there is none.
 */
const char *disks_find(bool all);

/* What the vCPUs may know of it. */
const struct disk_activity *disks_activity(void);

/* On the boot vCPU, between slices: takes what was read and asks for more. */
void disks_poll(void);

/*
 * Lets what is in flight end, so that the firmware's disks can be used for something else: a driver
 * may do one thing after the other. The next poll goes on. False if a read does not come back soon,
 * or one never did: what else is asked for may then wait behind it for ever.
 */
bool disks_rest(void);

/* No more reads; waits for those in flight, 10 s each at the most. False if one did not come back.
 */
bool disks_stop(void);

/* One log line for each disk, of a run of so many milliseconds. */
void disks_report(uint64_t milliseconds);

void disks_free(void);

#endif
