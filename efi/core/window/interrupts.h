/*
 * Interrupts of our own on a vCPU that the firmware does not use: its local APIC's timer, and those
 * that vCPUs send each other. The hooks of the rows in exits.c that take or send them.
 */
#ifndef ZMMTEST_CORE_WINDOW_INTERRUPTS_H
#define ZMMTEST_CORE_WINDOW_INTERRUPTS_H

#include "rounds.h"

/*
 * Makes the local APIC of the calling vCPU ours: masks what the firmware had it raise, measures its
 * timer and finds out whether that interrupts. The vCPU must not be the firmware's.
 */
void interrupts_take(struct rounds *rounds);

/* Between slices: waits while the run is paused, and takes what vCPUs sent before it was. */
void interrupts_rest(struct rounds *rounds);

/*
 * After the last pass: goes on taking what vCPUs send that have not come so far. Bounded, as one of
 * them may be lost.
 */
void interrupts_linger(struct rounds *rounds);

/* Puts the local APIC back as it was found, once no interrupt of ours can come any more. */
void interrupts_give_back(struct rounds *rounds);

/* Takes what is pending. */
void interrupts_let_in(void);

/* Interrupts off: sends this vCPU a VECTOR_STEP; false if it is not pending in time. */
bool interrupts_send_to_self(const struct rounds *rounds);

/* False on the vCPU that the firmware runs on: its interrupts are not ours. */
bool interrupts_part(const struct rounds *rounds);

/* Before and after each round (exit.h). What wakes a HLT may come before it: it is then pending.
 */
enum begun timer_begin(struct rounds *rounds, struct round *round, const char **reason);
enum begun ipi_begin(struct rounds *rounds, struct round *round, const char **reason);
enum begun ipi_send_begin(struct rounds *rounds, struct round *round, const char **reason);
void timer_end(struct rounds *rounds);
void ipi_end(struct rounds *rounds);

#endif
