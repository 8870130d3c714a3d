/* The time for which registers are live: of rounds whose window takes what the test says, and the
 * sums of it over vCPUs. */
#include "../../efi/core/run/counts.h"
#include "../../efi/core/window/counter.h"
#include "../../efi/core/window/round.h"
#include "../../efi/core/window/slices.h"
#include "../../efi/platform/instructions.h"
#include "host.h"
#include "rounds_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static enum window_result comes_back;
static uint64_t takes, takes_by_xsave;

static void spin(uint64_t cycles)
{
    uint64_t start = rdtsc();
    while (rdtsc() - start < cycles)
        ;
}

static enum window_result enter(struct round *round)
{
    spin(takes);
    round->found = round->expected;
    round->fault.vector = 14;
    return comes_back;
}

static enum window_result enter_by_xsave(struct round *round)
{
    enum window_result result = window_bare.form[FORM_XSAVE].enter(round);
    spin(takes_by_xsave);
    return result;
}

static const struct window window = {
    .form = {{.enter = enter}, {.enter = enter}, {.enter = enter}, {.enter = enter_by_xsave}}};
static const struct exit holds = {
    .name = "holds", .window = &window, .rounds = 4, .holds = true, .must_work = true};
static const struct exit quick = {
    .name = "quick", .window = &window, .rounds = 40, .must_work = true};

static int start_anew(void **state)
{
    (void)state;
    memset(&plan, 0, sizeof(plan));
    memset(&machine, 0, sizeof(machine));
    machine.tsc_hz = UINT64_C(1000000000);
    comes_back = INTACT;
    takes = takes_by_xsave = 100000;
    return 0;
}

static void plan_one(const struct exit *exit)
{
    plan.count = 1;
    plan.entry[0].exit = exit;
    plan.entry[0].window = exit->window;
}

static uint64_t live(void)
{
    assert_true(rounds.live_cycles == rounds.tally[0].live_cycles);
    return counter_read(&rounds.live_cycles);
}

static void a_round_that_faults_is_not_live(void **state)
{
    (void)state;
    const struct exit *const exits_of_both_kinds[] = {&holds, &quick};
    for (unsigned int n = 0; n < 2; n++) {
        plan_one(exits_of_both_kinds[n]);
        rounds_anew(FORM_XMM);
        slices_prepare(&rounds);
        comes_back = INTACT;
        slice_run_all_live(&rounds, 0);
        uint64_t before = live();
        assert_true(before >= holds.rounds * takes / 2);
        comes_back = FAULTED;
        slice_run_all_live(&rounds, 0);
        assert_true(rounds.tally[0].findings >= holds.rounds);
        assert_true(live() == before);
        comes_back = VECTOR_DIFFER; /* which was compared */
        slice_run_all_live(&rounds, 0);
        assert_true(live() > before);
    }
}

/* Without what load and compare take by area. */
static void a_round_by_area_counts_for_what_it_takes(void **state)
{
    (void)state;
    struct exit one = holds;
    one.rounds = 1;
    plan_one(&one);
    rounds_anew(FORM_XMM);
    if (!rounds_with_areas())
        skip_here("the live time of rounds by XSAVE area", "this processor has no XSAVE");
    slices_prepare(&rounds);
    comes_back = FAULTED; /* only the round by XSAVE is live */
    takes_by_xsave = 10 * rounds.bare_cycles_by_xsave;
    slice_run_all_live(&rounds, 0);
    assert_int_equal(rounds.tally[0].rounds, 2);
    assert_true(live() >= takes_by_xsave);
    uint64_t before = live();
    rounds.bare_cycles_by_xsave = UINT64_MAX; /* as if all of it were load and compare */
    slice_run_all_live(&rounds, 0);
    assert_int_equal(rounds.tally[0].rounds, 4);
    assert_true(live() == before);
    rounds_leave();
}

