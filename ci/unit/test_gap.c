/* Clocks that jump: a clock of small steps, gaps in it, and what a vCPU sees of them. */
#include "../../efi/core/machine/clock.h"
#include "../../efi/core/machine/mark.h"
#include "../../efi/core/machine/tsc.h"
#include "../../efi/core/run/gap.h"
#include "../../efi/core/window/pulse.h"
#include "../../efi/core/window/tsc_skew.h"
#include "../../efi/platform/clock.h"
#include "host.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The clock that gap.c looks at is made up. */
static uint64_t milliseconds, wall;
static uint64_t wall_takes; /* milliseconds to read it */
static struct clock_jumps jumps;

uint64_t clock_milliseconds(void)
{
    return milliseconds;
}

struct clock_jumps clock_jumps(void)
{
    struct clock_jumps now = jumps;
    jumps = (struct clock_jumps){0};
    return now;
}

bool clock_wall(uint64_t *seconds)
{
    *seconds = wall;
    milliseconds += wall_takes;
    return true;
}

#define HZ UINT64_C(2000000)

static void a_clock_counts_small_steps_and_no_others(void **state)
{
    (void)state;
    struct tsc_clock clock;
    tsc_clock_start(&clock, 1000000, HZ);
    for (uint64_t n = 1; n <= 3000; n++) /* a third of a millisecond each */
        assert_true(tsc_clock_look(&clock, 1000000 + n * 667) <= 1000);
    uint64_t before = tsc_clock_look(&clock, 1000000 + 3000 * 667);
    assert_int_equal(before, 1000);
    assert_int_equal(tsc_clock_look(&clock, 1000000 + 3000 * 667 - 131 * 2000), before);
    assert_int_equal(clock.back, 131);
    assert_int_equal(tsc_clock_look(&clock, 1000000 + 3000 * 667 - 121 * 2000), before + 10);
    assert_int_equal(tsc_clock_look(&clock, UINT64_C(1) << 60), before + 10);
    assert_int_equal(clock.ahead,
                     ((UINT64_C(1) << 60) - (1000000 + 3000 * 667 - 121 * 2000)) / 2000);
    assert_int_equal(tsc_clock_look(&clock, 0), before + 10);
    assert_int_equal(tsc_clock_look(&clock, 35000 * UINT64_C(2000)), before + 10 + 35000);
}

static void a_clock_goes_on_at_another_rate(void **state)
{
    (void)state;
    struct tsc_clock clock;
    tsc_clock_start(&clock, 0, HZ);
    assert_int_equal(tsc_clock_look(&clock, 20000), 10);
    tsc_clock_rate(&clock, 2 * HZ);
    assert_int_equal(tsc_clock_look(&clock, 60000), 20);
    tsc_clock_start(&clock, 0, 0); /* and none divides by zero */
    assert_int_equal(tsc_clock_look(&clock, 5), 5);
}

static void the_least_of_several_waits_counts(void **state)
{
    (void)state;
    static const uint64_t took[] = {16000, 4100, 9000, 4060};
    struct tsc_waits waits = {0};
    for (size_t n = 0; n < 4; n++) {
        assert_false(tsc_waits_agree(&waits));
        tsc_waited(&waits, 500, 500 + took[n]);
    }
    assert_true(tsc_waits_agree(&waits));
    assert_int_equal(waits.least, 4060);
    tsc_waited(&waits, 500, 400);
    assert_int_equal(waits.least, 4060);
    assert_int_equal(waits.count, 4);
}

static uint64_t choose(uint64_t measured, uint32_t hypervisor_khz, char notice[160])
{
    struct hypervisor hypervisor = {.tsc_khz = hypervisor_khz};
    struct cpu cpu = {.highest_leaf = 0x16};
    struct text text;
    text_start(&text, notice, 160);
    return tsc_rate(measured, &hypervisor, &cpu, &text);
}

