/* Looks at the clocks and at the machine, and tells what of them changed. */
#include "standstill.h"
#include "../../platform/clock.h"
#include "../../platform/identify.h"
#include "../../platform/instructions.h"
#include "../machine/changes.h"
#include "../machine/clock.h"
#include "../machine/tsc.h"
#include "../report/events.h"
#include "../window/counter.h"
#include "skew.h"

#define MARK_MILLISECONDS 1000u

/* A TSC that goes back on one vCPU may do so often: told no more often than this. */
#define BACK_MILLISECONDS 10000u

void standstill_start(struct run *run)
{
    run->last_seen = run->machine;
    machine_mark(&run->mark, run->machine);
    run->rate_known = clock_measure();
    run->started_at = gap_start(&run->gap);
}

/* So far apart may two looks of the boot vCPU be: a slice of its own comes in between. */
static uint64_t longest_look(const struct run *run)
{
    return 1000 + 32 * run->options->plan.hold_microseconds / 1000;
}

static bool works(const struct run *run, uint32_t cpu)
{
    const struct watched *watched = &run->watched[cpu];
    return cpu != run->processors.boot && run_has(run, cpu) && !watched->lost &&
           atomic_load(&watched->vcpu->state) == VCPU_RUNNING &&
           counter_read(&watched->vcpu->rounds.pulse.looked_at) != 0;
}

/*
 * Asks each other vCPU how long it was away since it was asked last. False: one of them had time
 * meanwhile. While the run is paused none of them looks at its clock.
 */
static bool all_were_away(struct run *run, uint64_t milliseconds)
{
    uint64_t now = rdtsc(), per_millisecond = run->machine->tsc_hz / 1000;
    bool all = true;
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++) {
        if (!works(run, cpu))
            continue;
        uint64_t away = pulse_ask(&run->watched[cpu].vcpu->rounds.pulse, now) / per_millisecond;
        all &= run->paused || gap_shared(milliseconds, away);
    }
    return all;
}

static bool machine_differs(const struct run *run)
{
    struct mark mark = {0};
    machine_mark(&mark, run->last_seen);
    return mark_differs(&run->mark, &mark);
}

/* What changed of the machine since it was looked at last, in words; NULL: nothing. */
static const char *look_at_machine(struct run *run, bool anyway)
{
    static struct machine now;
    static char words[200];
    struct mark mark = {0};
    struct text text;
    run->marked_at = clock_milliseconds();
    machine_mark(&mark, run->last_seen);
    const char *differs = mark_differs(&run->mark, &mark);
    if (!differs && !anyway)
        return NULL;
    machine_identify(&now, run->last_seen->tsc_hz);
    text_start(&text, words, sizeof(words));
    bool any = machine_changes(run->last_seen, &now, &text);
    if (differs && !any)
        text_add(&text, "%s", differs);
    run->after_gap = now;
    run->last_seen = &run->after_gap;
    machine_mark(&run->mark, run->last_seen);
    return differs || any ? words : NULL;
}

/* The conclusion names all changes. */
static void keep_change(struct run *run, const char *changed)
{
    struct text text;
    char before[sizeof(run->changes)];
    if (!changed)
        return;
    text_start(&text, before, sizeof(before));
    text_add(&text, "%s", run->changes);
    text_start(&text, run->changes, sizeof(run->changes));
    text_add(&text, "%s%s%s", before, before[0] ? "; then " : "", changed);
}

static void tell_gap(struct run *run, enum gap_kind kind, uint64_t milliseconds)
{
    uint64_t start = clock_milliseconds();
    const char *changed = look_at_machine(run, true);
    run->gaps++;
    event_gap(kind, milliseconds, run->last_seen, changed);
    keep_change(run, changed);
    gap_pass_over(&run->gap, start);
}

static void tell_change(struct run *run, const char *changed)
{
    uint64_t start = clock_milliseconds();
    char buffer[240];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "the machine changed: %s", changed);
    event_notice(buffer);
    event_machine(run->last_seen);
    keep_change(run, changed);
    gap_pass_over(&run->gap, start);
}

/* How far, in milliseconds, the TSC of another vCPU went back since that was told last. */
static uint64_t went_back(const struct run *run, uint32_t cpu)
{
    const struct watched *watched = &run->watched[cpu];
    if (cpu == run->processors.boot || !run_has(run, cpu))
        return 0;
    return (counter_read(&watched->vcpu->rounds.pulse.back) - watched->back) /
           (run->machine->tsc_hz / 1000);
}

