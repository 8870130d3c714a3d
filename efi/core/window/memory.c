/* Copies and cold pages: their buffers, their operands, and whether memory holds what was stored.
 */
#include "memory.h"
#include "../../platform/instructions.h"
#include "../../platform/pages.h"
#include "area_compare.h"
#include "area_fill.h"
#include <string.h>

#define LINE_BYTES   64u
#define PIECE_BYTES  ((size_t)COPY_PIECE_BYTES)
#define MISALIGNMENT 24u /* bytes: the line then crosses a cache line */
#define POISON       0xee
#define XSAVE_WIDTH  16u /* bytes: the xsave form of a window uses xmm registers, see window.h */

static const char too_little_memory[] = "too little free memory";

static size_t half_of(const struct buffers *buffers)
{
    return buffers->copy_bytes / 2;
}

/* Each line is a pattern of register 0 of a generation of its own. Done at the first copy. */
static void fill_source(struct rounds *rounds)
{
    struct buffers *buffers = &rounds->buffers;
    struct pattern_origin origin = {rounds->key.run, rounds->key.vcpu, 0, 0, 0};
    buffers->copy_filled = true;
    size_t count = half_of(buffers) / sizeof(uint64_t);
    for (size_t n = 0; n < count; n++) {
        origin.generation = (uint32_t)(n / VECTOR_LANES);
        origin.lane = n % VECTOR_LANES;
        uint64_t quadword = pattern_make(&origin);
        memcpy(buffers->copy + n * sizeof(quadword), &quadword, sizeof(quadword));
    }
}

static uint64_t loop_cycles(uint64_t count)
{
    uint64_t start = rdtsc();
    __asm__ volatile("1: loop 1b" : "+c"(count));
    return rdtsc() - start;
}

/* The best of a few: an interruption makes a loop look slow, and the hold would be too short. */
static uint64_t best_loop_cycles(uint64_t count)
{
    uint64_t best = UINT64_MAX;
    for (int n = 0; n < 5; n++) {
        uint64_t cycles = loop_cycles(count);
        best = cycles < best ? cycles : best;
    }
    return best ? best : 1;
}

/*
 * First roughly, then for a tenth of the hold each time, or 100 us: a processor may be slow for
 * microseconds.
 */
static uint64_t measure_loop(uint64_t cycles_wanted, uint64_t tsc_hz)
{
    const uint64_t few = 100, longest = tsc_hz / 10000;
    uint64_t tenth = cycles_wanted / 10 < longest ? cycles_wanted / 10 : longest;
    uint64_t count = tenth * few / best_loop_cycles(few) + few;
    return cycles_wanted * count / best_loop_cycles(count) + 1;
}

void memory_prepare(struct rounds *rounds)
{
    uint64_t cycles = rounds->machine->tsc_hz / 1000000 * rounds->plan->options.hold_microseconds;
    rounds->hold_loops = measure_loop(cycles, rounds->machine->tsc_hz);
}

enum begun hold_begin(struct rounds *rounds, struct round *round, const char **reason)
{
    (void)reason;
    round->expected.general[RCX] = rounds->hold_loops;
    return BEGUN;
}

/*
 * The next piece, every second one misaligned. Register 0 ends as the last line that was copied, so
 * that line is what it is loaded with; of a narrower copy the upper part ends as zero.
 */
static enum begun begin_copy(struct rounds *rounds, struct round *round, size_t width,
                             const char **reason)
{
    struct buffers *buffers = &rounds->buffers;
    size_t half = half_of(buffers);
    if (half < PIECE_BYTES + LINE_BYTES)
        return no_more(reason, too_little_memory);
    if (!buffers->copy_filled)
        fill_source(rounds);
    buffers->copy_at += PIECE_BYTES;
    if (buffers->copy_at + PIECE_BYTES + LINE_BYTES > half)
        buffers->copy_at = 0;
    buffers->misaligned = buffers->misaligned ? 0 : MISALIGNMENT;
    uint8_t *from = buffers->copy + buffers->copy_at + buffers->misaligned;
    uint8_t *to = from + half;
    memset(to, POISON, PIECE_BYTES);
    round->vector_operands = 1;
    if (round->area_mask) {
        width = XSAVE_WIDTH;
        memcpy(round->expected.vector[0], from + PIECE_BYTES - width, width);
        areas_take_register_0(rounds, round);
    } else {
        memset(round->expected.vector[0], 0, LINE_BYTES);
        memcpy(round->expected.vector[0], from + PIECE_BYTES - width, width);
    }
    round->expected.general[RSI] = (uint64_t)from;
    round->expected.general[RDI] = (uint64_t)to;
    round->expected.general[RCX] = PIECE_BYTES / width;
    return BEGUN;
}

