/* The start, the machine and what is worth a notice, in words: the log line first, then the text.
 */
#include "events.h"
#include "../cpus.h"
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
        log_all("options", 0, options);
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
        char name[XSTATE_NAME];
        xstate_name(bit, name);
        text_add(&text, " %s %u", name, xstate->size[bit]);
    }
    report_say_wrapped(11, buffer);
}

static void log_components(struct log_line *line, const struct xstate *xstate, uint64_t xcr0)
{
    char buffer[160];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    for (unsigned int bit = 0; bit < XCR0_BITS; bit++) {
        if (!(xcr0 >> bit & 1))
            continue;
        char name[XSTATE_NAME];
        xstate_name(bit, name);
        text_add(&text, "%s%s:%u", text.length ? "," : "", name, xstate->size[bit]);
    }
    log_text(line, "components", buffer);
}

void event_state(const struct machine *machine, const char *cpus, const struct xstate_saved *saved,
                 bool again)
{
    struct log_line line;
    log_start(&line, "state");
    log_text(&line, cpus_key(cpus), cpus);
    log_hex(&line, "xcr0_before", saved->xcr0);
    log_hex(&line, "xcr0", saved->xcr0_on);
    log_components(&line, &machine->xstate, saved->xcr0_on);
    log_end(&line);
    if (again)
        return;
    char label[sizeof("vCPUs ") + CPUS_LIST];
    struct text text;
    text_start(&text, label, sizeof(label));
    text_add(&text, "%s %s", cpus_noun(cpus), cpus);
    report_say("%-10s XCR0 0x%lx before, 0x%lx now", label, saved->xcr0, saved->xcr0_on);
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

void event_skip(const char *what, const char *cpus, const char *reason)
{
    struct log_line line;
    log_start(&line, "skip");
    log_text(&line, "exit", what);
    if (cpus)
        log_text(&line, cpus_key(cpus), cpus);
    log_text(&line, "reason", reason);
    log_end(&line);
    if (cpus)
        report_say("Not tested %s on %s %s: %s", what, cpus_noun(cpus), cpus, reason);
    else
        report_say("Not tested %s: %s", what, reason);
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
    log_all("notice", 0, text);
    report_say_wrapped(0, text);
}

void event_flush(void)
{
    const char *trouble;
    report_flush();
    while ((trouble = report_trouble()) != NULL)
        event_notice(trouble);
}
