/* The words of each event: the log line first, then the text. */
#include "events.h"
#include "../machine/exception.h"
#include "conclusion.h"
#include "report.h"
#include <string.h>

static void notice_run_without_end(uint32_t number)
{
    char buffer[200];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text,
             "Run %04u on this volume came to no end, or could not write it: look whether the "
             "machine was switched off or reset itself. Its log has what was seen until then.",
             number);
    event_notice(buffer);
}

/* All of a text, in as many lines as that takes: a list that were cut would be another list. */
static void log_all(const char *event, const char *text)
{
    for (const char *rest = text; *rest;) {
        char buffer[LOG_LINE_MAX];
        struct log_line line;
        log_start(&line, event);
        size_t length = text_break(rest, LOG_LINE_MAX - line.text.length - strlen(" text=\"\""));
        memcpy(buffer, rest, length);
        buffer[length] = '\0';
        log_text(&line, "text", buffer);
        log_end(&line);
        for (rest += length; *rest == ' ';)
            rest++;
    }
}

/* The options, or as many whole words of them as there is room for. False: that is not all. */
static bool log_options(struct log_line *line, const char *options)
{
    static const char key[] = " options=\"\"", more[] = " ...";
    size_t used = line->text.length + strlen(key);
    size_t room = used < LOG_LINE_MAX ? LOG_LINE_MAX - used : 0;
    if (strlen(options) <= room) {
        log_text(line, "options", options);
        return true;
    }
    if (room > strlen(more)) {
        char buffer[LOG_LINE_MAX];
        struct text text;
        size_t length = text_break(options, room - strlen(more));
        memcpy(buffer, options, length);
        text_start(&text, buffer + length, sizeof(buffer) - length);
        text_add(&text, "%s", more);
        log_text(line, "options", buffer);
    }
    return false;
}

static void say_options(const char *options)
{
    const unsigned int label = 11;
    char first[80];
    size_t length = text_break(options, sizeof(first) - 1 - label);
    memcpy(first, options, length);
    first[length] = '\0';
    report_say("Options    %s", first);
    options += length;
    report_say_wrapped(label, *options == ' ' ? options + 1 : options);
}

void event_start(const struct run_identity *identity, const char *firmware, const char *options)
{
    struct log_line line;
    log_start(&line, "start");
    log_text(&line, "version", identity->version);
    log_text(&line, "commit", identity->commit);
    log_hex(&line, "run", identity->run);
    log_hex(&line, "seed", identity->seed);
    if (identity->boot)
        log_number(&line, "boot", identity->boot);
    log_text(&line, "firmware", firmware);
    bool whole = log_options(&line, options);
    log_end(&line);
    if (!whole)
        log_all("options", options);
    report_say("zmmtest %s (%s): does what runs beneath this machine keep its registers?",
               identity->version, identity->commit);
    report_say("Run        %04x, seed=%lx repeats its patterns", identity->run, identity->seed);
    say_options(options);
    if (identity->boot)
        report_say("Files      \\zmmtest\\%04u.log and .txt on the boot volume", identity->boot);
    if (identity->without_end)
        notice_run_without_end(identity->without_end);
}

