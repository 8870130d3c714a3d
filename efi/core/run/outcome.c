/* Makes the report and the verdict of what the vCPUs counted. */
#include "outcome.h"
#include "../../platform/disks.h"
#include "../machine/exception.h"
#include "../report/events.h"
#include "../text.h"
#include "../window/area_format.h"
#include "again.h"
#include "counts.h"
#include "network.h"
#include "storage.h"
#include "telling_hits.h"

/* How a confidential VM is told of an exit. */
static bool is_reflection(uint32_t exception)
{
    return exception == VECTOR_VIRTUALIZATION || exception == VECTOR_VMM_COMMUNICATION;
}

/* Of an exit that has no rounds on some vCPU, or came to an end by an exception. */
static void note_missing(uint32_t *causes, const struct run *run, const struct exit_counts *counts)
{
    bool named = run->options->exits_named;
    if (counts->unavailable && is_reflection(counts->exception))
        note_cause(causes, CAUSE_CONFIDENTIAL);
    if (counts->unavailable || counts->over) {
        if (named || (counts->unavailable && counts->result.rounds))
            note_cause(causes, CAUSE_EXIT_CANNOT_RUN);
    } else {
        note_cause(causes, CAUSE_EXIT_WITHOUT_TURN);
    }
}

static void note_findings(uint32_t *causes, const struct run *run, const struct totals *totals)
{
    if (totals->planted != totals->injected)
        note_cause(causes, CAUSE_PLANTED_NOT_FOUND);
    if (totals->findings && totals->findings == totals->injected)
        note_cause(causes, CAUSE_CHANGED_BY_INJECTION);
    else if (totals->findings)
        note_cause(causes, run->machine->system[0] ? CAUSE_CHANGED_BENEATH_PROCESS
                                                   : CAUSE_CHANGED_BENEATH_GUEST);
}

static void note_storage(uint32_t *causes, const struct run *run, const struct totals *totals)
{
    if (totals->wrong_blocks)
        note_cause(causes, CAUSE_STORAGE_CHANGED);
    if (storage_failed(run))
        note_cause(causes, CAUSE_SCRATCH_FAILED);
}

static bool any_disk_failed(const struct run *run)
{
    struct disk_result result;
    bool failed = false;
    for (uint32_t n = 0; run->plan.disks && disks_result(n, &result); n++)
        failed |= result.failed;
    return failed;
}

static uint64_t rounds_that_stayed(const struct run *run)
{
    uint64_t stayed = 0;
    for (uint32_t n = 0; n < run->plan.count; n++)
        stayed += run->counted[n].result.stayed;
    return stayed;
}

uint32_t outcome_causes(const struct run *run, const struct totals *totals)
{
    uint32_t causes = 0;
    for (uint32_t n = 0; n < run->plan.count; n++)
        if (run->counted[n].without_rounds || run->counted[n].unavailable)
            note_missing(&causes, run, &run->counted[n]);
    /* Passes that were asked for and not done, because the time was over or a vCPU was lost. */
    if (!run->options->stop_first && count_passes_left(run))
        note_cause(&causes, CAUSE_PASSES_NOT_DONE);
    note_findings(&causes, run, totals);
    if (any_disk_failed(run))
        note_cause(&causes, CAUSE_DISK_FAILED);
    note_storage(&causes, run, totals);
    if (network_failed(run))
        note_cause(&causes, CAUSE_NET_FAILED);
    if (totals->rounds == 0)
        note_cause(&causes, CAUSE_NOTHING_RAN);
    else if (rounds_that_stayed(run) == totals->rounds - totals->planted)
        note_cause(&causes, CAUSE_NOTHING_LEFT);
    return causes;
}

static void put_missing(struct text *text, const struct exit_counts *counts)
{
    if (counts->unavailable && counts->exception == VECTOR_PAGE_FAULT)
        text_add(text, "nothing is mapped at 0x%lx, where it is said to be", counts->address);
    else if (counts->unavailable)
        text_add(text, "the instruction raises %s here", exception_name(counts->exception));
    else if (counts->over)
        text_add(text, "%s", counts->reason);
    else if (counts->waited)
        text_add(text, "the run ended before it was possible");
    else
        text_add(text, "the run ended before it was its turn");
}

struct missing {
    const char *name;
    char reason[96];
};

static void tell_missing_on(void *context, uint32_t first, const char *list)
{
    const struct missing *missing = context;
    (void)first;
    event_skip(missing->name, list, missing->reason);
}

/* Where other vCPUs have tested it, it is told which have not. */
static void tell_missing(const struct run *run, uint32_t entry)
{
    const struct exit_counts *counts = &run->counted[entry];
    struct missing missing = {.name = counts->result.name};
    struct cpus without = {0};
    struct text text;
    text_start(&text, missing.reason, sizeof(missing.reason));
    put_missing(&text, counts);
    if (count_without(run, entry, &without))
        cpus_fold(&without, NULL, tell_missing_on, &missing);
    else
        event_skip(missing.name, NULL, missing.reason);
}

/* What found something was a test, whatever its cycles say. */
static bool nothing_left(const struct exit_result *result)
{
    return result->leaves == LEAVES_NO && !result->findings;
}

/* What ran without an exit tested nothing of what is beneath. */
static void tell_stayed(const struct run *run, const struct exit_result *result)
{
    char buffer[128];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    if (result->passed_through)
        text_add(&text, "it stays in the guest here: its port is passed through");
    else
        text_add(&text, "it stays in the guest here: %lu cycles, where an exit takes %lu",
                 result->cycles_median, run->machine->leaving.cycles);
    event_skip(result->name, NULL, buffer);
}

