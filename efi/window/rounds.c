/* Runs rounds on the calling vCPU, counts and times them, and keeps what they found. */
#include "rounds.h"
#include "../component.h"
#include "../machine/instructions.h"
#include "../machine/traps.h"
#include "plant.h"
#include <string.h>

/* For so many rounds of a slice with every component live, one with some component zero. */
#define MIXED_EVERY 8u

/* And for so many, one by XSAVE, each of a pattern of its own, which costs more than a
 * round. */
#define XSAVE_EVERY 128u

const char not_now[] = "the run ended before it was possible";

/* One writer, so a plain load and store do; no locked instruction in the vCPU's way. */
static void add(_Atomic uint64_t *counter, uint64_t count)
{
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + count, memory_order_relaxed);
}

void rounds_fill(struct rounds *rounds, struct round *round, uint32_t init_components)
{
    round->generation = rounds->generation++;
    round->init_components = init_components;
    round->vector_operands = 0;
    round->flags_kept = RFLAGS_STATUS | RFLAGS_DIRECTION;
    pattern_fill(&round->expected, &rounds->key, round->generation, init_components);
}

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

/* Of the window that the round runs. */
static unsigned int form_of(const struct rounds *rounds, const struct round *round)
{
    return round->area_mask ? FORM_XSAVE : (unsigned int)rounds->key.form;
}

static enum window_result run(const struct rounds *rounds, const struct window *window,
                              struct round *round)
{
    static const char *const on_fault[FORM_COUNT + 1] = {on_fault_xmm, on_fault_ymm, on_fault_zmm,
                                                         on_fault_xsave};
    const unsigned int form = form_of(rounds, round);
    round->on_fault = (uint64_t)on_fault[form];
    /* What the window stores and compares in memory: a lost store must not find the same there. */
    round->found.mxcsr = ~round->expected.mxcsr;
    round->found.rflags = ~round->expected.rflags;
    if (form < FORM_ZMM)
        memset(round->found.vector, 0, 16 * sizeof(round->found.vector[0]));
    return window->form[form].enter(round);
}

/*
 * What the window found first stands, but the area is looked at in any case; unless XCR0 was
 * altered, from which all else follows.
 */
static enum window_result look_at_area(struct rounds *rounds, struct round *round,
                                       enum window_result result)
{
    if (!round->area_mask && result < FAULTED)
        return result;
    if (areas_mend_xcr0(rounds)) {
        memcpy(&round->found, &round->expected, sizeof(round->found));
        result = AREA_DIFFER;
    } else if (round->area_mask && result != FAULTED_TWICE) {
        bool intact = areas_compare(rounds, round);
        result = result == INTACT && !intact ? AREA_DIFFER : result;
    }
    if (round->area_mask)
        areas_leave(rounds);
    return result;
}

static void time_round(struct tally *tally, uint64_t cycles, uint64_t bare)
{
    cycles = cycles > bare ? cycles - bare : 1;
    uint64_t lowest = atomic_load_explicit(&tally->cycles_lowest, memory_order_relaxed);
    if (cycles < lowest || lowest == 0)
        atomic_store_explicit(&tally->cycles_lowest, cycles, memory_order_relaxed);
    tally->cycles[tally->next] = cycles > UINT32_MAX ? UINT32_MAX : (uint32_t)cycles;
    tally->next = (tally->next + 1) % TIMED_KEPT;
    if (tally->timings < TIMED_KEPT)
        tally->timings++;
}

/* The oldest anew. Each entry has a mix of its own. */
static void fill_mixed(struct rounds *rounds)
{
    uint32_t number = rounds->mixed_oldest;
    rounds->mixed_oldest = (number + 1) % GENERATIONS;
    rounds_fill(rounds, &rounds->mixed[number], mix_of(rounds->key.form, number));
}

/* The best of several: what a round without an event costs here. */
static void measure_bare_round(struct rounds *rounds)
{
    rounds->bare_cycles = UINT64_MAX;
    for (unsigned int n = 0; n < 4 * TIMED_EVERY; n++) {
        struct round *round = &rounds->ring[n % GENERATIONS];
        __asm__ volatile("" : "+r"(round)); /* it is known before the clock is read */
        uint64_t start = rdtsc();
        (void)run(rounds, &window_bare, round);
        uint64_t cycles = rdtsc() - start;
        if (cycles < rounds->bare_cycles)
            rounds->bare_cycles = cycles;
    }
}

