/* Looks whether each vCPU goes on. */
#include "watching.h"
#include "../../platform/clock.h"
#include "../machine/clock.h"
#include "../machine/exception.h"
#include "../report/events.h"
#include "../text.h"
#include "../window/counter.h"
#include "standstill.h"
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

/* What is to be told of a vCPU that is silent, and has been for so long. */
static void describe_silence(const struct run *run, uint32_t cpu, struct text *text)
{
    const struct watched *watched = &run->watched[cpu];
    uint64_t seconds = (clock_milliseconds() - watched->progressed_at) / 1000;
    if (atomic_load(&watched->vcpu->state) == VCPU_ASKED)
        text_add(text, "vCPU %u did not answer within %lu s of its start", cpu, seconds);
    else
        text_add(text, "vCPU %u made no progress for %lu s; it is in exit %s", cpu, seconds,
                 run_row_name(run, watched->lost_in));
}

/* It may come back: a host that swaps, or copies memory after a migration, keeps vCPUs waiting. */
static void lose(struct run *run, uint32_t cpu)
{
    struct watched *watched = &run->watched[cpu];
    char buffer[160];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    watched->lost = true;
    watched->lost_in = atomic_load(&watched->vcpu->rounds.current);
    describe_silence(run, cpu, &text);
    event_notice(buffer);
}

/* For so long it made no progress. */
static void take_back(struct run *run, uint32_t cpu, uint64_t milliseconds)
{
    struct watched *watched = &run->watched[cpu];
    char buffer[160];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    watched->lost = false;
    text_add(&text, "vCPU %u went on after %lu s in exit %s", cpu, milliseconds / 1000,
             run_row_name(run, watched->lost_in));
    event_notice(buffer);
}

void watching_tell_lost(struct run *run)
{
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++) {
        char buffer[160];
        struct text text;
        if (!run->watched[cpu].lost)
            continue;
        text_start(&text, buffer, sizeof(buffer));
        describe_silence(run, cpu, &text);
        tell_error(run, buffer);
        note_cause(&run->causes, CAUSE_VCPU_LOST);
    }
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
    if (watched->broken)
        return false;
    tell_machine_check(run, cpu);
    uint64_t beats = counter_read(&vcpu->rounds.beats), now = clock_milliseconds();
    enum vcpu_state state = atomic_load_explicit(&vcpu->state, memory_order_acquire);
    if (beats != watched->beats) {
        if (watched->lost)
            take_back(run, cpu, now - watched->progressed_at);
        watched->beats = beats;
        watched->progressed_at = now;
    }
    look_at_state(run, cpu);
    if (state == VCPU_BROKEN)
        tell_broken(run, cpu);
    else if (state != VCPU_DONE && cpu != run->processors.boot && !watched->lost &&
             now - watched->progressed_at > ANSWER_MILLISECONDS)
        lose(run, cpu);
    return state != VCPU_DONE && !watched->lost && !watched->broken;
}

bool watching_look(struct run *run)
{
    bool busy = false;
    standstill_look(run);
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
        if (!run->watched[cpu].lost)
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
