/* Conducts a run from the boot vCPU. */
#include "run.h"
#include "disks.h"
#include "keys.h"
#include "machine/changes.h"
#include "machine/clock.h"
#include "machine/identify.h"
#include "pages.h"
#include "report/events.h"
#include "report/report.h"
#include "results.h"
#include "selftest.h"
#include "version.h"
#include "window/area_probe.h"
#include "window/counter.h"
#include "window/exits.h"
#include "window/findings.h"
#include <string.h>

#define ANSWER_MILLISECONDS 10000u /* until a silent vCPU counts as lost */
#define POLL_MILLISECONDS   20u
#define TICK_MILLISECONDS   10000u
/* Firmware looks at its vCPUs every 100 ms of its own time, which may run slower than ours. */
#define GIVE_BACK_MILLISECONDS 60000u

void run_verdict(struct run *run, enum verdict verdict, const char *reason)
{
    if (verdict > run->verdict) {
        run->verdict = verdict;
        run->reason = reason;
    }
}

bool run_has(const struct run *run, uint32_t cpu)
{
    return run->watched[cpu].vcpu && atomic_load(&run->watched[cpu].vcpu->state) != VCPU_UNUSED;
}

/* Something broke: said, and kept for the screen. */
static void run_error(struct run *run, const char *reason)
{
    struct text text;
    text_start(&text, run->error, sizeof(run->error));
    text_add(&text, "%s", reason);
    event_error(reason);
}

#define FIRMWARE_BYTES   (UINT64_C(16) << 20) /* left to the firmware */
#define COLD_BYTES_MAX   (UINT64_C(1) << 30)  /* for each vCPU */
#define COLD_BYTES_LEAST (UINT64_C(1) << 20)
#define COPY_BYTES_LEAST (UINT64_C(64) << 10)

/*
 * Each vCPU that takes part gets a buffer for copies that is larger than its L2 cache, and an equal
 * share of the memory that is then left for cold pages.
 */
static void share_memory(struct run *run)
{
    uint32_t sharers = 0;
    uint64_t free = pages_free_bytes();
    free = free > FIRMWARE_BYTES ? free - FIRMWARE_BYTES : 0;
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++)
        sharers += run_has(run, cpu);
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++) {
        if (!run_has(run, cpu))
            continue;
        struct buffers *buffers = &run->watched[cpu].vcpu->rounds.buffers;
        uint64_t left = free / sharers--;
        uint64_t copy = run->machine->cpu.l2_bytes * 5 / 4 / PAGE_BYTES * PAGE_BYTES;
        buffers->copy_bytes = copy < left / 2 ? copy : left / 2 / PAGE_BYTES * PAGE_BYTES;
        buffers->copy = pages_allocate_some(&buffers->copy_bytes, COPY_BYTES_LEAST);
        uint64_t cold = left - (left < buffers->copy_bytes ? left : buffers->copy_bytes);
        cold = cold < COLD_BYTES_MAX ? cold : COLD_BYTES_MAX;
        buffers->cold_bytes = cold / PAGE_BYTES * PAGE_BYTES;
        buffers->cold = pages_allocate_some(&buffers->cold_bytes, COLD_BYTES_LEAST);
        free -= buffers->copy_bytes + buffers->cold_bytes;
    }
}

static struct vcpu *new_vcpu(struct run *run, uint32_t cpu)
{
    struct vcpu *vcpu = pages_allocate(sizeof(*vcpu));
    if (!vcpu)
        return NULL;
    vcpu->rounds.machine = run->machine;
    vcpu->rounds.plan = &run->plan;
    vcpu->rounds.cpu = cpu;
    vcpu->rounds.traps = &vcpu->traps;
    vcpu->rounds.firmwares = cpu == run->processors.boot;
    vcpu->rounds.key.run = run->identity.run;
    uint8_t *areas = pages_allocate(areas_bytes(&run->machine->xstate));
    areas_give_memory(&vcpu->rounds.areas, areas, &run->machine->xstate);
    return vcpu;
}

static bool others_take_part(const struct run *run)
{
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++)
        if (cpu != run->processors.boot && run_has(run, cpu))
            return true;
    return false;
}

