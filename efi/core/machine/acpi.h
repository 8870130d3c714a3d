/* Finds tables of ACPI (ACPI 6.5, 5.2), and what they say of the machine. */
#ifndef ZMMTEST_CORE_MACHINE_ACPI_H
#define ZMMTEST_CORE_MACHINE_ACPI_H

#include <stdbool.h>
#include <stdint.h>

/* 5.2.6: the header that every table starts with. */
struct __attribute__((packed)) acpi_header {
    char signature[4];
    uint32_t length; /* of the whole table, in bytes */
    uint8_t revision, checksum;
    char oem[6], oem_table[8];
    uint32_t oem_revision, creator, creator_revision;
};

/* Whether so many bytes from a physical address on may be read. */
typedef bool acpi_readable(uint64_t address, uint64_t bytes);

/*
 * The first table of that signature whose length and checksum are right; NULL: there is none.
 * `rsdp` is the address of the Root System Description Pointer. Nothing is read for which
 * `readable` is not true.
 */
const struct acpi_header *acpi_find(uint64_t rsdp, const char signature[4],
                                    acpi_readable *readable);

/* The OEM id of the root table, as it stands there; "": there is no such table. */
void acpi_oem(uint64_t rsdp, acpi_readable *readable, char oem[7]);

/* The physical address of the HPET's registers in its table; 0: none in memory. */
uint64_t acpi_hpet_address(const struct acpi_header *table);

/*
 * The APIC ids of the processors that a MADT (signature "APIC") says are enabled, each once; those
 * that may only be plugged in later are not. Returns how many there are, and writes the first
 * `room` of their ids. Behind those, an id that stands there twice counts twice.
 */
uint32_t acpi_processors(const struct acpi_header *madt, uint32_t *apic_id, uint32_t room);

#endif
