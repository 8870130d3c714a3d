/* Makes findings, and hands them from the vCPU that made them to the boot vCPU by a ring. */
#include "findings.h"
#include "area_compare.h"
#include "counter.h"
#include "round.h"
#include <string.h>

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

/* Of a round whose found state is complete. */
static void finding_make(const struct rounds *rounds, struct round *round,
                         const struct window *window, enum window_result result,
                         struct finding *finding)
{
    finding->key = rounds->key;
    finding->cpu = rounds->cpu;
    finding->generation = round->generation;
    finding->init_components = round->init_components;
    finding->vector_operands = round->vector_operands;
    finding->live = round->area_mask ? rounds->areas.live : 0;
    finding->result = result;
    finding->fault = round->fault;
    finding->general_changed = round_general_changed(window);
    finding->flags_kept = round->flags_kept;
    finding->memory_changed = memory_changed(rounds, round);
    memcpy(&finding->expected, &round->expected, sizeof(finding->expected));
    memcpy(&finding->found, &round->found, sizeof(finding->found));
    finding->differences = 0;
    bool by_xsave = round->area_mask || result == AREA_DIFFER;
    for (uint32_t n = 0; by_xsave && n < rounds->areas.differences; n++)
        finding->difference[finding->differences++] = rounds->areas.difference[n];
}

bool finding_planted(struct rounds *rounds, struct round *round, const struct window *window,
                     struct finding *finding)
{
    enum window_result result = areas_look(rounds, round, round_enter(rounds, window, round));
    if (result == INTACT)
        return false;
    round_complete_found(round, result);
    finding_make(rounds, round, window, result, finding);
    finding->injected = true;
    finding->exit = INJECT_ROW;
    finding->round = 0;
    return true;
}

/* Counts every finding and marks what it hit; keeps the first few of each exit while there is room
 * in the queue. */
static void keep(struct rounds *rounds, uint32_t row, struct round *round,
                 const struct window *window, enum window_result result, uint64_t number,
                 bool of_slice)
{
    struct tally *tally = &rounds->tally[row];
    counter_add(&tally->findings, 1);
    counter_add(&rounds->findings, 1);
    round_complete_found(round, result);
    if (result < FAULTED)
        hits_add(row == INJECT_ROW ? &rounds->injected_hits : &rounds->hits, round,
                 rounds->key.form, ~round_general_changed(window));
    uint32_t queued = atomic_load_explicit(&rounds->queued, memory_order_relaxed);
    uint32_t taken = atomic_load_explicit(&rounds->taken, memory_order_acquire);
    uint32_t most = row == INJECT_ROW ? 2 * CLASS_COUNT : rounds->plan->options.findings_kept;
    if (tally->kept >= most || queued - taken == FINDING_QUEUE)
        return;
    tally->kept++;
    struct finding *finding = &rounds->queue[queued % FINDING_QUEUE];
    finding_make(rounds, round, window, result, finding);
    finding->exit = row;
    finding->round = number;
    finding->injected = row == INJECT_ROW;
    finding->of_slice = of_slice;
    atomic_store_explicit(&rounds->queued, queued + 1, memory_order_release);
}

void finding_keep(struct rounds *rounds, uint32_t row, struct round *round,
                  const struct window *window, enum window_result result, uint64_t number)
{
    keep(rounds, row, round, window, result, number, false);
}

void finding_keep_of_slice(struct rounds *rounds, uint32_t row, const struct window *window)
{
    struct round *none = &rounds->planted; /* its registers are as they should be */
    round_fill(rounds, none, 0);
    memcpy(&none->found, &none->expected, sizeof(none->found));
    keep(rounds, row, none, window, AREA_DIFFER, counter_read(&rounds->tally[row].rounds),
         row != PREPARE_ROW);
}

const struct finding *findings_next(const struct rounds *rounds)
{
    uint32_t taken = atomic_load_explicit(&rounds->taken, memory_order_relaxed);
    if (atomic_load_explicit(&rounds->queued, memory_order_acquire) == taken)
        return NULL;
    return &rounds->queue[taken % FINDING_QUEUE];
}

void findings_took(struct rounds *rounds)
{
    uint32_t taken = atomic_load_explicit(&rounds->taken, memory_order_relaxed);
    atomic_store_explicit(&rounds->taken, taken + 1, memory_order_release);
}
