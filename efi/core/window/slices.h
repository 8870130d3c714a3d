/*
 * Slices: some rounds of one exit, the unit in which a vCPU goes through the plan. Rounds with
 * every component live, then with some zero, then by XSAVE; and, where asked for, rounds with
 * planted faults.
 */
#ifndef ZMMTEST_CORE_WINDOW_SLICES_H
#define ZMMTEST_CORE_WINDOW_SLICES_H

#include "rounds.h"

/* Makes the first patterns and measures the bare round. machine, plan, key and cpu are set. */
void slices_prepare(struct rounds *rounds);

/* Runs one slice of a plan entry. */
void slice_run(struct rounds *rounds, uint32_t entry);

/* The same without the rounds in which some component is zero, so that all of its time counts; and
 * shorter on the boot vCPU. */
void slice_run_all_live(struct rounds *rounds, uint32_t entry);

/*
 * How many rounds by XSAVE the next slice has, of `most`, where `count` of them took `theirs` of
 * this slice and the other rounds took `others`, both in cycles. At most twice as many: a vCPU that
 * did not run for a while is no slow exit. 0: one does.
 */
uint32_t slices_next_by_xsave(uint32_t count, uint32_t most, uint64_t others, uint64_t theirs);

#endif
