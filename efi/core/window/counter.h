/*
 * Counts that one vCPU makes and the boot vCPU reads. With one writer a plain load and store do,
 * and no locked instruction stands in the vCPU's way.
 */
#ifndef ZMMTEST_CORE_WINDOW_COUNTER_H
#define ZMMTEST_CORE_WINDOW_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

static inline uint64_t counter_read(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static inline void counter_add(_Atomic uint64_t *counter, uint64_t count)
{
    atomic_store_explicit(counter, counter_read(counter) + count, memory_order_relaxed);
}

/* The same of a set of bits. */
static inline void bits_add(_Atomic uint32_t *set, uint32_t bits)
{
    uint32_t before = atomic_load_explicit(set, memory_order_relaxed);
    atomic_store_explicit(set, before | bits, memory_order_relaxed);
}

#endif
