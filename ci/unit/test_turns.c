/* Whose slice is next: a vCPU whose slices take what the test says, in ticks of a TSC of 1 MHz. */
#include "../../efi/core/window/counter.h"
#include "../../efi/core/window/turns.h"
#include "rounds_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define TSC_HZ UINT64_C(1000000)

/* The machine has been up for a while. */
#define STARTED_AT (5000 * TSC_HZ)

static const struct exit instruction = {.name = "instruction"};
static const struct exit hold = {.name = "hold", .holds = HOLDS_AND_FILLS};
static const struct exit disk = {.name = "disk", .holds = HOLDS_AND_FILLS};

static uint64_t now, longest_pause[EXIT_MAX], last_turn[EXIT_MAX];
static uint64_t slices[EXIT_MAX], kinds[TURN_TO_FOCUS + 1];
static uint64_t instruction_takes, hold_takes, idle_takes;
static uint64_t idle;                          /* entries that have no round, a bit each */
static uint64_t hold_is_live, of_pass_is_live; /* per mille; the latter of a slice of the pass */

static int fresh(void **state)
{
    (void)state;
    memset(&plan, 0, sizeof(plan));
    rounds_anew(FORM_ZMM);
    machine.tsc_hz = TSC_HZ;
    plan.weighed = true;
    memset(longest_pause, 0, sizeof(longest_pause));
    for (uint32_t entry = 0; entry < EXIT_MAX; entry++)
        last_turn[entry] = STARTED_AT;
    memset(slices, 0, sizeof(slices));
    memset(kinds, 0, sizeof(kinds));
    now = STARTED_AT;
    instruction_takes = 1000;
    hold_takes = 16000;
    idle_takes = 4000;
    idle = 0;
    hold_is_live = of_pass_is_live = 990;
    return 0;
}

static void plan_of(uint32_t instructions, bool with_hold, bool with_disk)
{
    plan.count = 0;
    for (uint32_t n = 0; n < instructions; n++)
        plan.entry[plan.count++].exit = &instruction;
    if (with_hold)
        plan.entry[plan.count++].exit = &hold;
    if (with_disk)
        plan.entry[plan.count++].exit = &disk;
}

/* Until so much time has gone by. */
static void run_for(uint64_t ticks)
{
    uint64_t end = now + ticks;
    while (now < end) {
        const struct turns *turns = &rounds.turns;
        uint32_t entry = turns->entry;
        bool is_hold = plan.entry[entry].exit->holds == HOLDS_AND_FILLS;
        bool is_idle = idle >> entry & 1;
        uint64_t start = now, took = is_hold ? hold_takes : instruction_takes;
        uint64_t live = turns->turn == TURN_OF_PASS ? of_pass_is_live : hold_is_live;
        assert_true(entry < plan.count);
        slices[entry]++;
        kinds[turns->turn]++;
        if (turns->turn == TURN_OF_PASS) {
            uint64_t pause = now - last_turn[entry];
            longest_pause[entry] = pause > longest_pause[entry] ? pause : longest_pause[entry];
            last_turn[entry] = now;
        }
        now += is_idle ? idle_takes : took;
        if (!is_idle)
            counter_add(&rounds.tally[entry].rounds, 16);
        if (is_hold && !is_idle)
            counter_add(&rounds.live_cycles, took * live / 1000);
        turns_next(&rounds.turns, &rounds, start, now);
    }
}

static uint64_t live_permille(void)
{
    return counter_read(&rounds.live_cycles) * 1000 / (now - STARTED_AT);
}

static void a_plan_that_is_not_weighed_goes_round(void **state)
{
    (void)state;
    plan.weighed = false;
    plan_of(3, true, true);
    for (uint32_t n = 0; n < 20; n++) {
        assert_int_equal(rounds.turns.entry, n % 5);
        assert_int_equal(rounds.turns.turn, TURN_OF_PASS);
        assert_int_equal(counter_read(&rounds.passes), n / 5);
        turns_next(&rounds.turns, &rounds, n, n + 1);
    }
}

static void the_first_pass_touches_each_exit_at_once(void **state)
{
    (void)state;
    plan_of(40, true, true);
    run_for(40 * 1000 + 2 * 16000);
    assert_int_equal(counter_read(&rounds.passes), 1);
    for (uint32_t entry = 0; entry < plan.count; entry++)
        assert_int_equal(slices[entry], 1);
}

static void registers_are_live_for_most_of_the_time(void **state)
{
    (void)state;
    plan_of(40, true, true);
    run_for(60 * TSC_HZ);
    assert_in_range(live_permille(), 955, 965);
    assert_true(counter_read(&rounds.passes) > 20); /* and what is left is used */
    assert_int_equal(kinds[TURN_TO_FOCUS], 0);
    /* All that fill have their share. */
    assert_in_range(slices[40] * 1000 / slices[41], 900, 1100);
}

