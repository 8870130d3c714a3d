/* Reads who made firmware and machine from the SMBIOS tables (DMTF DSP0134, 3.6). */
#ifndef ZMMTEST_CORE_MACHINE_SMBIOS_H
#define ZMMTEST_CORE_MACHINE_SMBIOS_H

#include "acpi.h"

#define SMBIOS_TEXT 48u

/* Text of others, as it stands there, shortened; "": there is none. */
struct smbios {
    char firmware_vendor[SMBIOS_TEXT]; /* of the structure of type 0 */
    char manufacturer[SMBIOS_TEXT];    /* of type 1 */
    char product[SMBIOS_TEXT];
};

/*
 * `entry_point` is the address of an entry point of 32 or 64 bits; 0: there is none. Nothing is
 * read for which `readable` is not true.
 */
void smbios_read(struct smbios *smbios, uint64_t entry_point, acpi_readable *readable);

#endif