void rounds_prepare(struct rounds *rounds)
{
    /* Not from 0, so that there is an earlier generation for a planted stale value. */
    rounds->generation = 1;
    for (unsigned int n = 0; n < GENERATIONS; n++)
        rounds_fill(rounds, &rounds->ring[n], 0);
    for (unsigned int n = 0; n < GENERATIONS; n++)
        fill_mixed(rounds);
    rounds->inject_left = rounds->plan->inject_every;
    measure_bare_round(rounds);
    memory_prepare(rounds);
    areas_prepare(rounds);
}

/*
 * What was verified before the difference showed is as expected, and its registers have since been
 * the compare's scratch: see the keep paths in compare.S.
 */
static void complete_found_state(struct round *round, enum window_result result)
{
    if (result == OPMASK_DIFFER || result == VECTOR_DIFFER || result == AREA_DIFFER)
        memcpy(round->found.general, round->expected.general, sizeof(round->found.general));
    if (result == VECTOR_DIFFER)
        memcpy(round->found.opmask, round->expected.opmask, sizeof(round->found.opmask));
    if (result == FAULTED_TWICE)
        memcpy(&round->found, &round->expected, sizeof(round->found));
}

/* A pattern made anew must be what memory still holds, or the fault is not a register's. */
static bool memory_changed(const struct rounds *rounds, struct round *round)
{
    struct register_state *again = &round->planted;
    enum form form = rounds->key.form;
    uint64_t difference = 0;
    pattern_fill(again, &rounds->key, round->generation, round->init_components);
    for (unsigned int n = 0; n < form_vectors(form); n++)
        for (unsigned int lane = 0; lane < form_lanes(form) && !(round->vector_operands >> n & 1);
             lane++)
            difference |= again->vector[n][lane] ^ round->expected.vector[n][lane];
    for (unsigned int n = 0; n < OPMASK_COUNT && form == FORM_ZMM; n++)
        difference |= again->opmask[n] ^ round->expected.opmask[n];
    return difference != 0;
}

/* RSP is the window's own. */
static uint64_t general_changed(const struct window *window)
{
    return window->changes | UINT64_C(1) << RSP;
}

/* Of a round whose found state is complete. */
static void make_finding(const struct rounds *rounds, struct round *round,
                         const struct window *window, enum window_result result,
                         struct finding *finding)
{
    finding->key = rounds->key;
    finding->cpu = rounds->cpu;
    finding->generation = round->generation;
    finding->init_components = round->init_components;
    finding->result = result;
    finding->fault = round->fault;
    finding->general_changed = general_changed(window);
    finding->flags_kept = round->flags_kept;
    finding->memory_changed = memory_changed(rounds, round);
    memcpy(&finding->expected, &round->expected, sizeof(finding->expected));
    memcpy(&finding->found, &round->found, sizeof(finding->found));
    finding->differences = 0;
    bool by_xsave = round->area_mask || result == AREA_DIFFER;
    for (uint32_t n = 0; by_xsave && n < rounds->areas.differences; n++)
        finding->difference[finding->differences++] = rounds->areas.difference[n];
}

bool rounds_planted(struct rounds *rounds, struct round *round, const struct window *window,
                    struct finding *finding)
{
    enum window_result result = look_at_area(rounds, round, run(rounds, window, round));
    if (result == INTACT)
        return false;
    complete_found_state(round, result);
    make_finding(rounds, round, window, result, finding);
    finding->injected = true;
    finding->exit = INJECT_ROW;
    finding->round = 0;
    return true;
}

bool rounds_area_intact(struct rounds *rounds, struct round *round)
{
    return look_at_area(rounds, round, run(rounds, &window_bare, round)) == INTACT;
}

/* Counts every finding and marks what it hit; keeps the first few of each exit while there is room
 * in the queue. */
static void keep_finding(struct rounds *rounds, uint32_t row, struct round *round,
                         const struct window *window, enum window_result result, uint64_t number)
{
    struct tally *tally = &rounds->tally[row];
    add(&tally->findings, 1);
    add(&rounds->findings, 1);
    complete_found_state(round, result);
    if (result < FAULTED)
        hits_add(row == INJECT_ROW ? &rounds->injected_hits : &rounds->hits, round,
                 rounds->key.form, ~general_changed(window));
    uint32_t queued = atomic_load_explicit(&rounds->queued, memory_order_relaxed);
    uint32_t taken = atomic_load_explicit(&rounds->taken, memory_order_acquire);
    uint32_t most = row == INJECT_ROW ? 2 * CLASS_COUNT : rounds->plan->findings_kept;
    if (tally->kept >= most || queued - taken == FINDING_QUEUE)
        return;
    tally->kept++;
    struct finding *finding = &rounds->queue[queued % FINDING_QUEUE];
    make_finding(rounds, round, window, result, finding);
    finding->exit = row;
    finding->round = number;
    finding->injected = row == INJECT_ROW;
    atomic_store_explicit(&rounds->queued, queued + 1, memory_order_release);
}

