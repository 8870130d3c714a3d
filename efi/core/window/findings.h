/* The findings of one vCPU: made by it, taken by the boot vCPU. */
#ifndef ZMMTEST_CORE_WINDOW_FINDINGS_H
#define ZMMTEST_CORE_WINDOW_FINDINGS_H

#include "rounds.h"

/*
 * Counts a finding of a row of the tallies and marks what it hit. Keeps the first few of each exit,
 * while there is room in the queue. `number` is the round's.
 */
void finding_keep(struct rounds *rounds, uint32_t row, struct round *round,
                  const struct window *window, enum window_result result, uint64_t number);

/*
 * The same of what differs at the end of a slice beside what its rounds compare: it is in
 * areas.difference.
 */
void finding_keep_of_slice(struct rounds *rounds, uint32_t row, const struct window *window);

/*
 * One round of the self-test: runs the planted window on a filled round and makes the finding of
 * it. False if the round came back intact.
 */
bool finding_planted(struct rounds *rounds, struct round *round, const struct window *window,
                     struct finding *finding);

/* On the boot vCPU: the oldest that is waiting, or NULL; findings_took() frees its place. */
const struct finding *findings_next(const struct rounds *rounds);
void findings_took(struct rounds *rounds);

#endif