/* No more than twice as far. */
static bool about_as_far(const void *context, uint32_t one, uint32_t other)
{
    uint64_t first = went_back(context, one), second = went_back(context, other);
    return first <= 2 * second && second <= 2 * first;
}

static void tell_back(void *context, uint32_t first, const char *list)
{
    struct run *run = context;
    run->gaps++;
    event_gap_of_vcpus(list, went_back(run, first));
}

static void pass_over_back(struct watched *watched)
{
    watched->back = counter_read(&watched->vcpu->rounds.pulse.back);
}

/* On some vCPUs, where it is not the whole machine's. */
static void look_for_back(struct run *run)
{
    struct cpus due = {0};
    uint64_t now = clock_milliseconds();
    bool all = run->went_back && now - run->back_at < BACK_MILLISECONDS;
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++) {
        struct watched *watched = &run->watched[cpu];
        if (went_back(run, cpu) == 0)
            continue;
        if (all)
            pass_over_back(watched);
        else if (!watched->back || now - watched->back_at >= BACK_MILLISECONDS)
            cpus_add(&due, cpu);
    }
    cpus_fold(&due, about_as_far, tell_back, run);
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++) {
        if (!cpus_has(&due, cpu))
            continue;
        pass_over_back(&run->watched[cpu]);
        run->watched[cpu].back_at = now;
    }
}

static void look_for_gap(struct run *run)
{
    struct gap_seen seen = gap_look(&run->gap, longest_look(run));
    bool all_away = all_were_away(run, seen.apart);
    if (seen.back) {
        run->went_back = true;
        run->back_at = clock_milliseconds();
        tell_gap(run, GAP_BACK, seen.back);
    }
    if (seen.missed > seen.apart)
        tell_gap(run, GAP_STOOD, seen.missed);
    else if (seen.apart)
        tell_gap(run, all_away ? GAP_STOOD : GAP_STARVED, seen.apart);
    /* The clock of the run counted it, but nothing was tested meanwhile. */
    if (all_away && !run->paused)
        run->started_at += seen.apart;
    if (seen.back || seen.missed || (seen.apart && all_away))
        for (uint32_t cpu = 0; cpu < run->processors.count; cpu++)
            if (!run->watched[cpu].lost)
                run->watched[cpu].progressed_at = clock_milliseconds();
}

static void look_for_change(struct run *run)
{
    /* A migration may have come since the clocks were looked at: its gap names what changed. */
    if (machine_differs(run))
        look_for_gap(run);
    const char *changed = look_at_machine(run, false);
    if (changed)
        tell_change(run, changed);
}

void standstill_look(struct run *run)
{
    look_for_gap(run);
    look_for_back(run);
    skew_look(run);
    if (clock_milliseconds() - run->marked_at >= MARK_MILLISECONDS)
        look_for_change(run);
}

void standstill_end(struct run *run)
{
    look_for_gap(run);
    look_for_change(run);
}

/*
 * A host that is busy may stretch a measurement: it counts when two say the same. The clock's rate
 * changes as that does, whichever of the two was right before.
 */
void standstill_tick(struct run *run)
{
    uint64_t start = clock_milliseconds();
    uint64_t rate = clock_measure(), before = run->rate_measured;
    uint64_t used = run->last_seen->tsc_hz;
    gap_pass_over(&run->gap, start);
    run->rate_measured = rate;
    if (!rate || !before || tsc_rates_differ(rate, before))
        return;
    if (!run->rate_known || !tsc_rates_differ(rate, run->rate_known) ||
        !tsc_rates_differ(rate, used)) {
        run->rate_known = run->rate_known ? run->rate_known : rate;
        return;
    }
    char words[80];
    struct text text;
    uint64_t now = used / 1000 * (rate / 1000) / (run->rate_known / 1000) * 1000;
    struct machine machine = *run->last_seen;
    machine.tsc_hz = now;
    text_start(&text, words, sizeof(words));
    (void)machine_changes(run->last_seen, &machine, &text);
    run->after_gap = machine;
    run->last_seen = &run->after_gap;
    run->rate_known = rate;
    clock_set_rate(now);
    tell_change(run, words);
}
