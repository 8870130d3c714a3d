/* Ties the holds of a row to the reads, writes and frames that the boot vCPU keeps in flight. */
#include "disk.h"
#include "../../platform/disks.h"
#include "../../platform/instructions.h"
#include "../../platform/net.h"
#include "../../platform/scratch.h"
#include "memory.h"
#include "turns.h"

/* What a row waits for. */
struct awaited {
    const _Atomic uint32_t *in_flight;
    const _Atomic bool *over;
    const char *reason; /* once it is over */
    bool unattended;    /* nobody's slices hold it up */
};

static enum begun begin(struct rounds *rounds, struct round *round, const struct awaited *awaited,
                        const char **reason)
{
    uint64_t start = rdtsc();
    uint64_t longest = rounds->machine->tsc_hz / 1000 * turns_wait_milliseconds(rounds);
    while (!atomic_load_explicit(awaited->in_flight, memory_order_relaxed)) {
        if (atomic_load_explicit(awaited->over, memory_order_relaxed))
            return no_more(reason, awaited->reason);
        /* It is mostly the boot vCPU itself that begins requests, between its slices. */
        if ((rounds->runs_firmware && !awaited->unattended) || rdtsc() - start > longest ||
            atomic_load_explicit(&rounds->stop, memory_order_relaxed))
            return NOT_NOW;
        cpu_pause();
    }
    return hold_begin(rounds, round, reason);
}

enum begun disk_begin(struct rounds *rounds, struct round *round, const char **reason)
{
    const struct disk_activity *disks = rounds->plan->disks;
    const struct awaited awaited = {&disks->in_flight, &disks->over, "no disk is left to be read",
                                    disks->unattended};
    return begin(rounds, round, &awaited, reason);
}

static const char no_scratch[] = "no scratch partition is left to be written";

enum begun disk_write_begin(struct rounds *rounds, struct round *round, const char **reason)
{
    const struct scratch_activity *scratch = rounds->plan->scratch;
    const struct awaited awaited = {&scratch->writes, &scratch->over, no_scratch, false};
    return begin(rounds, round, &awaited, reason);
}

enum begun disk_mixed_begin(struct rounds *rounds, struct round *round, const char **reason)
{
    const struct scratch_activity *scratch = rounds->plan->scratch;
    const struct awaited awaited = {&scratch->mixed, &scratch->over, no_scratch, false};
    return begin(rounds, round, &awaited, reason);
}

enum begun net_begin(struct rounds *rounds, struct round *round, const char **reason)
{
    const struct net_activity *net = rounds->plan->net;
    const struct awaited awaited = {&net->in_flight, &net->over,
                                    "no network adapter is left that sends", false};
    return begin(rounds, round, &awaited, reason);
}

bool disk_part(const struct rounds *rounds)
{
    return !(rounds->runs_firmware && rounds->plan->disks->blocking);
}

bool disk_write_part(const struct rounds *rounds)
{
    return !(rounds->runs_firmware && rounds->plan->scratch->blocking);
}
