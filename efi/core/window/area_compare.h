/* Rounds by XSAVE after they ran: what their area holds, and what else of the vCPU's state must not
 * change. */
#ifndef ZMMTEST_CORE_WINDOW_AREA_COMPARE_H
#define ZMMTEST_CORE_WINDOW_AREA_COMPARE_H

#include "rounds.h"

/*
 * After each round: what its window returned, and what its area and XCR0 add to that. What the
 * window found first stands.
 */
enum window_result areas_look(struct rounds *rounds, struct round *round,
                              enum window_result result);

/* Runs a round by XSAVE with no event. False if it did not come back as it was put in. */
bool areas_intact(struct rounds *rounds, struct round *round);

/*
 * After a round by XSAVE that did not fault twice: makes found of the round what its area holds, as
 * far as registers can hold it. False if anything differs; counts rounds and findings of each
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
 * After a round by XSAVE or one that faulted: true if XCR0 changed. It is then the one difference
 * that is told. It is put back, or each later round would fail.
 */
bool areas_mend_xcr0(struct rounds *rounds);
/* Makes the latest that was so found the one difference again. */
void areas_note_lost_xcr0(struct areas *areas);

/* Behind each round by XSAVE: what the other rounds do not load is put back. */
void areas_leave(struct rounds *rounds);

/* What the vCPU had, all of XCR0; and puts it back. */
void areas_keep(struct areas *areas);
void areas_put_back(struct areas *areas);

#endif
