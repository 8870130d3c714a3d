/* Counts milliseconds by the TSC. */
#include "clock.h"
#include "../firmware.h"
#include "instructions.h"

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
    ticks_per_millisecond = hz < 1000 ? 1 : hz / 1000;
    return hz;
}

uint64_t clock_milliseconds(void)
{
    return (rdtsc() - started) / ticks_per_millisecond;
}

/* A Stall that fails only shortens the wait: whoever waits looks at the clock as well. */
void clock_wait(uint32_t milliseconds)
{
    (void)system_table->BootServices->Stall((UINTN)milliseconds * 1000);
}
