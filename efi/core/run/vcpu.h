/*
 * One vCPU at work: its exception handlers, its XCR0, its rounds. The boot vCPU runs a slice at a
 * time and returns to the firmware in between; the others run until they are told to stop.
 */
#ifndef ZMMTEST_CORE_RUN_VCPU_H
#define ZMMTEST_CORE_RUN_VCPU_H

#include "../../platform/traps.h"
#include "../../platform/xstate_on.h"
#include "../window/rounds.h"
#include <stdatomic.h>

enum vcpu_state {
    VCPU_UNUSED,  /* not asked for */
    VCPU_ASKED,   /* asked to start; has not answered yet */
    VCPU_RUNNING, /* answered */
    VCPU_DONE,    /* finished, state of the machine put back */
    VCPU_BROKEN,  /* an exception in zmmtest's own code ended it: see fault */
};

struct vcpu {
    struct rounds rounds;
    struct traps traps;
    struct xstate_saved saved;
    struct fault fault;
    bool xcr0_lost; /* which is why there was that fault */
    bool prepared;
    _Atomic enum vcpu_state state;
};

/* rounds.machine, .plan and .cpu and rounds.key.run are set, everything else is zero. */

/* On the vCPU itself: all of its run. Interrupts stay off. */
void vcpu_run(struct vcpu *vcpu);

/* On the vCPU itself: one slice, interrupts off meanwhile, the machine as found before and after.
 */
void vcpu_run_slice(struct vcpu *vcpu);

/*
 * On the calling vCPU: runs work(argument) with traps and vector state on. False, and vcpu->fault
 * says what happened, if an exception ended it.
 */
bool vcpu_with_vectors(struct vcpu *vcpu, void (*work)(void *argument), void *argument);

/* Makes a finding of an XCR0 that was found to be another, and where. False: it never was. */
bool vcpu_keep_lost_xcr0(struct vcpu *vcpu);

#endif
