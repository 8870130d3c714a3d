/* Adds up what the vCPUs counted, and makes the verdict of it. */
#include "results.h"
#include "disks.h"
#include "machine/traps.h"
#include "report/events.h"
#include "report/report.h"
#include "window/area_format.h"
#include "window/counter.h"
#include "window/work.h"

struct totals results_totals(const struct run *run)
{
    struct totals totals = {0};
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++) {
        if (!run_has(run, cpu))
            continue;
        const struct rounds *rounds = &run->watched[cpu].vcpu->rounds;
        totals.rounds += counter_read(&rounds->verified);
        totals.findings += counter_read(&rounds->findings);
        const struct traps *traps = &run->watched[cpu].vcpu->traps;
        totals.nmis += traps->nmis;
        totals.spurious += counter_read(&traps->interrupts[INTERRUPT_SPURIOUS]);
        totals.strays += counter_read(&traps->interrupts[INTERRUPT_STRAY]);
        uint32_t vector = atomic_load_explicit(&traps->stray_vector, memory_order_relaxed);
        totals.stray_vector = vector ? vector : totals.stray_vector;
        totals.planted += counter_read(&rounds->tally[INJECT_ROW].rounds);
        totals.injected += counter_read(&rounds->tally[INJECT_ROW].findings);
        totals.vcpus += counter_read(&rounds->verified) > 0;
    }
    return totals;
}

#define SAMPLES_MAX 4096u

static uint32_t samples[SAMPLES_MAX];

static void sort(uint32_t *values, size_t count)
{
    for (size_t gap = count / 2; gap > 0; gap /= 2)
        for (size_t n = gap; n < count; n++)
            for (size_t at = n; at >= gap && values[at - gap] > values[at]; at -= gap) {
                uint32_t swap = values[at];
                values[at] = values[at - gap];
                values[at - gap] = swap;
            }
}

/* The latest timings of all vCPUs, as many of each as there is room for. */
static uint64_t median_cycles(const struct run *run, uint32_t entry, uint32_t vcpus)
{
    size_t count = 0, share = SAMPLES_MAX / (vcpus ? vcpus : 1);
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++) {
        if (!run_has(run, cpu))
            continue;
        const struct tally *tally = &run->watched[cpu].vcpu->rounds.tally[entry];
        for (size_t n = 0; n < tally->timings && n < share && count < SAMPLES_MAX; n++)
            samples[count++] = tally->cycles[n];
    }
    sort(samples, count);
    return count ? samples[count / 2] : 0;
}

struct exit_counts {
    struct exit_result result;
    uint32_t without_rounds; /* vCPUs that took part and have none */
    uint32_t unavailable;    /* of them: the event raised an exception */
    uint32_t exception;      /* its vector */
    uint32_t over;           /* vCPUs on which it came to an end before the run did */
    const char *reason;      /* why it did there, or has not begun */
    bool waited;             /* it was NOT_NOW */
};

static struct exit_counts count_exit(const struct run *run, uint32_t entry)
{
    struct exit_counts counts = {.result = {.name = run_row_name(run, entry)}};
    counts.result.injected = entry == INJECT_ROW;
    counts.result.takes_interrupts = entry != INJECT_ROW && run->plan.entry[entry].exit->interrupts;
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++) {
        if (!run_has(run, cpu) || !work_takes_part(&run->watched[cpu].vcpu->rounds, entry))
            continue;
        const struct tally *tally = &run->watched[cpu].vcpu->rounds.tally[entry];
        uint64_t rounds = counter_read(&tally->rounds);
        uint32_t unavailable = atomic_load_explicit(&tally->unavailable, memory_order_relaxed);
        counts.result.rounds += rounds;
        counts.result.findings += counter_read(&tally->findings);
        uint64_t lowest = counter_read(&tally->cycles_lowest);
        if (lowest && (lowest < counts.result.cycles_min || !counts.result.cycles_min))
            counts.result.cycles_min = lowest;
        counts.without_rounds += rounds == 0;
        counts.unavailable += unavailable != 0;
        const char *over = atomic_load_explicit(&tally->over, memory_order_relaxed);
        counts.over += over != NULL;
        counts.reason = over ? over : counts.reason;
        counts.waited |= rounds == 0 && atomic_load_explicit(&tally->waited, memory_order_relaxed);
        counts.result.interrupts += counter_read(&tally->interrupts);
        counts.result.live_cycles += counter_read(&tally->live_cycles);
        counts.result.slice_cycles += counter_read(&tally->slice_cycles);
        counts.exception = unavailable ? unavailable - 1 : counts.exception;
    }
    return counts;
}

