/* Counts the TSC's steps, and chooses between what is measured and what is told of its rate. */
#include "tsc.h"

static uint64_t per_millisecond(uint64_t hz)
{
    return hz < 1000 ? 1 : hz / 1000;
}

void tsc_clock_start(struct tsc_clock *clock, uint64_t tsc, uint64_t hz)
{
    *clock = (struct tsc_clock){.ticks_per_millisecond = per_millisecond(hz), .last = tsc};
}

void tsc_clock_rate(struct tsc_clock *clock, uint64_t hz)
{
    clock->ticks_per_millisecond = per_millisecond(hz);
    clock->ticks = 0;
}

uint64_t tsc_clock_look(struct tsc_clock *clock, uint64_t tsc)
{
    /* Whoever asks before the clock was started gets some time, and no division by zero. */
    uint64_t last = clock->last,
             rate = clock->ticks_per_millisecond ? clock->ticks_per_millisecond : 1;
    clock->last = tsc;
    if (tsc < last) {
        clock->back += (last - tsc) / rate;
    } else if ((tsc - last) / rate > TSC_STEP_MOST_MILLISECONDS) {
        clock->ahead += (tsc - last) / rate;
    } else {
        clock->ticks += tsc - last;
        clock->milliseconds += clock->ticks / rate;
        clock->ticks %= rate;
    }
    return clock->milliseconds;
}

void tsc_waited(struct tsc_waits *waits, uint64_t before, uint64_t after)
{
    if (after <= before)
        return;
    uint64_t ticks = after - before;
    if (waits->count == 0 || ticks < waits->least) {
        waits->second = waits->least;
        waits->least = ticks;
    } else if (waits->count == 1 || ticks < waits->second) {
        waits->second = ticks;
    }
    waits->count++;
}

/* To one part in so many. */
#define AGREE_PART  50u
#define DIFFER_PART 20u

bool tsc_waits_agree(const struct tsc_waits *waits)
{
    return waits->count >= 2 && waits->second - waits->least <= waits->least / AGREE_PART;
}

bool tsc_rates_differ(uint64_t one, uint64_t other)
{
    uint64_t less = one < other ? one : other, more = one < other ? other : one;
    return more - less > less / DIFFER_PART;
}

/*
 * Leaf 15h: the TSC's ratio to a crystal; 16h: the base frequency, which is the TSC's within a few
 * percent (SDM vol. 2, CPUID). 0: neither says it.
 */
static uint64_t told_by_processor(const struct cpu *cpu)
{
    if (cpu->highest_leaf >= 0x15) {
        struct cpuid leaf = cpuid(0x15, 0);
        if (leaf.eax && leaf.ebx && leaf.ecx)
            return (uint64_t)leaf.ecx * leaf.ebx / leaf.eax;
    }
    return cpu->highest_leaf >= 0x16 ? (uint64_t)(cpuid(0x16, 0).eax & 0xffff) * 1000000 : 0;
}

#define NOBODY_KNOWS UINT64_C(2000000000)

static uint64_t first_known(uint64_t one, uint64_t other, uint64_t last)
{
    return one ? one : other ? other : last;
}

static void tell(struct text *notice, uint64_t used, uint64_t measured, uint64_t told,
                 const char *by)
{
    if (measured)
        text_add(notice, "The TSC's rate is %lu kHz by the firmware's clock and %lu kHz by %s",
                 measured / 1000, told / 1000, by);
    else
        text_add(notice, "The TSC's rate cannot be measured");
    text_add(notice, ": %lu kHz is used.", used / 1000);
}

/*
 * A wait that is interrupted gives too high a rate, and nothing gives too low a one: the
 * hypervisor's word counts where it says less. The processor's word is its maker's, and beneath a
 * hypervisor perhaps another processor's: it only stands in where nothing else is known.
 */
uint64_t tsc_rate(uint64_t measured, const struct hypervisor *hypervisor, const struct cpu *cpu,
                  struct text *notice)
{
    uint64_t by_hypervisor = UINT64_C(1000) * hypervisor->tsc_khz;
    uint64_t by_processor = told_by_processor(cpu);
    uint64_t used =
        first_known(measured, by_hypervisor, first_known(by_processor, 0, NOBODY_KNOWS));
    if (!measured) {
        tell(notice, used, 0, 0, "");
    } else if (by_hypervisor && tsc_rates_differ(measured, by_hypervisor)) {
        used = by_hypervisor < measured ? by_hypervisor : measured;
        tell(notice, used, measured, by_hypervisor, "the hypervisor (CPUID 40000010h)");
    } else if (!by_hypervisor && by_processor && tsc_rates_differ(measured, by_processor)) {
        tell(notice, used, measured, by_processor, "the processor (CPUID 15h, 16h)");
    }
    return used;
}
