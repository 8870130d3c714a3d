/*
 * A hypervisor that CPUID hides (VMware's hypervisor.cpuid.v0, QEMU's -cpu ...,-hypervisor) is
 * still seen by what it calls itself elsewhere.
 */
#ifndef ZMMTEST_CORE_MACHINE_HIDDEN_H
#define ZMMTEST_CORE_MACHINE_HIDDEN_H

#include "../text.h"
#include "smbios.h"
#include <stdbool.h>
#include <stdint.h>

struct traces {
    struct smbios smbios;
    char acpi_oem[7];   /* of the root table; "": there is none */
    uint64_t pci_found; /* bit n: a device of row n of the table of PCI vendors */
};

/* A PCI device of this vendor is there. */
void hidden_add_pci(struct traces *traces, uint16_t vendor);

/* "SMBIOS says VMware", of the first trace; false: there is none. */
bool hidden_look(const struct traces *traces, struct text *text);

#endif