/* Those that take part, in a row: what they know of each other. */
static bool list_peers(struct run *run)
{
    run->plan.peer = pages_allocate(run->processors.count * sizeof(*run->plan.peer));
    for (uint32_t cpu = 0; run->plan.peer && cpu < run->processors.count; cpu++)
        if (run_has(run, cpu))
            run->plan.peer[run->plan.peers++].rounds = &run->watched[cpu].vcpu->rounds;
    return run->plan.peer != NULL;
}

/* The reason why no disk can be read while a vCPU holds, or NULL. */
static const char *no_disks(struct run *run, bool others)
{
    const char *reason = disks_find(run->options->disks_all);
    if (!reason && disks_activity()->blocking && !others)
        reason = "the disk has no Block I/O 2, and the only vCPU waits while it is read";
    if (!reason)
        run->plan.disks = disks_activity();
    return reason;
}

/* The reason why an exit cannot run, or NULL. */
static const char *no_exit(struct run *run, const struct exit *exit, const struct window **window)
{
    bool others = others_take_part(run);
    if (run->machine->system[0] && !exit->process)
        return "the operating system keeps it to itself";
    const char *reason = exit->unsupported ? exit->unsupported(run->machine, window) : NULL;
    if (!reason && exit->with_others && !others)
        reason = "no vCPU takes part that the firmware does not use";
    if (!reason && exit->with_disks)
        reason = no_disks(run, others);
    return reason;
}

static void plan_exits(struct run *run)
{
    for (uint32_t row = 0; row < exit_count; row++) {
        const struct window *window = exits[row].window;
        if (!(run->options->exits >> row & 1))
            continue;
        const char *reason = no_exit(run, &exits[row], &window);
        if (reason) {
            event_skip(exits[row].name, CPU_ALL, reason);
            run->left_out++;
            if (run->options->exits_named)
                run_verdict(run, VERDICT_INCOMPLETE, "an exit that was asked for cannot run here");
            continue;
        }
        run->plan.entry[run->plan.count].exit = &exits[row];
        run->plan.entry[run->plan.count].window = window;
        run->plan.count++;
    }
}

static bool asked_for(const struct run *run, uint32_t cpu)
{
    return cpu < CPU_MAX && run->options->cpus[cpu / 64] >> cpu % 64 & 1;
}

/* A vCPU that was named but that the machine does not have must not go missing in silence. */
static void check_named_cpus(struct run *run)
{
    for (uint32_t cpu = run->processors.count; cpu < CPU_MAX && run->options->cpus_named; cpu++) {
        if (!asked_for(run, cpu))
            continue;
        event_skip("all", cpu, "this machine has no such vCPU");
        run_verdict(run, VERDICT_INCOMPLETE, "a vCPU that was asked for is not there");
        break;
    }
}

static void plan_cpus(struct run *run)
{
    if (run->processors.count > CPU_MAX) {
        event_skip("all", CPU_MAX, "it and those behind it: zmmtest knows no more vCPUs");
        run_verdict(run, VERDICT_INCOMPLETE, "the machine has more vCPUs than zmmtest knows");
    }
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++) {
        if (!asked_for(run, cpu) || (!run->options->cpus_named && !processors_ours(cpu)))
            continue;
        const char *reason = cpu == run->processors.boot ? NULL : processors_unusable(cpu);
        if (!reason && !run->watched[cpu].vcpu) {
            run->watched[cpu].vcpu = new_vcpu(run, cpu);
            reason = run->watched[cpu].vcpu ? NULL : "not enough memory for it";
        }
        if (reason) {
            event_skip("all", cpu, reason);
            run_verdict(run, VERDICT_INCOMPLETE, "a vCPU could not take part");
            continue;
        }
        atomic_store(&run->watched[cpu].vcpu->state, VCPU_ASKED);
    }
    check_named_cpus(run);
}