static void a_standstill_is_not_live(void **state)
{
    (void)state;
    struct exit one = holds;
    one.rounds = 1;
    plan_one(&one);
    rounds_anew(FORM_XMM);
    slices_prepare(&rounds);
    machine.tsc_hz = UINT64_C(10000000); /* which is soon over, in an emulator as well */
    takes = machine.tsc_hz + machine.tsc_hz / 100;
    slice_run_all_live(&rounds, 0);
    assert_int_equal(rounds.tally[0].rounds, 1);
    assert_true(live() == 0);
    plan.options.hold_microseconds = 1000000;            /* as long as it was asked to be */
    for (unsigned int n = 0; n < 50 && live() == 0; n++) /* it may really stand still */
        slice_run_all_live(&rounds, 0);
    assert_true(live() >= takes / 2);
}

/* From them one knows what a pass takes. */
static void slices_to_fill_are_not_whole_ones(void **state)
{
    (void)state;
    plan_one(&holds);
    rounds_anew(FORM_XMM);
    slices_prepare(&rounds);
    takes = 1000;
    slice_run(&rounds, 0);
    const struct tally *tally = &rounds.tally[0];
    assert_true(tally->whole_slices == 1 && tally->whole_cycles == tally->slice_cycles);
    uint64_t whole = tally->whole_cycles;
    slice_run_all_live(&rounds, 0);
    assert_true(tally->whole_slices == 1 && tally->whole_cycles == whole);
    assert_true(tally->slice_cycles > whole);
}

#define VCPUS 3u

static struct vcpu vcpus[VCPUS];
static struct watched watched[VCPUS];
static struct run run = {
    .machine = &machine, .processors.count = VCPUS, .watched = watched, .elapsed = 10000};

/* In milliseconds; the first vCPU takes no part. */
static struct exposure exposure_of(uint64_t one, uint64_t other)
{
    for (uint32_t cpu = 0; cpu < VCPUS; cpu++) {
        watched[cpu].vcpu = &vcpus[cpu];
        vcpus[cpu].rounds.cpu = cpu;
        atomic_store(&vcpus[cpu].state, cpu ? VCPU_DONE : VCPU_UNUSED);
    }
    atomic_store(&vcpus[1].rounds.live_cycles, one * (machine.tsc_hz / 1000));
    atomic_store(&vcpus[2].rounds.live_cycles, other * (machine.tsc_hz / 1000));
    return count_exposure(&run);
}

static void expect_exposure(struct exposure exposure, uint64_t milliseconds, uint32_t permille,
                            uint32_t least, uint32_t least_on)
{
    assert_int_equal(exposure.milliseconds, milliseconds);
    assert_int_equal(exposure.permille, permille);
    assert_int_equal(exposure.permille_least, least);
    assert_int_equal(exposure.least_on, least_on);
}

static void shares_are_of_the_vcpus_that_take_part(void **state)
{
    (void)state;
    run.elapsed = 10000;
    expect_exposure(exposure_of(9500, 8500), 18000, 900, 850, 2);
    expect_exposure(exposure_of(0, 8500), 8500, 425, 0, 1);
    expect_exposure(exposure_of(10000, 10000), 20000, 1000, 1000, 1);
    run.elapsed = 0;
    expect_exposure(exposure_of(0, 0), 0, 0, 0, 1);
}

/* It may be measured a little longer, and makes up for no other vCPU. */
static void no_vcpu_is_live_for_longer_than_the_run(void **state)
{
    (void)state;
    run.elapsed = 10000;
    expect_exposure(exposure_of(15000, 5000), 15000, 750, 500, 2);
}

/* The cycles of two vCPUs in a century are more than 64 bits hold: as those of 1,024 in 70 days. */
static void long_runs_do_not_overflow(void **state)
{
    (void)state;
    machine.tsc_hz = UINT64_C(5000000000);
    run.elapsed = UINT64_C(3153600000) * 1000;
    expect_exposure(exposure_of(run.elapsed, run.elapsed), 2 * run.elapsed, 1000, 1000, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_round_that_faults_is_not_live, start_anew),
        cmocka_unit_test_setup(a_round_by_area_counts_for_what_it_takes, start_anew),
        cmocka_unit_test_setup(a_standstill_is_not_live, start_anew),
        cmocka_unit_test_setup(slices_to_fill_are_not_whole_ones, start_anew),
        cmocka_unit_test_setup(shares_are_of_the_vcpus_that_take_part, start_anew),
        cmocka_unit_test_setup(no_vcpu_is_live_for_longer_than_the_run, start_anew),
        cmocka_unit_test_setup(long_runs_do_not_overflow, start_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
