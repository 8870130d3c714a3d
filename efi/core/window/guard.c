/* Runs functions under guard, and decides where a vCPU goes on that raised an exception. */
#include "guard.h"
#include "../../platform/instructions.h"
#include "counter.h"
#include "state.h"
#include <string.h>

bool trap_call(void (*function)(void *), void *argument, struct trap_guard *guard);

bool traps_run(void (*function)(void *), void *argument, struct fault *fault)
{
    struct traps *traps = traps_current();
    struct trap_guard outer = traps->guard;
    bool ran = trap_call(function, argument, &traps->guard);
    traps->guard = outer;
    if (!ran && fault)
        *fault = traps->fault;
    return ran;
}

struct msr_access {
    uint32_t msr;
    uint64_t value;
};

static void try_rdmsr(void *argument)
{
    struct msr_access *read = argument;
    read->value = rdmsr(read->msr);
}

bool traps_rdmsr(uint32_t msr, uint64_t *value)
{
    struct msr_access read = {.msr = msr};
    bool ran = traps_run(try_rdmsr, &read, NULL);
    if (ran)
        *value = read.value;
    return ran;
}

static void try_wrmsr(void *argument)
{
    const struct msr_access *write = argument;
    wrmsr(write->msr, write->value);
}

bool traps_wrmsr(uint32_t msr, uint64_t value)
{
    struct msr_access write = {msr, value};
    return traps_run(try_wrmsr, &write, NULL);
}

static bool in_window(uint64_t rip)
{
    return rip >= (uint64_t)window_text_start && rip < (uint64_t)window_text_end;
}

/*
 * In a window, RSP is the round's expected state. The window leaves by its on_fault path, which
 * stores the whole state; should that fault too, by the path that stores nothing.
 */
static void resume_window(struct trap_point *point, const struct fault *fault)
{
    struct round *round = (struct round *)(point->rsp - offsetof(struct round, expected)); // NOLINT
    round->fault = *fault;
    round->found.rflags = point->rflags;
    round->found.mxcsr = round->expected.mxcsr; /* not looked at after a fault */
    point->rip = round->on_fault;
    round->on_fault = (uint64_t)on_second_fault;
}

void traps_exception(struct traps *traps, const struct fault *fault, struct trap_point *point)
{
    if (in_window(point->rip)) {
        resume_window(point, fault);
        return;
    }
    traps->fault = *fault;
    point->rip = traps->guard.resume;
    point->rsp = traps->guard.rsp;
}

bool traps_guarded(const struct traps *traps, uint64_t rip)
{
    return traps->guard.resume || in_window(rip);
}

uint64_t traps_interrupts(const struct traps *traps)
{
    uint64_t sum = 0;
    for (size_t kind = 0; kind < INTERRUPT_COUNT; kind++)
        sum += counter_read(&traps->interrupts[kind]);
    return sum;
}