const struct finding *rounds_next_finding(const struct rounds *rounds)
{
    uint32_t taken = atomic_load_explicit(&rounds->taken, memory_order_relaxed);
    if (atomic_load_explicit(&rounds->queued, memory_order_acquire) == taken)
        return NULL;
    return &rounds->queue[taken % FINDING_QUEUE];
}

void rounds_took_finding(struct rounds *rounds)
{
    uint32_t taken = atomic_load_explicit(&rounds->taken, memory_order_relaxed);
    atomic_store_explicit(&rounds->taken, taken + 1, memory_order_release);
}

static enum corruption next_injected_class(struct rounds *rounds)
{
    while (!(rounds->plan->inject_classes >> rounds->inject_next & 1))
        rounds->inject_next = (rounds->inject_next + 1) % CLASS_COUNT;
    enum corruption corruption = rounds->inject_next;
    rounds->inject_next = (rounds->inject_next + 1) % CLASS_COUNT;
    return corruption;
}

/* Before a round of the plan: one whose fault zmmtest plants itself. */
static void run_injected(struct rounds *rounds)
{
    enum corruption corruption = next_injected_class(rounds);
    struct round *round = &rounds->planted;
    struct plant plant;
    rounds_fill(rounds, round, plant_init_components(corruption, rounds->key.form));
    const struct window *window = plant_class(round, &rounds->key, corruption, &plant);
    enum window_result result = run(rounds, window, round);
    struct tally *tally = &rounds->tally[INJECT_ROW];
    add(&tally->rounds, 1);
    add(&rounds->verified, 1);
    if (result != INTACT)
        keep_finding(rounds, INJECT_ROW, round, window, result,
                     atomic_load_explicit(&tally->rounds, memory_order_relaxed));
    rounds->inject_left = rounds->plan->inject_every;
}

/* An event that faults before it ever worked does not exist here; later it is a finding. */
static bool event_unavailable(const struct rounds *rounds, const struct exit *exit,
                              const struct window *window, const struct round *round, uint64_t done)
{
    const unsigned int form = form_of(rounds, round);
    const uint64_t absent = 1u << 6 | 1u << 13 | 1u << 20 | 1u << 29; /* #UD #GP #VE #VC */
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
    enum window_result result = run(rounds, window, round);
    uint64_t cycles = timed ? rdtsc() - start : 0;
    result = look_at_area(rounds, round, result);
    if (timed && result == INTACT && !round->area_mask)
        time_round(tally, cycles, rounds->bare_cycles);
    if (exit->exposure && cycles > rounds->bare_cycles)
        add(&tally->live_cycles, cycles - rounds->bare_cycles);
    if (exit->interrupts)
        add(&tally->interrupts, traps_interrupts(rounds->traps) - interrupts);
    bool stored = true;
    if (exit->verify && result == INTACT)
        memcpy(&round->found, &round->expected, sizeof(round->found));
    if (exit->verify && result <= VECTOR_DIFFER)
        stored = exit->verify(rounds, round);
    if (exit->end)
        exit->end(rounds);
    return stored || result != INTACT ? result : OPMASK_DIFFER;
}

static void no_round(struct tally *tally, const char *reason)
{
    if (reason == not_now)
        atomic_store_explicit(&tally->waited, true, memory_order_relaxed);
    else
        atomic_store_explicit(&tally->over, reason, memory_order_relaxed);
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
    uint64_t before = atomic_load_explicit(&tally->rounds, memory_order_relaxed);
    uint32_t done = 0;
    bool available = true;
    for (; done < count; done++) {
        struct round *round = &first[done % blocks];
        add(&rounds->beats, 1);
        if (atomic_load_explicit(&rounds->stop, memory_order_relaxed))
            break;
        if (rounds->plan->inject_classes && --rounds->inject_left == 0)
            run_injected(rounds);
        const char *reason = exit->begin ? exit->begin(rounds, round) : NULL;
        if (reason) {
            no_round(tally, reason);
            available = false;
            break;
        }
        bool timed = exit->exposure || (before + done) % TIMED_EVERY == 0;
        enum window_result result = run_one(rounds, exit, window, round, tally, timed);
        if (result == INTACT)
            continue;
        if (result >= FAULTED && event_unavailable(rounds, exit, window, round, before + done)) {
            atomic_store_explicit(&tally->unavailable, 1 + (uint32_t)round->fault.vector,
                                  memory_order_relaxed);
            return false;
        }
        keep_finding(rounds, entry, round, window, result, before + done + 1);
    }
    add(&tally->rounds, done);
    add(&rounds->verified, done);
    return available;
}

