/* Positions only grow; the block is what is left of them after whole passes. */
#include "ring.h"
#include <string.h>

/* The distance of reads from writes, in eighths of the partition: it grows up to the one, and
 * shrinks down to the other. */
#define DISTANCE_MOST  6u
#define DISTANCE_LEAST 1u

/* Of so many requests all but one are of the kind that there are to be more of. */
#define TURNS 4u

void ring_start(struct ring *ring, uint64_t blocks)
{
    memset(ring, 0, sizeof(*ring));
    ring->blocks = blocks;
}

uint64_t ring_block(const struct ring *ring, uint64_t at)
{
    return at % ring->blocks;
}

uint64_t ring_generation(const struct ring *ring, uint64_t at)
{
    return 1 + at / ring->blocks;
}

uint32_t ring_count(const struct ring *ring, enum ring_kind kind)
{
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < RING_SLOTS; slot++)
        count += ring->flight[slot].kind == kind;
    return count;
}

/* All before it is over: the first position of that kind in flight, or where the next one begins.
 */
static uint64_t done_up_to(const struct ring *ring, enum ring_kind kind)
{
    uint64_t least = kind == RING_WRITE ? ring->write_at : ring->read_at;
    for (uint32_t slot = 0; slot < RING_SLOTS; slot++)
        if (ring->flight[slot].kind == kind && ring->flight[slot].at < least)
            least = ring->flight[slot].at;
    return least;
}

bool ring_is_full(const struct ring *ring)
{
    return ring->write_at - ring->read_at > DISTANCE_MOST * (ring->blocks / 8);
}

enum ring_kind ring_next(struct ring *ring)
{
    if (ring_is_full(ring))
        ring->draining = true;
    else if (ring->write_at - ring->read_at < DISTANCE_LEAST * (ring->blocks / 8))
        ring->draining = false;
    if (!ring_count(ring, RING_WRITE))
        return RING_WRITE;
    if (!ring_count(ring, RING_READ))
        return RING_READ;
    bool rare = ++ring->turn % TURNS == 0;
    return ring->draining != rare ? RING_READ : RING_WRITE;
}

/* Of positions from `at` to before `end`: so many, but not beyond the end of the partition. */
static uint32_t fitting(const struct ring *ring, uint64_t at, uint64_t end, uint32_t most)
{
    uint64_t left = end > at ? end - at : 0, to_end = ring->blocks - at % ring->blocks;
    left = left < to_end ? left : to_end;
    return left < most ? (uint32_t)left : most;
}

/* Reads pass over what a failed write left. Returns where the next such place begins. */
static uint64_t pass_over_unknown(struct ring *ring)
{
    uint64_t next = UINT64_MAX;
    bool moved = true;
    while (moved) {
        moved = false;
        next = UINT64_MAX;
        for (uint32_t n = 0; n < RING_UNKNOWN; n++) {
            struct ring_range *range = &ring->unknown[n];
            if (range->kind == RING_FREE)
                continue;
            if (range->at <= ring->read_at) {
                uint64_t end = range->at + range->blocks;
                ring->read_at = end > ring->read_at ? end : ring->read_at;
                range->kind = RING_FREE;
                moved = true;
            } else if (range->at < next) {
                next = range->at;
            }
        }
    }
    return next;
}

bool ring_begin(struct ring *ring, uint32_t slot, enum ring_kind kind, uint32_t most)
{
    struct ring_range *range = &ring->flight[slot];
    uint64_t end = done_up_to(ring, RING_READ) + ring->blocks;
    if (kind == RING_READ) {
        uint64_t unknown = pass_over_unknown(ring);
        end = done_up_to(ring, RING_WRITE);
        end = end < unknown ? end : unknown;
    }
    uint64_t *at = kind == RING_READ ? &ring->read_at : &ring->write_at;
    uint32_t blocks = fitting(ring, *at, end, most);
    if (!blocks)
        return false;
    *range = (struct ring_range){kind, *at, blocks};
    *at += blocks;
    return true;
}

bool ring_end(struct ring *ring, uint32_t slot, bool good)
{
    struct ring_range *range = &ring->flight[slot];
    struct ring_range ended = *range;
    range->kind = RING_FREE;
    if (good || ended.kind == RING_READ)
        return true;
    for (uint32_t n = 0; n < RING_UNKNOWN; n++) {
        if (ring->unknown[n].kind == RING_FREE) {
            ring->unknown[n] = ended;
            return true;
        }
    }
    return false;
}
