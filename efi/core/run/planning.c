/* Asks each exit and each vCPU whether it can take part, and shares the memory among those that do.
 */
#include "planning.h"
#include "../../platform/disks.h"
#include "../../platform/net.h"
#include "../../platform/pages.h"
#include "../../platform/scratch.h"
#include "../report/events.h"
#include "../text.h"
#include "../window/area_probe.h"
#include "../window/exits.h"
#include "network.h"
#include "storage.h"
#include "telling.h"

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
    vcpu->rounds.runs_firmware = cpu == run->processors.boot;
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

/*
 * The disks are found once, if an exit that was asked for needs them. NULL, or the reason why none
 * can be read while a vCPU holds.
 */
static const char *find_disks(struct run *run)
{
    bool wanted = false;
    for (uint32_t row = 0; row < exit_count; row++)
        wanted |= exits[row].with_disks && run->options->exits >> row & 1;
    if (!wanted)
        return NULL;
    const char *reason = disks_find(run->options->disks_all);
    if (!reason && disks_activity()->blocking && !others_take_part(run))
        reason = "the disk has no Block I/O 2, and the only vCPU waits while it is read";
    if (!reason)
        run->plan.disks = disks_activity();
    return reason;
}

/* Why exits with disks, with scratch partitions, and with frames, cannot run; or NULL. */
struct work_missing {
    const char *disks, *scratch, *net;
};

/* The reason why an exit cannot run, or NULL. */
static const char *no_exit(const struct run *run, const struct exit *exit,
                           const struct work_missing *missing, const struct window **window)
{
    if (run->machine->system[0] && !exit->process)
        return "the operating system keeps it to itself";
    if (!exit->unasked && run->machine->confidential)
        return confidential_reason(run->machine->confidential);
    const char *reason = exit->unsupported ? exit->unsupported(run->machine, window) : NULL;
    if (!reason && exit->with_others && !others_take_part(run))
        reason = "no vCPU takes part that the firmware does not use";
    if (!reason && exit->with_disks)
        reason = missing->disks;
    if (!reason && exit->scratch != SCRATCH_NONE)
        reason = missing->scratch;
    if (!reason && exit->with_net)
        reason = missing->net;
    return reason;
}

/* Passes, and exits that were named, are what the operator wants to have; unless there is nothing
 * but what fills. */
static bool is_weighed(const struct options *options)
{
    bool all_fill = true;
    for (uint32_t row = 0; row < exit_count; row++)
        all_fill &= exits[row].holds == HOLDS_AND_FILLS || !(options->exits >> row & 1);
    return !options->plan.passes && (!options->exits_named || all_fill);
}

static void plan_exits(struct run *run)
{
    run->plan.weighed = is_weighed(run->options);
    if (!run->plan.weighed && run->options->focus && run->options->focus_given)
        event_notice("focus=auto does nothing here: with passes=, or with these exits=, each exit "
                     "has as many turns");
    const struct work_missing missing = {find_disks(run), storage_find(run, others_take_part(run)),
                                         network_find(run)};
    for (uint32_t row = 0; row < exit_count; row++) {
        const struct window *window = exits[row].window;
        if (!(run->options->exits >> row & 1))
            continue;
        const char *reason = no_exit(run, &exits[row], &missing, &window);
        if (reason) {
            event_skip(exits[row].name, NULL, reason);
            if (run->options->exits_named)
                note_cause(&run->causes, CAUSE_EXIT_CANNOT_RUN);
            continue;
        }
        run->plan.entry[run->plan.count].exit = &exits[row];
        run->plan.entry[run->plan.count].window = window;
        run->plan.count++;
    }
}

static bool asked_for(const struct run *run, uint32_t cpu)
{
    return cpus_has(&run->options->cpus, cpu);
}

static void tell_not_there(void *context, uint32_t first, const char *list)
{
    (void)context;
    (void)first;
    event_skip("all", list, "this machine has no such vCPU");
}

