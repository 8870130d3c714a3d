/* What a vendor needs to see the same: how often it was found, where, and the options for it. */
#ifndef ZMMTEST_CORE_RUN_AGAIN_H
#define ZMMTEST_CORE_RUN_AGAIN_H

#include "run_state.h"

/* Of what was found that nobody planted: fills in outcome->again. The words are kept in *run. */
void again_describe(struct run *run, const struct totals *totals, struct outcome *outcome);

#endif
