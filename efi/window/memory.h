/*
 * Memory that windows work on: what a copy reads and writes, pages that were never touched. The
 * hooks of the rows in exits.c that need more than operands.
 */
#ifndef ZMMTEST_WINDOW_MEMORY_H
#define ZMMTEST_WINDOW_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct round;
struct rounds;

#define PAGE_BYTES 4096u

/* Of one vCPU; 64-byte aligned. Sizes are whole pages; 0: there is none. */
struct buffers {
    uint8_t *copy; /* the first half is read, the second written */
    size_t copy_bytes;
    uint8_t *cold; /* not one byte of it may be touched before its turn */
    size_t cold_bytes;
    size_t copy_at;    /* offset of the piece that this round copies */
    size_t cold_next;  /* of the first page that was never touched */
    size_t straddling; /* bytes of this round's XSAVE area that lie in its first page */
    bool copy_filled;
    size_t misaligned; /* bytes by which this round's copy is */
};

/* Before each round (exits.h). */
const char *hold_begin(struct rounds *rounds, struct round *round);
const char *copy_begin(struct rounds *rounds, struct round *round);
const char *copy_ymm_begin(struct rounds *rounds, struct round *round);
const char *copy_xmm_begin(struct rounds *rounds, struct round *round);
const char *cold_page_begin(struct rounds *rounds, struct round *round);
const char *cold_xsave_begin(struct rounds *rounds, struct round *round);

/*
 * After a round that came to its end. False: what was stored is wrong; expected and found of
 * register 0 are then the first line that differs, as it was to be stored and as it was; of XSAVE,
 * found is what it saved where that differs.
 */
bool copy_verify(struct rounds *rounds, struct round *round);
bool cold_page_verify(struct rounds *rounds, struct round *round);
bool cold_xsave_verify(struct rounds *rounds, struct round *round);

/* Measures how often LOOP goes around in a hold. */
void memory_prepare(struct rounds *rounds);

#endif