static void tell_exits(const struct run *run)
{
    const struct exit_counts *counted = run->counted;
    uint32_t rows = run->plan.count + (run->plan.options.inject_classes != 0);
    for (uint32_t n = 0; n < rows; n++)
        if (counted[n].result.rounds)
            event_exit_log(&counted[n].result);
    event_exit_header();
    for (uint32_t n = 0; n < rows; n++)
        if (counted[n].result.rounds)
            event_exit_row(&counted[n].result);
    for (uint32_t n = 0; n < run->plan.count; n++) {
        if (counted[n].without_rounds || counted[n].unavailable)
            tell_missing(run, n);
        else if (counted[n].over)
            event_exit_over(&counted[n].result, counted[n].over, counted[n].reason);
        if (nothing_left(&counted[n].result))
            tell_stayed(run, &counted[n].result);
    }
}

/* In the rounds by XSAVE, which are counted among those of the exits. */
static void tell_components(const struct run *run)
{
    const struct xstate *xstate = &run->machine->xstate;
    const struct vcpu *boot = run->watched[run->processors.boot].vcpu;
    if (!xstate->wanted || !boot)
        return;
    const struct areas *areas = &boot->rounds.areas;
    for (enum save_instruction save = 0; save < SAVE_COUNT; save++)
        if (areas->no_save[save])
            event_skip(save_instruction_name(save), NULL, areas->no_save[save]);
    if (areas->no_pointers)
        event_skip("fip", NULL, areas->no_pointers);
    event_component_header();
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        if (!((xstate->offered | xstate->supervisor) >> bit & 1))
            continue;
        struct component_result result = count_component(run, bit);
        event_component(&result);
    }
}

static void tell_system(const struct run *run)
{
    if (run->machine->system[0]) {
        event_skip("registers", NULL, "the operating system keeps system registers to itself");
    } else if (run->machine->confidential) {
        event_skip("registers", NULL,
                   "a confidential VM is told of reads of some system registers by exceptions");
    } else {
        struct system_result result = count_system(run);
        event_system(&result);
    }
}

/* Harmless by themselves, but what ran between load and compare is to be known. */
static void tell_count(uint64_t count, const char *of_what)
{
    char buffer[128];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "%lu %s", count, of_what);
    if (count)
        event_notice(buffer);
}

/* NMIs are not held off by CLI: the one thing that may run unasked between load and compare. */
static void tell_interrupts(const struct totals *totals)
{
    tell_count(totals->nmis, "non-maskable interrupts came during the rounds");
    tell_count(totals->machine_checks, "machine checks came in all");
    tell_count(totals->spurious, "interrupts were spurious: the local APIC took them back");
    char strays[80];
    struct text text;
    text_start(&text, strays, sizeof(strays));
    text_add(&text, "interrupts came that zmmtest had not asked for, the last by vector %x",
             totals->stray_vector);
    tell_count(totals->strays, strays);
}

static void tell_disks(const struct run *run)
{
    struct disk_result result;
    for (uint32_t n = 0; run->plan.disks && disks_result(n, &result); n++)
        event_disk(n, &result, run->elapsed);
    if (run->disk_lost && run->identity.boot)
        event_notice("The result files end before this report: what is written would wait for "
                     "what does not come back.");
}

/* findings= of each exit and vCPU are told in full, findings_total= of all, and no more than there
 * was time for. */
static void tell_untold(const struct run *run, const struct totals *totals)
{
    char buffer[128];
    struct text text;
    uint64_t findings = totals->findings + totals->wrong_blocks;
    if (run->findings_told >= findings)
        return;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text,
             "%lu of the %lu findings are told in full; the others are counted. findings_total= "
             "tells more.",
             run->findings_told, findings);
    event_notice(buffer);
}

void outcome_tell(const struct run *run, const struct totals *totals)
{
    tell_untold(run, totals);
    tell_exits(run);
    tell_components(run);
    tell_system(run);
    tell_interrupts(totals);
    tell_disks(run);
    storage_tell(run);
    network_tell(run);
    tell_hits(run);
}

static void list_stayed(struct run *run)
{
    struct text text;
    text_start(&text, run->stayed_exits, sizeof(run->stayed_exits));
    for (uint32_t n = 0; n < run->plan.count; n++)
        if (nothing_left(&run->counted[n].result))
            text_add(&text, "%s%s", text.length ? ", " : "", run->counted[n].result.name);
}

struct outcome outcome_of(struct run *run, const struct totals *totals)
{
    list_stayed(run);
    struct outcome outcome = {
        .rounds = totals->rounds,
        .findings = totals->findings,
        .planted = totals->planted,
        .injected = totals->injected,
        .stayed = rounds_that_stayed(run),
        .stayed_exits = run->stayed_exits[0] ? run->stayed_exits : NULL,
        .wrong_blocks = totals->wrong_blocks,
        .milliseconds = run->elapsed,
        .vcpus = totals->vcpus,
        .control_run = run->machine->hypervisor.kind == HYPERVISOR_NONE && !run->machine->hidden[0],
        .hidden = run->machine->hidden,
        .hypervisor = run->machine->hypervisor.kind,
        .avx512 = !run->machine->xstate.no_avx512,
        .exposure = count_exposure(run),
        .system = run->machine->system,
        .changes = run->changes[0] ? run->changes : NULL,
        .known = &run->known,
    };
    again_describe(run, totals, &outcome);
    outcome.verdict = causes_verdict(run->causes, &outcome.reason);
    return outcome;
}
