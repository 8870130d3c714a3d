/*
 * System registers of a vCPU in its slices: what may hold anything has a pattern for all of a
 * slice, and everything else is to be what it was when the run began. Compared at the end of each
 * slice and of each round by XSAVE; in no window, as reading many of them is an exit itself beneath
 * some hypervisors.
 */
#ifndef ZMMTEST_CORE_WINDOW_SYSTEM_STATE_H
#define ZMMTEST_CORE_WINDOW_SYSTEM_STATE_H

#include "rounds.h"

/*
 * On the vCPU, traps on: finds out what is there and what takes a pattern, and keeps what each
 * register is. Nothing is there in a process, nor in a confidential VM, which is told of reads of
 * some by an exception.
 */
void system_prepare(struct rounds *rounds);

/*
 * At the start of a slice: new patterns. Where the firmware may have run since the last one,
 * whatever it changed is what counts from now on.
 */
void system_begin(struct rounds *rounds, const struct exit *exit);

/*
 * After an exception that a round survived: it may have written to CR2 or DR6, which is not the
 * hypervisor's doing.
 */
void system_exception(struct rounds *rounds, uint64_t vector);

/*
 * In a slice: adds what differs to areas.difference, and puts it back so that it is found once;
 * what cannot be put back is what counts from now on. False if anything differs.
 */
bool system_compare(struct rounds *rounds);

/* At the end of a slice, before any interrupt may come. */
void system_end(struct rounds *rounds);

/* No register holds a pattern any more: as the firmware wants them. */
void system_put_back(struct rounds *rounds);

#endif
