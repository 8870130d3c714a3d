/* How often something happens, from how often it did. */
#ifndef ZMMTEST_CORE_REPORT_RATE_H
#define ZMMTEST_CORE_REPORT_RATE_H

#include "../text.h"
#include <stdint.h>

/* In thousandths an hour: as measured, and its 95 % interval. */
struct rate {
    uint64_t measured, low, high;
};

/*
 * Of `count` events in so many milliseconds, as if each came by itself: the interval is that of a
 * Poisson count. `count` is not 0. Within 1 % of the exact interval from ten events on, within 4 %
 * below (Garwood 1936; the approximation is Byar's).
 */
struct rate rate_of(uint64_t count, uint64_t milliseconds);

/* a * b / c, rounded down; the largest number where it does not fit, or c is 0. */
uint64_t rate_scale(uint64_t a, uint64_t b, uint64_t c);

/* "0.025", "5.57", "38.2", "1202": as many digits as say something. */
void rate_put(struct text *text, uint64_t thousandths);

/* Seconds within which the next one is to be expected, in 19 of 20 cases: three times the mean
 * distance (for exponential distances, -ln 0.05 times). One at least. */
uint64_t rate_seconds_to_next(uint64_t count, uint64_t milliseconds);

#endif
