/* Follows the findings that nobody planted: a plan that is not weighed stays as it was asked for.
 */
#include "focus.h"
#include "../report/events.h"
#include "../text.h"
#include "counts.h"

static void tell_focus(const struct run *run, uint32_t entry)
{
    char buffer[128];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "findings in %s: it runs more often from here on (focus=off prevents it)",
             run_row_name(run, entry));
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
        if (focus & bit || !count_exit(run, entry).result.findings)
            continue;
        focus |= bit;
        tell_focus(run, entry);
    }
    run->focus = focus;
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++)
        if (run_has(run, cpu))
            atomic_store(&run->watched[cpu].vcpu->rounds.focus, focus);
}
