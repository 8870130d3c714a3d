/*
 * Times the windows on the processor that is here, in one process on one CPU: each figure against
 * the best that could be, measured in turn with it, so that both see the same clock and the same
 * neighbours. Prints `name value` lines for ci/silicon/bench.
 */
#include "../../efi/core/machine/clock.h"
#include "../../efi/core/machine/cpu.h"
#include "../../efi/core/window/area_compare.h"
#include "../../efi/core/window/area_fill.h"
#include "../../efi/core/window/area_format.h"
#include "../../efi/core/window/area_probe.h"
#include "../../efi/core/window/exits.h"
#include "../../efi/core/window/findings.h"
#include "../../efi/core/window/guard.h"
#include "../../efi/core/window/memory.h"
#include "../../efi/core/window/round.h"
#include "../../efi/core/window/slices.h"
#include "../../efi/core/window/work.h"
#include "../../efi/platform/identify.h"
#include "../../efi/platform/instructions.h"
#include "../../efi/platform/pages.h"
#include "../../efi/platform/processors.h"
#include "../../efi/platform/xstate_on.h"
#include "../linux/process.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES      201u
#define BATCH        1000u /* of what takes some hundred cycles */
#define COPY_BYTES   (UINT64_C(1) << 20)
#define CHAIN_LINKS  8u
#define CHAIN_CYCLES (CHAIN_LINKS * 3) /* IMUL takes three on all of them (uops.info) */

static struct machine machine;
static struct plan plan = {.options = {.hold_microseconds = 1000, .findings_kept = 1}};
static struct rounds *rounds;
static struct traps traps;

static void expect(bool right, const char *what)
{
    if (right)
        return;
    (void)fprintf(stderr, "bench: %s: no figure of this run is worth anything\n", what);
    exit(1);
}

/* A chain of dependent multiplications: core cycles, whatever the clock of the moment. */
static uint64_t time_chain(void)
{
    uint64_t value = 3, start = rdtsc();
    for (unsigned int n = 0; n < BATCH; n++)
        __asm__ volatile("imul %0, %0\n\timul %0, %0\n\timul %0, %0\n\timul %0, %0\n\t"
                         "imul %0, %0\n\timul %0, %0\n\timul %0, %0\n\timul %0, %0"
                         : "+r"(value));
    return rdtsc() - start;
}

/* 64 loads of 64 bytes, which is what a round loads and compares. */
static uint64_t time_loads(void)
{
    uint64_t start = rdtsc();
    for (unsigned int n = 0; n < BATCH; n++)
        __asm__ volatile(".set offset, 0\n\t"
                         ".rept 32\n\t"
                         "vmovdqa64 offset(%0), %%zmm0\n\t"
                         "vmovdqa64 offset(%0), %%zmm1\n\t"
                         ".set offset, offset + 64\n\t"
                         ".endr" ::"r"(&rounds->ring[n % GENERATIONS].expected)
                         : "memory", "xmm0", "xmm1");
    return rdtsc() - start;
}

static uint64_t time_rounds(void)
{
    uint64_t start = rdtsc(), wrong = 0;
    for (unsigned int n = 0; n < BATCH; n++)
        wrong |= window_bare.form[FORM_ZMM].enter(&rounds->ring[n % GENERATIONS]);
    uint64_t cycles = rdtsc() - start;
    expect(wrong == 0, "a round came back changed");
    return cycles;
}

static int compare_doubles(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Sorts them. */
static double median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare_doubles);
    return values[count / 2];
}

static void show(const char *name, double value)
{
    (void)printf("%s %.4f\n", name, value);
}

/* In core cycles each, by a chain that is timed next to it. */
static double cycles_of(uint64_t (*timed)(void))
{
    double values[SAMPLES];
    for (size_t n = 0; n < SAMPLES; n++) {
        uint64_t chain = time_chain(), cycles = timed();
        values[n] = (double)cycles / (double)chain * CHAIN_CYCLES;
    }
    return median(values, SAMPLES);
}

static void bench_round(void)
{
    double chain[SAMPLES];
    for (size_t n = 0; n < SAMPLES; n++)
        chain[n] = (double)time_chain() / BATCH / CHAIN_CYCLES;
    double tsc_per_cycle = median(chain, SAMPLES);
    show("core_mhz", (double)machine.tsc_hz / 1e6 / tsc_per_cycle);
    show("loads_cycles", cycles_of(time_loads));
    double cycles = cycles_of(time_rounds);
    show("round_cycles", cycles);
    show("round_tsc_cycles", cycles * tsc_per_cycle);
    /* What a new value of MXCSR in each round costs. */
    for (unsigned int n = 0; n < GENERATIONS; n++)
        rounds->ring[n].expected.mxcsr = rounds->ring[0].expected.mxcsr;
    show("round_cycles_mxcsr_kept", cycles_of(time_rounds));
}

