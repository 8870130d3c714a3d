/*
 * WBINVD slows down whoever shares the caches, other virtual machines too: one vCPU at a time has
 * its turn.
 */
#ifndef ZMMTEST_CORE_WINDOW_FLUSH_H
#define ZMMTEST_CORE_WINDOW_FLUSH_H

#include "exit.h"

/* Waits for the others, a while. */
enum begun flush_begin(struct rounds *rounds, struct round *round, const char **reason);
void flush_end(struct rounds *rounds);

#endif
