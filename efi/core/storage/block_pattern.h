/*
 * What a block of a scratch partition holds: a pattern that is unique for its run, vCPU,
 * generation, block and word, and tells where a wrong block came from, as patterns of registers do.
 */
#ifndef ZMMTEST_CORE_STORAGE_BLOCK_PATTERN_H
#define ZMMTEST_CORE_STORAGE_BLOCK_PATTERN_H

#include "../../platform/scratch.h"
#include <stddef.h>

/* Whose pattern it is. Generations wrap as those of registers do. */
struct block_key {
    uint32_t run, vcpu;
    uint64_t generation;
};

/* Blocks are a multiple of 16 bytes, and buffers of blocks are aligned to 8. */
void block_fill(uint64_t *buffer, size_t bytes, const struct block_key *key, uint64_t block);

/* True if it holds its pattern; else what of it is wrong, but for partition and request. */
bool block_compare(const uint64_t *buffer, size_t bytes, const struct block_key *key,
                   uint64_t block, struct wrong_block *wrong);

#endif
