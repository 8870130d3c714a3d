/* What of the plan one vCPU has to run, and what of that is left. All of it may be asked of a peer.
 */
#ifndef ZMMTEST_CORE_WINDOW_WORK_H
#define ZMMTEST_CORE_WINDOW_WORK_H

#include "rounds.h"

/* False: this vCPU has no part in a plan entry. Each has its part in INJECT_ROW. */
bool work_takes_part(const struct rounds *rounds, uint32_t entry);

/* No more rounds of a plan entry: no part in it, not available here, or used up. */
bool work_is_over(const struct rounds *rounds, uint32_t entry);

/* True when no entry of the plan has anything left to run on this vCPU. */
bool work_exhausted(const struct rounds *rounds);

/* True when this vCPU has nothing more to do, or has been told to stop. */
bool work_finished(const struct rounds *rounds);

#endif
