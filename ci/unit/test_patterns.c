/* Patterns: each value can be traced to its origin, and nothing else can. */
#include "../../efi/core/window/component.h"
#include "../../efi/core/window/patterns.h"
#include "host.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct pattern_origin random_origin(void)
{
    struct pattern_origin origin = {
        .run = random_value() & 0xffff,
        .vcpu = random_value() & 0x3ff,
        .generation = random_value() & 0x3ffff,
        .reg = (uint32_t)(random_value() % PATTERN_END),
    };
    if (origin.reg < PATTERN_OPMASK)
        origin.lane = random_value() & 7;
    return origin;
}

static bool has_zero_byte(uint64_t value)
{
    for (int n = 0; n < 8; n++)
        if ((value >> 8 * n & 0xff) == 0)
            return true;
    return false;
}

static void every_pattern_names_its_origin(void **state)
{
    (void)state;
    for (int n = 0; n < 200000; n++) {
        struct pattern_origin origin = random_origin(), decoded;
        uint64_t value = pattern_make(&origin);
        assert_false(has_zero_byte(value));
        assert_true(pattern_decode(value, &decoded));
        assert_memory_equal(&origin, &decoded, sizeof(origin));
    }
}

static void other_values_are_no_patterns(void **state)
{
    (void)state;
    struct pattern_origin decoded;
    int passed = 0;
    for (int n = 0; n < 200000; n++)
        passed += pattern_decode(random_value(), &decoded);
    assert_true(passed < 200000 / 256);
    assert_false(pattern_decode(0, &decoded));
    for (int bit = 0; bit < 64; bit++) {
        struct pattern_origin origin = {.run = 1, .generation = 5, .reg = 3, .lane = 2};
        bool traced = pattern_decode(pattern_make(&origin) ^ UINT64_C(1) << bit, &decoded);
        assert_false(traced && memcmp(&origin, &decoded, sizeof(origin)) == 0);
    }
}

static void a_filled_state_has_each_origin_in_its_place(void **state)
{
    (void)state;
    static struct register_state filled;
    const struct pattern_key key = {.run = 0xbeef, .vcpu = 3, .form = FORM_ZMM};
    struct pattern_origin from;
    pattern_fill(&filled, &key, 77, 0);
    for (uint32_t n = 0; n < VECTOR_COUNT; n++) {
        for (uint32_t lane = 0; lane < VECTOR_LANES; lane++) {
            assert_true(pattern_decode(filled.vector[n][lane], &from));
            assert_true(from.run == 0xbeef && from.vcpu == 3 && from.generation == 77);
            assert_true(from.reg == n && from.lane == lane);
        }
    }
    for (uint32_t n = 0; n < OPMASK_COUNT; n++)
        assert_true(pattern_decode(filled.opmask[n], &from) && from.reg == PATTERN_OPMASK + n);
    for (uint32_t n = 0; n < GENERAL_COUNT; n++)
        assert_true(pattern_decode(filled.general[n], &from) && from.reg == PATTERN_GENERAL + n);
}

static void generations_share_no_value(void **state)
{
    (void)state;
    static struct register_state one, two;
    const struct pattern_key key = {.run = 1, .vcpu = 0, .form = FORM_ZMM};
    for (uint32_t generation = 1; generation < 50; generation++) {
        pattern_fill(&one, &key, generation, 0);
        pattern_fill(&two, &key, generation + 1, 0);
        for (size_t n = 0; n < VECTOR_COUNT; n++)
            for (size_t lane = 0; lane < VECTOR_LANES; lane++)
                assert_true(one.vector[n][lane] != two.vector[n][lane]);
    }
}

static void flags_are_what_their_source_sets(void **state)
{
    (void)state;
    static struct register_state filled;
    const struct pattern_key key = {.run = 9, .vcpu = 1, .form = FORM_XMM};
    uint64_t seen_set = 0, seen_clear = 0;
    for (uint32_t generation = 0; generation < 200; generation++) {
        uint64_t flags;
        uint64_t source;
        pattern_fill_general(&filled, &key, generation);
        source = filled.flags_source;
        __asm__ volatile("addb $0x7f, %%al\n\tsahf\n\tpushfq\n\tpopq %0"
                         : "=r"(flags), "+a"(source)::"memory", "cc");
        assert_true((flags & RFLAGS_STATUS) == (filled.rflags & RFLAGS_STATUS));
        seen_set |= filled.rflags;
        seen_clear |= ~filled.rflags;
    }
    assert_true((seen_set & RFLAGS_STATUS) == RFLAGS_STATUS);
    assert_true((seen_clear & RFLAGS_STATUS) == RFLAGS_STATUS);
}

static void init_components_are_zero_and_the_rest_live(void **state)
{
    (void)state;
    static struct register_state filled;
    const struct pattern_key key = {.run = 2, .vcpu = 0, .form = FORM_ZMM};
    uint32_t init = COMPONENT_BIT(COMPONENT_ZMM_HI256) | COMPONENT_BIT(COMPONENT_OPMASK);
    pattern_fill(&filled, &key, 5, init);
    for (uint32_t n = 0; n < VECTOR_COUNT; n++)
        for (uint32_t lane = 0; lane < VECTOR_LANES; lane++)
            assert_int_equal(filled.vector[n][lane] == 0, n < 16 && lane >= 4);
    for (uint32_t n = 0; n < OPMASK_COUNT; n++)
        assert_true(filled.opmask[n] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pattern_names_its_origin),
        cmocka_unit_test(other_values_are_no_patterns),
        cmocka_unit_test(a_filled_state_has_each_origin_in_its_place),
        cmocka_unit_test(generations_share_no_value),
        cmocka_unit_test(flags_are_what_their_source_sets),
        cmocka_unit_test(init_components_are_zero_and_the_rest_live),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
