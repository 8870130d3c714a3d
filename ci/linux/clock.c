/* Measures the TSC against the kernel's monotonic clock, and reads its real-time clock. */
#include "../../efi/platform/clock.h"
#include "../../efi/platform/instructions.h"
#include <time.h>

#define FIRST_MILLISECONDS 20u
#define LATER_MILLISECONDS 5u

static uint64_t nanoseconds(clockid_t clock)
{
    struct timespec now = {0};
    (void)clock_gettime(clock, &now); /* these clocks are always there */
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* By what went by, so that an interrupted wait does no harm. */
static uint64_t measure(uint32_t milliseconds)
{
    uint64_t start = nanoseconds(CLOCK_MONOTONIC), before = rdtsc();
    clock_wait(milliseconds);
    uint64_t passed = nanoseconds(CLOCK_MONOTONIC) - start, after = rdtsc();
    return after > before && passed ? (after - before) * 1000000u / passed * 1000 : 0;
}

uint64_t clock_measure_first(void)
{
    return measure(FIRST_MILLISECONDS);
}

uint64_t clock_measure(void)
{
    return measure(LATER_MILLISECONDS);
}

bool clock_wall(uint64_t *seconds)
{
    *seconds = nanoseconds(CLOCK_REALTIME) / 1000000000u;
    return true;
}

/* A signal that interrupts it only shortens the wait: whoever waits looks at the clock as well. */
void clock_wait(uint32_t milliseconds)
{
    struct timespec wait = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};
    (void)nanosleep(&wait, NULL);
}
