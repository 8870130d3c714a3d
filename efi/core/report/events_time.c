/* The clock of the run in words: gaps in it, pauses, and its ticks. */
#include "../cpus.h"
#include "events.h"
#include "report.h"

static void log_back(struct log_line *line, uint64_t milliseconds)
{
    char buffer[24];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "-%lu", milliseconds);
    log_text(line, "ms", buffer);
}

static void say_gap(enum gap_kind kind, uint64_t milliseconds, const struct machine *now)
{
    uint64_t seconds = milliseconds / 1000, rest = milliseconds % 1000;
    switch (kind) {
    case GAP_STOOD:
        report_say("Gap        %s stood still for %lu.%03lu s and goes on",
                   now->system[0] ? "this process" : "the machine", seconds, rest);
        break;
    case GAP_BACK:
        report_say("Gap        the TSC went back by %lu.%03lu s", seconds, rest);
        break;
    case GAP_STARVED:
        report_say("Gap        the boot vCPU got no time for %lu.%03lu s, others did", seconds,
                   rest);
        break;
    }
}

void event_gap(enum gap_kind kind, uint64_t milliseconds, const struct machine *now,
               const char *changed)
{
    static const char *const names[] = {
        [GAP_STOOD] = "stood", [GAP_BACK] = "back", [GAP_STARVED] = "starved"};
    struct log_line line;
    log_start(&line, "gap");
    log_text(&line, "kind", names[kind]);
    if (kind == GAP_BACK)
        log_back(&line, milliseconds);
    else
        log_number(&line, "ms", milliseconds);
    log_text(&line, "changed", changed ? changed : "nothing");
    log_end(&line);
    say_gap(kind, milliseconds, now);
    if (!changed) {
        report_say("           It is what it was before.");
        return;
    }
    report_say("           It is not what it was before:");
    report_say_wrapped(11, changed);
    event_machine(now);
}

void event_gap_of_vcpus(const char *cpus, uint64_t milliseconds)
{
    struct log_line line;
    log_start(&line, "gap");
    log_text(&line, "kind", "back");
    log_text(&line, cpus_key(cpus), cpus);
    log_back(&line, milliseconds);
    log_end(&line);
    report_say("Gap        the TSC of %s %s went back by %lu.%03lu s", cpus_noun(cpus), cpus,
               milliseconds / 1000, milliseconds % 1000);
}

void event_pause(uint64_t elapsed_milliseconds)
{
    struct log_line line;
    log_start(&line, "pause");
    log_number(&line, "elapsed", elapsed_milliseconds / 1000);
    log_end(&line);
    report_say("Paused     after %lu s, by a key", elapsed_milliseconds / 1000);
}

void event_resume(uint64_t paused_milliseconds)
{
    struct log_line line;
    log_start(&line, "resume");
    log_number(&line, "ms", paused_milliseconds);
    log_end(&line);
    report_say("Goes on    after a pause of %lu.%03lu s", paused_milliseconds / 1000,
               paused_milliseconds % 1000);
}

void event_tick(uint64_t milliseconds, uint64_t rounds, uint64_t findings)
{
    struct log_line line;
    log_start(&line, "tick");
    log_number(&line, "elapsed", milliseconds / 1000);
    log_number(&line, "exits", rounds);
    log_number(&line, "findings", findings);
    log_end(&line);
    report_say("%6lu s    %lu exits verified, %lu findings", milliseconds / 1000, rounds, findings);
}
