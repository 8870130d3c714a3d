/* Lets one vCPU at a time write its caches back. */
#include "flush.h"
#include "../../platform/instructions.h"
#include "counter.h"
#include "rounds.h"

#define WAIT_SECONDS 1u

/*
 * The one thing that vCPUs share while they run. Who has it is in a window and nowhere else, so
 * that nobody can be lost with it but in WBINVD itself.
 */
static atomic_flag taken = ATOMIC_FLAG_INIT;

/* A vCPU that is lost in WBINVD must not take the others with it. */
enum begun flush_begin(struct rounds *rounds, struct round *round, const char **reason)
{
    uint64_t start = rdtsc();
    (void)round;
    (void)reason;
    while (atomic_flag_test_and_set_explicit(&taken, memory_order_acquire)) {
        counter_add(&rounds->beats, 1);
        if (atomic_load_explicit(&rounds->stop, memory_order_relaxed) ||
            rdtsc() - start >= rounds->machine->tsc_hz * WAIT_SECONDS)
            return NOT_NOW;
        cpu_pause();
    }
    return BEGUN;
}

void flush_end(struct rounds *rounds)
{
    (void)rounds;
    atomic_flag_clear_explicit(&taken, memory_order_release);
}
