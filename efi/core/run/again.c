/* Collects the exits and vCPUs that have findings, and makes of them the options of another run. */
#include "again.h"
#include "../report/rate.h"
#include "../text.h"
#include "../window/counter.h"

static bool writes(const struct run *run, uint32_t entry)
{
    return run->plan.entry[entry].exit->scratch != SCRATCH_NONE;
}

static bool was_hit(const struct run *run, const struct totals *totals, uint32_t entry)
{
    return run->counted[entry].result.findings || (writes(run, entry) && totals->wrong_blocks);
}

/* For such a finding to come again it takes the vCPUs that had none as well. */
static bool takes_others(const struct run *run, const struct totals *totals)
{
    bool others = run->known.classes >> CLASS_OTHER_VCPU & 1;
    for (uint32_t entry = 0; entry < run->plan.count; entry++) {
        const struct exit *exit = run->plan.entry[entry].exit;
        others |= was_hit(run, totals, entry) && (exit->with_others || exit->scratch);
    }
    return others;
}

static void list_exits(const struct run *run, const struct totals *totals, const char *between,
                       struct text *text)
{
    for (uint32_t entry = 0; entry < run->plan.count; entry++)
        if (was_hit(run, totals, entry))
            text_add(text, "%s%s", text->length ? between : "", run_row_name(run, entry));
}

static void add_list(void *context, uint32_t first, const char *list)
{
    struct text *text = context;
    (void)first;
    text_add(text, "%s%s", text->length ? "," : "", list);
}

/* Those with findings of their own, as 0-2,5. False: there are too many for the text, or none. */
static bool list_vcpus(const struct run *run, struct text *text)
{
    struct cpus hit = {0};
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++) {
        if (!run_has(run, cpu))
            continue;
        const struct rounds *rounds = &run->watched[cpu].vcpu->rounds;
        if (counter_read(&rounds->findings) > counter_read(&rounds->tally[INJECT_ROW].findings))
            cpus_add(&hit, cpu);
    }
    cpus_fold(&hit, NULL, add_list, text);
    return text->length && !text->cut;
}

static uint64_t one_at_least(uint64_t value)
{
    return value ? value : 1;
}

/* What a slice of each pass takes. */
static uint64_t slice_takes(const struct exit_counts *counts)
{
    return one_at_least(counts->whole_spent / one_at_least(counts->whole_slices));
}

/* Of all entries: what their slices took; and what of it those that write did. */
static uint64_t spent(const struct run *run, bool writing)
{
    uint64_t sum = 0;
    for (uint32_t entry = 0; entry < run->plan.count; entry++)
        if (!writing || writes(run, entry))
            sum += run->counted[entry].spent;
    return one_at_least(sum);
}

/* Thousandths. Any exit that writes may be the one whose block came back wrong. */
static uint64_t findings_of(const struct run *run, const struct totals *totals, uint32_t entry)
{
    uint64_t blocks = writes(run, entry) ? rate_scale(totals->wrong_blocks * 1000,
                                                      run->counted[entry].spent, spent(run, true))
                                         : 0;
    return run->counted[entry].result.findings * 1000 + blocks;
}

/*
 * How many findings, in thousandths, are to be expected of a run by the options, in as much time as
 * this one took. Its plan has other shares of that time for the exits than this run's had: each
 * pass has one slice of each.
 */
static uint64_t expected(const struct run *run, const struct totals *totals)
{
    const uint64_t all = spent(run, false);
    uint64_t pass = 0, sum = 0;
    for (uint32_t entry = 0; entry < run->plan.count; entry++)
        if (was_hit(run, totals, entry))
            pass += slice_takes(&run->counted[entry]);
    for (uint32_t entry = 0; entry < run->plan.count; entry++) {
        const struct exit_counts *counts = &run->counted[entry];
        if (was_hit(run, totals, entry))
            sum += rate_scale(
                rate_scale(findings_of(run, totals, entry), all, one_at_least(counts->spent)),
                slice_takes(counts), pass);
    }
    return sum;
}

/* Of findings before the first exit: at the rate of the run. */
static uint64_t seconds_to_next(const struct run *run, const struct totals *totals,
                                uint64_t findings)
{
    uint64_t thousandths = expected(run, totals);
    return rate_seconds_to_next(one_at_least(thousandths ? thousandths : findings * 1000),
                                run->elapsed * 1000);
}

/* Time for it to show, and no less than there is without the option. */
#define SECONDS_LEAST 60u
#define SECONDS_MOST  UINT64_C(3153600000) /* as the option has it */

static uint64_t time_for(uint64_t seconds)
{
    if (seconds < SECONDS_LEAST)
        return SECONDS_LEAST;
    return seconds < SECONDS_MOST ? seconds : SECONDS_MOST;
}

/*
 * If all vCPUs are struck alike, one in twenty has no finding by chance where there are three for
 * each. Of fewer, those that have some say nothing of the others.
 */
#define FINDINGS_FOR_EACH 3u

static bool others_are_spared(const struct run *run, const struct totals *totals,
                              const struct again *again)
{
    return again->vcpus && again->findings / FINDINGS_FOR_EACH >= totals->vcpus &&
           !takes_others(run, totals);
}

static void put_options(struct run *run, const struct totals *totals, const struct again *again)
{
    static const char *const processors[] = {[PROCESSORS_AUTO] = "",
                                             [PROCESSORS_FIRMWARE] = " processors=firmware",
                                             [PROCESSORS_OWN] = " processors=own"};
    char exits[EXITS_TEXT];
    struct text list, text;
    text_start(&list, exits, sizeof(exits));
    list_exits(run, totals, ",", &list);
    text_start(&text, run->again_options, sizeof(run->again_options));
    if (list.length)
        text_add(&text, "exits=%s ", exits);
    text_add(&text, "cpus=%s hold=%lu%s%s%s seed=0x%lx time=%lu",
             others_are_spared(run, totals, again) ? again->vcpus : "all",
             run->options->plan.hold_microseconds, run->options->disks_all ? " disks=all" : "",
             run->options->net ? " net=on" : "", processors[run->options->processors],
             run->identity.seed, time_for(again->seconds));
}

void again_describe(struct run *run, const struct totals *totals, struct outcome *outcome)
{
    struct again *again = &outcome->again;
    struct text exits, vcpus;
    again->findings = totals->findings - totals->injected + totals->wrong_blocks;
    if (!again->findings)
        return;
    text_start(&exits, run->hit_exits, sizeof(run->hit_exits));
    text_start(&vcpus, run->hit_vcpus, sizeof(run->hit_vcpus));
    list_exits(run, totals, ", ", &exits);
    again->vcpus = list_vcpus(run, &vcpus) ? run->hit_vcpus : NULL;
    again->exits = exits.length ? run->hit_exits : NULL;
    again->seconds = seconds_to_next(run, totals, again->findings);
    put_options(run, totals, again);
    again->options = run->again_options;
}
