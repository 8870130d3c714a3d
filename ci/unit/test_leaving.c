/* Whether an event leaves the guest is told by its cycles, against those of CPUID's exit. */
#include "../../efi/core/machine/leaving.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void half_of_an_exit_is_an_exit(void **state)
{
    (void)state;
    const struct leaving leaving = {.cycles = 1201};
    assert_false(leaving_left(&leaving, 1));
    assert_false(leaving_left(&leaving, 600));
    assert_true(leaving_left(&leaving, 601));
    assert_true(leaving_left(&leaving, 90000));
}

static void nothing_left_where_there_is_no_telling(void **state)
{
    (void)state;
    const struct leaving leaving = {0};
    assert_false(leaving_left(&leaving, 1000000));
}

static void an_interrupt_now_and_then_makes_no_exit_of_it(void **state)
{
    (void)state;
    assert_int_equal(leaving_judge(0, 0), LEAVES_UNKNOWN);
    assert_int_equal(leaving_judge(1, 0), LEAVES_NO);
    assert_int_equal(leaving_judge(1, 1), LEAVES_YES);
    assert_int_equal(leaving_judge(160, 10), LEAVES_NO);
    assert_int_equal(leaving_judge(160, 11), LEAVES_SOME);
    assert_int_equal(leaving_judge(160, 149), LEAVES_SOME);
    assert_int_equal(leaving_judge(160, 150), LEAVES_YES);
}

static void only_rounds_that_left_count(void **state)
{
    (void)state;
    assert_int_equal(leaving_stayed(LEAVES_UNKNOWN, 3000, 100, 0), 0);
    assert_int_equal(leaving_stayed(LEAVES_YES, 3000, 100, 99), 0);
    assert_int_equal(leaving_stayed(LEAVES_NO, 3000, 100, 3), 3000);
    assert_int_equal(leaving_stayed(LEAVES_SOME, 3000, 100, 25), 2250);
    assert_int_equal(leaving_stayed(LEAVES_SOME, 10, 3, 1), 7);
    /* More than 64 bits hold, if it were multiplied first. */
    assert_int_equal(leaving_stayed(LEAVES_SOME, UINT64_MAX - 1, 2, 1), UINT64_MAX / 2);
}

static void string_io_takes_a_port_that_exits(void **state)
{
    (void)state;
    struct leaving leaving = {.cycles = 1000};
    leaving_choose_port(&leaving, true, true, true);
    assert_int_equal(leaving.string_port, STRING_PORT_DIAGNOSTIC);
    assert_false(leaving.port80_stays);
    leaving_choose_port(&leaving, false, true, true);
    assert_int_equal(leaving.string_port, STRING_PORT_RTC);
    assert_true(leaving.port80_stays);
    leaving_choose_port(&leaving, false, false, true);
    assert_int_equal(leaving.string_port, STRING_PORT_PCI);
    leaving_choose_port(&leaving, false, false, false);
    assert_int_equal(leaving.string_port, STRING_PORT_DIAGNOSTIC);
}

static void what_is_not_known_has_no_word(void **state)
{
    (void)state;
    assert_null(leaves_word(LEAVES_UNKNOWN));
    assert_string_equal(leaves_word(LEAVES_NO), "no");
    assert_string_equal(leaves_word(LEAVES_SOME), "some");
    assert_string_equal(leaves_word(LEAVES_YES), "yes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_of_an_exit_is_an_exit),
        cmocka_unit_test(nothing_left_where_there_is_no_telling),
        cmocka_unit_test(an_interrupt_now_and_then_makes_no_exit_of_it),
        cmocka_unit_test(only_rounds_that_left_count),
        cmocka_unit_test(string_io_takes_a_port_that_exits),
        cmocka_unit_test(what_is_not_known_has_no_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
