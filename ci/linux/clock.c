/* Time, by the TSC, measured once against the kernel's monotonic clock. */
#include "../../efi/platform/clock.h"
#include "../../efi/platform/instructions.h"
#include <time.h>

#define MEASURED_MILLISECONDS 20u

static uint64_t ticks_per_millisecond = 1;
static uint64_t started;

static uint64_t nanoseconds(clockid_t clock)
{
    struct timespec now = {0};
    (void)clock_gettime(clock, &now); /* these clocks are always there */
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_start(void)
{
    uint64_t start = nanoseconds(CLOCK_MONOTONIC);
    started = rdtsc();
    clock_wait(MEASURED_MILLISECONDS);
    uint64_t passed = nanoseconds(CLOCK_MONOTONIC) - start, ticks = rdtsc() - started;
    uint64_t khz = ticks * 1000000u / (passed ? passed : 1);
    ticks_per_millisecond = khz ? khz : 1;
    return ticks_per_millisecond * 1000;
}

uint64_t clock_milliseconds(void)
{
    return (rdtsc() - started) / ticks_per_millisecond;
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
