/* What only the firmware knows of the machine: its own name, and where devices are. */
#ifndef ZMMTEST_UEFI_PLATFORM_H
#define ZMMTEST_UEFI_PLATFORM_H

#include "../core/machine/machine.h"

/* Fills the firmware name and the HPET and VGA addresses; 0 where there is none. */
void platform_identify(struct machine *machine);

#endif
