/*
 * Notices that the machine stood still as a whole: a migration, a snapshot with memory, suspend and
 * resume. The TSC may have gone on meanwhile or not, or back, and the firmware's clock likewise.
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

/* What a look sees, in milliseconds; 0: nothing of that. */
struct gap_seen {
    uint64_t apart;  /* from the last look, by the clock of the run: more than it may be */
    uint64_t missed; /* that the clock of the run did not count */
    uint64_t back;   /* that the TSC went back */
};

/* A first look. Returns when it was, in milliseconds of the clock: no gap began earlier. */
uint64_t gap_start(struct gap *gap);

/* Another one; `longest` is how far two looks may be apart by themselves. */
struct gap_seen gap_look(struct gap *gap, uint64_t longest);

/*
 * What went by from `since` on, in milliseconds of the clock, was our own doing: a report over a
 * slow line. What went by before it is still a gap at the next look.
 */
void gap_pass_over(struct gap *gap, uint64_t since);

/* A vCPU that had no time for so long at once was away for all of a gap of the boot vCPU. */
bool gap_shared(uint64_t gap_milliseconds, uint64_t away_milliseconds);

/* When the next tick is due: at the next multiple of `apart`. Those that were missed are left out.
 */
uint64_t gap_next_tick(uint64_t elapsed, uint64_t apart);

#endif
