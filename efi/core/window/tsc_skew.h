/*
 * How far the TSC of a vCPU is from the boot vCPU's. The boot vCPU asks, and the vCPU answers with
 * its TSC between its slices. What it reads after it has seen the question, and before the boot
 * vCPU sees the answer, lies between two readings there, however long either of them was away:
 * unless the TSCs differ.
 */
#ifndef ZMMTEST_CORE_WINDOW_TSC_SKEW_H
#define ZMMTEST_CORE_WINDOW_TSC_SKEW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct tsc_skew {
    /* The boot vCPU's. */
    uint64_t asked_at;
    _Atomic uint32_t asked; /* so many times */

    /* The vCPU's. */
    uint32_t seen; /* of asked, at its last look */
    uint64_t answer;
    _Atomic uint32_t answered; /* for this asked */
};

/* On the vCPU; `tsc` was read since its last look. */
static inline void tsc_skew_look(struct tsc_skew *skew, uint64_t tsc)
{
    uint32_t answered = atomic_load_explicit(&skew->answered, memory_order_relaxed);
    if (skew->seen != answered) {
        skew->answer = tsc;
        atomic_store_explicit(&skew->answered, skew->seen, memory_order_release);
    } else {
        skew->seen = atomic_load_explicit(&skew->asked, memory_order_acquire);
    }
}

/* On the boot vCPU, whose TSC is `now`. Not before the last question is answered. */
static inline void tsc_skew_ask(struct tsc_skew *skew, uint64_t now)
{
    uint32_t asked = atomic_load_explicit(&skew->asked, memory_order_relaxed);
    skew->asked_at = now;
    atomic_store_explicit(&skew->asked, asked + 1, memory_order_release);
}

static inline bool tsc_skew_answered(const struct tsc_skew *skew)
{
    return atomic_load_explicit(&skew->answered, memory_order_acquire) ==
           atomic_load_explicit(&skew->asked, memory_order_relaxed);
}

/*
 * By how many ticks it is ahead, at the least; negative: behind; 0: it may be the same. `now` was
 * read after the answer was seen.
 */
static inline int64_t tsc_skew_ticks(const struct tsc_skew *skew, uint64_t now)
{
    if (skew->answer > now)
        return (int64_t)(skew->answer - now);
    return skew->answer < skew->asked_at ? -(int64_t)(skew->asked_at - skew->answer) : 0;
}

#endif
