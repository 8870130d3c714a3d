/*
 * ACPI tables that say anything. The input lies at a fixed address and begins with the RSDP, so
 * that addresses in it can lead to its own tables; nothing is mapped behind it. Its checksums are
 * put right where they can be, or else no table would ever be looked into.
 */
#include "../../efi/core/machine/acpi.h"
#include "fuzz.h"
#include <string.h>

/* Each table that an entry of 4 or 8 bytes anywhere in the input leads to. */
static void mend_checksums(uint8_t *memory, size_t size)
{
    for (size_t at = 0; at + 8 <= size; at += 4) {
        uint32_t address, length;
        uint8_t sum = 0;
        memcpy(&address, memory + at, sizeof(address));
        if (!fuzz_memory_has(address, sizeof(struct acpi_header)))
            continue;
        uint8_t *table = memory + (address - FUZZ_MEMORY);
        memcpy(&length, table + 4, sizeof(length));
        if (!fuzz_memory_has(address, length) || length < sizeof(struct acpi_header))
            continue;
        for (uint32_t n = 0; n < length; n++)
            sum = (uint8_t)(sum + table[n]);
        table[9] = (uint8_t)(table[9] - sum);
    }
}

/* Of a table of any kind: as a MADT, which is bounded by its own length. */
static void read_processors(const struct acpi_header *table)
{
    uint32_t apic_id[4];
    uint32_t count = acpi_processors(table, apic_id, 4);
    fuzz_expect(count <= table->length / 8, "no more processors than the table has room for");
    for (uint32_t n = 1; n < count && n < 4; n++)
        fuzz_expect(apic_id[n] != apic_id[0], "each processor once");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *memory = fuzz_memory_put(FUZZ_MEMORY, data, size);
    if (!memory)
        return 0;
    mend_checksums(memory, size);
    const struct acpi_header *madt = acpi_find(FUZZ_MEMORY, "APIC", fuzz_memory_has);
    if (madt)
        read_processors(madt);
    const struct acpi_header *table = acpi_find(FUZZ_MEMORY, "HPET", fuzz_memory_has);
    if (!table)
        return 0;
    read_processors(table);
    fuzz_expect(fuzz_memory_has((uint64_t)table, table->length),
                "a table that is found can be read");
    (void)acpi_hpet_address(table);
    return 0;
}