static void each_exit_has_its_turn_within_ten_seconds(void **state)
{
    (void)state;
    plan_of(40, true, false);
    hold_is_live = of_pass_is_live = 500; /* no choice can make up for that */
    run_for(60 * TSC_HZ);
    for (uint32_t entry = 0; entry < plan.count; entry++)
        assert_in_range(longest_pause[entry], 1, 10 * TSC_HZ);
    assert_in_range(live_permille(), 400, 500);
}

/* A slice ends when it ends: what it took too much is taken from the next turns. */
static void it_has_so_with_slices_that_are_longer_than_what_is_left_to_them(void **state)
{
    (void)state;
    plan_of(40, true, false);
    hold_is_live = of_pass_is_live = 500;
    hold_takes = 160000; /* hold=10000 */
    run_for(100 * TSC_HZ);
    for (uint32_t entry = 0; entry < plan.count; entry++)
        assert_in_range(longest_pause[entry], 1, 9 * TSC_HZ);
    assert_in_range(live_permille(), 400, 500);
}

/* What stands still for an hour is not to do without turns to fill for as long. */
static void a_vcpu_that_stood_still_has_turns_to_fill_again_a_pass_later(void **state)
{
    (void)state;
    plan_of(40, true, false);
    run_for(20 * TSC_HZ);
    now += 3600 * TSC_HZ;
    uint64_t passes = counter_read(&rounds.passes);
    while (counter_read(&rounds.passes) < passes + 2)
        run_for(TSC_HZ / 100);
    kinds[TURN_TO_FILL] = 0;
    run_for(10 * TSC_HZ);
    assert_true(kinds[TURN_TO_FILL] > 500);
}

/* Nothing but what fills, as with exits=hold: a slice of a pass has rounds that do not count. */
static void a_hold_alone_has_slices_to_fill(void **state)
{
    (void)state;
    plan_of(0, true, false);
    of_pass_is_live = 840;
    run_for(60 * TSC_HZ);
    assert_in_range(live_permille(), 955, 990);
    assert_in_range(longest_pause[0], 1, 10 * TSC_HZ);
}

static void what_cannot_fill_goes_round(void **state)
{
    (void)state;
    plan_of(4, false, false);
    run_for(TSC_HZ);
    assert_int_equal(kinds[TURN_TO_FILL], 0);
    for (uint32_t entry = 0; entry < plan.count; entry++)
        assert_in_range(slices[entry], 249, 251);
}

static void what_is_over_has_no_turn_to_fill(void **state)
{
    (void)state;
    plan_of(4, true, true);
    atomic_store(&rounds.tally[5].over, "no disk");
    run_for(10 * TSC_HZ);
    assert_true(slices[4] > 3 * counter_read(&rounds.passes));
    assert_int_equal(slices[5], counter_read(&rounds.passes)); /* which runs no rounds */
}

/* As a row of a disk that nothing is asked of: four looks in a pass are enough, and its own turn.
 */
static void
what_has_no_rounds_beyond_the_pass_has_few_such_turns_before_its_next_of_the_pass(void **state)
{
    (void)state;
    plan_of(4, true, true);
    idle = UINT64_C(1) << 5;
    run_for(20 * TSC_HZ);
    uint64_t passes = counter_read(&rounds.passes);
    assert_true(passes > 20);
    assert_in_range(slices[5], 5 * passes - 5, 5 * passes + 5); /* and it is looked at */
    assert_true(slices[4] > 5 * passes);
    assert_in_range(live_permille(), 900, 990);
    idle = 0;
    uint64_t hold_before = slices[4], disk_before = slices[5];
    run_for(20 * TSC_HZ);
    assert_in_range((slices[5] - disk_before) * 1000 / (slices[4] - hold_before), 900, 1100);
}

/* As where the boot vCPU waits for the disk: its reads are there now and then. */
static void what_misses_a_round_now_and_then_keeps_its_turns(void **state)
{
    (void)state;
    plan_of(4, true, true);
    for (uint32_t n = 0; n < 3000; n++) {
        idle = n % 4 ? UINT64_C(1) << 5 : 0;
        uint64_t before = slices[5];
        while (slices[5] == before)
            run_for(1);
    }
    assert_in_range(slices[5] * 1000 / slices[4], 900, 1100);
}

static void nor_has_it_thousands_in_focus(void **state)
{
    (void)state;
    plan_of(4, true, true);
    idle = UINT64_C(1) << 5;
    idle_takes = 10; /* the boot vCPU does not wait for itself */
    run_for(TSC_HZ);
    atomic_store(&rounds.focus, UINT64_C(1) << 5);
    run_for(20 * TSC_HZ);
    assert_in_range(kinds[TURN_TO_FOCUS], 10, 4 * counter_read(&rounds.passes) + 4);
    idle = 0;
    uint64_t of_before = slices[5];
    run_for(20 * TSC_HZ);
    assert_true((slices[5] - of_before) * hold_takes * 1000 / (20 * TSC_HZ) > 450);
}

