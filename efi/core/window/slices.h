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

#endif
