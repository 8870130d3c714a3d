/* Reads no more of header and entries than it takes to find a partition that is known already. */
#include "gpt.h"
#include <string.h>

/* Offsets in the header (UEFI 2.10, table 5.5). */
#define HEADER_ENTRIES_BLOCK 72u
#define HEADER_ENTRIES       80u
#define HEADER_ENTRY_BYTES   84u

/* Offsets in an entry (table 5.6), which has 128 bytes at the least. */
#define ENTRY_TYPE  0u
#define ENTRY_GUID  16u
#define ENTRY_FIRST 32u
#define ENTRY_LAST  40u
#define ENTRY_BYTES 128u

/* Tables have 128 entries; more is somebody's mistake, and would take long to read. */
#define ENTRIES_MOST 1024u

static uint64_t quadword(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static uint32_t doubleword(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

bool gpt_header(const uint8_t *block, uint32_t block_bytes, struct gpt *gpt)
{
    gpt->entries_block = quadword(block + HEADER_ENTRIES_BLOCK);
    gpt->entries = doubleword(block + HEADER_ENTRIES);
    gpt->entry_bytes = doubleword(block + HEADER_ENTRY_BYTES);
    return memcmp(block, "EFI PART", 8) == 0 && gpt->entries <= ENTRIES_MOST &&
           gpt->entry_bytes >= ENTRY_BYTES && gpt->entry_bytes <= block_bytes &&
           block_bytes % gpt->entry_bytes == 0 && gpt->entries_block > GPT_HEADER_BLOCK &&
           gpt->entries_block < UINT64_MAX - ENTRIES_MOST;
}

uint64_t gpt_entry_block(const struct gpt *gpt, uint32_t block_bytes, uint32_t entry)
{
    return gpt->entries_block + entry / (block_bytes / gpt->entry_bytes);
}

uint32_t gpt_entry_offset(const struct gpt *gpt, uint32_t block_bytes, uint32_t entry)
{
    return entry % (block_bytes / gpt->entry_bytes) * gpt->entry_bytes;
}

bool gpt_entry_is(const uint8_t *entry, const struct gpt_partition *partition,
                  const uint8_t type[16])
{
    return memcmp(entry + ENTRY_TYPE, type, 16) == 0 &&
           memcmp(entry + ENTRY_GUID, partition->guid, 16) == 0 &&
           quadword(entry + ENTRY_FIRST) == partition->first &&
           quadword(entry + ENTRY_LAST) - partition->first + 1 == partition->blocks;
}