/* Says why an exit has no rounds on some vCPU, and what that makes of the verdict. */
static void explain_missing(struct run *run, const struct exit_counts *counts)
{
    char buffer[96];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    if (counts->unavailable) {
        text_add(&text, "the instruction raises %s here", exception_name(counts->exception));
        if (run->options->exits_named || counts->result.rounds)
            run_verdict(run, VERDICT_INCOMPLETE, "an exit that was asked for cannot run here");
    } else if (counts->over) {
        text_add(&text, "%s", counts->reason);
        if (run->options->exits_named)
            run_verdict(run, VERDICT_INCOMPLETE, "an exit that was asked for cannot run here");
    } else {
        text_add(&text, "%s",
                 counts->waited ? "the run ended before it was possible"
                                : "the run ended before it was its turn");
        run_verdict(run, VERDICT_INCOMPLETE, "the run ended before every exit had its turn");
    }
    if (counts->result.rounds)
        text_add(&text, " (%u of the vCPUs)", counts->without_rounds);
    event_skip(counts->result.name, CPU_ALL, buffer);
}

static struct exit_counts counted[EXIT_MAX + 1];

static void report_exits(struct run *run, uint32_t vcpus)
{
    uint32_t count = 0;
    for (uint32_t entry = 0; entry < run->plan.count; entry++) {
        counted[count] = count_exit(run, entry);
        counted[count++].result.cycles_median = median_cycles(run, entry, vcpus);
    }
    if (run->plan.inject_classes)
        counted[count++] = count_exit(run, INJECT_ROW);
    for (uint32_t n = 0; n < count; n++)
        if (counted[n].result.rounds)
            event_exit_log(&counted[n].result);
    event_exit_header();
    for (uint32_t n = 0; n < count; n++)
        if (counted[n].result.rounds)
            event_exit_row(&counted[n].result);
    for (uint32_t n = 0; n < run->plan.count; n++) {
        if (counted[n].without_rounds)
            explain_missing(run, &counted[n]);
        else if (counted[n].over)
            event_exit_over(&counted[n].result, counted[n].over, counted[n].reason);
    }
}

/* In holds, of all that report_exits() has counted. */
static uint64_t live_cycles(const struct run *run)
{
    uint64_t cycles = 0;
    for (uint32_t entry = 0; entry < run->plan.count; entry++)
        cycles += counted[entry].result.live_cycles;
    return cycles;
}

static struct component_result add_up_component(const struct run *run, uint32_t bit)
{
    const struct xstate *xstate = &run->machine->xstate;
    struct component_result result = {.bit = bit, .size = xstate->size[bit]};
    if (xstate->supervisor >> bit & 1)
        result.reason = "supervisor state, which no XCR0 enables";
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++) {
        if (!run_has(run, cpu))
            continue;
        const struct areas *areas = &run->watched[cpu].vcpu->rounds.areas;
        const struct area_component *of = &areas->component[bit];
        result.rounds += counter_read(&of->rounds);
        result.findings += counter_read(&of->findings);
        result.reason = of->reason ? of->reason : result.reason;
        if (!areas->wanted && !result.reason)
            result.reason = "there is no memory for its areas";
    }
    if (result.rounds)
        result.reason = NULL;
    else if (!result.reason)
        result.reason = "the run ended before it was its turn";
    return result;
}

/* In the rounds by XSAVE, which are counted among those of the exits. */
static void report_components(const struct run *run)
{
    const struct xstate *xstate = &run->machine->xstate;
    if (!xstate->wanted || !run->watched[run->processors.boot].vcpu)
        return;
    const struct areas *areas = &run->watched[run->processors.boot].vcpu->rounds.areas;
    for (enum save_instruction save = 0; save < SAVE_COUNT; save++)
        if (areas->no_save[save])
            event_skip(save_instruction_name(save), CPU_ALL, areas->no_save[save]);
    event_component_header();
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        if (!((xstate->offered | xstate->supervisor) >> bit & 1))
            continue;
        struct component_result result = add_up_component(run, bit);
        event_component(&result);
    }
}

/* Passes that were asked for and not done, because the time was over or a vCPU was lost. */
static void check_passes(struct run *run)
{
    for (uint32_t cpu = 0; run->watched && cpu < run->processors.count; cpu++) {
        if (!run_has(run, cpu))
            continue;
        const struct rounds *rounds = &run->watched[cpu].vcpu->rounds;
        uint64_t passes = counter_read(&rounds->passes);
        if (passes < run->plan.passes && !work_exhausted(rounds) && !run->options->stop_first)
            run_verdict(run, VERDICT_INCOMPLETE, "the run ended before all its passes");
    }
}

/* Harmless by themselves, but what ran between load and compare is to be known. */
static void report_count(uint64_t count, const char *of_what)
{
    char buffer[128];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "%lu %s", count, of_what);
    if (count)
        event_notice(buffer);
}

