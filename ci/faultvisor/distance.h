/* The distance to the next random moment: shared by all that strikes at such moments. */
#ifndef ZMMTEST_FAULTVISOR_DISTANCE_H
#define ZMMTEST_FAULTVISOR_DISTANCE_H

#include <stdint.h>

static inline uint64_t random_below(uint64_t *random, uint64_t limit)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*random >> 33) % limit;
}

#define DISTANCE_PARTS 64u

/*
 * As moments of a Poisson process are apart, but for a grain of a 64th of the mean: each part ends
 * it with one chance in 64. There is no floating point beneath the guest.
 */
static inline uint64_t random_distance(uint64_t *random, uint64_t mean)
{
    uint64_t parts = 0, part = mean / DISTANCE_PARTS;
    while (random_below(random, DISTANCE_PARTS))
        parts++;
    return parts * part + random_below(random, part + 1);
}

#endif
