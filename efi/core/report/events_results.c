/* The results in words: a line for each exit, component and disk, and the verdict. */
#include "conclusion.h"
#include "events.h"
#include "report.h"

#define SHARE_TEXT 8u

/* "0.984" */
static void put_share(char buffer[SHARE_TEXT], uint32_t permille)
{
    struct text text;
    text_start(&text, buffer, SHARE_TEXT);
    text_add(&text, "%u.%03u", permille / 1000, permille % 1000);
}

/* The share of its time for which all registers were live; rounded down. */
static void put_exposure(char buffer[SHARE_TEXT], const struct exit_result *result)
{
    uint64_t wall = result->slice_cycles / 1000 ? result->slice_cycles / 1000 : 1;
    uint64_t share = result->live_cycles / wall;
    put_share(buffer, (uint32_t)(share < 1000 ? share : 1000));
}

static uint64_t bound_of(const struct exit_result *result)
{
    return conclusion_bound(result->rounds - result->stayed, result->findings);
}

static void put_bound(char buffer[24], const struct exit_result *result)
{
    struct text text;
    uint64_t bound = bound_of(result);
    text_start(&text, buffer, 24);
    if (bound)
        text_add(&text, "%lu", bound);
    else if (result->leaves == LEAVES_NO)
        text_add(&text, "no exit here");
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
    if (bound_of(result))
        log_number(&line, "below_one_in", bound_of(result));
    if (result->holds) {
        char share[SHARE_TEXT];
        put_exposure(share, result);
        log_text(&line, "exposure", share);
    }
    if (result->takes_interrupts)
        log_number(&line, "interrupts", result->interrupts);
    if (leaves_word(result->leaves))
        log_text(&line, "exits", leaves_word(result->leaves));
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
    if (result->holds) {
        char share[SHARE_TEXT];
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

void event_net(uint32_t number, const struct net_result *result, uint64_t milliseconds)
{
    uint64_t ms = milliseconds ? milliseconds : 1;
    struct log_line line;
    log_start(&line, "net");
    log_number(&line, "n", number);
    log_text(&line, "address", result->address);
    log_number(&line, "frames", result->frames);
    log_number(&line, "bytes", result->bytes);
    log_number(&line, "frames_per_second", result->frames * 1000 / ms);
    log_number(&line, "kib_per_second", result->bytes / 1024 * 1000 / ms);
    log_number(&line, "in_flight", result->most);
    log_number(&line, "returned", result->returned);
    log_number(&line, "dropped", result->lost);
    log_text(&line, "failed", result->failed ? "yes" : "no");
    log_end(&line);
    report_say("Net %u      %lu frames to itself (%s), %lu KiB/s, up to %u in flight%s", number,
               result->frames, result->address, result->bytes / 1024 * 1000 / ms, result->most,
               result->failed ? "; not to the end" : "");
}

static void say_stayed(const char *exits)
{
    char buffer[640];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "These stayed in the guest here, and count for nothing: %s.", exits);
    report_say_wrapped(11, buffer);
}

static void say_bound(const struct outcome *outcome)
{
    if (!conclusion_bound_of_run(outcome))
        return;
    report_say("Bound      fewer than 1 exit in %lu loses registers, with 95 %% confidence",
               conclusion_bound_of_run(outcome));
    if (outcome->exposure.milliseconds)
        report_say("           and none in %lu.%03lu s of vCPU time with all registers live",
                   outcome->exposure.milliseconds / 1000, outcome->exposure.milliseconds % 1000);
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

static void log_exposure(struct log_line *line, const struct exposure *exposure)
{
    char share[SHARE_TEXT];
    if (!exposure->milliseconds)
        return;
    put_share(share, exposure->permille);
    log_text(line, "exposure", share);
    put_share(share, exposure->permille_least);
    log_text(line, "exposure_least", share);
}

static void say_exposure(const struct exposure *exposure)
{
    char share[SHARE_TEXT], least[SHARE_TEXT];
    if (!exposure->milliseconds)
        return;
    put_share(share, exposure->permille);
    put_share(least, exposure->permille_least);
    report_say("Exposure   all registers were live for %s of the time (least: %s, on vCPU %u)",
               share, least, exposure->least_on);
}

void event_done(const struct outcome *outcome)
{
    uint64_t ms = outcome->milliseconds;
    struct log_line line;
    log_start(&line, "done");
    log_text(&line, "verdict", verdict_name(outcome->verdict));
    log_number(&line, "exits", outcome->rounds);
    log_number(&line, "findings", outcome->findings + outcome->wrong_blocks);
    if (outcome->injected)
        log_number(&line, "injected", outcome->injected);
    if (outcome->wrong_blocks)
        log_number(&line, "storage", outcome->wrong_blocks);
    log_number(&line, "vcpus", outcome->vcpus);
    log_number(&line, "elapsed", ms / 1000);
    if (conclusion_bound_of_run(outcome))
        log_number(&line, "below_one_in", conclusion_bound_of_run(outcome));
    log_exposure(&line, &outcome->exposure);
    log_text(&line, "reason", outcome->reason);
    log_end(&line);
    report_say(" ");
    report_say("%lu exits verified on %u vCPUs in %lu.%03lu s, %lu findings", outcome->rounds,
               outcome->vcpus, ms / 1000, ms % 1000, outcome->findings + outcome->wrong_blocks);
    say_exposure(&outcome->exposure);
    if (outcome->wrong_blocks)
        report_say("%lu of the findings are wrong blocks of storage, not registers",
                   outcome->wrong_blocks);
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
    if (outcome->stayed_exits)
        say_stayed(outcome->stayed_exits);
    say_bound(outcome);
    say_known(outcome->known);
    say_steps(outcome);
}
