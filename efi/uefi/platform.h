/* What only the firmware knows of the machine: its own name, and where devices are. */
#ifndef ZMMTEST_UEFI_PLATFORM_H
#define ZMMTEST_UEFI_PLATFORM_H

#include "../core/machine/machine.h"

/*
 * Fills the firmware name, the HPET and VGA addresses and how many vCPUs ACPI lists; 0 where there
 * is none.
 */
void platform_identify(struct machine *machine);

/* How many processors ACPI lists as enabled, and the APIC ids of the first CPU_MAX; 0: not known.
 */
uint32_t platform_processors(const uint32_t **apic_ids);

#endif
