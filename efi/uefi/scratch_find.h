/* Finds the partitions that may be written over. */
#ifndef ZMMTEST_UEFI_SCRATCH_FIND_H
#define ZMMTEST_UEFI_SCRATCH_FIND_H

#include "block_device.h"
#include <stdbool.h>
#include <stdint.h>

/* 5D2A3730-BAC1-4705-A7AC-21A4865F550A, as image/scratch.sh has it. */
#define SCRATCH_TYPE_GUID                                                                          \
    {                                                                                              \
        0x5d2a3730, 0xbac1, 0x4705,                                                                \
        {                                                                                          \
            0xa7, 0xac, 0x21, 0xa4, 0x86, 0x5f, 0x55, 0x0a                                         \
        }                                                                                          \
    }

/* So that all requests that may be in flight find room, with the unread between them. */
#define SCRATCH_BYTES_LEAST (UINT64_C(4) << 20)

/* Blocks of a disk; a larger one is a tape's or a memory's. */
#define SCRATCH_BLOCK_LEAST 512u
#define SCRATCH_BLOCK_MOST  4096u

struct scratch_place {
    struct block_device device;
    uint8_t guid[16]; /* of the partition itself */
};

/*
 * Up to `most` of them. *reason: why there is none, in words, should that be so. Each that has the
 * type and is none all the same is told in a notice.
 */
uint32_t scratch_places(struct scratch_place *place, uint32_t most, const char **reason);

#endif
