/* A finding in words: its log line, one for each lane of it, and what it means. */
#include "../machine/exception.h"
#include "events.h"
#include "report.h"

static void log_lanes(const struct diagnosis *d, uint64_t number)
{
    for (uint32_t n = 0; n < d->lanes_kept; n++) {
        char name[DIAGNOSIS_TEXT], from[DIAGNOSIS_TEXT];
        struct log_line line;
        lane_register(&d->lane[n], d->form, name);
        lane_from(&d->lane[n], d->form, from);
        log_start(&line, "lane");
        log_number(&line, "n", number);
        log_text(&line, "register", name);
        log_number(&line, "lane", d->lane[n].lane);
        log_hex(&line, "want", d->lane[n].want);
        log_hex(&line, "got", d->lane[n].got);
        log_text(&line, "from", from);
        log_end(&line);
    }
}

#define LANES_SAID 4u

static void say_lanes(const struct diagnosis *d)
{
    for (uint32_t n = 0; n < d->lanes_kept && n < LANES_SAID; n++) {
        char name[DIAGNOSIS_TEXT], from[DIAGNOSIS_TEXT];
        const struct lane *lane = &d->lane[n];
        lane_register(lane, d->form, name);
        lane_from(lane, d->form, from);
        report_say("  %-5s lane %u (bits %u:%u) expected %016lx, found %016lx", name, lane->lane,
                   64 * lane->lane + 63, 64 * lane->lane, lane->want, lane->got);
        if (lane->decoded)
            report_say("         that is %s", from);
    }
    if (d->lane_count > LANES_SAID)
        report_say("  and %u more quadwords", d->lane_count - LANES_SAID);
}

static void say_meaning(const struct found *found)
{
    if (!found->signature) {
        report_say_wrapped(2, class_meaning(found->diagnosis->corruption));
        return;
    }
    report_say("  Looks like: %s", found->signature->name);
    report_say_wrapped(2, found->signature->meaning);
    report_say("  Reference: %s", found->signature->reference);
}

static void say_finding(const struct found *found)
{
    const struct finding *finding = found->finding;
    if (!found->told_before)
        report_say(" ");
    report_say("%sFINDING %lu: vCPU %u, exit %s, round %lu: %s",
               finding->injected ? "INJECTED " : "", found->number, finding->cpu, found->exit_name,
               finding->round, class_name(found->diagnosis->corruption));
    if (found->diagnosis->corruption == CLASS_FAULT)
        report_say("  %s (vector %lu, error code 0x%lx) at 0x%lx in the window",
                   exception_name(finding->fault.vector), finding->fault.vector,
                   finding->fault.error_code, finding->fault.rip);
    else
        report_say("  %s, bits %s (%s)", found->registers, found->bits, found->components);
    if (finding->memory_changed)
        report_say("  The pattern in memory changed as well: memory, not a register, is at fault.");
    if (found->told_before)
        return;
    say_lanes(found->diagnosis);
    say_meaning(found);
}

void event_finding(const struct found *found)
{
    const struct finding *finding = found->finding;
    struct log_line line;
    log_start(&line, "finding");
    log_number(&line, "n", found->number);
    if (finding->injected)
        log_text(&line, "label", "INJECTED");
    log_number(&line, "cpu", finding->cpu);
    log_text(&line, "exit", found->exit_name);
    log_number(&line, "round", finding->round);
    log_number(&line, "generation", finding->generation);
    log_text(&line, "component", found->components);
    log_text(&line, "class", class_name(found->diagnosis->corruption));
    log_text(&line, "registers", found->registers);
    log_text(&line, "bits", found->bits);
    if (found->diagnosis->corruption == CLASS_FAULT)
        log_text(&line, "exception", exception_name(finding->fault.vector));
    log_text(&line, "signature", found->signature ? found->signature->name : "none");
    log_end(&line);
    log_lanes(found->diagnosis, found->number);
    say_finding(found);
}
