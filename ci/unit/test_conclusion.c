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

static const struct known nothing_known;

static void every_outcome_has_a_meaning_and_a_step(void **state)
{
    (void)state;
    for (enum verdict verdict = VERDICT_PASS; verdict <= VERDICT_ERROR; verdict++)
        for (enum hypervisor_kind kind = HYPERVISOR_NONE; kind <= HYPERVISOR_UNKNOWN; kind++) {
            struct outcome outcome = {.verdict = verdict,
                                      .hypervisor = kind,
                                      .control_run = kind == HYPERVISOR_NONE,
                                      .findings = verdict == VERDICT_FAIL,
                                      .known = &nothing_known,
                                      .system = ""};
            assert_true(strlen(conclusion_meaning(&outcome)) > 0);
            assert_non_null(conclusion_step(&outcome, 0));
            assert_null(conclusion_step(&outcome, 8));
        }
}

static struct known known;

/* A run with AVX-512 that found nothing yet. */
static struct outcome fail_beneath(enum hypervisor_kind hypervisor)
{
    memset(&known, 0, sizeof(known));
    return (struct outcome){.verdict = VERDICT_FAIL,
                            .findings = 7,
                            .injected = 6,
                            .hypervisor = hypervisor,
                            .avx512 = true,
                            .known = &known,
                            .system = ""};
}

static void know(const char *name)
{
    const struct signature *signature;
    for (uint32_t row = 0; (signature = signature_of_number(row)) != NULL; row++)
        if (strcmp(signature->name, name) == 0)
            known.real |= UINT64_C(1) << row;
    assert_int_not_equal(known.real, 0);
}

static void the_bug_of_esxi_leads_to_the_patch_and_the_mask(void **state)
{
    (void)state;
    struct outcome outcome = fail_beneath(HYPERVISOR_VMWARE);
    know("ESXi 8.0.2: AVX-256 host code, zmm not saved");
    known.avx512 = true;
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

static void another_bug_on_vmware_is_not_mended_by_that_patch(void **state)
{
    (void)state;
    struct outcome outcome = fail_beneath(HYPERVISOR_VMWARE);
    know("Hi16_ZMM reset");
    known.avx512 = true;
    assert_false(advises(&outcome, "24022510"));
    assert_true(advises(&outcome, "featMask.vm.cpuid.AVX512F"));
    assert_true(advises(&outcome, "vmware.log"));
}

static void a_flipped_bit_leads_to_the_hardware(void **state)
{
    (void)state;
    struct outcome outcome = fail_beneath(HYPERVISOR_VMWARE);
    known.bit_flips = true;
    assert_true(advises(&outcome, "test the memory"));
    assert_false(advises(&outcome, "24022510"));
    assert_false(advises(&outcome, "hide AVX-512"));
    assert_false(advises(&outcome, "hiding AVX-512"));
}

static void a_mask_is_no_help_against_what_hits_more(void **state)
{
    (void)state;
    struct outcome outcome = fail_beneath(HYPERVISOR_KVM);
    know("AVX upper halves lost");
    known.beyond_avx512 = true;
    assert_false(advises(&outcome, "hide AVX-512"));
    assert_true(advises(&outcome, "hiding AVX-512 does not help"));
    known.avx512 = true; /* by another finding */
    assert_true(advises(&outcome, "hide AVX-512"));
    outcome.avx512 = false; /* it is hidden already */
    assert_false(advises(&outcome, "hide AVX-512"));
    assert_false(advises(&outcome, "-avx512f"));
}

static void wrong_blocks_blame_storage_and_no_register(void **state)
{
    (void)state;
    struct outcome outcome = fail_beneath(HYPERVISOR_VMWARE);
    outcome.findings = outcome.injected = 0;
    outcome.wrong_blocks = 3;
    outcome.rounds = 300;
    assert_non_null(strstr(conclusion_meaning(&outcome), "storage"));
    assert_true(advises(&outcome, "storage"));
    assert_false(advises(&outcome, "24022510"));
    assert_int_equal(conclusion_bound_of_run(&outcome), 100);
    outcome.findings = outcome.injected = 2; /* and what was planted */
    assert_non_null(strstr(conclusion_meaning(&outcome), "storage"));
    assert_false(advises(&outcome, "inject="));
    outcome.findings = 3; /* and a register */
    know("ESXi 8.0.2: AVX-256 host code, zmm not saved");
    assert_non_null(strstr(conclusion_meaning(&outcome), "registers"));
    assert_true(advises(&outcome, "24022510") && advises(&outcome, "storage"));
}

static void what_was_planted_blames_nobody(void **state)
{
    (void)state;
    struct outcome outcome = fail_beneath(HYPERVISOR_VMWARE);
    know("ESXi 8.0.2: AVX-256 host code, zmm not saved");
    known.avx512 = true;
    outcome.findings = 6;
    assert_string_equal(conclusion_meaning(&outcome),
                        "zmmtest found what it had planted itself, and nothing else.");
    assert_true(advises(&outcome, "without inject="));
    assert_false(advises(&outcome, "24022510"));
    assert_false(advises(&outcome, "vendor"));
}

static void findings_count_where_the_test_broke_as_well(void **state)
{
    (void)state;
    struct outcome outcome = {
        .verdict = VERDICT_ERROR, .findings = 1, .known = &nothing_known, .system = ""};
    assert_non_null(strstr(conclusion_meaning(&outcome), "Registers did change"));
    outcome.injected = 1;
    assert_null(strstr(conclusion_meaning(&outcome), "Registers did change"));
}

static void a_hidden_avx512_may_be_meant(void **state)
{
    (void)state;
    struct outcome outcome = {.verdict = VERDICT_INCOMPLETE, .known = &nothing_known, .system = ""};
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

static void what_stayed_in_the_guest_is_not_in_the_bound(void **state)
{
    (void)state;
    struct outcome outcome = {
        .verdict = VERDICT_PASS, .rounds = 9000, .planted = 2000, .injected = 0, .stayed = 4000};
    assert_int_equal(conclusion_bound_of_run(&outcome), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_outcome_has_a_meaning_and_a_step),
        cmocka_unit_test(the_bug_of_esxi_leads_to_the_patch_and_the_mask),
        cmocka_unit_test(another_bug_on_vmware_is_not_mended_by_that_patch),
        cmocka_unit_test(a_flipped_bit_leads_to_the_hardware),
        cmocka_unit_test(a_mask_is_no_help_against_what_hits_more),
        cmocka_unit_test(wrong_blocks_blame_storage_and_no_register),
        cmocka_unit_test(what_was_planted_blames_nobody),
        cmocka_unit_test(findings_count_where_the_test_broke_as_well),
        cmocka_unit_test(a_hidden_avx512_may_be_meant),
        cmocka_unit_test(three_in_n_is_the_bound_of_nothing_in_n),
        cmocka_unit_test(what_stayed_in_the_guest_is_not_in_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
