/* Runs the rounds of a slice, times them, and counts what becomes of them. */
#include "slices.h"
#include "../../platform/instructions.h"
#include "area_compare.h"
#include "area_fill.h"
#include "area_probe.h"
#include "component.h"
#include "counter.h"
#include "findings.h"
#include "guard.h"
#include "memory.h"
#include "plant.h"
#include "round.h"
#include "step.h"
#include "system_state.h"
#include "work.h"
#include <string.h>

/* For so many rounds of a slice with every component live, one with some component zero. */
#define MIXED_EVERY 8u

/*
 * Rounds by XSAVE see what the others do not, and each has a pattern of its own to be made: where
 * an exit is fast they cost many times what a round does, and where it is slow next to nothing. So
 * they get a share of the time: of twenty parts one, and one round at least.
 */
#define XSAVE_TIME 20u

/* So many of them are timed, as filling an area takes more than the round. */
#define BARE_BY_XSAVE 4u

/*
 * Combinations that real bugs needed: lost only while all zmm uppers are zero and opmasks are not,
 * or come back non-zero. Zeros are loaded, not XRSTORed: a processor may still track them as used.
 */
static uint32_t mix_of(enum form form, uint32_t number)
{
    static const uint32_t zmm_mixes[GENERATIONS] = {
        COMPONENT_BIT(COMPONENT_ZMM_HI256),
        COMPONENT_BIT(COMPONENT_HI16_ZMM),
        COMPONENT_BIT(COMPONENT_OPMASK),
        COMPONENT_BIT(COMPONENT_ZMM_HI256) | COMPONENT_BIT(COMPONENT_HI16_ZMM),
        COMPONENT_BIT(COMPONENT_AVX) | COMPONENT_BIT(COMPONENT_ZMM_HI256),
        COMPONENT_BIT(COMPONENT_OPMASK) | COMPONENT_BIT(COMPONENT_ZMM_HI256) |
            COMPONENT_BIT(COMPONENT_HI16_ZMM),
        COMPONENT_BIT(COMPONENT_AVX) | COMPONENT_BIT(COMPONENT_OPMASK) |
            COMPONENT_BIT(COMPONENT_ZMM_HI256) | COMPONENT_BIT(COMPONENT_HI16_ZMM),
    };
    if (form == FORM_YMM)
        return COMPONENT_BIT(COMPONENT_AVX);
    if (form == FORM_XMM)
        return COMPONENT_BIT(COMPONENT_SSE);
    return zmm_mixes[number];
}

static void time_round(const struct rounds *rounds, struct tally *tally, uint64_t cycles)
{
    const uint64_t bare = rounds->bare_cycles;
    cycles = cycles > bare ? cycles - bare : 1;
    counter_add(&tally->timed, 1);
    counter_add(&tally->left, leaving_left(&rounds->machine->leaving, cycles));
    uint64_t lowest = counter_read(&tally->cycles_lowest);
    if (cycles < lowest || lowest == 0)
        atomic_store_explicit(&tally->cycles_lowest, cycles, memory_order_relaxed);
    tally->cycles[tally->next] = cycles > UINT32_MAX ? UINT32_MAX : (uint32_t)cycles;
    tally->next = (tally->next + 1) % TIMED_KEPT;
    if (tally->timings < TIMED_KEPT)
        tally->timings++;
}

/* A round that takes a second more than a hold is none: the machine stood still, and the clock of
 * the run leaves that out, too (run/standstill.c). */
#define STANDSTILL_MICROSECONDS 1000000u

static bool stood_still(const struct rounds *rounds, uint64_t cycles)
{
    uint64_t most = STANDSTILL_MICROSECONDS + rounds->plan->options.hold_microseconds;
    return cycles > rounds->machine->tsc_hz / 1000 * most / 1000;
}

/* For which every register was live, without what load and compare take. */
static void count_live(struct rounds *rounds, struct tally *tally, uint64_t cycles, uint64_t count)
{
    if (stood_still(rounds, cycles))
        return;
    counter_add(&tally->live_cycles, cycles * count);
    counter_add(&rounds->live_cycles, cycles * count);
}

