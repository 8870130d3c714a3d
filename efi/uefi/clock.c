/* Measures the TSC against Stall, and reads the firmware's clock. */
#include "../platform/clock.h"
#include "../core/machine/tsc.h"
#include "../platform/instructions.h"
#include "firmware.h"

/* Short, so that a busy host lets some of them through uninterrupted. */
#define WAIT_MICROSECONDS 2000u
#define WAITS_NONE        4u
#define WAITS_LEAST       8u
#define WAITS_MOST        50u
#define WAITS_LATER       5u

static bool stall(struct tsc_waits *waits, UINTN microseconds)
{
    uint64_t before = rdtsc();
    EFI_STATUS status = system_table->BootServices->Stall(microseconds);
    tsc_waited(waits, before, rdtsc());
    return !EFI_ERROR(status);
}

/*
 * Several Stalls, of which the least counts: one that was interrupted took longer. Without what a
 * Stall takes by itself, which is much where the TSC is slow.
 */
static struct tsc_waits measure(unsigned int least, unsigned int most)
{
    struct tsc_waits none = {0}, waits = {0};
    for (unsigned int n = 0; n < WAITS_NONE; n++)
        if (!stall(&none, 0))
            return waits;
    for (unsigned int n = 0; n < most && (n < least || !tsc_waits_agree(&waits)); n++)
        if (!stall(&waits, WAIT_MICROSECONDS))
            return (struct tsc_waits){0};
    if (waits.least > 2 * none.least) {
        waits.least -= none.least;
        waits.second -= none.least;
    }
    return waits;
}

static uint64_t hertz(const struct tsc_waits *waits)
{
    return waits->least * (1000000u / WAIT_MICROSECONDS);
}

uint64_t clock_measure_first(void)
{
    struct tsc_waits waits = measure(WAITS_LEAST, WAITS_MOST);
    return hertz(&waits);
}

uint64_t clock_measure(void)
{
    struct tsc_waits waits = measure(2, WAITS_LATER);
    return tsc_waits_agree(&waits) ? hertz(&waits) : 0;
}

/* Days since 1 March of year 0 of the Gregorian calendar: a year then ends with its leap day. */
static uint64_t days(uint64_t year, uint64_t month, uint64_t day)
{
    uint64_t march_year = month > 2 ? year : year - 1, march_month = (month + 9) % 12;
    return march_year * 365 + march_year / 4 - march_year / 100 + march_year / 400 +
           (march_month * 153 + 2) / 5 + day - 1;
}

bool clock_wall(uint64_t *seconds)
{
    EFI_TIME time = {0};
    EFI_STATUS status = system_table->RuntimeServices->GetTime(&time, NULL);
    if (EFI_ERROR(status))
        return false;
    uint64_t minutes = (days(time.Year, time.Month, time.Day) * 24 + time.Hour) * 60 + time.Minute;
    *seconds = minutes * 60 + time.Second;
    return true;
}

/* A Stall that fails only shortens the wait: whoever waits looks at the clock as well. */
void clock_wait(uint32_t milliseconds)
{
    (void)system_table->BootServices->Stall((UINTN)milliseconds * 1000);
}