static void tell_state(struct run *run, uint32_t cpu)
{
    struct watched *watched = &run->watched[cpu];
    const struct xstate_saved *saved = &watched->vcpu->saved;
    watched->told = true;
    watched->xcr0 = saved->xcr0_on;
    event_state(run->machine, cpu, saved);
    if (saved->form < run->machine->xstate.form) {
        event_skip("avx512", cpu, "XCR0 did not take what CPUID.0D offers");
        run_verdict(run, VERDICT_INCOMPLETE, "a vCPU could not turn its vector state on");
    }
}

static bool self_test(struct run *run)
{
    struct selftest result;
    struct watched *boot = &run->watched[run->processors.boot];
    selftest_run(boot->vcpu, &result);
    tell_state(run, run->processors.boot);
    event_selftest(&result);
    if (result.planted == result.named && !result.missed[0])
        return true;
    run_verdict(run, VERDICT_ERROR, "the self-test failed: do not trust this run");
    return false;
}

static void out_of_memory(struct run *run)
{
    run_error(run, "not enough memory. Give the machine 64 MiB or more.");
    run_verdict(run, VERDICT_ERROR, "not enough memory");
}

static bool run_prepare(struct run *run)
{
    run->reason = "all that was asked ran, and every register came back as it was";
    run->plan.passes = run->options->passes;
    run->plan.inject_classes = run->options->inject_classes;
    run->plan.inject_every = run->options->inject_every;
    run->plan.findings_kept = run->options->findings_kept;
    run->plan.hold_microseconds = run->options->hold_microseconds;
    processors_find(&run->processors);
    run->watched = pages_allocate(run->processors.count * sizeof(*run->watched));
    if (run->watched)
        run->watched[run->processors.boot].vcpu = new_vcpu(run, run->processors.boot);
    if (!run->watched || !run->watched[run->processors.boot].vcpu) {
        out_of_memory(run);
        return false;
    }
    if (!self_test(run))
        return false;
    if (run->processors.no_others)
        event_notice(run->processors.no_others);
    if (run->machine->xstate.no_avx512) {
        event_skip("avx512", CPU_ALL, run->machine->xstate.no_avx512);
        run_verdict(run, VERDICT_INCOMPLETE, "AVX-512 could not be tested on this machine");
    }
    plan_cpus(run);
    if (!list_peers(run)) {
        out_of_memory(run);
        return false;
    }
    share_memory(run);
    plan_exits(run);
    return true;
}

/* On the other vCPU. */
static void other_vcpu(void *argument)
{
    vcpu_run(argument);
}

static void start_others(struct run *run)
{
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++) {
        struct watched *watched = &run->watched[cpu];
        watched->progressed_at = clock_milliseconds();
        if (cpu == run->processors.boot || !run_has(run, cpu))
            continue;
        watched->call = (struct processor_call){other_vcpu, watched->vcpu, NULL};
        const char *reason = processors_start(cpu, &watched->call);
        if (!reason)
            continue;
        event_skip("all", cpu, reason);
        atomic_store(&watched->vcpu->state, VCPU_UNUSED);
        run_verdict(run, VERDICT_INCOMPLETE, "a vCPU could not be started");
    }
}

const char *run_row_name(const struct run *run, uint32_t row)
{
    return row == INJECT_ROW ? "inject" : run->plan.entry[row].exit->name;
}

/* Not while a read is in flight: what the firmware writes may wait behind it, for ever if need be.
 */
static void flush(struct run *run)
{
    if (disks_rest())
        event_flush();
    gap_pass_over(&run->gap);
}

static void report_findings(struct run *run, struct rounds *rounds)
{
    const struct finding *finding = findings_next(rounds);
    if (!finding)
        return;
    for (; finding; finding = findings_next(rounds)) {
        event_finding(finding, run_row_name(run, finding->exit), ++run->findings_reported);
        gap_pass_over(&run->gap);
        if (finding->memory_changed)
            run_verdict(run, VERDICT_ERROR, "a pattern in memory changed: suspect the memory");
        findings_took(rounds);
    }
    flush(run);
}

