/* Asks each vCPU for its TSC, and tells those that differ. */
#include "skew.h"
#include "../../platform/instructions.h"
#include "../report/events.h"
#include "../text.h"

static uint64_t distance(int64_t skew)
{
    return (uint64_t)(skew < 0 ? -skew : skew);
}

static bool same_side(int64_t one, int64_t other)
{
    return one != 0 && other != 0 && (one < 0) == (other < 0);
}

/* One is no more than twice the other. */
static bool about_the_same(int64_t one, int64_t other)
{
    return same_side(one, other) && distance(one) < 2 * distance(other) &&
           distance(other) < 2 * distance(one);
}

static bool alike(const void *context, uint32_t one, uint32_t other)
{
    const struct run *run = context;
    return about_the_same(run->watched[one].skew_told, run->watched[other].skew_told);
}

static void tell(void *context, uint32_t first, const char *list)
{
    const struct run *run = context;
    int64_t skew = run->watched[first].skew_told;
    char buffer[160];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "the TSC of %s %s is %lu.%03lu s %s the boot vCPU's", cpus_noun(list), list,
             distance(skew) / 1000, distance(skew) % 1000, skew < 0 ? "behind" : "ahead of");
    event_notice(buffer);
}

/* In milliseconds; *known: there is a new answer. */
static int64_t compare(const struct run *run, struct tsc_skew *skew, bool *known)
{
    int64_t per_millisecond = (int64_t)(run->machine->tsc_hz / 1000), ticks = 0;
    *known = tsc_skew_answered(skew);
    if (!*known)
        return 0;
    if (atomic_load(&skew->asked))
        ticks = tsc_skew_ticks(skew, rdtsc());
    tsc_skew_ask(skew, rdtsc());
    return ticks / per_millisecond;
}

/*
 * It counts when two answers in a row say the same: between a question and its answer all of the
 * machine may have been set to another time.
 */
void skew_look(struct run *run)
{
    struct cpus due = {0};
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++) {
        struct watched *watched = &run->watched[cpu];
        bool known;
        if (cpu == run->processors.boot || !run_has(run, cpu))
            continue;
        int64_t before = watched->skew;
        int64_t skew = compare(run, &watched->vcpu->rounds.skew, &known);
        if (!known)
            continue;
        watched->skew = skew;
        if (!about_the_same(before, skew) || about_the_same(watched->skew_told, skew))
            continue;
        watched->skew_told = skew;
        cpus_add(&due, cpu);
    }
    cpus_fold(&due, alike, tell, run);
}
