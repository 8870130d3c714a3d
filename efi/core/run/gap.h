/*
 * Notices that the machine stood still as a whole: a migration, a snapshot with memory, suspend and
 * resume. The TSC may have gone on meanwhile or not, and the firmware's clock likewise.
 */
#ifndef ZMMTEST_CORE_RUN_GAP_H
#define ZMMTEST_CORE_RUN_GAP_H

#include <stdbool.h>
#include <stdint.h>

struct gap {
    uint64_t looked_at;   /* milliseconds by the TSC */
    uint64_t compared_at; /* the same, when the firmware's clock was read last */
    uint64_t wall;        /* what that said, in seconds */
    bool wall_known;
};

/* A first look. */
void gap_start(struct gap *gap);

/*
 * Another one. Milliseconds for which the machine stood still since the last, or 0; `longest` is
 * how far two looks may be apart by themselves.
 */
uint64_t gap_look(struct gap *gap, uint64_t longest);

/* What went by since the last look was our own doing: a long report, over a slow line. */
void gap_pass_over(struct gap *gap);

#endif
