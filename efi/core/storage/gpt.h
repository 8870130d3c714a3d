/* What a GUID partition table says of the type of a partition (UEFI 2.10, 5.3.2 and 5.3.3). */
#ifndef ZMMTEST_CORE_STORAGE_GPT_H
#define ZMMTEST_CORE_STORAGE_GPT_H

#include <stdbool.h>
#include <stdint.h>

/* The block that the table's header is in. */
#define GPT_HEADER_BLOCK 1u

struct gpt {
    uint64_t entries_block;
    uint32_t entries, entry_bytes;
};

/* False: there is no header, or one that nothing should be read by. */
bool gpt_header(const uint8_t *block, uint32_t block_bytes, struct gpt *gpt);

/* The block that an entry is in, and the offset there. An entry is never across two blocks. */
uint64_t gpt_entry_block(const struct gpt *gpt, uint32_t block_bytes, uint32_t entry);
uint32_t gpt_entry_offset(const struct gpt *gpt, uint32_t block_bytes, uint32_t entry);

/* A partition: its own GUID, where it begins, and how many blocks it has. */
struct gpt_partition {
    uint8_t guid[16];
    uint64_t first, blocks;
};

/* Whether an entry is of that partition, and has that type. */
bool gpt_entry_is(const uint8_t *entry, const struct gpt_partition *partition,
                  const uint8_t type[16]);

#endif