/* A vCPU that was named but that the machine does not have must not go missing in silence. */
static void check_named_cpus(struct run *run)
{
    struct cpus missing = run->options->cpus;
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++)
        cpus_remove(&missing, cpu);
    if (!run->options->cpus_named || !cpus_any(&missing))
        return;
    cpus_fold(&missing, NULL, tell_not_there, run);
    note_cause(&run->causes, CAUSE_VCPU_NOT_THERE);
}

/* What the firmware does not know must not go missing in silence, either. */
static void check_listed_cpus(struct run *run)
{
    uint32_t listed = run->machine->vcpus_listed, part = 0;
    char buffer[128];
    struct text text;
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++)
        part += run_has(run, cpu);
    if (run->options->cpus_named || part >= listed)
        return;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "the firmware's ACPI tables list %u processors, and %u of them %s part", listed,
             part, part == 1 ? "takes" : "take");
    event_skip("all", NULL, buffer);
    note_cause(&run->causes, CAUSE_VCPU_UNKNOWN);
}

/* NULL, or why this one takes no part. */
static const char *no_part(struct run *run, uint32_t cpu)
{
    const char *reason = cpu == run->processors.boot ? NULL : processors_unusable(cpu);
    if (!reason && !run->watched[cpu].vcpu) {
        run->watched[cpu].vcpu = new_vcpu(run, cpu);
        reason = run->watched[cpu].vcpu ? NULL : "not enough memory for it";
    }
    return reason;
}

static void check_count(struct run *run)
{
    char first[16];
    struct text text;
    if (run->processors.count <= CPU_MAX)
        return;
    text_start(&text, first, sizeof(first));
    text_add(&text, "%u", CPU_MAX);
    event_skip("all", first, "it and those behind it: zmmtest knows no more vCPUs");
    note_cause(&run->causes, CAUSE_TOO_MANY_VCPUS);
}

static void plan_cpus(struct run *run)
{
    struct cpus out = {0};
    processors_use(&run->processors);
    check_count(run);
    for (uint32_t cpu = 0; cpu < run->processors.count; cpu++) {
        if (!asked_for(run, cpu) || (!run->options->cpus_named && !processors_ours(cpu)))
            continue;
        run->watched[cpu].reason = no_part(run, cpu);
        if (run->watched[cpu].reason)
            cpus_add(&out, cpu);
        else
            atomic_store(&run->watched[cpu].vcpu->state, VCPU_ASKED);
    }
    if (cpus_any(&out))
        note_cause(&run->causes, CAUSE_VCPU_NO_PART);
    tell_no_part(run, &out);
    check_named_cpus(run);
    check_listed_cpus(run);
}

bool planning_boot_vcpu(struct run *run)
{
    processors_find(&run->processors, run->options->processors);
    run->watched = pages_allocate(run->processors.count * sizeof(*run->watched));
    if (run->watched)
        run->watched[run->processors.boot].vcpu = new_vcpu(run, run->processors.boot);
    return run->watched && run->watched[run->processors.boot].vcpu;
}

bool planning_all(struct run *run)
{
    if (run->processors.notice)
        event_notice(run->processors.notice);
    if (run->machine->xstate.no_avx512) {
        event_skip("avx512", NULL, run->machine->xstate.no_avx512);
        note_cause(&run->causes, CAUSE_NO_AVX512);
    }
    if (run->machine->confidential)
        note_cause(&run->causes, CAUSE_CONFIDENTIAL);
    plan_cpus(run);
    if (!list_peers(run))
        return false;
    share_memory(run);
    plan_exits(run);
    return true;
}

void planning_undo(struct run *run)
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
    scratch_free();
    net_free();
    pages_give_back(run->plan.peer, run->processors.count * sizeof(*run->plan.peer));
    pages_give_back(run->watched, run->processors.count * sizeof(*run->watched));
}
