/* Conducts the writes by what the exits need, and tells what came back wrong. */
#include "storage.h"
#include "../../platform/disks.h"
#include "../../platform/scratch.h"
#include "../machine/clock.h"
#include "../report/events.h"
#include "../report/report.h"
#include "../window/exits.h"
#include "telling.h"

const char *storage_find(struct run *run, bool others)
{
    const struct scratch_plan plan = {
        .run = run->identity.run, .vcpu = run->processors.boot, .tsc_hz = run->machine->tsc_hz};
    bool wanted = false;
    for (uint32_t row = 0; row < exit_count; row++)
        wanted |= exits[row].scratch != SCRATCH_NONE && run->options->exits >> row & 1;
    if (!wanted || run->machine->system[0])
        return NULL;
    const char *reason = scratch_find(&plan);
    if (!reason && scratch_activity()->blocking && !others)
        reason = "the scratch partition has no Block I/O 2, and the only vCPU waits while it is "
                 "written";
    if (!reason)
        run->plan.scratch = scratch_activity();
    return reason;
}

/* The others find both kinds in flight as often as may be. */
bool storage_poll(const struct run *run)
{
    const struct vcpu *boot = run->watched[run->processors.boot].vcpu;
    enum scratch_work work = SCRATCH_MIXED;
    if (atomic_load(&boot->state) == VCPU_RUNNING &&
        run->plan.entry[boot->rounds.turns.entry].exit->scratch == SCRATCH_WRITES)
        work = SCRATCH_WRITES;
    return scratch_poll(work);
}

/* In whose turn it was found nobody can say: it is told with the last of the exits that write. */
static const char *exit_that_writes(const struct run *run)
{
    const char *name = "";
    for (uint32_t entry = 0; entry < run->plan.count; entry++)
        if (run->plan.entry[entry].exit->scratch != SCRATCH_NONE)
            name = run->plan.entry[entry].exit->name;
    return name;
}

void storage_tell_wrong(struct run *run)
{
    struct wrong_block wrong;
    bool told = false;
    while (scratch_next_wrong(&wrong)) {
        if (run->wrong_blocks_told >= run->options->plan.findings_kept)
            continue;
        uint64_t start = clock_milliseconds();
        const struct found_block found = {
            .wrong = &wrong, .exit_name = exit_that_writes(run), .number = ++run->findings_told};
        event_wrong_block(&wrong, found.number, run->processors.boot, found.exit_name,
                          run->wrong_blocks_told++ > 0);
        report_found_block(&found);
        gap_pass_over(&run->gap, start);
        told = true;
    }
    if (told)
        tell_flush(run);
}

void storage_add_bytes(const struct run *run, struct amounts *amounts)
{
    struct disk_result disk;
    struct scratch_result scratch;
    for (uint32_t n = 0; run->plan.disks && disks_result(n, &disk); n++)
        amounts->read += disk.bytes;
    for (uint32_t n = 0; run->plan.scratch && scratch_result(n, &scratch); n++) {
        amounts->read += scratch.reads.bytes;
        amounts->written += scratch.writes.bytes;
    }
}

bool storage_failed(const struct run *run)
{
    struct scratch_result result;
    bool failed = false;
    for (uint32_t n = 0; run->plan.scratch && scratch_result(n, &result); n++)
        failed |= result.failed;
    return failed;
}

void storage_tell(const struct run *run)
{
    struct scratch_result result;
    for (uint32_t n = 0; run->plan.scratch && scratch_result(n, &result); n++)
        event_storage(n, &result, run->elapsed);
}