static void report_lost(struct run *run, uint32_t cpu)
{
    struct watched *watched = &run->watched[cpu];
    char buffer[160];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    if (atomic_load(&watched->vcpu->state) == VCPU_ASKED) {
        text_add(&text, "vCPU %u did not answer within %u s of its start", cpu,
                 ANSWER_MILLISECONDS / 1000);
    } else {
        uint32_t entry = atomic_load(&watched->vcpu->rounds.current);
        text_add(&text, "vCPU %u made no progress for %u s; it is in exit %s", cpu,
                 ANSWER_MILLISECONDS / 1000, run_row_name(run, entry));
    }
    run_error(run, buffer);
    watched->lost = true;
    run_verdict(run, VERDICT_ERROR, "a vCPU was lost");
}

static void report_broken(struct run *run, uint32_t cpu)
{
    struct watched *watched = &run->watched[cpu];
    char buffer[160];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "vCPU %u: unexpected %s (error code 0x%lx) at 0x%lx outside a window", cpu,
             exception_name(watched->vcpu->fault.vector), watched->vcpu->fault.error_code,
             watched->vcpu->fault.rip);
    run_error(run, buffer);
    watched->broken = true;
    run_verdict(run, VERDICT_ERROR, "zmmtest's own code raised an exception");
}

static void report_state(struct run *run, uint32_t cpu)
{
    struct watched *watched = &run->watched[cpu];
    uint64_t xcr0 = watched->vcpu->saved.xcr0_on;
    if (watched->beats == 0 || (watched->told && watched->xcr0 == xcr0))
        return;
    tell_state(run, cpu);
}

/* Looks after one vCPU; true while it has work left. */
static bool look_after(struct run *run, uint32_t cpu)
{
    struct watched *watched = &run->watched[cpu];
    if (!run_has(run, cpu))
        return false;
    struct vcpu *vcpu = watched->vcpu;
    if (watched->lost || watched->broken) {
        report_findings(run, &vcpu->rounds); /* what it found is found all the same */
        return false;
    }
    uint64_t beats = counter_read(&vcpu->rounds.beats);
    enum vcpu_state state = atomic_load_explicit(&vcpu->state, memory_order_acquire);
    report_findings(run, &vcpu->rounds);
    if (beats != watched->beats) {
        watched->beats = beats;
        watched->progressed_at = clock_milliseconds();
    }
    report_state(run, cpu);
    if (state == VCPU_BROKEN)
        report_broken(run, cpu);
    else if (state != VCPU_DONE && cpu != run->processors.boot &&
             clock_milliseconds() - watched->progressed_at > ANSWER_MILLISECONDS)
        report_lost(run, cpu);
    return state != VCPU_DONE && !watched->lost && !watched->broken;
}

/* So far apart may two looks of the boot vCPU be: a slice of its own comes in between. */
static uint64_t longest_look(const struct run *run)
{
    return 1000 + 32 * run->options->hold_microseconds / 1000;
}

/*
 * A machine that stood still as a whole has not lost a vCPU: each gets its time anew. What goes on
 * may be another machine.
 */
static void look_for_gap(struct run *run)
{
    static struct machine now;
    char buffer[200];
    struct text changed;
    uint64_t milliseconds = gap_look(&run->gap, longest_look(run));
    if (!milliseconds)
        return;
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++)
        run->watched[cpu].progressed_at = clock_milliseconds();
    machine_identify(&now, run->machine->tsc_hz);
    text_start(&changed, buffer, sizeof(buffer));
    bool any = machine_changes(run->last_seen, &now, &changed);
    event_gap(milliseconds, &now, any ? buffer : NULL);
    run->last_seen = &run->after_gap;
    run->after_gap = now;
}

static bool look_after_all(struct run *run)
{
    bool busy = false;
    look_for_gap(run);
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++)
        busy |= look_after(run, cpu);
    return busy;
}

uint64_t run_time_limit(const struct run *run)
{
    if (run->options->passes && !run->options->seconds_given)
        return 0;
    return run->options->seconds * 1000;
}

static bool time_is_over(const struct run *run)
{
    uint64_t limit = run_time_limit(run);
    return limit && run->elapsed >= limit;
}

