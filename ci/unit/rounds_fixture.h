/* One vCPU that can run rounds on this processor, for the tests that need one. */
#ifndef ZMMTEST_CI_UNIT_ROUNDS_FIXTURE_H
#define ZMMTEST_CI_UNIT_ROUNDS_FIXTURE_H

#include "../../efi/core/window/rounds.h"
#include "../../efi/platform/traps.h"
#include <stdbool.h>

extern struct machine machine;
extern struct plan plan;
extern struct rounds rounds;
extern struct traps traps;

/* The vCPU anew: run cafe, vCPU 2. The plan keeps what is in it, but for short holds and four
 * findings of each. */
void rounds_anew(enum form form);

/*
 * What a run does before its first round by XSAVE: knows the machine, in the widest form it has,
 * gives the areas memory, and lets exceptions in. False: this processor has no XSAVE.
 * rounds_leave() undoes it.
 */
bool rounds_with_areas(void);
/* The areas laid out anew, for another machine.xstate. False: they are too large. */
bool rounds_areas_anew(void);
void rounds_leave(void);

#endif
