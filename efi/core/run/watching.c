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
#include <string.h>

#define ANSWER_MILLISECONDS 10000u /* until a silent vCPU counts as lost */
/* Firmware looks at its vCPUs every 100 ms of its own time, which may run slower than ours. */
#define GIVE_BACK_MILLISECONDS 60000u

/* On the other vCPU. */
static void other_vcpu(void *argument)
{
    vcpu_run(argument);
}

/* It takes no part: no other waits for it. */
static void leave_out(struct run *run, uint32_t cpu, const char *reason)
{
    struct watched *watched = &run->watched[cpu];
    watched->reason = reason;
    watched->lost = false;
    atomic_store(&watched->vcpu->rounds.stop, true);
    atomic_store(&watched->vcpu->state, VCPU_UNUSED);
    note_cause(&run->causes, CAUSE_VCPU_NOT_STARTED);
}

void watching_start(struct run *run)
{
    struct cpus out = {0};
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++) {
        struct watched *watched = &run->watched[cpu];
        if (cpu == run->processors.boot || !run_has(run, cpu))
            continue;
        watched->call = (struct processor_call){other_vcpu, watched->vcpu, NULL, NULL, NULL};
        watched->call.failed = processors_ask(cpu, &watched->call);
    }
    processors_start();
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++) {
        struct watched *watched = &run->watched[cpu];
        watched->progressed_at = clock_milliseconds();
        if (!watched->call.failed)
            continue;
        leave_out(run, cpu, watched->call.failed);
        cpus_add(&out, cpu);
    }
    tell_no_part(run, &out);
}

/* What one look has met, to be told once of all vCPUs of which it is the same. */
struct met {
    struct cpus take_part, lost, back, broken;
};

/* Silent at about the same time: within two seconds. */
static bool about_the_same(uint64_t one, uint64_t other)
{
    return (one < other ? other - one : one - other) < 2000;
}

static const char *remark_of(const struct run *run, uint32_t cpu)
{
    return run->watched[cpu].call.remark;
}

static bool same_remark(const void *context, uint32_t one, uint32_t other)
{
    return strcmp(remark_of(context, one), remark_of(context, other)) == 0;
}

static void tell_remark(void *context, uint32_t first, const char *list)
{
    char buffer[200];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "%s %s: %s", cpus_noun(list), list, remark_of(context, first));
    event_notice(buffer);
}

static bool same_silence(const void *context, uint32_t one, uint32_t other)
{
    const struct run *run = context;
    const struct watched *first = &run->watched[one], *second = &run->watched[other];
    return first->lost_in == second->lost_in &&
           about_the_same(first->progressed_at, second->progressed_at);
}

static bool same_return(const void *context, uint32_t one, uint32_t other)
{
    const struct run *run = context;
    const struct watched *first = &run->watched[one], *second = &run->watched[other];
    return first->lost_in == second->lost_in && about_the_same(first->away, second->away);
}

#define SILENCE_BYTES 160u

static void describe_silence(const struct run *run, uint32_t first, const char *list, char *buffer)
{
    const struct watched *watched = &run->watched[first];
    uint64_t seconds = (clock_milliseconds() - watched->progressed_at) / 1000;
    bool several = strlen(cpus_noun(list)) > strlen("vCPU");
    struct text text;
    text_start(&text, buffer, SILENCE_BYTES);
    if (watched->lost_in == NO_ROW)
        text_add(&text, "%s %s did not answer within %lu s of %s start", cpus_noun(list), list,
                 seconds, several ? "their" : "its");
    else
        text_add(&text, "%s %s made no progress for %lu s; %s in exit %s", cpus_noun(list), list,
                 seconds, several ? "they are" : "it is", run_row_name(run, watched->lost_in));
}

/* They may come back: a host that swaps, or copies memory after a migration, keeps vCPUs waiting.
 */
static void tell_lost_now(void *context, uint32_t first, const char *list)
{
    char buffer[SILENCE_BYTES];
    describe_silence(context, first, list, buffer);
    event_notice(buffer);
}

static void tell_back(void *context, uint32_t first, const char *list)
{
    const struct run *run = context;
    const struct watched *watched = &run->watched[first];
    char buffer[SILENCE_BYTES];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    if (watched->lost_in == NO_ROW)
        text_add(&text, "%s %s answered after %lu s", cpus_noun(list), list, watched->away / 1000);
    else
        text_add(&text, "%s %s went on after %lu s in exit %s", cpus_noun(list), list,
                 watched->away / 1000, run_row_name(run, watched->lost_in));
    event_notice(buffer);
}

static void tell_lost_for_good(void *context, uint32_t first, const char *list)
{
    char buffer[SILENCE_BYTES];
    describe_silence(context, first, list, buffer);
    tell_error(context, buffer);
}

/* One that we started and that never came may not be there: a table of ACPI's says so, no more. */
void watching_tell_lost(struct run *run)
{
    struct cpus lost = {0}, out = {0};
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++) {
        if (!run->watched[cpu].lost)
            continue;
        if (run->watched[cpu].lost_in == NO_ROW && run->processors.own) {
            leave_out(run, cpu, "it does not answer INIT and SIPI");
            cpus_add(&out, cpu);
        } else {
            cpus_add(&lost, cpu);
            note_cause(&run->causes, CAUSE_VCPU_LOST);
        }
    }
    tell_no_part(run, &out);
    cpus_fold(&lost, same_silence, tell_lost_for_good, run);
}

