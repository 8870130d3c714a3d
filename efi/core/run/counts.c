/* Goes through the vCPUs that take part. */
#include "counts.h"
#include "../../platform/scratch.h"
#include "../../platform/traps.h"
#include "../window/counter.h"
#include "../window/work.h"
#include <string.h>

/* The next vCPU from `cpu` on that takes part, for a walk over all; NULL: there are no more. */
static const struct vcpu *next_vcpu(const struct run *run, uint32_t *cpu)
{
    while (run->watched && *cpu < run->processors.count) {
        uint32_t number = (*cpu)++;
        if (run_has(run, number))
            return run->watched[number].vcpu;
    }
    return NULL;
}

static void add_vcpu(struct totals *totals, const struct vcpu *vcpu)
{
    const struct rounds *rounds = &vcpu->rounds;
    const struct traps *traps = &vcpu->traps;
    const struct tally *injected = &rounds->tally[INJECT_ROW];
    uint32_t vector = atomic_load_explicit(&traps->stray_vector, memory_order_relaxed);
    totals->rounds += counter_read(&rounds->verified);
    totals->findings += counter_read(&rounds->findings);
    totals->planted += counter_read(&injected->rounds);
    totals->injected += counter_read(&injected->findings);
    totals->nmis += traps->nmis;
    totals->machine_checks += counter_read(&traps->machine_checks);
    totals->spurious += counter_read(&traps->interrupts[INTERRUPT_SPURIOUS]);
    totals->strays += counter_read(&traps->interrupts[INTERRUPT_STRAY]);
    totals->stray_vector = vector ? vector : totals->stray_vector;
    totals->vcpus += counter_read(&rounds->verified) > 0;
}

struct totals count_totals(const struct run *run)
{
    struct totals totals = {0};
    const struct vcpu *vcpu;
    for (uint32_t cpu = 0; (vcpu = next_vcpu(run, &cpu)) != NULL;)
        add_vcpu(&totals, vcpu);
    totals.wrong_blocks = scratch_wrong_blocks();
    return totals;
}

static void add_tally(struct exit_counts *counts, const struct tally *tally)
{
    struct exit_result *result = &counts->result;
    uint64_t rounds = counter_read(&tally->rounds), lowest = counter_read(&tally->cycles_lowest);
    uint32_t unavailable = atomic_load_explicit(&tally->unavailable, memory_order_acquire);
    const char *over = atomic_load_explicit(&tally->over, memory_order_relaxed);
    result->rounds += rounds;
    result->findings += counter_read(&tally->findings);
    result->interrupts += counter_read(&tally->interrupts);
    counts->timed += counter_read(&tally->timed);
    counts->left += counter_read(&tally->left);
    result->live_cycles += counter_read(&tally->live_cycles);
    result->slice_cycles += counter_read(&tally->slice_cycles);
    counts->spent += counter_read(&tally->slice_cycles) / 1024;
    counts->whole_spent += counter_read(&tally->whole_cycles) / 1024;
    counts->whole_slices += counter_read(&tally->whole_slices);
    if (lowest && (lowest < result->cycles_min || !result->cycles_min))
        result->cycles_min = lowest;
    counts->without_rounds += rounds == 0;
    counts->unavailable += unavailable != 0;
    counts->exception = unavailable ? unavailable - 1 : counts->exception;
    counts->address = unavailable ? tally->fault_address : counts->address;
    counts->over += over != NULL;
    counts->reason = over ? over : counts->reason;
    counts->waited |= rounds == 0 && atomic_load_explicit(&tally->waited, memory_order_relaxed);
}

static void judge_leaving(const struct run *run, uint32_t entry, struct exit_counts *counts)
{
    const struct leaving *leaving = &run->machine->leaving;
    struct exit_result *result = &counts->result;
    if (entry == INJECT_ROW || !leaving->cycles || !result->rounds)
        return;
    const struct exit *exit = run->plan.entry[entry].exit;
    result->passed_through = exit->port80 && leaving->port80_stays;
    if (result->passed_through)
        result->leaves = LEAVES_NO;
    else if (exit_is_judged(exit))
        result->leaves = leaving_judge(counts->timed, counts->left);
    result->stayed = leaving_stayed(result->leaves, result->rounds, counts->timed, counts->left);
}

struct exit_counts count_exit(const struct run *run, uint32_t entry)
{
    bool injected = entry == INJECT_ROW;
    struct exit_counts counts = {
        .result = {.name = run_row_name(run, entry),
                   .injected = injected,
                   .holds = !injected && run->plan.entry[entry].exit->holds,
                   .takes_interrupts = !injected && run->plan.entry[entry].exit->interrupts}};
    const struct vcpu *vcpu;
    for (uint32_t cpu = 0; (vcpu = next_vcpu(run, &cpu)) != NULL;)
        if (work_takes_part(&vcpu->rounds, entry))
            add_tally(&counts, &vcpu->rounds.tally[entry]);
    judge_leaving(run, entry, &counts);
    return counts;
}

bool count_without(const struct run *run, uint32_t entry, struct cpus *without)
{
    bool others = false;
    for (uint32_t cpu = 0; run->watched && cpu < run->processors.count; cpu++) {
        if (!run_has(run, cpu) || !work_takes_part(&run->watched[cpu].vcpu->rounds, entry))
            continue;
        const struct tally *tally = &run->watched[cpu].vcpu->rounds.tally[entry];
        if (!counter_read(&tally->rounds) || atomic_load(&tally->unavailable))
            cpus_add(without, cpu);
        else
            others = true;
    }
    return others;
}

