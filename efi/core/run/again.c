/* Collects the exits and vCPUs that have findings, and makes of them the options of another run. */
#include "again.h"
#include "../text.h"
#include "../window/counter.h"

static bool was_hit(const struct run *run, const struct totals *totals, uint32_t entry)
{
    bool writes = run->plan.entry[entry].exit->scratch != SCRATCH_NONE;
    return run->counted[entry].result.findings || (writes && totals->wrong_blocks);
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

static void put_options(struct run *run, const struct totals *totals, const char *vcpus)
{
    char exits[EXITS_TEXT];
    struct text list, text;
    text_start(&list, exits, sizeof(exits));
    list_exits(run, totals, ",", &list);
    text_start(&text, run->again_options, sizeof(run->again_options));
    if (list.length)
        text_add(&text, "exits=%s ", exits);
    text_add(&text, "cpus=%s hold=%lu%s%s seed=0x%lx",
             vcpus && !takes_others(run, totals) ? vcpus : "all",
             run->options->plan.hold_microseconds, run->options->disks_all ? " disks=all" : "",
             run->options->net ? " net=on" : "", run->identity.seed);
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
    put_options(run, totals, again->vcpus);
    again->options = run->again_options;
}