static uint64_t verified(void)
{
    expect(atomic_load(&rounds->findings) == 0, "registers changed");
    return atomic_load(&rounds->verified);
}

/* A slice of the plan, as in a run, against as many of the bare instruction. */
static void bench_cpuid(void)
{
    double ratios[SAMPLES], bare_cycles[SAMPLES];
    slice_run(rounds, 0); /* warms up */
    for (size_t n = 0; n < SAMPLES; n++) {
        uint64_t before = verified(), start = rdtsc();
        slice_run(rounds, 0);
        uint64_t cycles = rdtsc() - start, count = verified() - before;
        start = rdtsc();
        for (uint64_t done = 0; done < count; done++)
            (void)cpuid(0, 0);
        uint64_t bare = rdtsc() - start;
        ratios[n] = (double)bare / (double)cycles;
        bare_cycles[n] = (double)bare / (double)count;
    }
    double cycles = median(bare_cycles, SAMPLES);
    show("cpuid_tsc_cycles", cycles);
    show("cpuid_verified_of_bare", median(ratios, SAMPLES));
    show("cpuid_bare_per_second", (double)machine.tsc_hz / cycles);
}

/* The same piece, poisoned before, by the window and by the C library. */
static void bench_copy(void)
{
    double ratios[SAMPLES];
    struct round *round = &rounds->planted;
    round_fill(rounds, round, 0);
    for (size_t n = 0; n < SAMPLES; n++) {
        const char *reason;
        expect(copy_begin(rounds, round, &reason) == BEGUN, "no copy");
        void *to = (void *)round->expected.general[RDI];         // NOLINT
        const void *from = (void *)round->expected.general[RSI]; // NOLINT
        uint64_t start = rdtsc();
        enum window_result result = exit_named("copy")->window->form[FORM_ZMM].enter(round);
        uint64_t window = rdtsc() - start;
        expect(result == INTACT, "a copy came back changed");
        memset(to, 0, COPY_PIECE_BYTES);
        start = rdtsc();
        memcpy(to, from, COPY_PIECE_BYTES);
        uint64_t library = rdtsc() - start;
        expect(copy_verify(rounds, round), "a copy stored something else");
        ratios[n] = (double)library / (double)window;
    }
    show("copy_of_memcpy", median(ratios, SAMPLES));
}

static void bench_all(void *argument)
{
    (void)argument;
    slices_prepare(rounds);
    bench_copy();
    bench_cpuid();
    bench_round();
}

int main(void)
{
    struct xstate_saved saved;
    struct fault fault;
    struct processors processors;
    uint64_t tsc_hz = clock_start();
    processors_find(&processors, PROCESSORS_AUTO); /* and stay on the first */
    process_signals();
    machine_identify(&machine, tsc_hz);
    if (machine.xstate.no_avx512) {
        (void)fprintf(stderr, "bench: %s\n", machine.xstate.no_avx512);
        return 2;
    }
    rounds = pages_allocate(sizeof(*rounds));
    expect(rounds != NULL, "no memory");
    plan.entry[0].exit = exit_named("cpuid");
    plan.entry[0].window = plan.entry[0].exit->window;
    plan.count = 1;
    rounds->machine = &machine;
    rounds->plan = &plan;
    rounds->traps = &traps;
    rounds->key.form = FORM_ZMM;
    rounds->buffers.copy_bytes = COPY_BYTES;
    rounds->buffers.copy = pages_allocate_some(&rounds->buffers.copy_bytes, COPY_BYTES);
    areas_give_memory(&rounds->areas, pages_allocate(areas_bytes(&machine.xstate)),
                      &machine.xstate);
    traps_enter(&traps);
    xstate_turn_on(&saved, &machine.xstate);
    rounds->areas.xcr0 = saved.xcr0_on;
    areas_keep(&rounds->areas);
    bool ran = traps_run(bench_all, NULL, &fault);
    areas_put_back(&rounds->areas);
    xstate_turn_off(&saved);
    traps_leave(&traps);
    expect(ran, "an exception ended it");
    return 0;
}
