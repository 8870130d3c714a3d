/* The verdict is a function of its causes: the worst wins, and nothing that went wrong is a pass.
 */
#include "../../efi/core/run/causes.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static enum verdict verdict_of(uint32_t causes)
{
    const char *reason = NULL;
    enum verdict verdict = causes_verdict(causes, &reason);
    assert_non_null(reason);
    return verdict;
}

static void no_cause_is_a_pass(void **state)
{
    (void)state;
    assert_int_equal(verdict_of(0), VERDICT_PASS);
}

static void each_cause_has_a_verdict_and_words_of_its_own(void **state)
{
    (void)state;
    const char *reasons[CAUSE_COUNT];
    for (enum cause cause = 0; cause < CAUSE_COUNT; cause++) {
        uint32_t causes = 0;
        note_cause(&causes, cause);
        assert_int_not_equal(causes_verdict(causes, &reasons[cause]), VERDICT_PASS);
        for (enum cause before = 0; before < cause; before++)
            assert_string_not_equal(reasons[before], reasons[cause]);
    }
}

static void the_worst_of_two_wins_and_says_why(void **state)
{
    (void)state;
    for (enum cause one = 0; one < CAUSE_COUNT; one++)
        for (enum cause other = 0; other < CAUSE_COUNT; other++) {
            uint32_t first = 0, both = 0;
            const char *words, *words_of_both;
            note_cause(&first, one);
            note_cause(&both, one);
            note_cause(&both, other);
            enum verdict alone = causes_verdict(first, &words),
                         together = causes_verdict(both, &words_of_both);
            assert_true(together >= alone);
            if (one < other) /* they are in the order of how bad they are */
                assert_string_equal(words_of_both, words);
        }
}

static void each_verdict_has_a_cause(void **state)
{
    (void)state;
    assert_int_equal(verdict_of(UINT32_C(1) << CAUSE_OWN_EXCEPTION), VERDICT_ERROR);
    assert_int_equal(verdict_of(UINT32_C(1) << CAUSE_MEMORY_CHANGED), VERDICT_ERROR);
    assert_int_equal(verdict_of(UINT32_C(1) << CAUSE_CHANGED_BENEATH_GUEST), VERDICT_FAIL);
    assert_int_equal(verdict_of(UINT32_C(1) << CAUSE_CHANGED_BY_INJECTION), VERDICT_FAIL);
    assert_int_equal(verdict_of(UINT32_C(1) << CAUSE_NO_AVX512), VERDICT_INCOMPLETE);
    assert_int_equal(verdict_of(UINT32_C(1) << CAUSE_KEY), VERDICT_INCOMPLETE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_cause_is_a_pass),
        cmocka_unit_test(each_cause_has_a_verdict_and_words_of_its_own),
        cmocka_unit_test(the_worst_of_two_wins_and_says_why),
        cmocka_unit_test(each_verdict_has_a_cause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
