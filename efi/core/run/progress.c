/* Puts together what a screen shows, and sees to it that showing takes no more time than is its
 * share. */
#include "progress.h"
#include "../machine/clock.h"
#include "../report/report.h"
#include "counts.h"

uint64_t run_time_limit(const struct run *run)
{
    if (run->options->plan.passes && !run->options->seconds_given)
        return 0;
    return run->options->seconds * 1000;
}

/* How far apart two looks must be for a rate that can be read. */
#define RATE_MILLISECONDS 1000u

static uint64_t rounds_per_second(struct run *run, uint64_t rounds)
{
    uint64_t went_by = run->elapsed - run->rate_at;
    if (run->elapsed && went_by >= RATE_MILLISECONDS) {
        run->rate = (rounds - run->rate_rounds) * 1000 / went_by;
        run->rate_rounds = rounds;
        run->rate_at = run->elapsed;
    }
    return run->rate;
}

static const struct hits *hits_of(const void *context, uint32_t cpu, bool injected)
{
    return count_hits(context, cpu, injected);
}

static const struct progress *progress_of(struct run *run)
{
    struct totals totals = count_totals(run);
    struct progress *progress = &run->progress;
    *progress = (struct progress){
        .identity = &run->identity,
        .machine = run->machine,
        .milliseconds = run->elapsed,
        .time_limit = run_time_limit(run),
        .passes = count_passes(run),
        .passes_limit = run->options->plan.passes,
        .rounds = totals.rounds,
        .findings = totals.findings + totals.wrong_blocks,
        .injected = totals.injected,
        .per_second = rounds_per_second(run, totals.rounds),
        .left_out = run->left_out,
        .paused = run->paused,
        .outcome = run->outcome.reason ? &run->outcome : NULL,
        .error = run->error,
        .exit = run->shown,
        .cpus = run->watched ? run->processors.count : 0,
        .hits = hits_of,
        .hits_context = run,
    };
    for (uint32_t entry = 0; entry < run->plan.count; entry++) {
        struct exit_counts counts = count_exit(run, entry);
        progress->left_out += counts.unavailable && !counts.result.rounds;
        run->shown[progress->exits++] = counts.result;
    }
    if (run->plan.options.inject_classes)
        run->shown[progress->exits++] = count_exit(run, INJECT_ROW).result;
    return progress;
}

/* How far apart two shows are: so much at the least, and so many times what one takes, as the boot
 * vCPU has other work; but so much at the most. */
#define SHOW_MILLISECONDS      250u
#define SHOW_SHARE             10u
#define SHOW_MILLISECONDS_MOST 5000u

void run_show(struct run *run)
{
    uint64_t start = clock_milliseconds();
    if (!report_shows_progress() || start < run->show_at)
        return;
    report_progress(progress_of(run));
    uint64_t took = clock_milliseconds() - start, apart = took * SHOW_SHARE;
    apart = apart < SHOW_MILLISECONDS ? SHOW_MILLISECONDS : apart;
    apart = apart > SHOW_MILLISECONDS_MOST ? SHOW_MILLISECONDS_MOST : apart;
    run->shown_at = start + took;
    run->show_at = run->shown_at + apart;
    gap_pass_over(&run->gap, start);
}

void run_show_soon(struct run *run)
{
    run->show_at = run->shown_at + SHOW_MILLISECONDS;
}

void run_show_now(struct run *run)
{
    run->show_at = 0;
    run_show(run);
}
