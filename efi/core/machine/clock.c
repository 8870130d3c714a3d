/* The one clock of the program: the TSC's steps, at the rate that the platform measures. */
#include "clock.h"
#include "../../platform/clock.h"
#include "../../platform/instructions.h"
#include "tsc.h"

static struct tsc_clock tsc;

uint64_t clock_start(void)
{
    uint64_t hz = clock_measure_first();
    tsc_clock_start(&tsc, rdtsc(), hz);
    return hz;
}

void clock_set_rate(uint64_t hz)
{
    tsc_clock_rate(&tsc, hz);
}

uint64_t clock_milliseconds(void)
{
    return tsc_clock_look(&tsc, rdtsc());
}

struct clock_jumps clock_jumps(void)
{
    (void)clock_milliseconds();
    struct clock_jumps jumps = {tsc.back, tsc.ahead};
    tsc.back = tsc.ahead = 0;
    return jumps;
}
