/* Turns the vector state of a vCPU on and back off. */
#ifndef ZMMTEST_PLATFORM_XSTATE_ON_H
#define ZMMTEST_PLATFORM_XSTATE_ON_H

#include "form.h"
#include <stdbool.h>
#include <stdint.h>

struct xstate; /* of core/machine/xstate.h */

/* What a vCPU had before xstate_turn_on(), for xstate_turn_off() to put back. */
struct xstate_saved {
    _Alignas(16) uint8_t legacy[512]; /* FXSAVE area: x87, SSE, MXCSR */
    uint64_t cr0, cr4, xcr0;
    uint64_t xcr0_on; /* XCR0 as it read back after turning on */
    enum form form;   /* what XCR0 as read back allows, up to the xstate's form */
    bool on;
};

/*
 * On the calling vCPU: saves x87/SSE state, CR0, CR4 and XCR0, then sets CR4.OSXSAVE and XCR0 and
 * reads them back. Interrupts off, traps on (traps.h): a hypervisor that refuses XSETBV costs the
 * components, not the run.
 */
void xstate_turn_on(struct xstate_saved *saved, const struct xstate *xstate);

/* Undoes xstate_turn_on(): clears all vector state, then puts everything back as it was. */
void xstate_turn_off(const struct xstate_saved *saved);

#endif