/* The oldest anew. Each entry has a mix of its own. */
static void fill_mixed(struct rounds *rounds)
{
    uint32_t number = rounds->mixed_oldest;
    rounds->mixed_oldest = (number + 1) % GENERATIONS;
    round_fill(rounds, &rounds->mixed[number], mix_of(rounds->key.form, number));
}

static void time_bare_round(const struct rounds *rounds, struct round *round, uint64_t *least)
{
    __asm__ volatile("" : "+r"(round)); /* it is known before the clock is read */
    uint64_t start = rdtsc();
    (void)round_enter(rounds, &window_bare, round);
    uint64_t cycles = rdtsc() - start;
    if (cycles < *least)
        *least = cycles;
}

/* The best of several: what a round without an event costs here. */
static void measure_bare_round(struct rounds *rounds)
{
    rounds->bare_cycles = UINT64_MAX;
    for (unsigned int n = 0; n < 4 * TIMED_EVERY; n++)
        time_bare_round(rounds, &rounds->ring[n % GENERATIONS], &rounds->bare_cycles);
}

/* And one by XSAVE, each with an area of its own. */
static void measure_bare_round_by_xsave(struct rounds *rounds)
{
    rounds->bare_cycles_by_xsave = UINT64_MAX;
    for (unsigned int n = 0; n < BARE_BY_XSAVE && areas_mixes(&rounds->areas); n++) {
        areas_fill(rounds, &rounds->area_round, 0);
        time_bare_round(rounds, &rounds->area_round, &rounds->bare_cycles_by_xsave);
        areas_leave(rounds);
    }
}

void slices_prepare(struct rounds *rounds)
{
    /* Not from 0, so that there is an earlier generation for a planted stale value. */
    rounds->generation = 1;
    for (unsigned int n = 0; n < GENERATIONS; n++)
        round_fill(rounds, &rounds->ring[n], 0);
    for (unsigned int n = 0; n < GENERATIONS; n++)
        fill_mixed(rounds);
    rounds->inject_left = rounds->plan->options.inject_every;
    measure_bare_round(rounds);
    memory_prepare(rounds);
    areas_prepare(rounds);
    measure_bare_round_by_xsave(rounds);
    system_prepare(rounds);
}

static enum corruption_class next_injected_class(struct rounds *rounds)
{
    while (!(rounds->plan->options.inject_classes >> rounds->inject_next & 1))
        rounds->inject_next = (rounds->inject_next + 1) % CLASS_COUNT;
    enum corruption_class corruption = rounds->inject_next;
    rounds->inject_next = (rounds->inject_next + 1) % CLASS_COUNT;
    return corruption;
}

/* Before a round of the plan: one whose fault zmmtest plants itself. */
static void run_injected(struct rounds *rounds)
{
    enum corruption_class corruption = next_injected_class(rounds);
    struct round *round = &rounds->planted;
    struct plant plant;
    round_fill(rounds, round, plant_init_components(corruption, rounds->key.form));
    const struct window *window = plant_class(round, &rounds->key, corruption, &plant);
    enum window_result result = round_enter(rounds, window, round);
    struct tally *tally = &rounds->tally[INJECT_ROW];
    counter_add(&tally->rounds, 1);
    counter_add(&rounds->verified, 1);
    if (result != INTACT)
        finding_keep(rounds, INJECT_ROW, round, window, result, counter_read(&tally->rounds));
    rounds->inject_left = rounds->plan->options.inject_every;
}

/* An exception ended the round, and it is one of these: bit n is vector n. */
static bool ended_by(enum window_result result, const struct round *round, uint32_t vectors)
{
    return result >= FAULTED && round->fault.vector < 32 && vectors >> round->fault.vector & 1;
}

/* A confidential VM's way to be told of an exit: this exit cannot be tested, now or ever. */
#define REFLECTED (1u << VECTOR_VIRTUALIZATION | 1u << VECTOR_VMM_COMMUNICATION)

/* These say nothing of the guest's registers: no finding. */
#define NEVER_FOUND (REFLECTED | 1u << VECTOR_MACHINE_CHECK)

