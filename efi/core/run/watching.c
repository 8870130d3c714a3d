/* Looks whether each vCPU goes on, and whether the machine as a whole stood still. */
#include "watching.h"
#include "../../platform/clock.h"
#include "../../platform/identify.h"
#include "../machine/changes.h"
#include "../machine/exception.h"
#include "../report/events.h"
#include "../window/counter.h"
#include "telling.h"

#define ANSWER_MILLISECONDS 10000u /* until a silent vCPU counts as lost */
/* Firmware looks at its vCPUs every 100 ms of its own time, which may run slower than ours. */
#define GIVE_BACK_MILLISECONDS 60000u

/* On the other vCPU. */
static void other_vcpu(void *argument)
{
    vcpu_run(argument);
}

void watching_start(struct run *run)
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
        atomic_store(&watched->vcpu->rounds.stop, true); /* so that no other waits for it */
        atomic_store(&watched->vcpu->state, VCPU_UNUSED);
        note_cause(&run->causes, CAUSE_VCPU_NOT_STARTED);
    }
}

static void tell_lost(struct run *run, uint32_t cpu)
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
    tell_error(run, buffer);
    watched->lost = true;
    note_cause(&run->causes, CAUSE_VCPU_LOST);
}

static void tell_broken(struct run *run, uint32_t cpu)
{
    struct watched *watched = &run->watched[cpu];
    char buffer[160];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "vCPU %u: unexpected %s (error code 0x%lx) at 0x%lx outside a window", cpu,
             exception_name(watched->vcpu->fault.vector), watched->vcpu->fault.error_code,
             watched->vcpu->fault.rip);
    tell_error(run, buffer);
    watched->broken = true;
    note_cause(&run->causes, CAUSE_OWN_EXCEPTION);
}

static void look_at_state(struct run *run, uint32_t cpu)
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
    if (watched->lost || watched->broken)
        return false;
    tell_machine_check(run, cpu);
    uint64_t beats = counter_read(&vcpu->rounds.beats);
    enum vcpu_state state = atomic_load_explicit(&vcpu->state, memory_order_acquire);
    if (beats != watched->beats) {
        watched->beats = beats;
        watched->progressed_at = clock_milliseconds();
    }
    look_at_state(run, cpu);
    if (state == VCPU_BROKEN)
        tell_broken(run, cpu);
    else if (state != VCPU_DONE && cpu != run->processors.boot &&
             clock_milliseconds() - watched->progressed_at > ANSWER_MILLISECONDS)
        tell_lost(run, cpu);
    return state != VCPU_DONE && !watched->lost && !watched->broken;
}

/* So far apart may two looks of the boot vCPU be: a slice of its own comes in between. */
static uint64_t longest_look(const struct run *run)
{
    return 1000 + 32 * run->options->plan.hold_microseconds / 1000;
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

bool watching_look(struct run *run)
{
    bool busy = false;
    look_for_gap(run);
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++)
        busy |= look_after(run, cpu);
    tell_findings(run);
    return busy;
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

/* What each vCPU reads between its rounds. */
void watching_tell_stop(struct run *run)
{
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++) {
        if (!run_has(run, cpu))
            continue;
        atomic_store(&run->watched[cpu].vcpu->rounds.stop, true);
        run->watched[cpu].progressed_at = clock_milliseconds();
    }
}

void watching_pause(struct run *run, bool pause)
{
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++)
        if (run_has(run, cpu))
            atomic_store(&run->watched[cpu].vcpu->rounds.pause, pause);
}

bool watching_give_back(struct run *run)
{
    bool all = true;
    for (uint32_t cpu = 0; run->watched && cpu < run->processors.count; cpu++)
        all &= given_back(&run->watched[cpu]);
    return all && !run->disk_lost;
}
