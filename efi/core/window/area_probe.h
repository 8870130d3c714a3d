/* Which XSAVE components a vCPU can test, and by which instructions. */
#ifndef ZMMTEST_CORE_WINDOW_AREA_PROBE_H
#define ZMMTEST_CORE_WINDOW_AREA_PROBE_H

#include "rounds.h"

/* What a vCPU's areas need, in bytes. `memory` has that many, 64-byte aligned and zero, or is NULL.
 */
size_t areas_bytes(const struct xstate *xstate);
void areas_give_memory(struct areas *areas, uint8_t *memory, const struct xstate *xstate);

/* On the vCPU, XCR0 and traps on: finds out what can be tested. areas.xcr0 is set. */
void areas_prepare(struct rounds *rounds);

/* The counts of all components from 0: what came before were rounds of the self-test. */
void areas_count_anew(struct areas *areas);

#endif
