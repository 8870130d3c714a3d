/* What the verdict of a run means, in a sentence, and what its reader should do next. */
#ifndef ZMMTEST_CORE_REPORT_CONCLUSION_H
#define ZMMTEST_CORE_REPORT_CONCLUSION_H

#include "results.h"

const char *conclusion_meaning(const struct outcome *outcome);

/* What to do next, number `n` from 0; NULL: nothing more. */
const char *conclusion_step(const struct outcome *outcome, uint32_t n);

/*
 * After so many rounds without a finding, an exit loses registers in fewer than one of this many
 * cases, with 95 % confidence: for 0 of n the upper limit is 3/n. 0: there is no such bound.
 */
uint64_t conclusion_bound(uint64_t rounds, uint64_t findings);

/* The same of a whole run: of the rounds in which nothing was planted, and which left the guest as
 * far as is known. 0 where the test broke. */
uint64_t conclusion_bound_of_run(const struct outcome *outcome);

#endif