#define SAMPLES_MAX 4096u

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

/* Of the latest timings of all vCPUs: as many of each as there is room for. */
uint64_t count_median(const struct run *run, uint32_t entry)
{
    static uint32_t samples[SAMPLES_MAX]; /* too large for a stack of the firmware's */
    size_t count = 0, share = SAMPLES_MAX / (run->plan.peers ? run->plan.peers : 1);
    const struct vcpu *vcpu;
    for (uint32_t cpu = 0; (vcpu = next_vcpu(run, &cpu)) != NULL;) {
        const struct tally *tally = &vcpu->rounds.tally[entry];
        for (size_t n = 0; n < tally->timings && n < share && count < SAMPLES_MAX; n++)
            samples[count++] = tally->cycles[n];
    }
    sort(samples, count);
    return count ? samples[count / 2] : 0;
}

uint64_t count_median_of(const struct run *run, uint32_t cpu, uint32_t entry)
{
    uint32_t samples[TIMED_KEPT];
    if (!run_has(run, cpu))
        return 0;
    const struct tally *tally = &run->watched[cpu].vcpu->rounds.tally[entry];
    memcpy(samples, tally->cycles, sizeof(samples));
    sort(samples, tally->timings);
    return tally->timings ? samples[tally->timings / 2] : 0;
}

struct component_result count_component(const struct run *run, uint32_t bit)
{
    const struct xstate *xstate = &run->machine->xstate;
    struct component_result result = {.bit = bit, .size = xstate->size[bit]};
    const struct vcpu *vcpu;
    if (xstate->supervisor >> bit & 1)
        result.reason = "supervisor state, which no XCR0 enables";
    for (uint32_t cpu = 0; (vcpu = next_vcpu(run, &cpu)) != NULL;) {
        const struct areas *areas = &vcpu->rounds.areas;
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

/* What one vCPU has and another does not is compared all the same. */
struct system_result count_system(const struct run *run)
{
    struct system_result result = {0};
    const struct vcpu *vcpu;
    for (uint32_t cpu = 0; (vcpu = next_vcpu(run, &cpu)) != NULL;) {
        const struct system_state *system = &vcpu->rounds.system;
        const uint64_t comparisons = counter_read(&system->comparisons);
        result.comparisons += comparisons;
        result.compared |= comparisons ? system->present : 0;
        result.patterned |= comparisons ? system->patterned : 0;
        result.changed_outside |= system->changed_outside;
        for (enum system_register number = 0; number < SYSTEM_COUNT; number++)
            if (system->reason[number])
                result.reason[number] = system->reason[number];
    }
    return result;
}

uint64_t count_passes(const struct run *run)
{
    uint64_t fewest = UINT64_MAX;
    const struct vcpu *vcpu;
    for (uint32_t cpu = 0; (vcpu = next_vcpu(run, &cpu)) != NULL;) {
        uint64_t passes = counter_read(&vcpu->rounds.passes);
        fewest = passes < fewest ? passes : fewest;
    }
    return fewest == UINT64_MAX ? 0 : fewest;
}

bool count_passes_left(const struct run *run)
{
    const struct vcpu *vcpu;
    for (uint32_t cpu = 0; (vcpu = next_vcpu(run, &cpu)) != NULL;)
        if (counter_read(&vcpu->rounds.passes) < run->plan.options.passes &&
            !work_exhausted(&vcpu->rounds))
            return true;
    return false;
}

/* Both in milliseconds, in which no sum of them overflows. */
static uint32_t permille(uint64_t part, uint64_t whole)
{
    return (uint32_t)(whole ? part * 1000 / whole : 0);
}

/* No more than the run took. */
static uint64_t live_milliseconds(const struct run *run, const struct vcpu *vcpu)
{
    uint64_t ticks_per_ms = run->machine->tsc_hz / 1000;
    uint64_t live = ticks_per_ms ? counter_read(&vcpu->rounds.live_cycles) / ticks_per_ms : 0;
    return live < run->elapsed ? live : run->elapsed;
}

struct exposure count_exposure(const struct run *run)
{
    uint64_t vcpus = 0;
    struct exposure exposure = {0};
    const struct vcpu *vcpu;
    for (uint32_t cpu = 0; (vcpu = next_vcpu(run, &cpu)) != NULL;) {
        uint64_t live = live_milliseconds(run, vcpu);
        uint32_t share = permille(live, run->elapsed);
        if (vcpus++ == 0 || share < exposure.permille_least) {
            exposure.permille_least = share;
            exposure.least_on = vcpu->rounds.cpu;
        }
        exposure.milliseconds += live;
    }
    exposure.permille = permille(exposure.milliseconds, vcpus * run->elapsed);
    return exposure;
}

const struct hits *count_hits(const struct run *run, uint32_t cpu, bool injected)
{
    if (!run_has(run, cpu))
        return NULL;
    const struct rounds *rounds = &run->watched[cpu].vcpu->rounds;
    if (!counter_read(&rounds->verified))
        return NULL;
    return injected ? &rounds->injected_hits : &rounds->hits;
}
