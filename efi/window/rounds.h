/*
 * Rounds: what one vCPU does by itself - slices of the plan, the findings it makes, its counts.
 * While vCPUs run they share nothing: each field has one writer, named in its comment.
 */
#ifndef ZMMTEST_WINDOW_ROUNDS_H
#define ZMMTEST_WINDOW_ROUNDS_H

#include "../diagnosis/corruption.h"
#include "areas.h"
#include "disk.h"
#include "exits.h"
#include "finding.h"
#include "hits.h"
#include "interrupts.h"
#include "memory.h"
#include "patterns.h"
#include <stdatomic.h>

/*
 * Rotating patterns. A prime number of them, so that no buffer of two, four or eight saved states
 * beneath can bring back a state that happens to be right.
 */
#define GENERATIONS 7u

#define TIMED_EVERY   16u      /* rounds; reading the clock may itself exit */
#define TIMED_KEPT    255u     /* latest timings per exit, for the median */
#define FINDING_QUEUE 32u      /* one of each exit at least: a serial line is slow */
#define INJECT_ROW    EXIT_MAX /* tally and finding number of injected rounds */

struct peer {
    const struct rounds *rounds;
};

/* What is to run, on every vCPU alike. Read-only while they run. */
struct plan {
    struct {
        const struct exit *exit;
        const struct window *window;
    } entry[EXIT_MAX];
    uint32_t count;
    uint64_t passes;         /* 0: until told to stop */
    uint32_t inject_classes; /* bit n is class n, planted in turn; 0: none */
    uint64_t inject_every;   /* rounds */
    uint64_t hold_microseconds;
    uint32_t findings_kept; /* in full, of each exit and vCPU; all of them are counted */
    struct peer *peer;      /* the vCPUs that take part, for what they send each other */
    uint32_t peers;
    const struct disk_activity *disks;
};

struct tally {
    _Atomic uint64_t rounds, findings;
    _Atomic uint32_t unavailable; /* 1 + vector of the exception that the event raised; 0: none */
    _Atomic(const char *) over;   /* why there are no more rounds of it; NULL: there are */
    _Atomic bool waited;          /* a slice had no round, as it was not_now */
    _Atomic uint64_t interrupts;  /* taken in its rounds */
    _Atomic uint64_t live_cycles, slice_cycles; /* for exits that measure their exposure */
    uint32_t kept;
    uint32_t timings;               /* how many of cycles[] are valid */
    uint32_t next;                  /* where the next timing goes */
    _Atomic uint64_t cycles_lowest; /* 0: none yet; without what a bare round costs */
    uint32_t cycles[TIMED_KEPT];
};

/* Whole rounds, 64-byte aligned; the boot vCPU allocates one per vCPU. */
struct rounds {
    _Alignas(64) struct round ring[GENERATIONS];
    struct round mixed[GENERATIONS]; /* some component zero in each */
    struct round planted;            /* for faults of our own making */
    struct round area_round;         /* its state is an XSAVE area */

    /* Set before the start. */
    const struct machine *machine;
    const struct plan *plan;
    struct pattern_key key;
    uint32_t cpu;
    struct buffers buffers; /* the memory is; the places in it are the vCPU's own */
    struct traps *traps;    /* of this vCPU */
    bool firmwares;         /* the firmware runs on it: its interrupts are not ours */

    /* The vCPU's own. */
    uint32_t generation;   /* the next to be made */
    uint32_t oldest;       /* the ring's entry that is made anew next */
    uint32_t mixed_oldest; /* the same of mixed[] */
    uint64_t inject_left;
    uint32_t inject_next; /* class */
    uint64_t bare_cycles;
    uint64_t hold_loops;
    struct interrupts interrupts;
    struct areas areas;

    /* Written by the vCPU, read by the boot vCPU. */
    struct tally tally[EXIT_MAX + 1];
    _Atomic uint64_t verified; /* rounds in all */
    _Atomic uint64_t beats;    /* grows with every round and slice: the sign of life */
    _Atomic uint64_t findings;
    struct hits hits, injected_hits; /* of real findings, and of planted ones */
    _Atomic uint32_t current;        /* plan entry that it is in */
    _Atomic uint64_t passes;
    _Atomic uint32_t queued; /* findings put into the queue so far */
    struct finding queue[FINDING_QUEUE];

    /* Written by the boot vCPU. */
    _Atomic uint32_t taken; /* findings taken out of the queue so far */
    _Atomic bool stop, pause;
};

/* Makes the first patterns and measures the bare round. machine, plan, key and cpu are set. */
void rounds_prepare(struct rounds *rounds);

/* Runs one slice of a plan entry: its rounds with every register live, then some mixed ones. */
void rounds_slice(struct rounds *rounds, uint32_t entry);

/* False: this vCPU has no part in a plan entry. Each has its part in INJECT_ROW. */
bool rounds_take_part(const struct rounds *rounds, uint32_t entry);

/* True when no entry of the plan has anything left to run on this vCPU. */
bool rounds_exhausted(const struct rounds *rounds);

/* True when this vCPU has nothing more to do, or has been told to stop. May be asked of a peer. */
bool rounds_finished(const struct rounds *rounds);

/* A sign of life between slices. */
void rounds_beat(struct rounds *rounds);

/*
 * One round of the self-test: runs the planted window on a filled round and makes the finding of
 * it. False if the round came back intact.
 */
bool rounds_planted(struct rounds *rounds, struct round *round, const struct window *window,
                    struct finding *finding);

/* Runs a round by XSAVE with no event. False if it did not come back as it was put in. */
bool rounds_area_intact(struct rounds *rounds, struct round *round);

/* Fills a round anew with the next generation; some components may have to be in INIT state. */
void rounds_fill(struct rounds *rounds, struct round *round, uint32_t init_components);

/* The oldest finding that is waiting, or NULL; rounds_took_finding() frees its place. */
const struct finding *rounds_next_finding(const struct rounds *rounds);
void rounds_took_finding(struct rounds *rounds);

#endif
