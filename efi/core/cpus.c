/* Groups vCPUs of which the same is to be said. */
#include "cpus.h"
#include "text.h"
#include <string.h>

bool cpus_any(const struct cpus *cpus)
{
    for (uint32_t n = 0; n < CPU_MAX / 64; n++)
        if (cpus->bits[n])
            return true;
    return false;
}

static uint32_t end_of_range(const struct cpus *cpus, uint32_t first)
{
    uint32_t end = first + 1;
    while (cpus_has(cpus, end))
        end++;
    return end;
}

/* As many ranges from the start of a group as fit into a list; they are no longer in it. */
static void take_list(struct cpus *group, char list[CPUS_LIST])
{
    struct text text;
    text_start(&text, list, CPUS_LIST);
    for (uint32_t first = 0; first < CPU_MAX; first++) {
        if (!cpus_has(group, first))
            continue;
        uint32_t end = end_of_range(group, first);
        if (text.length + strlen(",1022-1023") >= CPUS_LIST)
            return;
        text_add(&text, "%s%u", text.length ? "," : "", first);
        if (end - first > 1)
            text_add(&text, "-%u", end - 1);
        for (uint32_t cpu = first; cpu < end; cpu++)
            cpus_remove(group, cpu);
    }
}

void cpus_fold(const struct cpus *cpus, cpus_alike *alike, cpus_tell *tell, void *context)
{
    struct cpus left = *cpus;
    /* Most sets are empty, and the boot vCPU asks of several between any two of its slices. */
    for (uint32_t first = 0; cpus_any(&left) && first < CPU_MAX; first++) {
        struct cpus group = {0};
        if (!cpus_has(&left, first))
            continue;
        for (uint32_t cpu = first; cpu < CPU_MAX; cpu++) {
            if (!cpus_has(&left, cpu) || (alike && cpu != first && !alike(context, first, cpu)))
                continue;
            cpus_add(&group, cpu);
            cpus_remove(&left, cpu);
        }
        while (cpus_any(&group)) {
            char list[CPUS_LIST];
            take_list(&group, list);
            tell(context, first, list);
        }
    }
}

static bool is_several(const char *list)
{
    for (; *list; list++)
        if (*list == '-' || *list == ',')
            return true;
    return false;
}

const char *cpus_noun(const char *list)
{
    return is_several(list) ? "vCPUs" : "vCPU";
}

const char *cpus_key(const char *list)
{
    return is_several(list) ? "cpus" : "cpu";
}
