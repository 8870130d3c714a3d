/*
 * Two numbers say all: one of run, vCPU and generation, by the mix of the patterns of registers,
 * and one of the block. Each word of a block is the one and the other, or twice the other, with a
 * step for its place: so a pair of words is enough to tell whose a block is, and making one costs
 * an addition a word.
 */
#include "block_pattern.h"
#include "../window/patterns.h"
#include <string.h>

/* Odd, so that no two places in a block have the same step. */
#define STEP UINT64_C(0x9e3779b97f4a7c15)

/* An odd multiplier and its inverse modulo 2^64: neighbours differ in all their bits. */
#define MULTIPLIER UINT64_C(0xd6e8feb86659fd93)
#define INVERSE    UINT64_C(0xcfee444d8b59a89b)

/* No disk has so many blocks: a number above it was no block's. */
#define BLOCKS_MOST (UINT64_C(1) << 48)

/* Of all words of one block. */
struct words {
    uint64_t key, block;
};

static struct words words_of(const struct block_key *key, uint64_t block)
{
    const struct pattern_origin origin = {.run = key->run & ((1u << PATTERN_RUN_BITS) - 1),
                                          .vcpu = key->vcpu & ((1u << PATTERN_VCPU_BITS) - 1),
                                          .generation = key->generation &
                                                        ((1u << PATTERN_GENERATION_BITS) - 1)};
    return (struct words){pattern_make(&origin), (block + 1) * MULTIPLIER};
}

static uint64_t word_of(const struct words *words, uint64_t number)
{
    return words->key + (1 + (number & 1)) * words->block + number * STEP;
}

void block_fill(uint64_t *buffer, size_t bytes, const struct block_key *key, uint64_t block)
{
    const struct words words = words_of(key, block);
    for (size_t n = 0; n < bytes / 8; n++)
        buffer[n] = word_of(&words, n);
}

/* Whose the words of the pair are that this one is in. False: nobody's who writes patterns. */
static bool decode(const uint64_t *buffer, size_t number, struct pattern_origin *origin,
                   uint64_t *block)
{
    size_t pair = number & ~(size_t)1;
    uint64_t of_block = buffer[pair + 1] - buffer[pair] - STEP;
    uint64_t key = buffer[pair] - of_block - pair * STEP;
    *block = of_block * INVERSE - 1;
    return pattern_decode(key, origin) && origin->reg == 0 && origin->lane == 0 &&
           *block < BLOCKS_MOST;
}

/* By the first wrong word, which is at the start of a torn block's part that is not this one's. */
static void trace(const uint64_t *buffer, const struct block_key *key, struct wrong_block *wrong)
{
    struct pattern_origin origin;
    uint64_t block, difference = wrong->word[0].want ^ wrong->word[0].got;
    wrong->origin = ORIGIN_FOREIGN;
    if (wrong->words == 1 && (difference & (difference - 1)) == 0) {
        wrong->origin = ORIGIN_BIT_FLIP;
    } else if (wrong->word[0].got == 0) {
        wrong->origin = ORIGIN_ZEROED;
    } else if (decode(buffer, wrong->word[0].number, &origin, &block)) {
        wrong->from_run = origin.run;
        wrong->from_block = block;
        wrong->from_generation = origin.generation;
        wrong->origin = origin.run != key->run  ? ORIGIN_OTHER_RUN
                        : block != wrong->block ? ORIGIN_SWAPPED
                                                : ORIGIN_STALE;
    }
}

bool block_compare(const uint64_t *buffer, size_t bytes, const struct block_key *key,
                   uint64_t block, struct wrong_block *wrong)
{
    const struct words words = words_of(key, block);
    uint64_t difference = 0;
    for (size_t n = 0; n < bytes / 8; n++)
        difference |= buffer[n] ^ word_of(&words, n);
    if (!difference)
        return true;
    memset(wrong, 0, sizeof(*wrong));
    wrong->block = block;
    wrong->generation = key->generation;
    for (uint32_t n = 0; n < bytes / 8; n++) {
        uint64_t want = word_of(&words, n);
        if (buffer[n] == want)
            continue;
        if (wrong->words < WRONG_WORDS) {
            wrong->word[wrong->words].number = n;
            wrong->word[wrong->words].want = want;
            wrong->word[wrong->words].got = buffer[n];
        }
        wrong->words++;
    }
    trace(buffer, key, wrong);
    return false;
}