/* An event that faults before it ever worked does not exist here; later it is a finding. */
static bool event_unavailable(const struct rounds *rounds, const struct exit *exit,
                              const struct window *window, const struct round *round, uint64_t done)
{
    const unsigned int form = round_form(rounds, round);
    /* #UD, #GP, #PF where firmware maps nothing at a device's address. */
    const uint64_t absent = 1u << 6 | 1u << 13 | 1u << VECTOR_PAGE_FAULT;
    return done == 0 && !exit->must_work && round->fault.vector < 32 &&
           absent >> round->fault.vector & 1 && round->fault.rip >= window->form[form].event &&
           round->fault.rip < window->form[form].event_end;
}

/*
 * One round of an exit, with what has to be done around it. A wrong store counts as a difference of
 * the registers that it stored, as verify() found them.
 */
static enum window_result run_one(struct rounds *rounds, const struct exit *exit,
                                  const struct window *window, struct round *round,
                                  struct tally *tally, bool timed)
{
    uint64_t interrupts = exit->interrupts ? traps_interrupts(rounds->traps) : 0;
    uint64_t start = timed ? rdtsc() : 0;
    enum window_result result = round_enter(rounds, window, round);
    uint64_t end = timed ? rdtsc() : 0, cycles = end > start ? end - start : 0;
    if (exit->steps)
        step_settle(rounds);
    if (result >= FAULTED)
        system_exception(rounds, round->fault.vector);
    if (ended_by(result, round, NEVER_FOUND)) {
        if (round->area_mask)
            areas_leave(rounds);
    } else if (result != INTACT || round->area_mask) /* else there is nothing more to look at */
        result = areas_look(rounds, round, result);
    if (cycles && result == INTACT && !round->area_mask)
        time_round(rounds, tally, cycles);
    const uint64_t bare = round->area_mask ? rounds->bare_cycles_by_xsave : rounds->bare_cycles;
    if (exit->holds && result < FAULTED && cycles > bare && !round->init_components)
        count_live(rounds, tally, cycles - bare, 1);
    if (exit->interrupts)
        counter_add(&tally->interrupts, traps_interrupts(rounds->traps) - interrupts);
    bool stored = true;
    if (exit->steps && result == FAULTED && step_without_end(rounds, round))
        result = INTACT; /* as far as it ran */
    if (exit->verify && result == INTACT)
        memcpy(&round->found, &round->expected, sizeof(round->found));
    if (exit->verify && result <= VECTOR_DIFFER)
        stored = exit->verify(rounds, round);
    if (exit->end)
        exit->end(rounds);
    if (stored || result != INTACT)
        return result;
    return exit->steps ? AREA_DIFFER : OPMASK_DIFFER;
}

/* False: there is no round, for now or for good. */
static bool begin_round(struct rounds *rounds, const struct exit *exit, struct round *round,
                        struct tally *tally)
{
    const char *reason = NULL;
    enum begun begun = exit->begin ? exit->begin(rounds, round, &reason) : BEGUN;
    switch (begun) {
    case BEGUN:
        return true;
    case NOT_NOW:
        atomic_store_explicit(&tally->waited, true, memory_order_relaxed);
        return false;
    case NO_MORE:
        atomic_store_explicit(&tally->over, reason, memory_order_relaxed);
        return false;
    }
    return false;
}

/*
 * `count` rounds over `blocks` consecutive rounds of patterns. False if the event turned out not to
 * be available, for now or for good.
 */