void event_machine(const struct machine *machine)
{
    const struct cpu *cpu = &machine->cpu;
    const struct hypervisor *hypervisor = &machine->hypervisor;
    struct log_line line;
    log_start(&line, "machine");
    log_text(&line, "cpu", cpu->brand);
    log_text(&line, "vendor", cpu->vendor);
    log_number(&line, "family", cpu->family);
    log_number(&line, "model", cpu->model);
    log_number(&line, "stepping", cpu->stepping);
    log_hex(&line, "microcode", cpu->microcode);
    log_text(&line, "hypervisor", hypervisor->name);
    if (machine->system[0])
        log_text(&line, "system", machine->system);
    if (hypervisor->kind == HYPERVISOR_UNKNOWN)
        log_text(&line, "signature", hypervisor->signature);
    if (machine->hidden[0])
        log_text(&line, "hidden", machine->hidden);
    if (machine->confidential)
        log_text(&line, "confidential", confidential_name(machine->confidential));
    log_number(&line, "build", hypervisor->build);
    log_number(&line, "cpus", machine->vcpus);
    log_number(&line, "tsc_khz", machine->tsc_hz / 1000);
    log_end(&line);

    report_say("Processor  %s", cpu->brand);
    report_say("           family %u model %u stepping %u, microcode 0x%x, TSC %lu MHz",
               cpu->family, cpu->model, cpu->stepping, cpu->microcode, machine->tsc_hz / 1000000);
    if (machine->system[0])
        report_say("System     %s is in the loop: it switches registers as well", machine->system);
    if (hypervisor->kind == HYPERVISOR_NONE && machine->system[0])
        report_say("Beneath    no hypervisor seen");
    else if (machine->hidden[0])
        report_say("Beneath    CPUID hides a hypervisor; %s", machine->hidden);
    else if (hypervisor->kind == HYPERVISOR_NONE)
        report_say("Beneath    no hypervisor seen: a control run, nothing beneath to blame");
    else if (hypervisor->build)
        report_say("Beneath    %s, build %u", hypervisor->name, hypervisor->build);
    else
        report_say("Beneath    %s (CPUID signature \"%s\")", hypervisor->name,
                   hypervisor->signature);
    if (machine->confidential)
        report_say("           a confidential VM (%s)", confidential_name(machine->confidential));
    report_say("Firmware   %s", machine->firmware);
}

static void say_components(const struct xstate *xstate, uint64_t xcr0)
{
    char buffer[160];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "bytes:");
    for (unsigned int bit = 0; bit < XCR0_BITS; bit++) {
        if (!(xcr0 >> bit & 1))
            continue;
        const char *name = xstate_component_name(bit);
        if (name)
            text_add(&text, " %s %u", name, xstate->size[bit]);
        else
            text_add(&text, " component-%u %u", bit, xstate->size[bit]);
    }
    report_say_wrapped(11, buffer);
}

static void log_components(struct log_line *line, const struct xstate *xstate, uint64_t xcr0)
{
    char buffer[160];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    for (unsigned int bit = 0; bit < XCR0_BITS; bit++) {
        const char *name = xstate_component_name(bit);
        if (!(xcr0 >> bit & 1))
            continue;
        text_add(&text, "%s", text.length ? "," : "");
        if (name)
            text_add(&text, "%s:%u", name, xstate->size[bit]);
        else
            text_add(&text, "%u:%u", bit, xstate->size[bit]);
    }
    log_text(line, "components", buffer);
}

void event_state(const struct machine *machine, uint32_t cpu, const struct xstate_saved *saved,
                 bool again)
{
    struct log_line line;
    log_start(&line, "state");
    log_number(&line, "cpu", cpu);
    log_hex(&line, "xcr0_before", saved->xcr0);
    log_hex(&line, "xcr0", saved->xcr0_on);
    log_components(&line, &machine->xstate, saved->xcr0_on);
    log_end(&line);
    if (again)
        return;
    report_say("vCPU %-3u   XCR0 0x%lx before, 0x%lx now", cpu, saved->xcr0, saved->xcr0_on);
    say_components(&machine->xstate, saved->xcr0_on);
}

void event_selftest(const struct selftest *selftest)
{
    struct log_line line;
    log_start(&line, "selftest");
    log_number(&line, "planted", selftest->planted);
    log_number(&line, "named", selftest->named);
    if (selftest->repeated)
        log_number(&line, "repeated", selftest->repeated);
    if (selftest->missed[0])
        log_text(&line, "missed", selftest->missed);
    log_end(&line);
    report_say("Self-test  %u faults planted, %u found and named right", selftest->planted,
               selftest->named);
    if (selftest->repeated)
        report_say(
            "           after %u more attempts: registers changed that nothing was planted in",
            selftest->repeated);
    if (selftest->missed[0])
        report_say("           first one missed: %s", selftest->missed);
}

void event_skip(const char *what, uint32_t cpu, const char *reason)
{
    struct log_line line;
    log_start(&line, "skip");
    log_text(&line, "exit", what);
    if (cpu != CPU_ALL)
        log_number(&line, "cpu", cpu);
    log_text(&line, "reason", reason);
    log_end(&line);
    if (cpu == CPU_ALL)
        report_say("Not tested %s: %s", what, reason);
    else
        report_say("Not tested %s on vCPU %u: %s", what, cpu, reason);
}

