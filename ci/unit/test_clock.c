/* The clock of the program: a step of the TSC that is too large is no time, and is told once. */
#include "../../efi/core/machine/clock.h"
#include "../../efi/core/machine/tsc.h"
#include "../../efi/platform/clock.h"
#include "../../efi/platform/instructions.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* A TSC of one tick a millisecond: by it some milliseconds of this processor are an hour. */
uint64_t clock_measure_first(void)
{
    return 1000;
}

static void a_large_step_is_no_time_and_is_told_once(void **state)
{
    (void)state;
    assert_int_equal(clock_start(), 1000);
    uint64_t start = rdtsc();
    while (rdtsc() - start <= TSC_STEP_MOST_MILLISECONDS)
        cpu_pause();
    struct clock_jumps jumps = clock_jumps();
    assert_true(jumps.ahead > TSC_STEP_MOST_MILLISECONDS);
    assert_int_equal(jumps.back, 0);
    assert_true(clock_milliseconds() < TSC_STEP_MOST_MILLISECONDS);
    /* Unless this process gets no time for so long once more. */
    for (unsigned int n = 0; n < 1000 && jumps.ahead; n++)
        jumps = clock_jumps();
    assert_int_equal(jumps.ahead, 0);
}

static void it_goes_on_at_the_rate_that_is_set(void **state)
{
    (void)state;
    (void)clock_start();
    clock_set_rate(UINT64_C(1000) * UINT32_MAX);
    uint64_t before = clock_milliseconds(), start = rdtsc();
    while (rdtsc() - start < 1000000)
        cpu_pause();
    assert_true(clock_milliseconds() - before < 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_step_is_no_time_and_is_told_once),
        cmocka_unit_test(it_goes_on_at_the_rate_that_is_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