static bool run_rounds(struct rounds *rounds, uint32_t entry, struct round *first, uint32_t blocks,
                       uint32_t count)
{
    const struct exit *exit = rounds->plan->entry[entry].exit;
    const struct window *window = rounds->plan->entry[entry].window;
    struct tally *tally = &rounds->tally[entry];
    uint64_t before = counter_read(&tally->rounds);
    uint32_t done = 0, lost = 0, faulted = 0;
    bool available = true;
    for (; done < count; done++) {
        struct round *round = &first[done % blocks];
        counter_add(&rounds->beats, 1);
        if (atomic_load_explicit(&rounds->stop, memory_order_relaxed))
            break;
        if (rounds->plan->options.inject_classes && --rounds->inject_left == 0)
            run_injected(rounds);
        if (!begin_round(rounds, exit, round, tally)) {
            available = false;
            break;
        }
        bool timed = exit->holds || (before + done) % TIMED_EVERY == 0;
        enum window_result result = run_one(rounds, exit, window, round, tally, timed);
        if (result == INTACT)
            continue;
        if (ended_by(result, round, REFLECTED) ||
            (result >= FAULTED && event_unavailable(rounds, exit, window, round, before + done))) {
            tally->fault_address = round->fault.cr2;
            atomic_store_explicit(&tally->unavailable, 1 + (uint32_t)round->fault.vector,
                                  memory_order_release);
            available = false;
            break;
        }
        faulted += result >= FAULTED;
        if (ended_by(result, round, NEVER_FOUND))
            lost++;
        else
            finding_keep(rounds, entry, round, window, result, before + done + 1);
    }
    counter_add(&tally->rounds, done - lost);
    counter_add(&rounds->verified, done - lost);
    if (!exit->holds && !first->init_components) /* the least for each */
        count_live(rounds, tally, counter_read(&tally->cycles_lowest), done - faulted);
    return available;
}

static void set_operands(struct rounds *rounds, const struct exit *exit, struct round *round)
{
    round->flags_kept = (RFLAGS_STATUS | RFLAGS_DIRECTION) & ~exit->flags_changed;
    pattern_fill_general(&round->expected, &rounds->key, round->generation);
    exit_put_operands(exit->operands, round);
    if (exit->set_operands)
        exit->set_operands(rounds->machine, round);
}

/* Register 0 held the data of a copy: a pattern again, of the round's own generation. */
static void restore_operand_registers(struct rounds *rounds)
{
    for (unsigned int n = 0; n < GENERATIONS; n++) {
        struct round *round = &rounds->ring[n];
        if (round->vector_operands)
            pattern_fill(&round->expected, &rounds->key, round->generation, 0);
        round->vector_operands = 0;
    }
}

/*
 * Some rounds in which a component is zero. Each exit begins with another mix in each pass, so that
 * one with a single such round meets all mixes in as many passes as there are.
 */
static void run_mixed(struct rounds *rounds, uint32_t entry)
{
    const struct exit *exit = rounds->plan->entry[entry].exit;
    uint32_t count = exit->rounds / MIXED_EVERY ? exit->rounds / MIXED_EVERY : 1;
    uint64_t pass = counter_read(&rounds->passes);
    uint64_t first = pass * count + entry;
    bool available = true;
    fill_mixed(rounds);
    for (unsigned int n = 0; n < GENERATIONS; n++)
        set_operands(rounds, exit, &rounds->mixed[n]);
    for (uint32_t n = 0; n < count && available; n++)
        available = run_rounds(rounds, entry, &rounds->mixed[(first + n) % GENERATIONS], 1, 1);
}

uint32_t slices_next_by_xsave(uint32_t count, uint32_t most, uint64_t others, uint64_t theirs)
{
    uint64_t fitting = others / (XSAVE_TIME - 1) * count / (theirs ? theirs : 1);
    uint32_t limit = 2 * count < most ? 2 * count : most;
    return fitting > limit ? limit : (uint32_t)fitting;
}

static bool run_one_by_xsave(struct rounds *rounds, uint32_t entry, uint32_t mix)
{
    areas_fill(rounds, &rounds->area_round, mix);
    set_operands(rounds, rounds->plan->entry[entry].exit, &rounds->area_round);
    rounds->system.seen = false;
    return run_rounds(rounds, entry, &rounds->area_round, 1, 1);
}

/* One with every component live, x87 and PKRU as well. */
static void run_all_live_by_xsave(struct rounds *rounds, uint32_t entry)
{
    if (!areas_mixes(&rounds->areas))
        return;
    (void)run_one_by_xsave(rounds, entry, 0);
    areas_leave(rounds); /* it may not have come to run */
}

/*
 * Some rounds by XSAVE, after rounds that took that many cycles. Exits begin with different mixes,
 * and each goes on with the next.
 */