void event_error(const char *reason)
{
    struct log_line line;
    log_start(&line, "error");
    log_text(&line, "reason", reason);
    log_end(&line);
    report_say_wrapped(0, "ERROR");
    report_say_wrapped(2, reason);
}

void event_notice(const char *text)
{
    log_all("notice", text);
    report_say_wrapped(0, text);
}

void event_flush(void)
{
    const char *trouble;
    report_flush();
    while ((trouble = report_trouble()) != NULL)
        event_notice(trouble);
}

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

void event_gap_of_vcpu(uint32_t cpu, uint64_t milliseconds)
{
    struct log_line line;
    log_start(&line, "gap");
    log_text(&line, "kind", "back");
    log_number(&line, "cpu", cpu);
    log_back(&line, milliseconds);
    log_end(&line);
    report_say("Gap        the TSC of vCPU %u went back by %lu.%03lu s", cpu, milliseconds / 1000,
               milliseconds % 1000);
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

/* The share of time for which the pattern was live, "0.984"; rounded down. */
static void put_exposure(char buffer[8], const struct exit_result *result)
{
    struct text text;
    uint64_t wall = result->slice_cycles / 1000 ? result->slice_cycles / 1000 : 1;
    uint64_t share = result->live_cycles / wall;
    text_start(&text, buffer, 8);
    text_add(&text, "%lu.%03lu", share / 1000, share % 1000);
}

static void put_bound(char buffer[24], const struct exit_result *result)
{
    struct text text;
    uint64_t bound = conclusion_bound(result->rounds, result->findings);
    text_start(&text, buffer, 24);
    if (bound)
        text_add(&text, "%lu", bound);
    else
        text_add(&text, "-");
}

void event_exit_log(const struct exit_result *result)
{
    struct log_line line;
    log_start(&line, "exit");
    log_text(&line, "name", result->name);
    log_number(&line, "rounds", result->rounds);
    log_number(&line, "findings", result->findings);
    log_number(&line, "cycles_min", result->cycles_min);
    log_number(&line, "cycles_median", result->cycles_median);
    log_number(&line, "cycles_total", result->slice_cycles);
    if (conclusion_bound(result->rounds, result->findings))
        log_number(&line, "below_one_in", conclusion_bound(result->rounds, result->findings));
    if (result->live_cycles) {
        char share[8];
        put_exposure(share, result);
        log_text(&line, "exposure", share);
    }
    if (result->takes_interrupts)
        log_number(&line, "interrupts", result->interrupts);
    log_end(&line);
}

void event_exit_over(const struct exit_result *result, uint32_t vcpus, const char *reason)
{
    char buffer[128];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "%s stopped on %u vCPUs: %s", result->name, vcpus, reason);
    event_notice(buffer);
}

void event_exit_header(void)
{
    report_say(" ");
    report_say("%-10s %14s %9s %11s %11s %13s", "exit", "rounds", "findings", "cycles min",
               "median", "below 1 in");
}

void event_exit_row(const struct exit_result *result)
{
    char bound[24];
    put_bound(bound, result);
    report_say("%-10s %14lu %9lu %11lu %11lu %13s", result->name, result->rounds, result->findings,
               result->cycles_min, result->cycles_median, bound);
    if (result->live_cycles) {
        char share[8];
        put_exposure(share, result);
        report_say("           live for %s of that time (exposure)", share);
    }
    if (result->takes_interrupts)
        report_say("           %lu interrupts taken meanwhile", result->interrupts);
}

void event_component_header(void)
{
    report_say(" ");
    report_say("%-12s %6s %14s %9s", "component", "bytes", "rounds", "findings");
}

void event_component(const struct component_result *result)
{
    char name[XSTATE_NAME];
    struct log_line line;
    xstate_log_name(result->bit, name);
    log_start(&line, "component");
    log_text(&line, "name", name);
    log_number(&line, "bit", result->bit);
    log_number(&line, "size", result->size);
    if (result->reason) {
        log_text(&line, "reason", result->reason);
    } else {
        log_number(&line, "rounds", result->rounds);
        log_number(&line, "findings", result->findings);
    }
    log_end(&line);
    if (result->reason)
        report_say("%-12s %6u not tested: %s", name, result->size, result->reason);
    else
        report_say("%-12s %6u %14lu %9lu", name, result->size, result->rounds, result->findings);
}

