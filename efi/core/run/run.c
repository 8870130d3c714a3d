/* Conducts a run: plan, rounds, and a look at everything else in between; then the outcome. */
#include "run.h"
#include "../../platform/clock.h"
#include "../../platform/disks.h"
#include "../../platform/net.h"
#include "../../platform/scratch.h"
#include "../machine/clock.h"
#include "../report/events.h"
#include "../report/report.h"
#include "counts.h"
#include "focus.h"
#include "operator.h"
#include "outcome.h"
#include "planning.h"
#include "progress.h"
#include "selftest.h"
#include "standstill.h"
#include "storage.h"
#include "telling.h"
#include "version.h"
#include "watching.h"

#define POLL_MILLISECONDS 40u
#define TICK_MILLISECONDS 10000u

/* A hypervisor that loses XCR0 at each exit lets no self-test pass: that says all about it. */
static bool found_lost_xcr0(struct run *run)
{
    struct vcpu *boot = run->watched[run->processors.boot].vcpu;
    if (!vcpu_keep_lost_xcr0(boot))
        return false;
    atomic_store(&boot->state, VCPU_DONE); /* it counts, though it takes no part */
    tell_rest(run);
    return true;
}

static bool self_test(struct run *run)
{
    struct selftest result;
    struct cpus boot = {0};
    cpus_add(&boot, run->processors.boot);
    selftest_run(run->watched[run->processors.boot].vcpu, &result);
    tell_states(run, &boot);
    tell_machine_checks(run, &boot);
    event_selftest(&result);
    if (result.planted == result.named && !result.missed[0])
        return true;
    if (!found_lost_xcr0(run))
        note_cause(&run->causes, CAUSE_SELFTEST_FAILED);
    return false;
}

static bool out_of_memory(struct run *run)
{
    tell_error(run, "not enough memory. Give the machine 64 MiB or more.");
    note_cause(&run->causes, CAUSE_NO_MEMORY);
    return false;
}

/* False: nothing can run. */
static bool prepare(struct run *run)
{
    run->plan.options = run->options->plan;
    if (run->machine->refused) {
        event_skip("all", NULL, run->machine->refused);
        note_cause(&run->causes, CAUSE_REFUSED);
        return false;
    }
    if (!planning_boot_vcpu(run))
        return out_of_memory(run);
    if (!self_test(run))
        return false;
    return planning_all(run) || out_of_memory(run);
}

static bool time_is_over(const struct run *run)
{
    uint64_t limit = run_time_limit(run);
    return limit && run->elapsed >= limit;
}

static void tick(struct run *run, uint64_t *next_tick)
{
    if (run->elapsed < *next_tick)
        return;
    struct totals totals = count_totals(run);
    uint64_t start = clock_milliseconds();
    event_tick(run->elapsed, totals.rounds, totals.findings + totals.wrong_blocks);
    gap_pass_over(&run->gap, start);
    tell_flush(run);
    *next_tick = gap_next_tick(run->elapsed, TICK_MILLISECONDS);
    standstill_tick(run);
}

/* A gap that lasts from the start until now may be measured a little longer than the run. */
static void count_elapsed(struct run *run, uint64_t now)
{
    if (!run->paused)
        run->elapsed = now > run->started_at ? now - run->started_at : 0;
}

/* What the boot vCPU does between its slices. False: the run is over. */
static bool poll(struct run *run, uint64_t *next_tick)
{
    bool busy = watching_look(run);
    storage_tell_wrong(run);
    count_elapsed(run, clock_milliseconds());
    tick(run, next_tick);
    run_show(run);
    struct totals totals = count_totals(run);
    focus_follow(run, &totals);
    if (run->options->stop_first && (totals.findings || totals.wrong_blocks))
        return false;
    if (!busy || time_is_over(run))
        return false;
    if (!operator_says_stop(run))
        return true;
    if (run->options->seconds || run->options->plan.passes)
        note_cause(&run->causes, CAUSE_KEY);
    return false;
}

static void stop_all(struct run *run)
{
    struct vcpu *boot = run->watched[run->processors.boot].vcpu;
    watching_tell_stop(run);
    if (atomic_load(&boot->state) == VCPU_RUNNING)
        vcpu_run_slice(boot);
    while (watching_look(run))
        clock_wait(1);
    watching_tell_lost(run);
    tell_rest(run);
    bool disks = disks_stop(), scratch = scratch_stop();
    net_stop();
    run->disk_lost = !disks || !scratch;
    storage_tell_wrong(run);
}

static void run_all(struct run *run)
{
    struct vcpu *boot = run->watched[run->processors.boot].vcpu;
    uint64_t next_tick = TICK_MILLISECONDS, polled = 0;
    bool going = true;
    watching_start(run);
    standstill_start(run);
    if (run_has(run, run->processors.boot))
        atomic_store(&boot->state, VCPU_RUNNING);
    while (going) {
        uint64_t start = clock_milliseconds();
        bool disks = run->plan.disks && !run->paused && disks_poll();
        bool scratch = run->plan.scratch && !run->paused && storage_poll(run);
        bool net = run->plan.net && !run->paused && net_poll();
        if (disks || scratch || net)
            gap_pass_over(&run->gap, start);
        if (atomic_load(&boot->state) == VCPU_RUNNING && !run->paused)
            vcpu_run_slice(boot);
        else
            clock_wait(1);
        if (clock_milliseconds() - polled >= POLL_MILLISECONDS) {
            polled = clock_milliseconds();
            going = poll(run, &next_tick);
        }
    }
    uint64_t ended_at = clock_milliseconds();
    standstill_end(run);
    count_elapsed(run, ended_at);
    stop_all(run);
}

/* All causes are known: the verdict. */
static void conclude(struct run *run)
{
    struct totals totals = count_totals(run);
    for (uint32_t entry = 0; entry < run->plan.count; entry++) {
        run->counted[entry] = count_exit(run, entry);
        run->counted[entry].result.cycles_median = count_median(run, entry);
    }
    if (run->plan.options.inject_classes)
        run->counted[run->plan.count] = count_exit(run, INJECT_ROW);
    run->causes |= outcome_causes(run, &totals);
    if (run->watched)
        outcome_tell(run, &totals);
    run->outcome = outcome_of(run, &totals);
    event_again(&run->outcome);
    event_done(&run->outcome);
}

/* A few bits of the seed, all of which count. */
static uint32_t run_id_of(uint64_t seed)
{
    return (uint32_t)(seed * UINT64_C(0x9e3779b97f4a7c15) >> (64 - PATTERN_RUN_BITS));
}

static void identify(struct run *run, uint64_t seed)
{
    struct run_identity *identity = &run->identity;
    identity->version = ZMMTEST_VERSION;
    identity->commit = ZMMTEST_COMMIT;
    identity->seed = run->options->seed_given ? run->options->seed : seed;
    identity->run = run_id_of(identity->seed);
}

void run_everything(struct run *run, uint64_t seed, const char *wrong)
{
    identify(run, seed);
    tell_start(run);
    for (unsigned int n = 0; n < RUN_NOTICES && run->notice[n]; n++)
        event_notice(run->notice[n]);
    run_show(run);
    event_flush();
    if (wrong[0]) {
        tell_error(run, wrong);
        note_cause(&run->causes, CAUSE_WRONG_OPTIONS);
    } else if (prepare(run)) {
        run_all(run);
    }
    conclude(run);
    /* The log ends with the verdict: what comes after it is for the console. */
    if (!run->disk_lost)
        report_flush();
    const char *trouble;
    while ((trouble = report_trouble()) != NULL)
        report_say_wrapped(0, trouble);
    run_show_now(run);
}
