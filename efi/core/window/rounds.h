/*
 * What one vCPU works with in its rounds, as data: the plan, its patterns, its memory, its counts
 * and its findings. While vCPUs run they share nothing: each field has one writer, named in its
 * comment.
 */
#ifndef ZMMTEST_CORE_WINDOW_ROUNDS_H
#define ZMMTEST_CORE_WINDOW_ROUNDS_H

#include "areas.h"
#include "corruption.h"
#include "exit.h"
#include "finding.h"
#include "hits.h"
#include "patterns.h"
#include "plan_options.h"
#include "pulse.h"
#include "system.h"
#include "tsc_skew.h"
#include <stdatomic.h>
#include <stddef.h>

struct disk_activity;
struct net_activity;
struct scratch_activity;
struct traps;

/*
 * Rotating patterns. A prime number of them, so that no buffer of two, four or eight saved states
 * beneath can bring back a state that happens to be right.
 */
#define GENERATIONS 7u

#define TIMED_EVERY   16u            /* rounds; reading the clock may itself exit */
#define TIMED_KEPT    255u           /* latest timings per exit, for the median */
#define FINDING_QUEUE 64u            /* one of each exit at least: a serial line is slow */
#define INJECT_ROW    EXIT_MAX       /* tally and finding number of injected rounds */
#define PREPARE_ROW   (EXIT_MAX + 1) /* the same of what comes before the first round of the plan */

/* Memory that windows work on (memory.h): 64-byte aligned. Sizes are whole pages; 0: there is none.
 */
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

/* Interrupts (interrupts.h): the vCPU's own but for what is said to be read by others. */
struct interrupts {
    bool taken;           /* between interrupts_take() and interrupts_give_back() */
    const char *no_timer; /* why the timer cannot be used; NULL: it can */
    uint64_t timer_ticks; /* of the local APIC's timer in a hold */
    uint64_t random;      /* state of the generator */
    struct {
        uint32_t spurious, lint0, timer, divide, initial;
    } firmware; /* what the local APIC held */

    /* Read by the others. */
    _Atomic uint32_t apic_id;
    _Atomic bool accepts; /* IPIs may be sent to it */
    _Atomic bool sending; /* it may be about to send one */
};

/* Of exits behind which something has to come (step.h). */
enum step_kind {
    STEP_OF_TRAP,
    STEP_OF_SHADOW,
    STEP_OF_BREAKPOINT,
    STEP_OF_INTERRUPT,
    STEP_KIND_COUNT
};

struct stepping {
    enum step_kind kind;       /* of the round at hand */
    uint64_t nmis, interrupts; /* so many there had been before it */
    bool probed[STEP_KIND_COUNT];
    const char *reason[STEP_KIND_COUNT]; /* why it cannot be tested on this vCPU; NULL: it can */
};

enum turn {
    TURN_OF_PASS,  /* a whole slice of the exit whose turn it is */
    TURN_TO_FILL,  /* one with all registers live for most of it */
    TURN_TO_FOCUS, /* a whole slice of one in which something was found */
};

/* Whose slice is next (turns.h). All zero: the first slice of the first pass is next. Times are in
 * ticks of the TSC. */
struct turns {
    enum turn turn;
    uint32_t entry;           /* of the plan: the next slice */
    uint32_t in_pass;         /* the entry whose turn in the pass it is, or that has it next */
    uint32_t filled, focused; /* the entries that had such a turn last */
    uint8_t missed[EXIT_MAX]; /* such turns of each entry in a row without any round */
    uint64_t rounds_before;   /* this slice, of its entry */
    uint64_t pass_live;       /* what had been live when the pass began */
    uint64_t turn_at;         /* when the last turn of the pass was over; earlier, by what was taken
                                 too much before it */
    /* What slices took in this pass: all of them, and those of such turns. The firmware's time
     * between them is none that a choice of slices could change. */
    uint64_t slices, filling, focusing;
};

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
    struct plan_options options;
    bool weighed; /* by the time for which registers are live (turns.h); else all have as many */
    struct peer *peer; /* the vCPUs that take part, for what they send each other */
    uint32_t peers;
    const struct disk_activity *disks;
    const struct scratch_activity *scratch;
    const struct net_activity *net;
};

struct tally {
    _Atomic uint64_t rounds, findings;
    uint64_t fault_address;       /* of a page fault of the event; written before the next */
    _Atomic uint32_t unavailable; /* 1 + vector of the exception that the event raised; 0: none */
    _Atomic(const char *) over;   /* why there are no more rounds of it; NULL: there are */
    _Atomic bool waited;          /* a slice had no round, as it was NOT_NOW */
    _Atomic uint64_t interrupts;  /* taken in its rounds */
    _Atomic uint64_t timed,
        left; /* rounds that were timed; and of these those that left the guest */
    _Atomic uint64_t live_cycles;  /* for which all registers were live, and were compared then */
    _Atomic uint64_t slice_cycles; /* in all */
    _Atomic uint64_t whole_slices, whole_cycles; /* of these, slices as each pass has one */
    uint32_t by_xsave; /* rounds by XSAVE in the next slice, if that is more than one */
    uint32_t mix;      /* of these the next */
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
    bool runs_firmware;     /* the firmware runs on it: its interrupts are not ours */

    /* The vCPU's own. */
    uint32_t generation;   /* the next to be made */
    uint32_t oldest;       /* the ring's entry that is made anew next */
    uint32_t mixed_oldest; /* the same of mixed[] */
    uint64_t inject_left;
    uint32_t inject_next;                       /* class */
    uint64_t bare_cycles, bare_cycles_by_xsave; /* of a round without an event */
    uint64_t hold_loops;
    struct interrupts interrupts;
    struct stepping stepping;
    struct turns turns;
    struct areas areas;
    struct system_state system;

    /* Written by the vCPU, read by the boot vCPU. */
    struct tally tally[EXIT_MAX + 2];
    _Atomic uint64_t verified;    /* rounds in all */
    _Atomic uint64_t live_cycles; /* of all rows of the plan */
    struct pulse pulse;           /* when it had time */
    struct tsc_skew skew;         /* how far its TSC is from the boot vCPU's */
    _Atomic uint64_t beats;       /* grows with every round and slice: the sign of life */
    _Atomic uint64_t findings;
    struct hits hits, injected_hits; /* of real findings, and of planted ones */
    _Atomic uint32_t current;        /* plan entry that it is in */
    _Atomic uint64_t passes;
    _Atomic uint32_t queued; /* findings put into the queue so far */
    struct finding queue[FINDING_QUEUE];

    /* Written by the boot vCPU. */
    _Atomic uint32_t taken; /* findings taken out of the queue so far */
    _Atomic bool stop, pause;
    _Atomic uint64_t focus; /* plan entries in which something was found, to run more often */
};

#endif