static void set_operands(struct rounds *rounds, const struct exit *exit, struct round *round)
{
    round->flags_kept = exit->flags_kept;
    pattern_fill_general(&round->expected, &rounds->key, round->generation);
    if (exit->operands)
        exit->operands(rounds->machine, round);
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
    uint64_t pass = atomic_load_explicit(&rounds->passes, memory_order_relaxed);
    uint64_t first = pass * count + entry;
    bool available = true;
    fill_mixed(rounds);
    for (unsigned int n = 0; n < GENERATIONS; n++)
        set_operands(rounds, exit, &rounds->mixed[n]);
    for (uint32_t n = 0; n < count && available; n++)
        available = run_rounds(rounds, entry, &rounds->mixed[(first + n) % GENERATIONS], 1, 1);
}

/* Some rounds by XSAVE. Each exit begins with another mix in each pass, as in run_mixed().
 */
static void run_by_xsave(struct rounds *rounds, uint32_t entry)
{
    const struct exit *exit = rounds->plan->entry[entry].exit;
    uint32_t mixes = areas_mixes(&rounds->areas);
    uint32_t count = exit->rounds / XSAVE_EVERY ? exit->rounds / XSAVE_EVERY : 1;
    uint64_t pass = atomic_load_explicit(&rounds->passes, memory_order_relaxed);
    bool available = mixes != 0;
    for (uint32_t n = 0; n < count && available; n++) {
        uint64_t mix = exit->all_live ? 0 : (pass * count + entry + n) % mixes;
        areas_fill(rounds, &rounds->area_round, (uint32_t)mix);
        set_operands(rounds, exit, &rounds->area_round);
        available = run_rounds(rounds, entry, &rounds->area_round, 1, 1);
    }
    if (mixes) /* the last one may not have come to run */
        areas_leave(rounds);
}

bool rounds_take_part(const struct rounds *rounds, uint32_t entry)
{
    if (entry == INJECT_ROW)
        return true;
    const struct exit *exit = rounds->plan->entry[entry].exit;
    return !exit->part || exit->part(rounds);
}

static bool is_over(const struct rounds *rounds, uint32_t entry)
{
    const struct tally *tally = &rounds->tally[entry];
    return !rounds_take_part(rounds, entry) ||
           atomic_load_explicit(&tally->unavailable, memory_order_relaxed) ||
           atomic_load_explicit(&tally->over, memory_order_relaxed);
}

void rounds_slice(struct rounds *rounds, uint32_t entry)
{
    const struct exit *exit = rounds->plan->entry[entry].exit;
    struct tally *tally = &rounds->tally[entry];
    atomic_store_explicit(&rounds->current, entry, memory_order_relaxed);
    add(&rounds->beats, 1);
    if (is_over(rounds, entry))
        return;
    hits_compare(&rounds->hits, rounds->key.form,
                 ~general_changed(rounds->plan->entry[entry].window));
    uint64_t start = rdtsc();
    rounds_fill(rounds, &rounds->ring[rounds->oldest], 0);
    rounds->oldest = (rounds->oldest + 1) % GENERATIONS;
    for (unsigned int n = 0; n < GENERATIONS; n++)
        set_operands(rounds, exit, &rounds->ring[n]);
    bool available = run_rounds(rounds, entry, rounds->ring, GENERATIONS, exit->rounds);
    if (exit->all_live)
        restore_operand_registers(rounds);
    else if (available)
        run_mixed(rounds, entry);
    if (available)
        run_by_xsave(rounds, entry);
    add(&tally->slice_cycles, rdtsc() - start);
}

bool rounds_exhausted(const struct rounds *rounds)
{
    for (uint32_t entry = 0; entry < rounds->plan->count; entry++)
        if (!is_over(rounds, entry))
            return false;
    return true;
}

bool rounds_finished(const struct rounds *rounds)
{
    if (atomic_load_explicit(&rounds->stop, memory_order_relaxed) || rounds_exhausted(rounds))
        return true;
    return rounds->plan->passes &&
           atomic_load_explicit(&rounds->passes, memory_order_relaxed) >= rounds->plan->passes;
}

void rounds_beat(struct rounds *rounds)
{
    add(&rounds->beats, 1);
}