static void a_rate_too_high_is_taken_from_whom_it_is_known(void **state)
{
    (void)state;
    static const struct fake_leaf leaves[] = {{0x15, 0, {2, 100, 48000000, 0}}};
    char notice[160];
    fake_cpuid(leaves, 1);
    assert_int_equal(choose(UINT64_C(7200000000), 2400000, notice), UINT64_C(2400000000));
    assert_string_equal(notice, "The TSC's rate is 7200000 kHz by the firmware's clock and 2400000 "
                                "kHz by the hypervisor (CPUID 40000010h): 2400000 kHz is used.");
    assert_int_equal(choose(UINT64_C(2410000000), 2400000, notice), UINT64_C(2410000000));
    assert_string_equal(notice, "");
    /* Nothing measures too low: an emulator's TSC is as slow as it is. */
    assert_int_equal(choose(4000000, 3500000, notice), 4000000);
    assert_non_null(strstr(notice, ": 4000 kHz is used."));
    assert_int_equal(choose(4000000, 0, notice), 4000000);
    assert_non_null(strstr(notice, "2400000 kHz by the processor (CPUID 15h, 16h): 4000 kHz"));
    assert_int_equal(choose(UINT64_C(2390000000), 0, notice), UINT64_C(2390000000));
    assert_string_equal(notice, "");
    assert_int_equal(choose(0, 0, notice), UINT64_C(2400000000));
    assert_string_equal(notice, "The TSC's rate cannot be measured: 2400000 kHz is used.");
    fake_cpuid(NULL, 0);
}

static void start(struct gap *gap)
{
    milliseconds = 5000;
    wall = 100;
    (void)gap_start(gap);
}

static void looks_that_are_near_are_no_gap(void **state)
{
    (void)state;
    struct gap gap;
    start(&gap);
    for (unsigned int n = 1; n <= 100; n++) {
        milliseconds += 100;
        wall = 100 + n / 10;
        struct gap_seen seen = gap_look(&gap, 1000);
        assert_true(!seen.apart && !seen.missed && !seen.back);
    }
}

/* The run's clock begins at the first look. A gap that began earlier would set it back behind its
 * start: beneath KVM in Bochs the firmware's clock took a second to be read. */
static void a_gap_is_no_longer_than_the_run(void **state)
{
    (void)state;
    struct gap gap;
    milliseconds = 5000;
    wall_takes = 1200;
    uint64_t started_at = gap_start(&gap);
    wall_takes = 0;
    assert_true(started_at == 6200);
    milliseconds += 14465;
    struct gap_seen seen = gap_look(&gap, 1000);
    assert_true(seen.apart == 14465);
    assert_true(started_at + seen.apart <= milliseconds);
}

static void each_kind_of_gap_is_seen(void **state)
{
    (void)state;
    struct gap gap;
    start(&gap);
    milliseconds += 35000;
    wall += 35;
    struct gap_seen seen = gap_look(&gap, 1000);
    assert_int_equal(seen.apart, 35000);
    assert_int_equal(seen.missed, 0);
    milliseconds += 1000;
    wall += 36; /* the TSC stood */
    seen = gap_look(&gap, 1000);
    assert_int_equal(seen.apart, 0);
    assert_int_equal(seen.missed, 35000);
    jumps.back = 131;
    seen = gap_look(&gap, 1000);
    assert_int_equal(seen.back, 131);
    assert_int_equal(seen.apart, 0);
    uint64_t since = milliseconds;
    milliseconds += 5000;
    gap_pass_over(&gap, since); /* a long report */
    seen = gap_look(&gap, 1000);
    assert_int_equal(seen.apart, 0);
}

/* Where what is told begins right behind a gap, it does not hide it. */
static void a_gap_before_a_report_is_seen_after_it(void **state)
{
    (void)state;
    struct gap gap;
    start(&gap);
    milliseconds += 5000;
    uint64_t since = milliseconds;
    milliseconds += 200;
    gap_pass_over(&gap, since);
    gap_pass_over(&gap, since); /* a report within another one */
    struct gap_seen seen = gap_look(&gap, 1000);
    assert_in_range(seen.apart, 4800, 5000);
    gap_pass_over(&gap, 0);
    assert_int_equal(gap_look(&gap, 1000).apart, 0);
}

static void ticks_do_not_come_in_bursts(void **state)
{
    (void)state;
    assert_int_equal(gap_next_tick(10007, 10000), 20000);
    assert_int_equal(gap_next_tick(45000, 10000), 50000);
}

static void a_pulse_tells_the_longest_step_since_it_was_asked(void **state)
{
    (void)state;
    struct pulse pulse = {0};
    pulse_look(&pulse, 1000);
    pulse_look(&pulse, 1300);
    pulse_look(&pulse, 1400);
    assert_int_equal(pulse_ask(&pulse, 1450), 300);
    assert_int_equal(pulse_ask(&pulse, 1500), 100); /* that lasts still */
    pulse_look(&pulse, 1600);
    assert_int_equal(pulse_ask(&pulse, 1610), 200); /* that began before */
    assert_int_equal(pulse.back, 0);
    pulse_look(&pulse, 1469);
    assert_int_equal(pulse.back, 131);
    assert_int_equal(pulse_ask(&pulse, 1400), 0);
    assert_true(gap_shared(3000, 2900));
    assert_false(gap_shared(3000, 20));
}

