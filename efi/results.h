/*
 * What the vCPUs of a run have counted, added up: for the operator while it goes on, and for the
 * report at its end.
 */
#ifndef ZMMTEST_RESULTS_H
#define ZMMTEST_RESULTS_H

#include "report/progress.h"
#include "run.h"

struct totals {
    uint64_t rounds, findings;
    uint64_t planted, injected; /* faults of our own, and findings of them */
    uint64_t nmis, spurious, strays;
    uint32_t stray_vector;
    uint32_t vcpus;
};

struct totals results_totals(const struct run *run);

/* What a screen shows of it; valid until the next call. */
const struct progress *results_progress(struct run *run);

/* The report of a run that is over, and its verdict. */
void results_report(struct run *run);

#endif
