/*
 * Exits whose instruction runs under TF or RF, or in the shadow of STI or of MOV to SS: something
 * has to come exactly behind it, a #DB or an interrupt. The hooks of those rows of exits.c.
 */
#ifndef ZMMTEST_CORE_WINDOW_STEP_H
#define ZMMTEST_CORE_WINDOW_STEP_H

#include "../../platform/traps.h"
#include "rounds.h"

/* A #DB comes once. Of one that comes so often, whatever the handler does, there is no end. */
#define STEP_TIMES_MOST 8u

/*
 * A #DB came that was expected: puts the debug registers back, and ends the stepping. False: it
 * comes without end, and has to be left as an exception is that nobody expected.
 */
bool step_came(struct step *step, uint64_t rip, uint64_t *rflags);

/* What came at a wrong place, or not at all: components of their own, from AREA_STEP on. */
enum step_fact { STEP_SINGLE_STEP, STEP_BREAKPOINT, STEP_INTERRUPT, STEP_FACT_COUNT };

/* Offset of a difference: where it came, by RIP, 0: it did not; how often a #DB came; and what DR6
 * says that it was. */
#define STEP_PLACE 0u
#define STEP_TIMES 8u
#define STEP_CAUSE 16u

/* "single-step" and so on. */
const char *step_fact_name(enum step_fact fact);

/* Before a round. */
enum begun step_trap_begin(struct rounds *rounds, struct round *round, const char **reason);
enum begun step_shadow_begin(struct rounds *rounds, struct round *round, const char **reason);
enum begun step_breakpoint_begin(struct rounds *rounds, struct round *round, const char **reason);
enum begun step_interrupt_begin(struct rounds *rounds, struct round *round, const char **reason);

/* Right behind it: debug registers are as they were, whatever came. */
void step_settle(struct rounds *rounds);

/* Whether the round ended by a #DB without end, which step_verify() tells. */
bool step_without_end(const struct rounds *rounds, const struct round *round);

/* What came, against what was to come; false with a difference in rounds->areas. */
bool step_verify(struct rounds *rounds, struct round *round);

/* After the round: nothing of it can come any more. */
void step_end(struct rounds *rounds);

#endif
