/* Makes the report and the verdict of what the vCPUs counted. */
#include "outcome.h"
#include "../../platform/disks.h"
#include "../machine/exception.h"
#include "../report/events.h"
#include "../text.h"
#include "../window/area_format.h"
#include "counts.h"
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

static bool any_disk_failed(const struct run *run)
{
    struct disk_result result;
    bool failed = false;
    for (uint32_t n = 0; run->plan.disks && disks_result(n, &result); n++)
        failed |= result.failed;
    return failed;
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
    if (totals->rounds == 0)
        note_cause(&causes, CAUSE_NOTHING_RAN);
    return causes;
}

static void tell_missing(const struct exit_counts *counts)
{
    char buffer[96];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    if (counts->unavailable && counts->exception == VECTOR_PAGE_FAULT)
        text_add(&text, "nothing is mapped at 0x%lx, where it is said to be", counts->address);
    else if (counts->unavailable)
        text_add(&text, "the instruction raises %s here", exception_name(counts->exception));
    else if (counts->over)
        text_add(&text, "%s", counts->reason);
    else if (counts->waited)
        text_add(&text, "the run ended before it was possible");
    else
        text_add(&text, "the run ended before it was its turn");
    if (counts->result.rounds)
        text_add(&text, " (%u of the vCPUs)",
                 counts->unavailable ? counts->unavailable : counts->without_rounds);
    event_skip(counts->result.name, NULL, buffer);
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
            tell_missing(&counted[n]);
        else if (counted[n].over)
            event_exit_over(&counted[n].result, counted[n].over, counted[n].reason);
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
                     "the read that does not come back.");
}

/* findings= of each exit and vCPU are told in full, findings_total= of all, and no more than there
 * was time for. */
static void tell_untold(const struct run *run, const struct totals *totals)
{
    char buffer[128];
    struct text text;
    if (run->findings_told >= totals->findings)
        return;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text,
             "%lu of the %lu findings are told in full; the others are counted. findings_total= "
             "tells more.",
             run->findings_told, totals->findings);
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
    tell_hits(run);
}

/* For which all registers were live in holds, of all vCPUs. */
static uint64_t live_cycles(const struct run *run)
{
    uint64_t cycles = 0;
    for (uint32_t entry = 0; entry < run->plan.count; entry++)
        cycles += run->counted[entry].result.live_cycles;
    return cycles;
}

struct outcome outcome_of(const struct run *run, const struct totals *totals)
{
    struct outcome outcome = {
        .rounds = totals->rounds,
        .findings = totals->findings,
        .planted = totals->planted,
        .injected = totals->injected,
        .milliseconds = run->elapsed,
        .vcpus = totals->vcpus,
        .control_run = run->machine->hypervisor.kind == HYPERVISOR_NONE && !run->machine->hidden[0],
        .hidden = run->machine->hidden,
        .hypervisor = run->machine->hypervisor.kind,
        .avx512 = !run->machine->xstate.no_avx512,
        .live_milliseconds = live_cycles(run) / (run->machine->tsc_hz / 1000),
        .system = run->machine->system,
        .changes = run->changes[0] ? run->changes : NULL,
        .known = &run->known,
    };
    outcome.verdict = causes_verdict(run->causes, &outcome.reason);
    return outcome;
}
