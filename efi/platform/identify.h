/* Finds out what machine this is, at the start and again when it changed. */
#ifndef ZMMTEST_PLATFORM_IDENTIFY_H
#define ZMMTEST_PLATFORM_IDENTIFY_H

#include <stdint.h>

struct machine; /* of core/machine/machine.h */
struct mark;    /* of core/machine/mark.h */

/* On the boot vCPU, through the firmware. tsc_hz is not found out here. */
void machine_identify(struct machine *machine, uint64_t tsc_hz);

/* A look at what tells it from others, which costs little; *machine is what it was last. */
void machine_mark(struct mark *mark, const struct machine *machine);

#endif