enum begun copy_begin(struct rounds *rounds, struct round *round, const char **reason)
{
    return begin_copy(rounds, round, sizeof(uint64_t) * form_lanes(rounds->key.form), reason);
}

enum begun copy_ymm_begin(struct rounds *rounds, struct round *round, const char **reason)
{
    return begin_copy(rounds, round, rounds->key.form == FORM_XMM ? 16 : 32, reason);
}

enum begun copy_xmm_begin(struct rounds *rounds, struct round *round, const char **reason)
{
    return begin_copy(rounds, round, 16, reason);
}

/* Bytes that a register takes to memory in the round's form. */
static size_t width_of(const struct rounds *rounds, const struct round *round)
{
    return round->area_mask ? XSAVE_WIDTH : sizeof(uint64_t) * form_lanes(rounds->key.form);
}

/* Makes the line that differs a finding of register 0, in lanes of the register that carried it. */
static void show_line(struct round *round, const uint8_t *want, const uint8_t *got, size_t bytes)
{
    memset(round->expected.vector[0], 0, LINE_BYTES);
    memset(round->found.vector[0], 0, LINE_BYTES);
    memcpy(round->expected.vector[0], want, bytes);
    memcpy(round->found.vector[0], got, bytes);
}

bool copy_verify(struct rounds *rounds, struct round *round)
{
    const struct buffers *buffers = &rounds->buffers;
    const uint8_t *from = buffers->copy + buffers->copy_at + buffers->misaligned;
    const uint8_t *to = from + half_of(buffers);
    size_t width = width_of(rounds, round);
    for (size_t at = 0; at < PIECE_BYTES; at += width) {
        if (memcmp(from + at, to + at, width) == 0)
            continue;
        show_line(round, from + at, to + at, width);
        return false;
    }
    return true;
}

/* So many bytes that were never touched, from a page boundary; NULL with the reason. */
static uint8_t *next_cold(struct buffers *buffers, size_t bytes, const char **reason)
{
    uint8_t *cold = buffers->cold + buffers->cold_next;
    if (buffers->cold_bytes == 0 || buffers->cold_next + bytes > buffers->cold_bytes) {
        *reason = buffers->cold_bytes ? "each page of its memory has had its first touch"
                                      : too_little_memory;
        return NULL;
    }
    buffers->cold_next += (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    return cold;
}

enum begun cold_page_begin(struct rounds *rounds, struct round *round, const char **reason)
{
    uint8_t *cold = next_cold(&rounds->buffers, PAGE_BYTES, reason);
    round->expected.general[RDI] = (uint64_t)cold;
    return cold ? BEGUN : NO_MORE;
}

bool cold_page_verify(struct rounds *rounds, struct round *round)
{
    const uint8_t *stored = (const uint8_t *)round->expected.general[RDI]; // NOLINT
    size_t width = width_of(rounds, round);
    if (memcmp(round->expected.vector[0], stored, width) == 0)
        return true;
    memcpy(round->found.vector[0], stored, width);
    return false;
}

/*
 * An XSAVE area whose first part, another one each time, is at the end of a page; the rest is in
 * the next one.
 */
enum begun cold_xsave_begin(struct rounds *rounds, struct round *round, const char **reason)
{
    struct buffers *buffers = &rounds->buffers;
    const struct areas *areas = &rounds->areas;
    uint64_t mask = areas->stored;
    uint32_t area_bytes = rounds->machine->xstate.area_bytes;
    buffers->straddling = buffers->straddling + LINE_BYTES < area_bytes &&
                                  buffers->straddling + LINE_BYTES < PAGE_BYTES
                              ? buffers->straddling + LINE_BYTES
                              : LINE_BYTES;
    size_t before = PAGE_BYTES - buffers->straddling;
    uint8_t *cold = next_cold(buffers, before + area_bytes, reason);
    round->expected.general[RDI] = (uint64_t)cold + before;
    round->expected.general[RAX] = (uint32_t)mask;
    round->expected.general[RDX] = mask >> 32;
    return cold ? BEGUN : NO_MORE;
}

bool cold_xsave_verify(struct rounds *rounds, struct round *round)
{
    return areas_saved_right(rounds, round,
                             (const uint8_t *)round->expected.general[RDI]); // NOLINT
}
