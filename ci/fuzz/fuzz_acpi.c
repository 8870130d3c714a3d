/*
 * ACPI tables that say anything. The input lies at a fixed address and begins with the RSDP, so
 * that addresses in it can lead to its own tables; nothing is mapped behind it. Its checksums are
 * put right where they can be, or else no table would ever be looked into.
 */
#include "../../efi/core/machine/acpi.h"
#include "fuzz.h"
#include <string.h>
#include <sys/mman.h>

#define ADDRESS    UINT64_C(0x20000000)
#define BYTES_MOST 8192u

static uint64_t start, end;

static bool in_input(uint64_t address, uint64_t bytes)
{
    return address >= start && address < end && bytes <= end - address;
}

/* Each table that an entry of 4 or 8 bytes anywhere in the input leads to. */
static void mend_checksums(uint8_t *memory, size_t size)
{
    for (size_t at = 0; at + 8 <= size; at += 4) {
        uint32_t address, length;
        uint8_t sum = 0;
        memcpy(&address, memory + at, sizeof(address));
        if (!in_input(address, sizeof(struct acpi_header)))
            continue;
        uint8_t *table = memory + (address - start);
        memcpy(&length, table + 4, sizeof(length));
        if (!in_input(address, length) || length < sizeof(struct acpi_header))
            continue;
        for (uint32_t n = 0; n < length; n++)
            sum = (uint8_t)(sum + table[n]);
        table[9] = (uint8_t)(table[9] - sum);
    }
}

static uint8_t *memory_at_address(void)
{
    static uint8_t *memory;
    if (!memory)
        memory = mmap((void *)ADDRESS, BYTES_MOST, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    fuzz_expect(memory == (void *)ADDRESS, "the address is free");
    return memory;
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
    uint8_t *memory = memory_at_address();
    if (size > BYTES_MOST)
        return 0;
    memset(memory, 0, BYTES_MOST);
    if (size)
        memcpy(memory, data, size);
    start = ADDRESS;
    end = ADDRESS + size;
    mend_checksums(memory, size);
    const struct acpi_header *madt = acpi_find(ADDRESS, "APIC", in_input);
    if (madt)
        read_processors(madt);
    const struct acpi_header *table = acpi_find(ADDRESS, "HPET", in_input);
    if (!table)
        return 0;
    read_processors(table);
    fuzz_expect(in_input((uint64_t)table, table->length), "a table that is found can be read");
    (void)acpi_hpet_address(table);
    return 0;
}
