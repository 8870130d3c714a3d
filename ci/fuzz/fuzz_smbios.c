/*
 * SMBIOS tables that say anything. The input lies at a fixed address and begins with the entry
 * point, so that its address can lead to a table in it. It ends where the memory does; nothing is
 * mapped behind it.
 */
#include "../../efi/core/machine/hidden.h"
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

static uint8_t *memory_at_address(void)
{
    static uint8_t *memory;
    if (!memory)
        memory = mmap((void *)ADDRESS, BYTES_MOST, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    fuzz_expect(memory == (void *)ADDRESS, "the address is free");
    return memory;
}

/* An address that leads nowhere would end each input: it leads to what follows the entry point. */
static void mend_address(uint8_t *entry, size_t size)
{
    const uint64_t table = start + 32;
    if (size > 32 && memcmp(entry, "_SM3_", 5) == 0)
        memcpy(entry + 16, &table, 8);
    else if (size > 32 && memcmp(entry, "_SM_", 4) == 0)
        memcpy(entry + 24, &table, 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *memory = memory_at_address();
    struct traces traces = {0};
    char buffer[48];
    struct text text;
    if (size > BYTES_MOST)
        return 0;
    end = ADDRESS + BYTES_MOST;
    start = end - size;
    if (size)
        memcpy(memory + (start - ADDRESS), data, size);
    mend_address(memory + (start - ADDRESS), size);
    smbios_read(&traces.smbios, start, in_input);
    fuzz_expect(memchr(traces.smbios.product, 0, SMBIOS_TEXT) &&
                    memchr(traces.smbios.manufacturer, 0, SMBIOS_TEXT) &&
                    memchr(traces.smbios.firmware_vendor, 0, SMBIOS_TEXT),
                "each text has an end");
    text_start(&text, buffer, sizeof(buffer));
    fuzz_expect(hidden_look(&traces, &text) == (buffer[0] != '\0'), "what is found is said");
    return 0;
}