static void stop_all(struct run *run)
{
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++) {
        if (!run_has(run, cpu))
            continue;
        atomic_store(&run->watched[cpu].vcpu->rounds.stop, true);
        run->watched[cpu].progressed_at = clock_milliseconds();
    }
    struct vcpu *boot = run->watched[run->processors.boot].vcpu;
    if (atomic_load(&boot->state) == VCPU_RUNNING)
        vcpu_run_slice(boot);
    while (look_after_all(run))
        clock_wait(1);
}

/* Where no screen says what the keys are: any where a key is the only way to end it; Esc or q
 * otherwise, as line noise happens. */
static enum wish wish_without_screen(const struct run *run, char key)
{
    bool any = run->options->seconds == 0 && run->options->passes == 0;
    bool stop = key == KEY_ESC || key == 'q' || (any && key != KEY_NONE);
    return stop ? WISH_STOP : WISH_NOTHING;
}

/* A key that is stuck must not fill the log. */
#define PAUSE_MILLISECONDS_LEAST 500u

static void pause_or_go_on(struct run *run)
{
    uint64_t now = clock_milliseconds();
    if (now - run->toggled_at < PAUSE_MILLISECONDS_LEAST)
        return;
    run->toggled_at = now;
    run->paused = !run->paused;
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++)
        if (run_has(run, cpu))
            atomic_store(&run->watched[cpu].vcpu->rounds.pause, run->paused);
    if (run->paused) {
        run->paused_at = now;
        event_pause(run->elapsed);
    } else {
        run->started_at += now - run->paused_at;
        event_resume(now - run->paused_at);
    }
    flush(run);
}

/* The screen: no more often, no more than one part in so many of the boot vCPU's time, and no less
 * often where that would be too seldom to be of use. */
#define SHOW_MILLISECONDS      250u
#define SHOW_SHARE             10u
#define SHOW_MILLISECONDS_MOST 5000u

#define KEYS_AT_ONCE 8u

/* True if the run is to end. What a storm of keys leaves is read next time, or lost. */
static bool keys_say_stop(struct run *run)
{
    for (unsigned int n = 0; n < KEYS_AT_ONCE; n++) {
        char key = keys_read();
        if (key == KEY_NONE)
            return false;
        run->show_at = run->shown_at + SHOW_MILLISECONDS; /* whoever pressed it waits */
        enum wish wish = run->wish ? run->wish(key) : wish_without_screen(run, key);
        switch (wish) {
        case WISH_NOTHING:
            break;
        case WISH_PAUSE:
            pause_or_go_on(run);
            break;
        case WISH_POWER_OFF:
            run->power_off = true;
            return true;
        case WISH_STOP:
            return true;
        }
    }
    return false;
}

static void show(struct run *run)
{
    uint64_t start = clock_milliseconds();
    if (!report_shows_progress() || start < run->show_at)
        return;
    report_progress(results_progress(run));
    uint64_t took = clock_milliseconds() - start, apart = took * SHOW_SHARE;
    apart = apart < SHOW_MILLISECONDS ? SHOW_MILLISECONDS : apart;
    apart = apart > SHOW_MILLISECONDS_MOST ? SHOW_MILLISECONDS_MOST : apart;
    run->shown_at = start + took;
    run->show_at = run->shown_at + apart;
    gap_pass_over(&run->gap);
}

static void tick(struct run *run, uint64_t *next_tick)
{
    if (run->elapsed < *next_tick)
        return;
    struct totals totals = results_totals(run);
    event_tick(run->elapsed, totals.rounds, totals.findings);
    flush(run);
    *next_tick += TICK_MILLISECONDS;
}

/* What the boot vCPU does between its slices. False: the run is over. */
static bool poll(struct run *run, uint64_t *next_tick)
{
    bool busy = look_after_all(run);
    if (!run->paused)
        run->elapsed = clock_milliseconds() - run->started_at;
    tick(run, next_tick);
    show(run);
    if (run->options->stop_first && results_totals(run).findings)
        return false;
    if (!busy || time_is_over(run))
        return false;
    if (!keys_say_stop(run))
        return true;
    if (run->options->seconds || run->options->passes)
        run_verdict(run, VERDICT_INCOMPLETE, "a key ended the run before its time");
    return false;
}

