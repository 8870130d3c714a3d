/* Finds out what machine this is, at the start and again after a gap in time. */
#ifndef ZMMTEST_PLATFORM_IDENTIFY_H
#define ZMMTEST_PLATFORM_IDENTIFY_H

#include <stdint.h>

struct machine; /* of core/machine/machine.h */

/* On the boot vCPU, through the firmware. tsc_hz is not found out here. */
void machine_identify(struct machine *machine, uint64_t tsc_hz);

#endif