static void run_by_xsave(struct rounds *rounds, uint32_t entry, uint64_t others)
{
    const struct exit *exit = rounds->plan->entry[entry].exit;
    struct tally *tally = &rounds->tally[entry];
    uint32_t mixes = areas_mixes(&rounds->areas);
    uint32_t count = tally->by_xsave ? tally->by_xsave : 1;
    bool available = mixes != 0;
    uint64_t start = rdtsc();
    for (uint32_t n = 0; n < count && available; n++)
        available =
            run_one_by_xsave(rounds, entry, exit->all_live ? 0 : (entry + tally->mix++) % mixes);
    if (mixes) /* the last one may not have come to run */
        areas_leave(rounds);
    uint64_t end = rdtsc();
    if (end > start)
        tally->by_xsave = slices_next_by_xsave(count, exit->rounds, others, end - start);
}

/* Before the rounds by XSAVE, which look by themselves, and behind one that did not. */
static void look_at_system(struct rounds *rounds, uint32_t entry)
{
    if (rounds->system.seen)
        return;
    bool xcr0_altered = areas_mend_xcr0(rounds);
    if (!system_compare(rounds) || xcr0_altered)
        finding_keep_of_slice(rounds, entry, rounds->plan->entry[entry].window);
}

/* A new pattern among the others, and the time. */
static uint64_t begin_slice(struct rounds *rounds, const struct exit *exit)
{
    uint64_t start = rdtsc();
    pulse_look(&rounds->pulse, start);
    tsc_skew_look(&rounds->skew, start);
    round_fill(rounds, &rounds->ring[rounds->oldest], 0);
    rounds->oldest = (rounds->oldest + 1) % GENERATIONS;
    for (unsigned int n = 0; n < GENERATIONS; n++)
        set_operands(rounds, exit, &rounds->ring[n]);
    system_begin(rounds, exit);
    return start;
}

static void end_slice(struct rounds *rounds, struct tally *tally, uint64_t start, bool whole)
{
    system_end(rounds);
    uint64_t end = rdtsc();
    pulse_look(&rounds->pulse, end);
    tsc_skew_look(&rounds->skew, end);
    if (end <= start) /* it was set back meanwhile */
        return;
    counter_add(&tally->slice_cycles, end - start);
    counter_add(&tally->whole_slices, whole);
    counter_add(&tally->whole_cycles, whole ? end - start : 0);
}

/*
 * The boot vCPU asks the disks for more between its slices: after a whole hold's slice they would
 * have had nothing to do for most of it.
 */
#define PARTS_OF_BOOT_VCPU 4u

static uint32_t rounds_of(const struct rounds *rounds, const struct exit *exit, bool all_live)
{
    uint32_t parts = all_live && rounds->runs_firmware ? PARTS_OF_BOOT_VCPU : 1;
    return exit->rounds > parts ? exit->rounds / parts : 1;
}

static void run(struct rounds *rounds, uint32_t entry, bool all_live)
{
    const struct exit *exit = rounds->plan->entry[entry].exit;
    const uint32_t count = rounds_of(rounds, exit, all_live);
    atomic_store_explicit(&rounds->current, entry, memory_order_relaxed);
    counter_add(&rounds->beats, 1);
    if (work_is_over(rounds, entry))
        return;
    hits_compare(&rounds->hits, rounds->key.form,
                 ~round_general_changed(rounds->plan->entry[entry].window));
    uint64_t start = begin_slice(rounds, exit);
    bool available = run_rounds(rounds, entry, rounds->ring, GENERATIONS, count);
    if (exit->all_live)
        restore_operand_registers(rounds);
    else if (available && !all_live)
        run_mixed(rounds, entry);
    look_at_system(rounds, entry);
    uint64_t others = rdtsc() - start;
    if (available && all_live)
        run_all_live_by_xsave(rounds, entry);
    else if (available)
        run_by_xsave(rounds, entry, others);
    look_at_system(rounds, entry);
    end_slice(rounds, &rounds->tally[entry], start, !all_live);
}

void slice_run(struct rounds *rounds, uint32_t entry)
{
    run(rounds, entry, false);
}

void slice_run_all_live(struct rounds *rounds, uint32_t entry)
{
    run(rounds, entry, true);
}
