/* A finding in words: its log line, one for each lane of it, and what it means. */
#include "../machine/exception.h"
#include "events.h"
#include "report.h"

/* What log and text call a lane, and whose value it had. */
struct lane_words {
    char name[DIAGNOSIS_TEXT], from[DIAGNOSIS_TEXT];
};

static void word_lanes(const struct diagnosis *d, struct lane_words words[LANES_KEPT])
{
    for (uint32_t n = 0; n < d->lanes_kept; n++) {
        lane_register(&d->lane[n], d->form, words[n].name);
        lane_from(&d->lane[n], d->form, words[n].from);
    }
}

static void log_lanes(const struct found *found, const struct lane_words *words)
{
    for (uint32_t n = 0; n < found->diagnosis->lanes_kept; n++) {
        const struct lane *lane = &found->diagnosis->lane[n];
        struct log_line line;
        log_start(&line, "lane");
        log_number(&line, "n", found->number);
        log_text(&line, "register", words[n].name);
        log_number(&line, "lane", lane->lane);
        log_hex(&line, "want", lane->want);
        log_hex(&line, "got", lane->got);
        log_text(&line, "from", words[n].from);
        log_end(&line);
    }
}

#define LANES_SAID 4u

static void say_lanes(const struct diagnosis *d, const struct lane_words *words)
{
    for (uint32_t n = 0; n < d->lanes_kept && n < LANES_SAID; n++) {
        const struct lane *lane = &d->lane[n];
        report_say("  %-5s lane %u (bits %u:%u) expected %016lx, found %016lx", words[n].name,
                   lane->lane, 64 * lane->lane + 63, 64 * lane->lane, lane->want, lane->got);
        if (lane->decoded)
            report_say("         that is %s", words[n].from);
    }
    if (d->lane_count > LANES_SAID)
        report_say("  and %u more lanes", d->lane_count - LANES_SAID);
}

/* So that a log alone says it, wherever it breaks off. */
static void log_meaning(const struct found *found)
{
    if (found->told_before)
        return;
    if (found->signature) {
        struct log_line line;
        log_start(&line, "meaning");
        log_number(&line, "n", found->number);
        log_text(&line, "reference", found->signature->reference);
        log_end(&line);
    }
    log_all("meaning", found->number,
            found->signature ? found->signature->meaning
                             : class_meaning(found->diagnosis->corruption));
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

static void say_finding(const struct found *found, const struct lane_words *words)
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
    if (finding->of_slice)
        report_say("  Seen at the end of a slice: any of its rounds may have lost it.");
    if (finding->memory_changed)
        report_say("  The pattern in memory changed as well: memory, not a register, is at fault.");
    if (found->told_before)
        return;
    say_lanes(found->diagnosis, words);
    say_meaning(found);
}

void event_finding(const struct found *found)
{
    const struct finding *finding = found->finding;
    struct lane_words words[LANES_KEPT];
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
    if (finding->of_slice)
        log_text(&line, "seen", "slice");
    if (found->diagnosis->corruption == CLASS_FAULT)
        log_text(&line, "exception", exception_name(finding->fault.vector));
    log_text(&line, "signature", found->signature ? found->signature->name : "none");
    log_end(&line);
    word_lanes(found->diagnosis, words);
    log_lanes(found, words);
    log_meaning(found);
    say_finding(found, words);
}
