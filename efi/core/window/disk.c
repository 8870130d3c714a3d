/* Ties the holds of a row to the reads that the boot vCPU keeps in flight. */
#include "disk.h"
#include "../../platform/disks.h"
#include "../../platform/instructions.h"
#include "memory.h"

#define WAIT_MILLISECONDS 200u

enum begun disk_begin(struct rounds *rounds, struct round *round, const char **reason)
{
    const struct disk_activity *disks = rounds->plan->disks;
    uint64_t start = rdtsc(), longest = rounds->machine->tsc_hz / 1000 * WAIT_MILLISECONDS;
    while (!atomic_load_explicit(&disks->in_flight, memory_order_relaxed)) {
        if (atomic_load_explicit(&disks->over, memory_order_relaxed))
            return no_more(reason, "no disk is left to be read");
        /* It is mostly the boot vCPU itself that begins the reads, between its slices. */
        if ((rounds->runs_firmware && !disks->unattended) || rdtsc() - start > longest ||
            atomic_load_explicit(&rounds->stop, memory_order_relaxed))
            return NOT_NOW;
        cpu_pause();
    }
    return hold_begin(rounds, round, reason);
}

bool disk_part(const struct rounds *rounds)
{
    return !(rounds->runs_firmware && rounds->plan->disks->blocking);
}
