/* Tells from the tallies what is left to run. */
#include "work.h"
#include "counter.h"

bool work_takes_part(const struct rounds *rounds, uint32_t entry)
{
    if (entry == INJECT_ROW)
        return true;
    const struct exit *exit = rounds->plan->entry[entry].exit;
    return !exit->part || exit->part(rounds);
}

bool work_is_over(const struct rounds *rounds, uint32_t entry)
{
    const struct tally *tally = &rounds->tally[entry];
    return !work_takes_part(rounds, entry) ||
           atomic_load_explicit(&tally->unavailable, memory_order_relaxed) ||
           atomic_load_explicit(&tally->over, memory_order_relaxed);
}

bool work_exhausted(const struct rounds *rounds)
{
    for (uint32_t entry = 0; entry < rounds->plan->count; entry++)
        if (!work_is_over(rounds, entry))
            return false;
    return true;
}

bool work_finished(const struct rounds *rounds)
{
    if (atomic_load_explicit(&rounds->stop, memory_order_relaxed) || work_exhausted(rounds))
        return true;
    return rounds->plan->options.passes &&
           counter_read(&rounds->passes) >= rounds->plan->options.passes;
}
