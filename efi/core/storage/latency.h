/* How long requests take: the worst of all, and the median of the latest. */
#ifndef ZMMTEST_CORE_STORAGE_LATENCY_H
#define ZMMTEST_CORE_STORAGE_LATENCY_H

#include <stdint.h>

#define LATENCIES_KEPT 255u

struct latency {
    uint64_t count, worst;
    uint32_t kept[LATENCIES_KEPT]; /* a ring */
};

void latency_add(struct latency *latency, uint64_t microseconds);
uint64_t latency_median(const struct latency *latency); /* 0: there is none */

#endif
