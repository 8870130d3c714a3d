/* A signature names a known bug only for damage that is alike in every register. */
#include "../../efi/core/diagnosis/diagnosis.h"
#include "../../efi/core/diagnosis/signatures.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct finding finding;
static struct diagnosis diagnosis;

static void start(enum form form)
{
    memset(&finding, 0, sizeof(finding));
    finding.key = (struct pattern_key){.run = 1, .form = form};
    finding.generation = 5;
    finding.result = GENERAL_DIFFER;
    pattern_fill(&finding.expected, &finding.key, finding.generation, 0);
    memcpy(&finding.found, &finding.expected, sizeof(finding.found));
}

static const char *signature(void)
{
    diagnose(&finding, &diagnosis);
    const struct signature *known = signature_find(&diagnosis);
    return known ? known->name : "none";
}

static void halves_of_different_registers_are_no_reset_of_hi16(void **state)
{
    (void)state;
    start(FORM_ZMM);
    for (int n = 16; n < 32; n++)
        memset(&finding.found.vector[n][n & 1 ? 4 : 0], 0, 32);
    assert_string_equal(signature(), "none");
}

static void halves_of_different_opmasks_are_no_reset(void **state)
{
    (void)state;
    start(FORM_ZMM);
    finding.found.opmask[1] &= 0xffffffff;
    finding.found.opmask[2] &= ~0xffffffffull;
    assert_string_equal(signature(), "none");
}

static void a_byte_beside_a_whole_opmask_is_no_reset(void **state)
{
    (void)state;
    start(FORM_ZMM);
    finding.found.opmask[1] = 0;
    finding.found.opmask[2] &= ~0xffull;
    assert_string_equal(signature(), "none");
}

static void a_foreign_quadword_among_zeros_is_no_reset(void **state)
{
    (void)state;
    start(FORM_ZMM);
    for (int n = 16; n < 32; n++)
        memset(finding.found.vector[n], 0, 64);
    finding.found.vector[20][3] = 0x4141414141414141;
    assert_string_equal(signature(), "none");
}

static void halves_of_different_xmm_are_no_cleared_register(void **state)
{
    (void)state;
    start(FORM_ZMM);
    finding.found.vector[1][0] = 0;
    finding.found.vector[2][1] = 0;
    assert_string_equal(signature(), "none");
}

static void all_xmm_zero_where_no_more_is_seen_is_no_cleared_xmm(void **state)
{
    (void)state;
    start(FORM_XMM);
    for (int n = 0; n < 16; n++)
        memset(finding.found.vector[n], 0, 16);
    assert_string_equal(signature(), "none");
}

/* One that a row above always takes would never be named. */
static void each_row_is_found_by_the_trace_that_it_describes(void **state)
{
    (void)state;
    const struct signature *row;
    for (uint32_t n = 0; (row = signature_of_number(n)) != NULL; n++) {
        assert_int_equal(signature_number(row), n);
        diagnosis = (struct diagnosis){.form = FORM_ZMM,
                                       .corruption = row->corruption,
                                       .components = row->components,
                                       .vectors = row->vectors,
                                       .vector_bytes = row->vector_bytes,
                                       .narrow_bits = row->narrow_bits,
                                       .uniform = true};
        assert_ptr_equal(signature_find(&diagnosis), row);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(halves_of_different_registers_are_no_reset_of_hi16),
        cmocka_unit_test(halves_of_different_opmasks_are_no_reset),
        cmocka_unit_test(a_byte_beside_a_whole_opmask_is_no_reset),
        cmocka_unit_test(a_foreign_quadword_among_zeros_is_no_reset),
        cmocka_unit_test(halves_of_different_xmm_are_no_cleared_register),
        cmocka_unit_test(each_row_is_found_by_the_trace_that_it_describes),
        cmocka_unit_test(all_xmm_zero_where_no_more_is_seen_is_no_cleared_xmm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
