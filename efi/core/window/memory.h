/*
 * Memory that windows work on: what a copy reads and writes, pages that were never touched. The
 * hooks of the rows in exits.c that need more than operands.
 */
#ifndef ZMMTEST_CORE_WINDOW_MEMORY_H
#define ZMMTEST_CORE_WINDOW_MEMORY_H

#include "rounds.h"

/* Before each round (exit.h). */
enum begun hold_begin(struct rounds *rounds, struct round *round, const char **reason);
enum begun copy_begin(struct rounds *rounds, struct round *round, const char **reason);
enum begun copy_ymm_begin(struct rounds *rounds, struct round *round, const char **reason);
enum begun copy_xmm_begin(struct rounds *rounds, struct round *round, const char **reason);
enum begun cold_page_begin(struct rounds *rounds, struct round *round, const char **reason);
enum begun cold_xsave_begin(struct rounds *rounds, struct round *round, const char **reason);

/*
 * After a round that came to its end. False: what was stored is wrong; expected and found of
 * register 0 are then the first line that differs, as it was to be stored and as it was; of XSAVE,
 * found is what it saved where that differs.
 */
bool copy_verify(struct rounds *rounds, struct round *round);
bool cold_page_verify(struct rounds *rounds, struct round *round);
bool cold_xsave_verify(struct rounds *rounds, struct round *round);

/* Measures how often LOOP goes around in a hold. */
void memory_prepare(struct rounds *rounds);

#endif