static void only_turns_of_the_pass_wait_for_long_and_only_without_others_for_very_long(void **state)
{
    (void)state;
    plan_of(0, false, true);
    const enum turn beyond[] = {TURN_TO_FILL, TURN_TO_FOCUS};
    for (unsigned int weighed = 0; weighed < 2; weighed++) {
        plan.weighed = weighed;
        for (unsigned int had = 0; had < 2; had++) {
            atomic_store(&rounds.tally[0].rounds, had);
            rounds.turns.turn = TURN_OF_PASS;
            assert_int_equal(turns_wait_milliseconds(&rounds), weighed || had ? 200 : 2000);
            for (unsigned int n = 0; n < 2; n++) {
                rounds.turns.turn = beyond[n];
                assert_int_equal(turns_wait_milliseconds(&rounds), 4);
            }
        }
    }
}

/* Half of the time is for the exits in focus, but the others are not forgotten. */
static void an_exit_in_focus_has_half_of_the_time(void **state)
{
    (void)state;
    plan_of(40, true, true);
    run_for(TSC_HZ);
    atomic_store(&rounds.focus, UINT64_C(1) << 7);
    uint64_t of_before = slices[7];
    run_for(60 * TSC_HZ);
    assert_in_range((slices[7] - of_before) * instruction_takes * 1000 / (60 * TSC_HZ), 450, 550);
    for (uint32_t entry = 0; entry < plan.count; entry++)
        assert_in_range(longest_pause[entry], 1, 10 * TSC_HZ);
    assert_true(kinds[TURN_TO_FILL] > 0);
    /* An exit that came to its end is left alone, and so is a plan without focus. */
    atomic_store(&rounds.tally[7].over, "it is over");
    of_before = slices[7];
    run_for(20 * TSC_HZ);
    assert_true(slices[7] - of_before < 100);
}

static void a_focus_needs_no_holds(void **state)
{
    (void)state;
    plan_of(10, false, false);
    run_for(TSC_HZ);
    atomic_store(&rounds.focus, 1);
    uint64_t of_before = slices[0], others = slices[1];
    run_for(20 * TSC_HZ);
    assert_true(slices[0] - of_before > slices[1] - others);
    for (uint32_t entry = 0; entry < plan.count; entry++)
        assert_in_range(longest_pause[entry], 1, 10 * TSC_HZ);
}

static void a_tsc_that_goes_back_stops_nothing(void **state)
{
    (void)state;
    plan_of(4, true, true);
    run_for(5 * TSC_HZ);
    now = 1000;
    uint64_t passes = counter_read(&rounds.passes);
    turns_next(&rounds.turns, &rounds, 5 * TSC_HZ, now);
    run_for(20 * TSC_HZ);
    assert_true(counter_read(&rounds.passes) > passes + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_plan_that_is_not_weighed_goes_round, fresh),
        cmocka_unit_test_setup(the_first_pass_touches_each_exit_at_once, fresh),
        cmocka_unit_test_setup(registers_are_live_for_most_of_the_time, fresh),
        cmocka_unit_test_setup(each_exit_has_its_turn_within_ten_seconds, fresh),
        cmocka_unit_test_setup(it_has_so_with_slices_that_are_longer_than_what_is_left_to_them,
                               fresh),
        cmocka_unit_test_setup(a_vcpu_that_stood_still_has_turns_to_fill_again_a_pass_later, fresh),
        cmocka_unit_test_setup(a_hold_alone_has_slices_to_fill, fresh),
        cmocka_unit_test_setup(what_cannot_fill_goes_round, fresh),
        cmocka_unit_test_setup(what_is_over_has_no_turn_to_fill, fresh),
        cmocka_unit_test_setup(
            what_has_no_rounds_beyond_the_pass_has_few_such_turns_before_its_next_of_the_pass,
            fresh),
        cmocka_unit_test_setup(what_misses_a_round_now_and_then_keeps_its_turns, fresh),
        cmocka_unit_test_setup(nor_has_it_thousands_in_focus, fresh),
        cmocka_unit_test_setup(
            only_turns_of_the_pass_wait_for_long_and_only_without_others_for_very_long, fresh),
        cmocka_unit_test_setup(an_exit_in_focus_has_half_of_the_time, fresh),
        cmocka_unit_test_setup(a_focus_needs_no_holds, fresh),
        cmocka_unit_test_setup(a_tsc_that_goes_back_stops_nothing, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
