/* Counts, instead of sorting: the median is the one that half of them are below. */
#include "latency.h"

void latency_add(struct latency *latency, uint64_t microseconds)
{
    latency->kept[latency->count++ % LATENCIES_KEPT] =
        microseconds > UINT32_MAX ? UINT32_MAX : (uint32_t)microseconds;
    if (microseconds > latency->worst)
        latency->worst = microseconds;
}

uint64_t latency_median(const struct latency *latency)
{
    uint32_t kept = latency->count < LATENCIES_KEPT ? (uint32_t)latency->count : LATENCIES_KEPT;
    for (uint32_t n = 0; n < kept; n++) {
        uint32_t below = 0, same = 0;
        for (uint32_t other = 0; other < kept; other++) {
            below += latency->kept[other] < latency->kept[n];
            same += latency->kept[other] == latency->kept[n];
        }
        if (below <= kept / 2 && kept / 2 < below + same)
            return latency->kept[n];
    }
    return 0;
}