static void run_all(struct run *run)
{
    struct vcpu *boot = run->watched[run->processors.boot].vcpu;
    uint64_t next_tick = TICK_MILLISECONDS, polled = 0;
    bool going = true;
    start_others(run);
    run->last_seen = run->machine;
    gap_start(&run->gap);
    run->started_at = clock_milliseconds();
    if (run_has(run, run->processors.boot))
        atomic_store(&boot->state, VCPU_RUNNING);
    while (going) {
        if (run->plan.disks && !run->paused)
            disks_poll();
        if (atomic_load(&boot->state) == VCPU_RUNNING && !run->paused)
            vcpu_run_slice(boot);
        else
            clock_wait(1);
        if (clock_milliseconds() - polled >= POLL_MILLISECONDS) {
            polled = clock_milliseconds();
            going = poll(run, &next_tick);
        }
    }
    if (!run->paused)
        run->elapsed = clock_milliseconds() - run->started_at;
    stop_all(run);
    run->disk_lost = !disks_stop();
}

void run_show(struct run *run)
{
    run->show_at = 0;
    show(run);
}

/* A few bits of the seed, all of which count. */
static uint32_t run_id_of(uint64_t seed)
{
    return (uint32_t)(seed * UINT64_C(0x9e3779b97f4a7c15) >> (64 - PATTERN_RUN_BITS));
}

static void report_start(const struct run *run)
{
    static char in_force[OPTIONS_IN_FORCE_MAX];
    struct text text;
    text_start(&text, in_force, sizeof(in_force));
    options_in_force(run->options, &text);
    event_start(&run->identity, run->machine->firmware, in_force);
    event_machine(run->machine);
}

void run_everything(struct run *run, uint64_t seed, const char *wrong)
{
    struct run_identity *identity = &run->identity;
    identity->version = ZMMTEST_VERSION;
    identity->commit = ZMMTEST_COMMIT;
    identity->seed = run->options->seed_given ? run->options->seed : seed;
    identity->run = run_id_of(identity->seed);
    report_start(run);
    for (unsigned int n = 0; n < RUN_NOTICES && run->notice[n]; n++)
        event_notice(run->notice[n]);
    show(run);
    event_flush();
    if (wrong[0]) {
        run_error(run, wrong);
        run_verdict(run, VERDICT_ERROR, "the options are wrong, nothing was tested");
    } else if (run_prepare(run)) {
        run_all(run);
    }
    results_report(run);
    /* The log ends with the verdict: what comes after it is for the console. */
    if (!run->disk_lost)
        report_flush();
    const char *trouble;
    while ((trouble = report_trouble()) != NULL)
        report_say_wrapped(0, trouble);
    run_show(run);
}

/* Until the firmware has seen that the procedure it started there has returned. */
static bool given_back(struct watched *watched)
{
    uint64_t since = clock_milliseconds();
    while (!watched->lost && !processors_returned(&watched->call)) {
        if (clock_milliseconds() - since > GIVE_BACK_MILLISECONDS)
            return false;
        clock_wait(1);
    }
    return !watched->lost;
}

bool run_give_back(struct run *run)
{
    bool all = true;
    for (uint32_t cpu = 0; run->watched && cpu < run->processors.count; cpu++)
        all &= given_back(&run->watched[cpu]);
    return all && !run->disk_lost;
}

void run_free(struct run *run)
{
    for (uint32_t cpu = 0; run->watched && cpu < run->processors.count; cpu++) {
        struct vcpu *vcpu = run->watched[cpu].vcpu;
        if (!vcpu)
            continue;
        pages_give_back(vcpu->rounds.buffers.copy, vcpu->rounds.buffers.copy_bytes);
        pages_give_back(vcpu->rounds.buffers.cold, vcpu->rounds.buffers.cold_bytes);
        pages_give_back(vcpu->rounds.areas.wanted, areas_bytes(&run->machine->xstate));
        pages_give_back(vcpu, sizeof(*vcpu));
    }
    disks_free();
    pages_give_back(run->plan.peer, run->processors.count * sizeof(*run->plan.peer));
    pages_give_back(run->watched, run->processors.count * sizeof(*run->watched));
}
