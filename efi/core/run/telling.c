/* Diagnoses what was found, and hands what happens to the report. */
#include "telling.h"
#include "../../platform/disks.h"
#include "../../platform/scratch.h"
#include "../diagnosis/signatures.h"
#include "../machine/clock.h"
#include "../report/events.h"
#include "../report/report.h"
#include "../window/findings.h"
#include "option_words.h"
#include <string.h>

void tell_start(struct run *run)
{
    static char in_force[OPTIONS_IN_FORCE_MAX]; /* too large for a stack of the firmware's */
    struct text text;
    text_start(&text, in_force, sizeof(in_force));
    options_in_force(run->options, &text);
    run->in_force = in_force;
    event_start(&run->identity, run->machine->firmware, in_force);
    event_machine(run->machine);
}

void tell_error(struct run *run, const char *reason)
{
    struct text text;
    text_start(&text, run->error, sizeof(run->error));
    text_add(&text, "%s", reason);
    event_error(reason);
}

static const struct machine_check *machine_check_of(const struct run *run, uint32_t cpu)
{
    return &run->watched[cpu].vcpu->traps.machine_check;
}

static bool same_machine_check(const void *context, uint32_t one, uint32_t other)
{
    const struct machine_check *first = machine_check_of(context, one);
    const struct machine_check *second = machine_check_of(context, other);
    return first->valid == second->valid &&
           (!first->valid || (first->bank == second->bank && first->status == second->status &&
                              first->address == second->address));
}

static void tell_machine_check(void *context, uint32_t first, const char *list)
{
    struct run *run = context;
    const struct machine_check *check = machine_check_of(run, first);
    char buffer[200];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "%s %s: machine check: memory or processor", cpus_noun(list), list);
    if (check->valid)
        text_add(&text, " (bank %u, status 0x%lx, address 0x%lx)", check->bank, check->status,
                 check->address);
    else
        text_add(&text, " (no bank says more)");
    tell_error(run, buffer);
    note_cause(&run->causes, CAUSE_MACHINE_CHECK);
}

/* One that the processor broadcasts comes to all vCPUs at once (SDM vol. 3, 15.3.1.2). */
void tell_machine_checks(struct run *run, const struct cpus *cpus)
{
    struct cpus due = {0};
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++) {
        struct watched *watched = &run->watched[cpu];
        if (!cpus_has(cpus, cpu) || watched->machine_check ||
            !atomic_load_explicit(&watched->vcpu->traps.machine_checks, memory_order_acquire))
            continue;
        watched->machine_check = true;
        cpus_add(&due, cpu);
    }
    cpus_fold(&due, same_machine_check, tell_machine_check, run);
}

static const struct xstate_saved *saved_of(const struct run *run, uint32_t cpu)
{
    return &run->watched[cpu].vcpu->saved;
}

static bool same_state(const void *context, uint32_t one, uint32_t other)
{
    const struct xstate_saved *first = saved_of(context, one), *second = saved_of(context, other);
    return first->xcr0 == second->xcr0 && first->xcr0_on == second->xcr0_on &&
           first->form == second->form;
}

/* On a machine of many vCPUs, only what differs is worth a line of text. */
static void tell_state(void *context, uint32_t first, const char *list)
{
    struct run *run = context;
    const struct xstate_saved *saved = saved_of(run, first);
    bool again = run->xcr0_told && run->xcr0 == saved->xcr0_on;
    run->xcr0_told = true;
    run->xcr0 = saved->xcr0_on;
    event_state(run->machine, list, saved, again);
    if (saved->form < run->machine->xstate.form) {
        event_skip("avx512", list, "XCR0 did not take what CPUID.0D offers");
        note_cause(&run->causes, CAUSE_STATE_REFUSED);
    }
}

void tell_states(struct run *run, const struct cpus *cpus)
{
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++) {
        if (!cpus_has(cpus, cpu))
            continue;
        run->watched[cpu].told = true;
        run->watched[cpu].xcr0 = saved_of(run, cpu)->xcr0_on;
    }
    cpus_fold(cpus, same_state, tell_state, run);
}

static bool same_reason(const void *context, uint32_t one, uint32_t other)
{
    const struct run *run = context;
    return strcmp(run->watched[one].reason, run->watched[other].reason) == 0;
}

