/* Ties the holds and copies of a row to the reads, writes and frames that the boot vCPU keeps in
 * flight. */
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

/* BEGUN: something is in flight. */
static enum begun await(struct rounds *rounds, const struct awaited *awaited, const char **reason)
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
    return BEGUN;
}

static enum begun hold(struct rounds *rounds, struct round *round, const struct awaited *awaited,
                       const char **reason)
{
    enum begun begun = await(rounds, awaited, reason);
    return begun == BEGUN ? hold_begin(rounds, round, reason) : begun;
}

enum begun disk_begin(struct rounds *rounds, struct round *round, const char **reason)
{
    const struct disk_activity *disks = rounds->plan->disks;
    const struct awaited awaited = {&disks->in_flight, &disks->over, "no disk is left to be read",
                                    disks->unattended};
    return hold(rounds, round, &awaited, reason);
}

static struct awaited in_scratch(const struct rounds *rounds, const _Atomic uint32_t *in_flight)
{
    return (struct awaited){in_flight, &rounds->plan->scratch->over,
                            "no scratch partition is left to be written", false};
}

enum begun disk_write_begin(struct rounds *rounds, struct round *round, const char **reason)
{
    const struct awaited writes = in_scratch(rounds, &rounds->plan->scratch->writes);
    return hold(rounds, round, &writes, reason);
}

enum begun disk_mixed_begin(struct rounds *rounds, struct round *round, const char **reason)
{
    const struct awaited mixed = in_scratch(rounds, &rounds->plan->scratch->mixed);
    return hold(rounds, round, &mixed, reason);
}

enum begun disk_copy_begin(struct rounds *rounds, struct round *round, const char **reason)
{
    const struct awaited writes = in_scratch(rounds, &rounds->plan->scratch->writes);
    enum begun begun = await(rounds, &writes, reason);
    return begun == BEGUN ? copy_begin(rounds, round, reason) : begun;
}

enum begun net_begin(struct rounds *rounds, struct round *round, const char **reason)
{
    const struct net_activity *net = rounds->plan->net;
    const struct awaited awaited = {&net->in_flight, &net->over,
                                    "no network adapter is left that sends", false};
    return hold(rounds, round, &awaited, reason);
}

bool disk_part(const struct rounds *rounds)
{
    return !(rounds->runs_firmware && rounds->plan->disks->blocking);
}

bool disk_write_part(const struct rounds *rounds)
{
    return !(rounds->runs_firmware && rounds->plan->scratch->blocking);
}