/* A vCPU whose TSC is `ahead` of the boot vCPU's sees the question at 1100, and answers at 1300. */
static int64_t skew_of(int64_t ahead, uint64_t looked_at)
{
    struct tsc_skew skew = {0};
    tsc_skew_ask(&skew, 1000);
    tsc_skew_look(&skew, (uint64_t)(1100 + ahead));
    assert_false(tsc_skew_answered(&skew));
    tsc_skew_look(&skew, (uint64_t)(1300 + ahead));
    assert_true(tsc_skew_answered(&skew));
    return tsc_skew_ticks(&skew, looked_at);
}

static void a_tsc_that_differs_is_told_from_a_vcpu_that_is_slow(void **state)
{
    (void)state;
    assert_int_equal(skew_of(0, 1400), 0);
    assert_int_equal(skew_of(0, 900000), 0);
    assert_int_equal(skew_of(-299, 900000), 0);
    assert_int_equal(skew_of(-500, 1400), -200);
    assert_int_equal(skew_of(500, 1400), 400);
}

/* A TSC that was read before the question was seen is no answer, however late it is handed in. */
static void what_was_read_before_the_question_is_no_answer(void **state)
{
    (void)state;
    struct tsc_skew skew = {0};
    tsc_skew_look(&skew, 100);
    tsc_skew_ask(&skew, 1000);
    tsc_skew_look(&skew, 500);
    assert_false(tsc_skew_answered(&skew));
    tsc_skew_look(&skew, 1500);
    assert_true(tsc_skew_answered(&skew));
    tsc_skew_look(&skew, 1600);
    assert_int_equal(tsc_skew_ticks(&skew, 2000), 0);
}

static void a_mark_tells_what_changed_and_ignores_what_may(void **state)
{
    (void)state;
    struct fake_leaf leaves[] = {{1, 0, {0x50654, 0x01000800, 0, 0}},
                                 {0xd, 0, {0xe7, 0x240, 0xa80, 0}},
                                 {0x80000002, 0, {1, 2, 3, 4}},
                                 {0x16, 0, {2400, 0, 0, 0}}};
    static struct machine machine = {.cpu.highest_leaf = 0xd};
    struct mark before, now;
    fake_cpuid(leaves, 4);
    mark_read(&before, &machine);
    leaves[0].answer.ebx = 0;     /* another vCPU's APIC id */
    leaves[1].answer.ebx = 0xa80; /* XCR0 is on */
    leaves[3].answer.eax = 9;     /* beyond the highest leaf */
    mark_read(&now, &machine);
    assert_null(mark_differs(&before, &now));
    leaves[1].answer.eax = 7;
    mark_read(&now, &machine);
    assert_string_equal(mark_differs(&before, &now), "what CPUID leaf Dh says");
    leaves[1].answer.eax = 0xe7;
    leaves[2].answer.edx = 5;
    mark_read(&now, &machine);
    assert_string_equal(mark_differs(&before, &now), "the processor's name");
    fake_cpuid(NULL, 0);
    now = before;
    now.build = 1;
    assert_string_equal(mark_differs(&before, &now), "the hypervisor's build");
    now = before;
    now.microcode = 1;
    assert_string_equal(mark_differs(&before, &now), "the microcode");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_counts_small_steps_and_no_others),
        cmocka_unit_test(a_clock_goes_on_at_another_rate),
        cmocka_unit_test(the_least_of_several_waits_counts),
        cmocka_unit_test(a_rate_too_high_is_taken_from_whom_it_is_known),
        cmocka_unit_test(looks_that_are_near_are_no_gap),
        cmocka_unit_test(a_gap_is_no_longer_than_the_run),
        cmocka_unit_test(each_kind_of_gap_is_seen),
        cmocka_unit_test(a_gap_before_a_report_is_seen_after_it),
        cmocka_unit_test(ticks_do_not_come_in_bursts),
        cmocka_unit_test(a_pulse_tells_the_longest_step_since_it_was_asked),
        cmocka_unit_test(a_tsc_that_differs_is_told_from_a_vcpu_that_is_slow),
        cmocka_unit_test(what_was_read_before_the_question_is_no_answer),
        cmocka_unit_test(a_mark_tells_what_changed_and_ignores_what_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
