/*
 * SMBIOS tables that say anything. The input lies at a fixed address and begins with the entry
 * point, so that its address can lead to a table in it. It ends where the memory does; nothing is
 * mapped behind it.
 */
#include "../../efi/core/machine/hidden.h"
#include "fuzz.h"
#include <string.h>

/* An address that leads nowhere would end each input: it leads to what follows the entry point. */
static void mend_address(uint8_t *entry, uint64_t start, size_t size)
{
    const uint64_t table = start + 32;
    if (size > 32 && memcmp(entry, "_SM3_", 5) == 0)
        memcpy(entry + 16, &table, 8);
    else if (size > 32 && memcmp(entry, "_SM_", 4) == 0)
        memcpy(entry + 24, &table, 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint64_t start = FUZZ_MEMORY_END - size;
    uint8_t *memory = fuzz_memory_put(start, data, size);
    struct traces traces = {0};
    char buffer[48];
    struct text text;
    if (!memory)
        return 0;
    mend_address(memory, start, size);
    smbios_read(&traces.smbios, start, fuzz_memory_has);
    fuzz_expect(memchr(traces.smbios.product, 0, SMBIOS_TEXT) &&
                    memchr(traces.smbios.manufacturer, 0, SMBIOS_TEXT) &&
                    memchr(traces.smbios.firmware_vendor, 0, SMBIOS_TEXT),
                "each text has an end");
    text_start(&text, buffer, sizeof(buffer));
    fuzz_expect(hidden_look(&traces, &text) == (buffer[0] != '\0'), "what is found is said");
    return 0;
}
