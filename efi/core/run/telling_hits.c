/* Groups the vCPUs whose maps are alike: on a machine of hundreds most are. */
#include "telling_hits.h"
#include "../cpus.h"
#include "../report/events.h"
#include "counts.h"

static bool same_hits(const struct hits *one, const struct hits *other)
{
    for (unsigned int n = 0; n < VECTOR_COUNT; n++)
        if (one->vector[n] != other->vector[n])
            return false;
    return one->other == other->other && one->compared == other->compared &&
           one->form == other->form;
}

static bool any_hit(const struct hits *hits)
{
    uint32_t any = hits->other;
    for (unsigned int n = 0; n < VECTOR_COUNT; n++)
        any |= hits->vector[n];
    return any != 0;
}

static bool alike(const void *context, uint32_t one, uint32_t other)
{
    return same_hits(count_hits(context, one, false), count_hits(context, other, false));
}

static void tell(void *context, uint32_t first, const char *list)
{
    const struct hits *hits = count_hits(context, first, false);
    event_hits(list, hits, hits);
}

static bool alike_planted(const void *context, uint32_t one, uint32_t other)
{
    return same_hits(count_hits(context, one, true), count_hits(context, other, true)) &&
           alike(context, one, other);
}

static void tell_planted(void *context, uint32_t first, const char *list)
{
    event_hits(list, count_hits(context, first, true), count_hits(context, first, false));
}

void tell_hits(const struct run *run)
{
    struct cpus tested = {0}, planted = {0};
    for (uint32_t cpu = 0; run->watched && cpu < run->processors.count; cpu++) {
        const struct hits *hits = count_hits(run, cpu, true);
        if (!hits)
            continue;
        cpus_add(&tested, cpu);
        if (any_hit(hits))
            cpus_add(&planted, cpu);
    }
    cpus_fold(&tested, alike, tell, (void *)run);
    cpus_fold(&planted, alike_planted, tell_planted, (void *)run);
}
