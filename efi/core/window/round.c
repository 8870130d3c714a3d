/* Fills a round, enters its window, and completes what that found. */
#include "round.h"
#include "rounds.h"
#include <string.h>

void round_fill(struct rounds *rounds, struct round *round, uint32_t init_components)
{
    round->generation = rounds->generation++;
    round->init_components = init_components;
    round->vector_operands = 0;
    round->flags_kept = RFLAGS_STATUS | RFLAGS_DIRECTION;
    pattern_fill(&round->expected, &rounds->key, round->generation, init_components);
}

/* Of the window that the round runs. */
unsigned int round_form(const struct rounds *rounds, const struct round *round)
{
    return round->area_mask ? FORM_XSAVE : (unsigned int)rounds->key.form;
}

enum window_result round_enter(const struct rounds *rounds, const struct window *window,
                               struct round *round)
{
    static const char *const on_fault[FORM_COUNT + 1] = {on_fault_xmm, on_fault_ymm, on_fault_zmm,
                                                         on_fault_xsave};
    const unsigned int form = round_form(rounds, round);
    round->on_fault = (uint64_t)on_fault[form];
    /* What the window stores and compares in memory: a lost store must not find the same there. */
    round->found.mxcsr = ~round->expected.mxcsr;
    round->found.rflags = ~round->expected.rflags;
    if (form < FORM_ZMM)
        memset(round->found.vector, 0, 16 * sizeof(round->found.vector[0]));
    return window->form[form].enter(round);
}

/*
 * What was verified before the difference showed is as expected, and its registers have since been
 * the compare's scratch: see the keep paths in compare.S.
 */
void round_complete_found(struct round *round, enum window_result result)
{
    if (result == OPMASK_DIFFER || result == VECTOR_DIFFER || result == AREA_DIFFER)
        memcpy(round->found.general, round->expected.general, sizeof(round->found.general));
    if (result == VECTOR_DIFFER)
        memcpy(round->found.opmask, round->expected.opmask, sizeof(round->found.opmask));
    if (result == FAULTED_TWICE)
        memcpy(&round->found, &round->expected, sizeof(round->found));
}

/* RSP is the window's own. */
uint64_t round_general_changed(const struct window *window)
{
    return window->changes | UINT64_C(1) << RSP;
}
