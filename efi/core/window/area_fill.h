/* Rounds by XSAVE before they run: what their area holds. */
#ifndef ZMMTEST_CORE_WINDOW_AREA_FILL_H
#define ZMMTEST_CORE_WINDOW_AREA_FILL_H

#include "rounds.h"

/* How many mixes of live and INIT components there are; 0: no rounds by XSAVE on this vCPU. */
uint32_t areas_mixes(const struct areas *areas);

/* AMX components are live together: tiles are no tiles without their configuration. */
uint64_t areas_with_companions(uint64_t component, uint64_t mask);

/* Makes a round of mix number `mix`, of a new generation. */
void areas_fill(struct rounds *rounds, struct round *round, uint32_t mix);

/* The same, and makes the planted area and registers those of the round, to be altered. */
void areas_fill_planted(struct rounds *rounds, struct round *round, uint32_t mix);

/* Register 0 of the round is to hold something else than a pattern: takes it into the area. */
void areas_take_register_0(struct rounds *rounds, struct round *round);

/* The components in which a bit can be flipped, as what the flip makes of them is legal too. */
uint64_t areas_plantable(const struct areas *areas);

/* For the self-test: flips a bit of one of them in a round of mix 0. */
void areas_plant(struct rounds *rounds, struct round *round, uint32_t component);

#endif
