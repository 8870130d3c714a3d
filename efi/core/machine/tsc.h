/*
 * Time by the TSC. It may be set back or ahead beneath a guest, by a suspend, a snapshot or a
 * migration, so a clock is made of its small steps alone; and its rate is measured several times.
 */
#ifndef ZMMTEST_CORE_MACHINE_TSC_H
#define ZMMTEST_CORE_MACHINE_TSC_H

#include "../text.h"
#include "cpu.h"
#include "hypervisor.h"
#include <stdbool.h>
#include <stdint.h>

/* The TSC was set if it goes further in one step: such a step is not counted. */
#define TSC_STEP_MOST_MILLISECONDS 3600000u

struct tsc_clock {
    uint64_t ticks_per_millisecond;
    uint64_t last; /* the TSC at the last look */
    uint64_t milliseconds;
    uint64_t ticks;       /* counted, and not a millisecond yet */
    uint64_t back, ahead; /* milliseconds of steps that were not counted */
};

void tsc_clock_start(struct tsc_clock *clock, uint64_t tsc, uint64_t hz);

/* From now on the TSC has this rate. */
void tsc_clock_rate(struct tsc_clock *clock, uint64_t hz);

/* Milliseconds since the start, at this reading of the TSC; never less than at the last. */
uint64_t tsc_clock_look(struct tsc_clock *clock, uint64_t tsc);

/* What the TSC did during waits of one and the same length. */
struct tsc_waits {
    uint64_t least, second; /* ticks */
    unsigned int count;
};

/* One more. A TSC that went back meanwhile says nothing. */
void tsc_waited(struct tsc_waits *waits, uint64_t before, uint64_t after);

/* The two shortest agree: neither was interrupted. */
bool tsc_waits_agree(const struct tsc_waits *waits);

/* Two rates are so far apart that one of them is wrong. */
bool tsc_rates_differ(uint64_t one, uint64_t other);

/*
 * The rate to be used, in Hz, of the one measured (0: it could not be) and of what CPUID tells.
 * Where they disagree *notice says so; else nothing is added to it.
 */
uint64_t tsc_rate(uint64_t measured, const struct hypervisor *hypervisor, const struct cpu *cpu,
                  struct text *notice);

#endif
