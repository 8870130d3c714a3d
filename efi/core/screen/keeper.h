/* What was found and said so far, as far as the screen has a place for it. Knows no UEFI. */
#ifndef ZMMTEST_CORE_SCREEN_KEEPER_H
#define ZMMTEST_CORE_SCREEN_KEEPER_H

#include "../report/results.h"
#include <stdint.h>

/* A finding that can be looked at again: of registers, or of a block of a scratch partition. */
struct kept_finding {
    uint64_t number, round;
    uint32_t cpu, generation;
    const char *exit_name;
    bool injected, memory_changed;
    struct fault fault;
    struct diagnosis diagnosis;
    const struct signature *signature; /* NULL: none known */
    bool storage;                      /* of what is above only number and exit_name are set */
    struct wrong_block wrong;
};

/* Forgets all, at the start of a screen. */
void keep_nothing(void);

/* The latest ones are kept, and the first: what counts is how it began. */
#define FINDINGS_KEPT 512u

void keep_found(const struct found *found);
void keep_found_block(const struct found_block *found);

/* The first that was not planted; or else the first; NULL: there is none. */
const struct kept_finding *kept_first(void);

/*
 * Findings are counted as they came, from 0. Those that are kept have places, in the same order; a
 * finding changes its place when an older one is gone.
 */
uint64_t kept_count(void);
uint64_t kept_at(uint64_t place);      /* which finding is there: a place of kept_count() */
uint64_t kept_place(uint64_t finding); /* of the nearest that is kept; there is one */
uint64_t kept_place_of_first(void);
const struct kept_finding *kept_finding(uint64_t finding); /* one that is kept */

/* "zmm0-15, bits 511:256 zeroed", or the exception, or the block; for a buffer of DIAGNOSIS_TEXT
 * bytes. */
void kept_finding_hit(const struct kept_finding *kept, char *buffer);

/* The latest lines of text; one that is too long for a row goes on in the next. */
#define LINES_KEPT 512u
#define LINE_KEPT  80u

/* Which of the lines are there: from `first` to before `end`. */
struct span {
    uint64_t first, end;
};

void keep_line(const char *line);
struct span kept_lines(void);
const char *kept_line(uint64_t number);

#endif