void event_disk(uint32_t number, const struct disk_result *result, uint64_t milliseconds)
{
    uint64_t ms = milliseconds ? milliseconds : 1;
    uint64_t kib_per_second = result->bytes / 1024 * 1000 / ms;
    struct log_line line;
    log_start(&line, "disk");
    log_number(&line, "n", number);
    log_number(&line, "block_bytes", result->block_bytes);
    log_number(&line, "blocks", result->blocks);
    log_text(&line, "by", result->by);
    log_number(&line, "reads", result->reads);
    log_number(&line, "bytes", result->bytes);
    log_number(&line, "kib_per_second", kib_per_second);
    log_text(&line, "failed", result->failed ? "yes" : "no");
    log_end(&line);
    report_say("Disk %u     %lu KiB read in %lu reads, %lu KiB/s, %s%s", number,
               result->bytes / 1024, result->reads, kib_per_second,
               result->waiting ? "the boot vCPU waiting" : "in flight meanwhile",
               result->failed ? "; an error ended it" : "");
}

static void say_bound(const struct outcome *outcome)
{
    if (!conclusion_bound_of_run(outcome))
        return;
    report_say("Bound      fewer than 1 exit in %lu loses registers, with 95 %% confidence",
               conclusion_bound_of_run(outcome));
    if (outcome->live_milliseconds)
        report_say("           and none in %lu.%03lu s of holds with registers live",
                   outcome->live_milliseconds / 1000, outcome->live_milliseconds % 1000);
}

/* What the findings looked like that nobody planted, once each. */
static void say_known(const struct known *known)
{
    const struct signature *signature;
    for (uint32_t n = 0; (signature = signature_of_number(n)) != NULL; n++) {
        if (!(known->real >> n & 1))
            continue;
        report_say("Looks like %s", signature->name);
        report_say("           %s", signature->reference);
    }
}

static void say_steps(const struct outcome *outcome)
{
    const char *step;
    for (uint32_t n = 0; (step = conclusion_step(outcome, n)) != NULL; n++) {
        if (n == 0)
            report_say("To do next");
        report_say_wrapped(2, step);
    }
}

/* A run over several machines says so where its verdict is. */
static void say_changes(const char *changes)
{
    char buffer[320];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text,
             "The machine changed beneath the run: %s. The verdict is of all that it ran on.",
             changes);
    report_say_wrapped(11, buffer);
}

static void say_hidden(const char *hidden)
{
    char buffer[128];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "CPUID hides a hypervisor, but %s: this is no control run.", hidden);
    report_say_wrapped(11, buffer);
}

void event_done(const struct outcome *outcome)
{
    uint64_t ms = outcome->milliseconds;
    struct log_line line;
    log_start(&line, "done");
    log_text(&line, "verdict", verdict_name(outcome->verdict));
    log_number(&line, "exits", outcome->rounds);
    log_number(&line, "findings", outcome->findings);
    if (outcome->injected)
        log_number(&line, "injected", outcome->injected);
    log_number(&line, "vcpus", outcome->vcpus);
    log_number(&line, "elapsed", ms / 1000);
    if (conclusion_bound_of_run(outcome))
        log_number(&line, "below_one_in", conclusion_bound_of_run(outcome));
    log_text(&line, "reason", outcome->reason);
    log_end(&line);
    report_say(" ");
    report_say("%lu exits verified on %u vCPUs in %lu.%03lu s, %lu findings", outcome->rounds,
               outcome->vcpus, ms / 1000, ms % 1000, outcome->findings);
    if (outcome->injected)
        report_say("INJECTED: %lu of the findings were planted by zmmtest itself (inject=)",
                   outcome->injected);
    report_say("Verdict    %s: %s", verdict_name(outcome->verdict), outcome->reason);
    report_say_wrapped(11, conclusion_meaning(outcome));
    if (outcome->changes)
        say_changes(outcome->changes);
    if (outcome->system[0])
        report_say_wrapped(11,
                           "An operating system was in the loop, and may be what changed or hid "
                           "something.");
    else if (outcome->control_run)
        report_say_wrapped(11, "Control run: no hypervisor was seen, so nothing beneath to blame.");
    else if (outcome->hidden[0])
        say_hidden(outcome->hidden);
    say_bound(outcome);
    say_known(outcome->known);
    say_steps(outcome);
}
