/* What the vCPUs of a run have counted, added up. May be asked at any time; nothing is changed. */
#ifndef ZMMTEST_CORE_RUN_COUNTS_H
#define ZMMTEST_CORE_RUN_COUNTS_H

#include "run_state.h"

struct totals count_totals(const struct run *run);

/* Of an entry of the plan, or of INJECT_ROW; but for the median, which takes long. */
struct exit_counts count_exit(const struct run *run, uint32_t entry);
uint64_t count_median(const struct run *run, uint32_t entry);
/* The same of one vCPU's timings, on which this runs. */
uint64_t count_median_of(const struct run *run, uint32_t cpu, uint32_t entry);

/* The vCPUs that have no rounds of an entry though they take part in it, or cannot have any. False:
 * they are all that take part. */
bool count_without(const struct run *run, uint32_t entry, struct cpus *without);

/* Of an XSAVE component, by its bit in XCR0. */
struct component_result count_component(const struct run *run, uint32_t bit);

struct system_result count_system(const struct run *run);

/* Passes of the slowest vCPU; and whether one of them has passes left that were asked for. */
uint64_t count_passes(const struct run *run);
bool count_passes_left(const struct run *run);

/* Of all vCPUs that take part, by the time that has gone by. */
struct exposure count_exposure(const struct run *run);

/* Where the findings of a vCPU hit, or the planted ones; NULL: it has no rounds. */
const struct hits *count_hits(const struct run *run, uint32_t cpu, bool injected);

#endif