static void tell_reason(void *context, uint32_t first, const char *list)
{
    const struct run *run = context;
    event_skip("all", list, run->watched[first].reason);
}

void tell_no_part(struct run *run, const struct cpus *cpus)
{
    cpus_fold(cpus, same_reason, tell_reason, run);
}

/* Whether one of the same signature was told before, or of the same class where none fits. */
static bool told_before(struct known *known, const struct found *found)
{
    uint64_t *told = found->signature ? &known->signatures : &known->classes;
    uint64_t bit = UINT64_C(1) << (found->signature ? signature_number(found->signature)
                                                    : (uint32_t)found->diagnosis->corruption);
    bool before = *told & bit;
    *told |= bit;
    if (found->signature && !found->finding->injected)
        known->real |= bit;
    return before;
}

/* What the advice at the end goes by. */
static void note_hit(struct known *known, const struct diagnosis *diagnosis)
{
    if (diagnosis->corruption == CLASS_BIT_FLIP)
        known->bit_flips = true;
    else if (diagnosis_is_avx512(diagnosis))
        known->avx512 = true;
    else
        known->beyond_avx512 = true;
}

/* So many are told in full; the first of each kind is in any case. */
static uint64_t most_told(const struct options *options)
{
    bool more =
        !options->findings_total_given && options->plan.findings_kept > options->findings_total;
    return more ? options->plan.findings_kept : options->findings_total;
}

/* False: it is one too many, and only counted. */
static bool tell_finding(struct run *run, const struct finding *finding)
{
    struct diagnosis diagnosis;
    diagnose(finding, &diagnosis);
    struct found found = {.finding = finding,
                          .diagnosis = &diagnosis,
                          .signature = signature_find(&diagnosis),
                          .exit_name = run_row_name(run, finding->exit)};
    found.told_before = told_before(&run->known, &found);
    if (!finding->injected)
        note_hit(&run->known, &diagnosis);
    if (found.told_before && run->findings_told >= most_told(run->options))
        return false;
    found.number = ++run->findings_told;
    diagnosis_components(&diagnosis, found.components);
    diagnosis_registers(&diagnosis, found.registers);
    diagnosis_bits(&diagnosis, found.bits);
    uint64_t start = clock_milliseconds();
    event_finding(&found);
    report_found(&found);
    gap_pass_over(&run->gap, start);
    return true;
}

/* Of one look: a line of a slow console takes long, and time, keys and ticks go on. */
#define TOLD_IN_A_LOOK  4u
#define TAKEN_IN_A_LOOK 64u

/* Takes the next finding, of each vCPU in turn, and tells it if *tell. False: there is none. *tell
 * is then whether it was told. */
static bool take_next(struct run *run, bool *tell)
{
    for (uint32_t n = 0; n < run->processors.count; n++) {
        uint32_t cpu = (run->heard + 1 + n) % run->processors.count;
        struct vcpu *vcpu = run->watched[cpu].vcpu;
        const struct finding *finding = vcpu ? findings_next(&vcpu->rounds) : NULL;
        if (!finding)
            continue;
        run->heard = cpu;
        if (finding->memory_changed)
            note_cause(&run->causes, CAUSE_MEMORY_CHANGED);
        if (*tell)
            *tell = tell_finding(run, finding);
        findings_took(&vcpu->rounds);
        return true;
    }
    return false;
}

void tell_findings(struct run *run)
{
    uint32_t told = 0;
    for (uint32_t taken = 0; told < TOLD_IN_A_LOOK && taken < TAKEN_IN_A_LOOK; taken++) {
        bool tell = true;
        if (!take_next(run, &tell))
            break;
        told += tell;
    }
    if (told)
        tell_flush(run);
}

/* So long may it take, once the run is over, to tell what is still in the queues. */
#define REST_MILLISECONDS 5000u

void tell_rest(struct run *run)
{
    uint64_t since = clock_milliseconds();
    bool any = true;
    while (any) {
        bool tell = clock_milliseconds() - since < REST_MILLISECONDS;
        any = take_next(run, &tell);
    }
    tell_flush(run);
}

void tell_flush(struct run *run)
{
    uint64_t start = clock_milliseconds();
    bool disks = disks_rest(), scratch = scratch_rest();
    if (disks && scratch)
        event_flush();
    gap_pass_over(&run->gap, start);
}
