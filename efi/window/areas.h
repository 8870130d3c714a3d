/*
 * Rounds whose state XRSTOR puts in and an XSAVE instruction reads back: every user component that
 * CPUID.0D enumerates and XCR0 allows, known by name or only by its size, live or in its INIT
 * state.
 */
#ifndef ZMMTEST_WINDOW_AREAS_H
#define ZMMTEST_WINDOW_AREAS_H

#include "../machine/xstate.h"
#include "control.h"
#include "state.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rounds;
struct finding;

/* `component` of what is wrong with an area as a whole: its header, or XGETBV(1). */
#define AREA_HEADER XCR0_BITS

/* And of control state: this and the enum control. */
#define AREA_CONTROL (AREA_HEADER + 1)

/* The first quadword of a component that is not as it was put in. */
struct area_difference {
    uint32_t component; /* XCR0 bit, AREA_HEADER, or AREA_CONTROL and a number */
    uint32_t offset;    /* bytes from the start of the component */
    uint64_t want, got;
    bool init;  /* it was in its INIT state */
    bool reset; /* it is now */
};

#define AREA_DIFFERENCES 4u

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
    uint64_t sized; /* components that CPUID.0D gives a size */
    uint64_t mask;  /* components that are tested */
    uint64_t live;  /* of them, those not in their INIT state in the round at hand */
    /* Of the mask: PKRU where it is not in the area, but written and read by itself. */
    uint64_t by_register;
    uint32_t pkru_wanted, pkru_before;
    const char *no_save[SAVE_COUNT]; /* why one of the instructions is not used; NULL: it is */
    enum save_instruction save;      /* of the round at hand */
    struct controls controls;
    struct area_component component[XCR0_BITS];
    /* What the latest area_compare() found, beside vector registers and opmasks. */
    struct area_difference difference[AREA_DIFFERENCES];
    uint32_t differences;
};

/* What a vCPU's areas need, in bytes. `memory` has that many, 64-byte aligned and zero, or is
 * NULL. */
size_t areas_bytes(const struct xstate *xstate);
void areas_give_memory(struct areas *areas, uint8_t *memory, const struct xstate *xstate);

/* On the vCPU, XCR0 and traps on: finds out what can be tested. areas.xcr0 is set. */
void areas_prepare(struct rounds *rounds);

/* "xsavec" and so on. */
const char *save_instruction_name(enum save_instruction save);

/* How many mixes of live and INIT components there are; 0: no rounds by XSAVE on this vCPU. */
uint32_t areas_mixes(const struct areas *areas);

/* Makes a round of mix number `mix`, of a new generation. */
void areas_fill(struct rounds *rounds, struct round *round, uint32_t mix);

/* Register 0 of the round is to hold something else than a pattern: takes it into the area. */
void areas_take_register_0(struct rounds *rounds, struct round *round);

/*
 * After a round by XSAVE that did not fault twice: makes found of the round what its area holds,
 * as far as registers can hold it. False if anything differs; counts rounds and findings of each
 * component.
 */
bool areas_compare(struct rounds *rounds, struct round *round);

/*
 * After a round of any form: whether an area that XSAVE wrote in its event, in the standard format,
 * holds the registers, and after one by XSAVE all else. If not, found of the round is what it
 * holds.
 */
bool areas_saved_right(struct rounds *rounds, struct round *round, const uint8_t *area);

/*
 * After a round by XSAVE or one that faulted: true if XCR0 is not what it was, which is then the
 * one difference, and put back, as each later round would fail for it.
 */
bool areas_mend_xcr0(struct rounds *rounds);

/* Behind each round by XSAVE: what the other rounds do not load is put back. */
void areas_leave(struct rounds *rounds);

/* The same, and makes the planted area and registers those of the round, to be altered. */
void areas_fill_planted(struct rounds *rounds, struct round *round, uint32_t mix);

/* The components in which a bit can be flipped, as what the flip makes of them is legal too. */
uint64_t areas_plantable(const struct areas *areas);

/* For the self-test: flips a bit of one of them in a round of mix 0. */
void areas_plant(struct rounds *rounds, struct round *round, uint32_t component);

/* The counts of all components from 0: what came before were rounds of the self-test. */
void areas_count_anew(struct areas *areas);

/* What the vCPU had, all of XCR0; and puts it back. */
void areas_keep(struct areas *areas);
void areas_put_back(struct areas *areas);

#endif
