/*
 * Control state that is no component of XSAVE: what a hypervisor may lose or mix up across an exit
 * just as well. Looked at in the rounds by XSAVE, as reading it is an exit itself beneath some
 * hypervisors.
 */
#ifndef ZMMTEST_CORE_WINDOW_CONTROL_H
#define ZMMTEST_CORE_WINDOW_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

enum control {
    CONTROL_XCR0, /* looked at and mended by areas_mend_xcr0() */
    CONTROL_CR0,
    CONTROL_CR4,
    CONTROL_EFER,
    CONTROL_FS_BASE,
    CONTROL_GS_BASE,
    CONTROL_DR0,
    CONTROL_DR1,
    CONTROL_DR2,
    CONTROL_DR3,
    CONTROL_DR6,
    CONTROL_DR7,
    CONTROL_COUNT
};

struct controls {
    uint64_t want[CONTROL_COUNT], got[CONTROL_COUNT];
    uint64_t kept[CONTROL_COUNT]; /* of those that get a pattern: what was there */
    bool begun;                   /* controls_end() has not put it back yet */
};

/* "cr4" and so on. */
const char *control_name(enum control control);

/*
 * Before a round: gives DR0 to DR3 a pattern each, without turning a breakpoint on, and reads
 * everything but XCR0. Not in a process, which may not.
 */
void controls_begin(struct controls *controls, uint64_t pattern);

/*
 * After it: a bit for each that has another value; DR0 to DR3 are what they were before. Nothing
 * where nothing was begun.
 */
uint32_t controls_end(struct controls *controls);

#endif
