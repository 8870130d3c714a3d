/* Puts together what a screen shows, and sees to it that showing takes no more time than is its
 * share. */
#include "progress.h"
#include "../machine/clock.h"
#include "../report/report.h"
#include "../text.h"
#include "../window/counter.h"
#include "../window/exits.h"
#include "counts.h"
#include "storage.h"

uint64_t run_time_limit(const struct run *run)
{
    if (run->options->plan.passes && !run->options->seconds_given)
        return 0;
    return run->options->seconds * 1000;
}

/* How far apart two looks must be for a rate that can be read. */
#define RATE_MILLISECONDS 1000u

static uint64_t per_second(uint64_t before, uint64_t now, uint64_t milliseconds)
{
    return now > before ? (now - before) * 1000 / milliseconds : 0;
}

/* Of late; at the end, of all the run. */
static void measure_rates(struct run *run, uint64_t rounds)
{
    bool over = run->outcome.reason != NULL;
    struct amounts now = {.rounds = rounds}, before = {0};
    uint64_t went_by = run->elapsed - (over ? 0 : run->rates_at);
    if (!run->elapsed || (went_by < RATE_MILLISECONDS && !over))
        return;
    if (!over)
        before = run->rates_since;
    storage_add_bytes(run, &now);
    run->rates = (struct amounts){
        .rounds = per_second(before.rounds, now.rounds, went_by),
        .read = per_second(before.read, now.read, went_by),
        .written = per_second(before.written, now.written, went_by),
    };
    run->rates_since = now;
    run->rates_at = run->elapsed;
}

static const struct hits *hits_of(const void *context, uint32_t cpu, bool injected)
{
    return count_hits(context, cpu, injected);
}

/* A vCPU that has had no time for so long shows so. */
#define SILENT_MILLISECONDS 2000u

static enum vcpu_sign sign_of(const void *context, uint32_t cpu)
{
    const struct run *run = context;
    const struct watched *watched = &run->watched[cpu];
    if (!run_has(run, cpu))
        return SIGN_NO_PART;
    if (watched->lost || watched->broken)
        return SIGN_LOST;
    const struct rounds *rounds = &watched->vcpu->rounds;
    uint64_t findings = counter_read(&rounds->findings);
    if (findings)
        return findings > counter_read(&rounds->tally[INJECT_ROW].findings) ? SIGN_FOUND
                                                                            : SIGN_PLANTED;
    if (!counter_read(&rounds->verified))
        return SIGN_WAITED_FOR;
    bool silent = cpu != run->processors.boot && !run->paused && !run->outcome.reason &&
                  clock_milliseconds() - watched->progressed_at > SILENT_MILLISECONDS;
    return silent ? SIGN_SILENT : SIGN_ALIVE;
}

/* Those that were asked for and are not in the plan, and those that came to have no rounds. */
static const char *left_out(struct run *run)
{
    uint64_t planned = 0;
    struct text text;
    text_start(&text, run->shown_left_out, sizeof(run->shown_left_out));
    for (uint32_t entry = 0; entry < run->plan.count; entry++) {
        const struct exit_counts counts = count_exit(run, entry);
        if (!counts.unavailable || counts.result.rounds)
            planned |= UINT64_C(1) << (run->plan.entry[entry].exit - exits);
    }
    for (uint32_t row = 0; row < exit_count && run->plan.count; row++)
        if (run->options->exits >> row & ~planned >> row & 1)
            text_add(&text, "%s%s", text.length ? ", " : "", exits[row].name);
    return run->shown_left_out;
}

static struct exit_result result_of(const struct run *run, uint32_t entry)
{
    if (run->outcome.reason)
        return run->counted[entry].result;
    struct exit_result result = count_exit(run, entry).result;
    result.cycles_median = count_median_of(run, run->processors.boot, entry);
    return result;
}

static const struct progress *progress_of(struct run *run)
{
    struct totals totals = count_totals(run);
    struct progress *progress = &run->progress;
    measure_rates(run, totals.rounds);
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
        .per_second = run->rates.rounds,
        .reads = run->plan.disks || run->plan.scratch,
        .writes = run->plan.scratch != NULL,
        .read_per_second = run->rates.read,
        .written_per_second = run->rates.written,
        .exposure = count_exposure(run),
        .options = run->in_force,
        .left_out = left_out(run),
        .gaps = run->gaps,
        .paused = run->paused,
        .outcome = run->outcome.reason ? &run->outcome : NULL,
        .error = run->error,
        .exit = run->shown,
        .cpus = run->watched ? run->processors.count : 0,
        .hits = hits_of,
        .sign = sign_of,
        .hits_context = run,
    };
    for (uint32_t entry = 0; entry < run->plan.count; entry++)
        run->shown[progress->exits++] = result_of(run, entry);
    if (run->plan.options.inject_classes)
        run->shown[progress->exits++] = count_exit(run, INJECT_ROW).result;
    return progress;
}

/* How far apart two shows are: so much at the least, and so many times what one takes, as the boot
 * vCPU has other work; but so much at the most. */
#define SHOW_MILLISECONDS      250u
#define SHOW_SHARE             50u
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
