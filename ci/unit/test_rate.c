/* Rates against the exact interval of a Poisson count, from a table of the chi-square distribution.
 */
#include "../../efi/core/report/rate.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define HOUR UINT64_C(3600000) /* milliseconds */

/* Whether it is right but for so many per mille. */
static void expect_near(uint64_t value, uint64_t right, uint64_t permille)
{
    assert_in_range(value, right - right * permille / 1000 - 1,
                    right + right * permille / 1000 + 1);
}

static void intervals_are_those_of_a_poisson_count(void **state)
{
    (void)state;
    static const struct {
        uint64_t count, low, high; /* thousandths */
    } exact[] = {
        {1, 25, 5572},      {2, 242, 7225},     {3, 619, 8767},       {4, 1090, 10242},
        {5, 1623, 11668},   {6, 2202, 13060},   {8, 3454, 15763},     {10, 4795, 18390},
        {20, 12217, 30888}, {50, 37111, 65919}, {100, 81364, 121627}, {1000, 938970, 1063954},
    };
    for (size_t n = 0; n < sizeof(exact) / sizeof(exact[0]); n++) {
        struct rate rate = rate_of(exact[n].count, HOUR);
        assert_int_equal(rate.measured, exact[n].count * 1000);
        expect_near(rate.low, exact[n].low, exact[n].count < 10 ? 40 : 10);
        expect_near(rate.high, exact[n].high, exact[n].count < 10 ? 40 : 10);
    }
}

static void a_rate_is_by_the_hour(void **state)
{
    (void)state;
    assert_int_equal(rate_of(1, 1000).measured, 3600 * 1000);
    assert_int_equal(rate_of(3, 24 * HOUR).measured, 125);
    assert_int_equal(rate_of(7, 0).measured, UINT64_C(7) * 3600000 * 1000);
}

/* A host that breaks each register at each exit, for a day or for a century. */
static void large_numbers_do_not_overflow(void **state)
{
    (void)state;
    for (uint64_t count = 1; count < UINT64_C(1) << 40; count = count * 3 + 1) {
        struct rate rate = rate_of(count, 24 * HOUR);
        assert_true(rate.low < rate.measured && rate.measured < rate.high);
        assert_true(rate.high < 6 * rate.measured);
    }
    struct rate rate = rate_of(UINT64_C(1) << 40, UINT64_C(3153600000000));
    expect_near(rate.measured, UINT64_C(1255159600), 1);
    assert_true(rate.low <= rate.measured && rate.measured <= rate.high);
}

static void expect_text(uint64_t thousandths, const char *right)
{
    char buffer[32];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    rate_put(&text, thousandths);
    assert_string_equal(buffer, right);
}

static void digits_say_something(void **state)
{
    (void)state;
    expect_text(0, "0.000");
    expect_text(25, "0.025");
    expect_text(999, "0.999");
    expect_text(5572, "5.57");
    expect_text(9999, "9.99");
    expect_text(38200, "38.2");
    expect_text(99999, "99.9");
    expect_text(1202345, "1202");
}

static void the_next_one_comes_within_three_times_the_mean_distance(void **state)
{
    (void)state;
    assert_int_equal(rate_seconds_to_next(1, 60000), 180);
    assert_int_equal(rate_seconds_to_next(60, 60000), 3);
    assert_int_equal(rate_seconds_to_next(60000, 60000), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_are_those_of_a_poisson_count),
        cmocka_unit_test(a_rate_is_by_the_hour),
        cmocka_unit_test(large_numbers_do_not_overflow),
        cmocka_unit_test(digits_say_something),
        cmocka_unit_test(the_next_one_comes_within_three_times_the_mean_distance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
