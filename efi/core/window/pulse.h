/*
 * When a vCPU had time, by its own TSC: it looks between its slices, and the boot vCPU reads. So a
 * machine that stood still is told from a vCPU that got no time, and a TSC that went back is seen
 * on whichever vCPU it does.
 */
#ifndef ZMMTEST_CORE_WINDOW_PULSE_H
#define ZMMTEST_CORE_WINDOW_PULSE_H

#include "counter.h"

/* All in ticks of the TSC. */
struct pulse {
    /* Written by the vCPU. */
    _Atomic uint64_t looked_at; /* last; 0: not yet */
    _Atomic uint64_t longest;   /* distance of two looks since the boot vCPU asked last, */
    _Atomic uint64_t answered;  /* for this time */
    _Atomic uint64_t back;      /* that the TSC went back, in all */

    /* Written by the boot vCPU. */
    _Atomic uint64_t asked; /* so many times */
};

static inline void pulse_look(struct pulse *pulse, uint64_t tsc)
{
    uint64_t last = counter_read(&pulse->looked_at), asked = counter_read(&pulse->asked);
    uint64_t longest = asked == counter_read(&pulse->answered) ? counter_read(&pulse->longest) : 0;
    if (last && tsc < last)
        counter_add(&pulse->back, last - tsc);
    else if (last && tsc - last > longest)
        longest = tsc - last;
    atomic_store_explicit(&pulse->longest, longest, memory_order_relaxed);
    atomic_store_explicit(&pulse->answered, asked, memory_order_release);
    atomic_store_explicit(&pulse->looked_at, tsc, memory_order_relaxed);
}

/*
 * The longest distance since this was asked last: one that is over, or the one that still lasts at
 * `now`.
 */
static inline uint64_t pulse_ask(struct pulse *pulse, uint64_t now)
{
    uint64_t asked = counter_read(&pulse->asked), last = counter_read(&pulse->looked_at);
    uint64_t answered = atomic_load_explicit(&pulse->answered, memory_order_acquire);
    uint64_t over = answered == asked ? counter_read(&pulse->longest) : 0;
    uint64_t lasts = last && now > last ? now - last : 0;
    counter_add(&pulse->asked, 1);
    return over > lasts ? over : lasts;
}

#endif