/* NMIs are not held off by CLI: the one thing that may run unasked between load and compare. */
static void report_interrupts(const struct totals *totals)
{
    report_count(totals->nmis, "non-maskable interrupts came during the rounds");
    report_count(totals->spurious, "interrupts were spurious: the local APIC took them back");
    char strays[80];
    struct text text;
    text_start(&text, strays, sizeof(strays));
    text_add(&text, "interrupts came that zmmtest had not asked for, the last by vector %x",
             totals->stray_vector);
    report_count(totals->strays, strays);
}

static void report_disks(const struct run *run)
{
    struct disk_result result;
    for (uint32_t n = 0; run->plan.disks && disks_result(n, &result); n++)
        event_disk(n, &result, run->elapsed);
}

void results_report(struct run *run)
{
    struct totals totals = {0};
    if (run->watched) {
        totals = results_totals(run);
        report_exits(run, totals.vcpus);
        report_components(run);
        report_interrupts(&totals);
        report_disks(run);
        if (run->disk_lost && run->identity.boot)
            event_notice("The result files end before this report: what is written would wait for "
                         "the read that does not come back.");
    }
    check_passes(run);
    if (totals.planted != totals.injected)
        run_verdict(run, VERDICT_ERROR, "a planted fault was not found: do not trust this run");
    if (totals.findings)
        run_verdict(run, VERDICT_FAIL,
                    totals.findings == totals.injected
                        ? "registers changed, but only where zmmtest INJECTED it"
                    : run->machine->system[0] ? "registers changed beneath this process"
                                              : "registers changed beneath this guest");
    else if (totals.rounds == 0)
        run_verdict(run, VERDICT_INCOMPLETE, "nothing ran");
    run->outcome = (struct outcome){
        .verdict = run->verdict,
        .reason = run->reason,
        .rounds = totals.rounds,
        .findings = totals.findings,
        .planted = totals.planted,
        .injected = totals.injected,
        .milliseconds = run->elapsed,
        .vcpus = totals.vcpus,
        .control_run = run->machine->hypervisor.kind == HYPERVISOR_NONE,
        .hypervisor = run->machine->hypervisor.kind,
        .avx512 = !run->machine->xstate.no_avx512,
        .live_milliseconds = live_cycles(run) / (run->machine->tsc_hz / 1000),
        .system = run->machine->system,
    };
    event_done(&run->outcome);
}

/* How far apart two looks must be for a rate that can be read. */
#define RATE_MILLISECONDS 1000u

static uint64_t rounds_per_second(uint64_t rounds, uint64_t milliseconds)
{
    static uint64_t rate, rounds_before, milliseconds_before;
    uint64_t went_by = milliseconds - milliseconds_before;
    if (milliseconds && went_by >= RATE_MILLISECONDS) {
        rate = (rounds - rounds_before) * 1000 / went_by;
        rounds_before = rounds;
        milliseconds_before = milliseconds;
    }
    return rate;
}

static const struct run *shown;

static const struct hits *hits_of(uint32_t cpu, bool injected)
{
    if (!run_has(shown, cpu))
        return NULL;
    const struct rounds *rounds = &shown->watched[cpu].vcpu->rounds;
    if (!counter_read(&rounds->verified))
        return NULL;
    return injected ? &rounds->injected_hits : &rounds->hits;
}

static uint64_t fewest_passes(const struct run *run)
{
    uint64_t fewest = UINT64_MAX;
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++) {
        if (!run_has(run, cpu))
            continue;
        const struct rounds *rounds = &run->watched[cpu].vcpu->rounds;
        uint64_t passes = counter_read(&rounds->passes);
        fewest = passes < fewest ? passes : fewest;
    }
    return fewest == UINT64_MAX ? 0 : fewest;
}

const struct progress *results_progress(struct run *run)
{
    static struct progress progress;
    static struct exit_result exit[EXIT_MAX + 1];
    struct totals totals = run->watched ? results_totals(run) : (struct totals){0};
    shown = run;
    progress = (struct progress){
        .identity = &run->identity,
        .machine = run->machine,
        .milliseconds = run->elapsed,
        .time_limit = run_time_limit(run),
        .passes = run->watched ? fewest_passes(run) : 0,
        .passes_limit = run->options->passes,
        .rounds = totals.rounds,
        .findings = totals.findings,
        .injected = totals.injected,
        .per_second = rounds_per_second(totals.rounds, run->elapsed),
        .left_out = run->left_out,
        .paused = run->paused,
        .outcome = run->outcome.reason ? &run->outcome : NULL,
        .error = run->error,
        .exit = exit,
        .cpus = run->watched ? run->processors.count : 0,
        .hits = hits_of,
    };
    for (uint32_t entry = 0; run->watched && entry < run->plan.count; entry++) {
        struct exit_counts counts = count_exit(run, entry);
        progress.left_out += counts.unavailable && !counts.result.rounds;
        exit[progress.exits++] = counts.result;
    }
    if (run->watched && run->plan.inject_classes)
        exit[progress.exits++] = count_exit(run, INJECT_ROW).result;
    return &progress;
}