static bool same_fault(const void *context, uint32_t one, uint32_t other)
{
    const struct run *run = context;
    const struct fault *first = &run->watched[one].vcpu->fault;
    const struct fault *second = &run->watched[other].vcpu->fault;
    return run->watched[one].vcpu->xcr0_lost == run->watched[other].vcpu->xcr0_lost &&
           first->vector == second->vector && first->error_code == second->error_code &&
           first->rip == second->rip;
}

static void tell_broken(void *context, uint32_t first, const char *list)
{
    struct run *run = context;
    const struct fault *fault = &run->watched[first].vcpu->fault;
    char buffer[200];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "%s %s: unexpected %s (error code 0x%lx) at image+0x%lx outside a window",
             cpus_noun(list), list, exception_name(fault->vector), fault->error_code,
             image_offset(fault->rip));
    if (run->watched[first].vcpu->xcr0_lost) { /* which is a finding, and why there was one */
        text_add(&text, ", as XCR0 was lost");
        event_notice(buffer);
        return;
    }
    tell_error(run, buffer);
    note_cause(&run->causes, CAUSE_OWN_EXCEPTION);
}

static void note_progress(struct run *run, uint32_t cpu, struct met *met)
{
    struct watched *watched = &run->watched[cpu];
    uint64_t beats = counter_read(&watched->vcpu->rounds.beats), now = clock_milliseconds();
    if (beats == watched->beats)
        return;
    if (watched->lost) {
        watched->lost = false;
        watched->away = now - watched->progressed_at;
        cpus_add(&met->back, cpu);
    }
    watched->beats = beats;
    watched->progressed_at = now;
}

/* Looks after one vCPU; true while it has work left. */
static bool look_after(struct run *run, uint32_t cpu, struct met *met)
{
    struct watched *watched = &run->watched[cpu];
    if (!run_has(run, cpu))
        return false;
    struct vcpu *vcpu = watched->vcpu;
    if (watched->broken)
        return false;
    cpus_add(&met->take_part, cpu);
    note_progress(run, cpu, met);
    enum vcpu_state state = atomic_load_explicit(&vcpu->state, memory_order_acquire);
    if (state == VCPU_BROKEN) {
        watched->broken = true;
        cpus_add(&met->broken, cpu);
    } else if (state != VCPU_DONE && cpu != run->processors.boot && !watched->lost &&
               clock_milliseconds() - watched->progressed_at > ANSWER_MILLISECONDS) {
        watched->lost = true;
        watched->lost_in = state == VCPU_ASKED ? NO_ROW : atomic_load(&vcpu->rounds.current);
        cpus_add(&met->lost, cpu);
    }
    return state != VCPU_DONE && !watched->lost && !watched->broken;
}

/* Where some vCPUs have none yet, others wait so long for them, to be told in one line. */
#define STATES_MILLISECONDS 1000u

static void look_at_states(struct run *run, const struct met *met)
{
    struct cpus due = {0}, remarked = {0};
    bool awaited = false;
    uint64_t now = clock_milliseconds();
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++) {
        const struct watched *watched = &run->watched[cpu];
        if (!cpus_has(&met->take_part, cpu) || watched->lost)
            continue;
        if (watched->broken && watched->told)
            continue;
        if (watched->beats == 0)
            awaited |= cpu != run->processors.boot && !watched->broken;
        else if (!watched->told || watched->xcr0 != watched->vcpu->saved.xcr0_on)
            cpus_add(&due, cpu);
    }
    if (!cpus_any(&due))
        return;
    if (!run->states_since)
        run->states_since = now;
    if (awaited && now - run->states_since < STATES_MILLISECONDS)
        return;
    run->states_since = 0;
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++)
        if (cpus_has(&due, cpu) && !run->watched[cpu].told && run->watched[cpu].call.remark)
            cpus_add(&remarked, cpu);
    tell_states(run, &due);
    cpus_fold(&remarked, same_remark, tell_remark, run);
}

bool watching_look(struct run *run)
{
    bool busy = false;
    struct met met = {0};
    standstill_look(run);
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++)
        busy |= look_after(run, cpu, &met);
    tell_machine_checks(run, &met.take_part);
    cpus_fold(&met.back, same_return, tell_back, run);
    look_at_states(run, &met);
    cpus_fold(&met.broken, same_fault, tell_broken, run);
    cpus_fold(&met.lost, same_silence, tell_lost_now, run);
    tell_findings(run);
    return busy;
}

/* Until whoever started the procedure there has seen that it has returned. */
static bool given_back(struct watched *watched)
{
    uint64_t since = clock_milliseconds();
    while (!processors_returned(&watched->call)) {
        if (watched->lost || clock_milliseconds() - since > GIVE_BACK_MILLISECONDS)
            return false;
        clock_wait(1);
    }
    return true;
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
