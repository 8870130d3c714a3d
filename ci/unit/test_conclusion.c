/* The last words of a run: each verdict has its meaning and what to do next, by what is beneath. */
#include "../../efi/core/report/conclusion.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Whether one of the steps has these words in it. */
static bool advises(const struct outcome *outcome, const char *words)
{
    const char *step;
    for (uint32_t n = 0; (step = conclusion_step(outcome, n)) != NULL; n++)
        if (strstr(step, words))
            return true;
    return false;
}

static void every_outcome_has_a_meaning_and_a_step(void **state)
{
    (void)state;
    for (enum verdict verdict = VERDICT_PASS; verdict <= VERDICT_ERROR; verdict++)
        for (enum hypervisor_kind kind = HYPERVISOR_NONE; kind <= HYPERVISOR_UNKNOWN; kind++) {
            struct outcome outcome = {.verdict = verdict,
                                      .hypervisor = kind,
                                      .control_run = kind == HYPERVISOR_NONE,
                                      .findings = verdict == VERDICT_FAIL,
                                      .system = ""};
            assert_true(strlen(conclusion_meaning(&outcome)) > 0);
            assert_non_null(conclusion_step(&outcome, 0));
            assert_null(conclusion_step(&outcome, 8));
        }
}

static void a_finding_on_vmware_leads_to_the_patch_and_the_mask(void **state)
{
    (void)state;
    struct outcome outcome = {.verdict = VERDICT_FAIL,
                              .findings = 7,
                              .injected = 6,
                              .hypervisor = HYPERVISOR_VMWARE,
                              .system = ""};
    assert_true(advises(&outcome, "24022510"));
    assert_true(advises(&outcome, "featMask.vm.cpuid.AVX512F"));
    assert_true(advises(&outcome, "vmware.log"));
    assert_false(advises(&outcome, "-avx512f"));
    assert_false(advises(&outcome, "inject="));
    outcome.hypervisor = HYPERVISOR_KVM;
    assert_true(advises(&outcome, "-avx512f"));
    assert_false(advises(&outcome, "24022510"));
    outcome.hypervisor = HYPERVISOR_NONE; /* CPUID says none, and something else says one */
    assert_true(advises(&outcome, "-avx512f"));
    assert_false(advises(&outcome, "No hypervisor was seen"));
    outcome.control_run = true;
    assert_true(advises(&outcome, "microcode"));
    assert_false(advises(&outcome, "-avx512f"));
}

static void wrong_blocks_blame_storage_and_no_register(void **state)
{
    (void)state;
    struct outcome outcome = {.verdict = VERDICT_FAIL,
                              .wrong_blocks = 3,
                              .hypervisor = HYPERVISOR_VMWARE,
                              .rounds = 300,
                              .system = ""};
    assert_non_null(strstr(conclusion_meaning(&outcome), "storage"));
    assert_true(advises(&outcome, "storage"));
    assert_false(advises(&outcome, "24022510"));
    assert_int_equal(conclusion_bound_of_run(&outcome), 100);
    outcome.findings = outcome.injected = 2; /* and what was planted */
    assert_non_null(strstr(conclusion_meaning(&outcome), "storage"));
    assert_false(advises(&outcome, "inject="));
    outcome.findings = 3; /* and a register */
    assert_non_null(strstr(conclusion_meaning(&outcome), "registers"));
    assert_true(advises(&outcome, "24022510") && advises(&outcome, "storage"));
}

static void what_was_planted_blames_nobody(void **state)
{
    (void)state;
    struct outcome outcome = {.verdict = VERDICT_FAIL,
                              .findings = 6,
                              .injected = 6,
                              .hypervisor = HYPERVISOR_VMWARE,
                              .system = ""};
    assert_string_equal(conclusion_meaning(&outcome),
                        "zmmtest found what it had planted itself, and nothing else.");
    assert_true(advises(&outcome, "without inject="));
    assert_false(advises(&outcome, "24022510"));
    assert_false(advises(&outcome, "vendor"));
}

static void findings_count_where_the_test_broke_as_well(void **state)
{
    (void)state;
    struct outcome outcome = {.verdict = VERDICT_ERROR, .findings = 1, .system = ""};
    assert_non_null(strstr(conclusion_meaning(&outcome), "Registers did change"));
    outcome.injected = 1;
    assert_null(strstr(conclusion_meaning(&outcome), "Registers did change"));
}

static void a_hidden_avx512_may_be_meant(void **state)
{
    (void)state;
    struct outcome outcome = {.verdict = VERDICT_INCOMPLETE, .system = ""};
    assert_true(advises(&outcome, "workaround"));
    outcome.avx512 = true;
    assert_false(advises(&outcome, "workaround"));
    assert_true(advises(&outcome, "not tested"));
}

static void three_in_n_is_the_bound_of_nothing_in_n(void **state)
{
    (void)state;
    assert_int_equal(conclusion_bound(3000000, 0), 1000000);
    assert_int_equal(conclusion_bound(2, 0), 0);
    assert_int_equal(conclusion_bound(3000000, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_outcome_has_a_meaning_and_a_step),
        cmocka_unit_test(a_finding_on_vmware_leads_to_the_patch_and_the_mask),
        cmocka_unit_test(wrong_blocks_blame_storage_and_no_register),
        cmocka_unit_test(what_was_planted_blames_nobody),
        cmocka_unit_test(findings_count_where_the_test_broke_as_well),
        cmocka_unit_test(a_hidden_avx512_may_be_meant),
        cmocka_unit_test(three_in_n_is_the_bound_of_nothing_in_n),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
