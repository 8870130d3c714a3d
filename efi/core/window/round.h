/* One round: load, event, compare. */
#ifndef ZMMTEST_CORE_WINDOW_ROUND_H
#define ZMMTEST_CORE_WINDOW_ROUND_H

#include "rounds.h"

/* The window without an event: what a round costs by itself (exits_instruction.S). */
extern const struct window window_bare;

/* Fills a round anew with the next generation; some components may have to be in INIT state. */
void round_fill(struct rounds *rounds, struct round *round, uint32_t init_components);

/* Of the window that the round runs: enum form or FORM_XSAVE. */
unsigned int round_form(const struct rounds *rounds, const struct round *round);

/* Runs the window on a filled round. Clobbers MXCSR and every vector and opmask register. */
enum window_result round_enter(const struct rounds *rounds, const struct window *window,
                               struct round *round);

/*
 * What was verified before the difference showed is as expected, and its registers have since been
 * the compare's scratch (compare.S, keep paths): completes found of the round by that.
 */
void round_complete_found(struct round *round, enum window_result result);

/* General registers that a window's event may change, and RSP, which is the window's own: a set of
 * bits. */
uint64_t round_general_changed(const struct window *window);

#endif
