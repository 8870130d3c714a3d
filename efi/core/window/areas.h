/*
 * Rounds whose state XRSTOR puts in and an XSAVE instruction reads back: every user component that
 * CPUID.0D enumerates and XCR0 allows, known by name or only by its size, live or in its INIT
 * state.
 */
#ifndef ZMMTEST_CORE_WINDOW_AREAS_H
#define ZMMTEST_CORE_WINDOW_AREAS_H

#include "../machine/xstate.h"
#include "state.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* `component` of what is wrong with an area as a whole: its header, or XGETBV(1). */
#define AREA_HEADER XCR0_BITS

/* And of system registers: this and the enum system_register. */
#define AREA_SYSTEM (AREA_HEADER + 1)

/*
 * And of what came at a wrong place: this and the enum step_fact (step.h). There are at most 64
 * registers.
 */
#define AREA_STEP (AREA_SYSTEM + 64u)

/* The first quadword of a component that is not as it was put in. */
struct area_difference {
    uint32_t component; /* XCR0 bit, AREA_HEADER, or one of the above and a number */
    uint32_t offset;    /* bytes from the start of the component */
    uint64_t want, got;
    uint32_t further; /* quadwords of the component that differ besides */
    bool init;        /* it was in its INIT state */
    bool reset;       /* it is now */
};

#define AREA_DIFFERENCES 8u

/* What of the components is known once XCR0 is on, and what became of each. */
struct area_component {
    const char *reason; /* why it is not tested; NULL: it is */
    _Atomic uint64_t rounds, findings;
};

/* The instructions that save, and what is wrong with one that is not used. */
enum save_instruction { SAVE_XSAVE, SAVE_XSAVEOPT, SAVE_XSAVEC, SAVE_XSAVES, SAVE_COUNT };

/* Of one vCPU. */
struct areas {
    /* xstate.area_bytes each, 64-byte aligned, zeros at first; NULL: no rounds by XSAVE. */
    uint8_t *wanted, *found, *planted, *before;
    uint64_t xcr0;  /* as it is on */
    bool xcr0_lost; /* it was found to be another, */
    uint64_t xcr0_found;
    uint64_t sized;  /* components that CPUID.0D gives a size */
    uint64_t stored; /* by an XSAVE that is an event: x87, SSE, and what is tested */
    uint64_t mask;   /* components that are tested */
    uint64_t live;   /* of them, those not in their INIT state in the round at hand */
    /* Of the mask: PKRU where it is not in the area, but written and read by itself. */
    uint64_t by_register;
    uint32_t pkru_wanted, pkru_before;
    const char *no_pointers; /* why FOP, FIP and FDP of x87 are not compared; NULL: they are */
    const char *no_save[SAVE_COUNT]; /* why one of the instructions is not used; NULL: it is */
    enum save_instruction save;      /* of the round at hand */
    struct area_component component[XCR0_BITS];
    /* What the latest area_compare() found, beside vector registers and opmasks. */
    struct area_difference difference[AREA_DIFFERENCES];
    uint32_t differences;
};

/* Adds one to those, if there is room, and none of that component yet. */
void areas_note(struct areas *areas, const struct area_difference *difference);

#endif
