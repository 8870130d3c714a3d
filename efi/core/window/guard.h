/*
 * What becomes of an exception: one in a window ends the round, one in a guarded function ends that
 * function. The platform's handlers (platform/traps.h) ask here where the vCPU goes on.
 */
#ifndef ZMMTEST_CORE_WINDOW_GUARD_H
#define ZMMTEST_CORE_WINDOW_GUARD_H

#include "../../platform/traps.h"

/* Where an exception was raised, and where the vCPU goes on. */
struct trap_point {
    uint64_t rip, rsp, rflags;
};

/* Makes *point where the vCPU goes on: out of the window, or out of the guarded function. */
void traps_exception(struct traps *traps, const struct fault *fault, struct trap_point *point);

/*
 * Runs function(argument) between traps_enter() and traps_leave(). False if it raised an exception,
 * which is then in *fault (if not NULL); what the function had not yet done is left undone.
 */
bool traps_run(void (*function)(void *), void *argument, struct fault *fault);

/* Reads an MSR; false if that raised #GP. Between traps_enter() and traps_leave(). */
bool traps_rdmsr(uint32_t msr, uint64_t *value);

/* Writes one; false if that raised an exception. */
bool traps_wrmsr(uint32_t msr, uint64_t value);

/* Whether traps_exception() knows where to go on from here. */
bool traps_guarded(const struct traps *traps, uint64_t rip);

/* Interrupts that came by on this vCPU so far, of all kinds. */
uint64_t traps_interrupts(const struct traps *traps);

#endif
