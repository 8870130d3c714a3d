/*
 * Faults that zmmtest plants in itself: each class once at every start, to prove that it would be
 * found and named right, and during the run where the operator asks for it.
 */
#ifndef ZMMTEST_CORE_WINDOW_PLANT_H
#define ZMMTEST_CORE_WINDOW_PLANT_H

#include "corruption.h"
#include "patterns.h"

/* These put the planted state in before they compare; the second one raises #UD (plant.S). */
extern const struct window window_plant, window_plant_fault;

/* What diagnosis must say of a planted fault. */
struct plant {
    enum corruption_class corruption;
    const char *component;
    const char *registers;
    const char *bits;
};

/*
 * Prepares a filled round so that running the returned window on it shows a fault of the class, and
 * says in *plant what must be named. A ghost needs a round with plant_init_components().
 */
const struct window *plant_class(struct round *round, const struct pattern_key *key,
                                 enum corruption_class corruption, struct plant *plant);

/* Components that must be in their INIT state in the round for this class: only ghosts need one. */
uint32_t plant_init_components(enum corruption_class corruption, enum form form);

/* Flips one bit of quadword number `position` (see plant_positions) of the planted state. */
const struct window *plant_bit(struct round *round, enum form form, unsigned int position);

/* The register that holds this position, numbered as in patterns.h; PATTERN_END: the flags, and one
 * more: MXCSR. */
uint32_t plant_register(enum form form, unsigned int position);

/* How many quadwords there are to flip: each lane, opmask, general register, the flags and MXCSR.
 */
unsigned int plant_positions(enum form form);

#endif
