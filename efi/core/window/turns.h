/*
 * Whose slice is next on a vCPU. Each exit has one in each pass, in the order of the plan. What
 * finds a fault that strikes at a random moment is the time for which all registers are live: where
 * the plan is weighed, holds have more slices between those, as many as keep registers live for
 * most of the run.
 */
#ifndef ZMMTEST_CORE_WINDOW_TURNS_H
#define ZMMTEST_CORE_WINDOW_TURNS_H

#include <stdbool.h>
#include <stdint.h>

struct rounds;

enum turn {
    TURN_OF_PASS,  /* a whole slice of the exit whose turn it is */
    TURN_TO_FILL,  /* one with all registers live for most of it */
    TURN_TO_FOCUS, /* a whole slice of one in which something was found */
};

/* The vCPU's own. All zero: the first slice of the first pass is next. Times are in ticks of the
 * TSC. */
struct turns {
    enum turn turn;
    uint32_t entry;           /* of the plan: the next slice */
    uint32_t in_pass;         /* the entry whose turn in the pass it is, or that has it next */
    uint32_t filled, focused; /* the entries that had such a turn last */
    uint64_t pass_live;       /* what had been live when the pass began */
    uint64_t turn_at;         /* when the last turn of the pass was over */
    /* What slices took in this pass: all of them, and those of such turns. The firmware's time
     * between them is none that a choice of slices could change. */
    uint64_t slices, filling, focusing;
};

/* After a slice, from `start` to `end`: chooses the next one, and counts the pass when it is over.
 */
void turns_next(struct turns *turns, struct rounds *rounds, uint64_t start, uint64_t end);

#endif
