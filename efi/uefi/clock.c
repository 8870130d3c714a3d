/* Counts milliseconds by the TSC. */
#include "../platform/clock.h"
#include "../platform/instructions.h"
#include "firmware.h"

#define MEASURED_MICROSECONDS 20000u

static uint64_t ticks_per_millisecond = 1;
static uint64_t started;

uint64_t clock_start(void)
{
    started = rdtsc();
    EFI_STATUS status = system_table->BootServices->Stall(MEASURED_MICROSECONDS);
    uint64_t ticks = rdtsc() - started;
    /* Without a Stall, a guess that keeps time limits finite: 2 GHz. */
    uint64_t hz = EFI_ERROR(status) || ticks == 0 ? UINT64_C(2000000000)
                                                  : ticks * (1000000u / MEASURED_MICROSECONDS);
    /* One that is slower would stand still by the millisecond. */
    hz = hz < 1000 ? 1000 : hz;
    ticks_per_millisecond = hz / 1000;
    return hz;
}

uint64_t clock_milliseconds(void)
{
    return (rdtsc() - started) / ticks_per_millisecond;
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
