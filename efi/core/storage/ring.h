/*
 * Which blocks of a scratch partition are written next, and which are read back. Both go through
 * the partition again and again, the reads behind the writes. Positions count on over all passes,
 * so that one says a block and its generation.
 */
#ifndef ZMMTEST_CORE_STORAGE_RING_H
#define ZMMTEST_CORE_STORAGE_RING_H

#include <stdbool.h>
#include <stdint.h>

#define RING_SLOTS   8u  /* requests in flight at the most */
#define RING_UNKNOWN 16u /* failed writes that are kept in mind */

enum ring_kind { RING_FREE, RING_WRITE, RING_READ };

struct ring_range {
    enum ring_kind kind; /* RING_FREE: none */
    uint64_t at;
    uint32_t blocks;
};

struct ring {
    uint64_t blocks; /* that may be written, in all */
    uint64_t write_at, read_at;
    struct ring_range flight[RING_SLOTS];
    struct ring_range unknown[RING_UNKNOWN]; /* what a failed write left there, nobody knows */
    bool draining;                           /* more is read than written */
    uint32_t turn;
};

void ring_start(struct ring *ring, uint64_t blocks);

/* The block and the generation of a position. */
uint64_t ring_block(const struct ring *ring, uint64_t at);
uint64_t ring_generation(const struct ring *ring, uint64_t at);

/* How many of a kind are in flight. */
uint32_t ring_count(const struct ring *ring, enum ring_kind kind);

/* Reads have to come, too: they are as far behind the writes as they should be. */
bool ring_is_full(const struct ring *ring);

/*
 * What should come next, so that reads and writes are in flight, the distance between them grows
 * until what is read has long left all caches, and shrinks again.
 */
enum ring_kind ring_next(struct ring *ring);

/*
 * Puts a request of so many blocks at the most into a free slot. False: not now, as reads never
 * come before what they read is written, and writes not before what they write over is read.
 */
bool ring_begin(struct ring *ring, uint32_t slot, enum ring_kind kind, uint32_t most);

/* It has ended. False: too many writes have failed. */
bool ring_end(struct ring *ring, uint32_t slot, bool good);

#endif
