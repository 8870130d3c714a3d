/* Follows the findings that nobody planted: a plan that is not weighed stays as it was asked for.
 */
#include "focus.h"
#include "../report/events.h"
#include "../text.h"
#include "counts.h"

static uint32_t count_of(uint64_t entries)
{
    uint32_t count = 0;
    for (; entries; entries &= entries - 1)
        count++;
    return count;
}

static void tell_focus(const struct run *run, uint64_t entries)
{
    char buffer[EXITS_TEXT + 80];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "findings in ");
    for (uint32_t entry = 0, named = 0; entry < run->plan.count; entry++)
        if (entries >> entry & 1)
            text_add(&text, "%s%s", named++ ? ", " : "", run_row_name(run, entry));
    text_add(&text, ": %s more often from here on (focus=off prevents it)",
             count_of(entries) > 1 ? "they run" : "it runs");
    event_notice(buffer);
}

void focus_follow(struct run *run, const struct totals *totals)
{
    uint64_t real = totals->findings - totals->injected, focus = run->focus;
    if (!run->plan.weighed || !run->options->focus || real == run->focus_findings)
        return;
    run->focus_findings = real;
    for (uint32_t entry = 0; entry < run->plan.count; entry++) {
        uint64_t bit = UINT64_C(1) << entry;
        if (!(focus & bit) && count_exit(run, entry).result.findings)
            focus |= bit;
    }
    /* A host that breaks most of them has no exit that it would be news of. */
    if (focus != run->focus && 2 * count_of(run->focus) <= run->plan.count)
        tell_focus(run, focus & ~run->focus);
    run->focus = focus;
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++)
        if (run_has(run, cpu))
            atomic_store(&run->watched[cpu].vcpu->rounds.focus, focus);
}
