/* XSAVE areas: run for real on this processor, each component comes back, and what does not is
 * named.
 */
#include "../../efi/core/diagnosis/diagnosis.h"
#include "../../efi/core/window/area_compare.h"
#include "../../efi/core/window/area_fill.h"
#include "../../efi/core/window/area_format.h"
#include "../../efi/core/window/area_probe.h"
#include "../../efi/core/window/exits.h"
#include "../../efi/core/window/findings.h"
#include "../../efi/core/window/guard.h"
#include "../../efi/core/window/plant.h"
#include "../../efi/core/window/round.h"
#include "../../efi/core/window/slices.h"
#include "../../efi/core/window/vectors.h"
#include "../../efi/core/window/work.h"
#include "../../efi/platform/instructions.h"
#include "../../efi/platform/pages.h"
#include "host.h"
#include "rounds_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct finding finding;
static struct diagnosis diagnosis;

static int prepare(void **state)
{
    (void)state;
    rounds_anew(FORM_XMM);
    if (rounds_with_areas())
        slices_prepare(&rounds);
    return 0;
}

static int leave(void **state)
{
    (void)state;
    rounds_leave();
    return 0;
}

static void need_areas(void)
{
    if (areas_mixes(&rounds.areas) == 0)
        skip_here("rounds by XSAVE areas", "this processor has no XSAVE");
}

/* Protection keys and configurations are settings: what differs there was altered, whatever the
 * bits that differ look like. */
static enum corruption_class unless_settings(uint32_t bit, enum corruption_class corruption)
{
    bool setting = bit == XSTATE_PKRU || bit == XSTATE_BNDCSR || bit == XSTATE_TILECFG;
    return setting ? CLASS_ALTERED : corruption;
}

static void expect_named(uint32_t bit, enum corruption_class corruption)
{
    char name[XSTATE_NAME], components[DIAGNOSIS_TEXT];
    diagnose(&finding, &diagnosis);
    diagnosis_components(&diagnosis, components);
    xstate_log_name(bit, name);
    assert_string_equal(components, name);
    assert_string_equal(class_name(diagnosis.corruption), class_name(corruption));
}

static void x87_sse_and_what_xcr0_has_are_tested(void **state)
{
    (void)state;
    need_areas();
    uint64_t permitted = rounds.areas.xcr0 & machine.xstate.offered;
    uint64_t without_amx =
        ~(uint64_t)XCR0_AMX; /* a kernel gives tiles to those that ask for them */
    assert_int_equal(rounds.areas.mask & without_amx, permitted & without_amx);
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++)
        if (machine.xstate.offered >> bit & 1)
            assert_int_equal(rounds.areas.mask >> bit & 1,
                             rounds.areas.component[bit].reason == NULL);
    assert_true((rounds.areas.mask & 3) == 3);
    assert_null(rounds.areas.no_save[SAVE_XSAVE]);
    assert_non_null(rounds.areas.no_save[SAVE_XSAVES]);
}

/*
 * An answer of its own, where AVX-512 is: the opmask keeps its place in the compacted format
 * although AVX before it is in its INIT state (SDM vol. 1, 13.4.3: it goes by XCOMP_BV). Bochs 2.7
 * moves it up.
 */
__attribute__((target("avx512bw"))) static bool xsavec_is_wrong(void)
{
    static _Alignas(64) uint8_t area[4096];
    const uint64_t value = 0x5a17c0de, asked = XCR0_AVX | UINT64_C(1) << XSTATE_OPMASK;
    uint64_t found;
    if (!machine.xstate.xsavec || (xgetbv0() & asked) != asked ||
        !__builtin_cpu_supports("avx512bw"))
        return false;
    __asm__ volatile("vzeroupper\n\tkmovq %1, %%k1\n\txsavec64 %0"
                     : "+m"(area)
                     : "r"(value), "a"(asked), "d"(0)
                     : "memory", "k1");
    memcpy(&found, area + 576 + machine.xstate.size[XSTATE_AVX] + 8, sizeof(found));
    return found != value;
}

static void xsavec_is_used_where_it_is_right(void **state)
{
    (void)state;
    need_areas();
    if (xsavec_is_wrong()) {
        assert_non_null(rounds.areas.no_save[SAVE_XSAVEC]);
        skip_here("rounds by XSAVEC", "this processor's puts a component in the wrong place");
    }
    assert_int_equal(rounds.areas.no_save[SAVE_XSAVEC] == NULL, machine.xstate.xsavec);
}

static void each_mix_comes_back_by_each_instruction(void **state)
{
    (void)state;
    need_areas();
    uint32_t seen[SAVE_COUNT] = {0}, mixes = areas_mixes(&rounds.areas);
    for (uint32_t n = 0; n < 50 * mixes; n++) {
        areas_fill(&rounds, &rounds.area_round, n % mixes);
        assert_true(areas_intact(&rounds, &rounds.area_round));
        seen[rounds.areas.save]++;
    }
    for (enum save_instruction save = 0; save < SAVE_COUNT; save++)
        assert_int_equal(seen[save] != 0, rounds.areas.no_save[save] == NULL);
}

static void slices_count_each_component(void **state)
{
    (void)state;
    need_areas();
    struct exit exit = {.name = "bare", .window = &window_bare, .rounds = 128};
    plan.count = 1;
    plan.entry[0].exit = &exit;
    plan.entry[0].window = exit.window;
    for (unsigned int n = 0; n < 10; n++)
        slice_run(&rounds, 0);
    assert_true(rounds.areas.component[XSTATE_X87].rounds >= 10);
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        bool tested = rounds.areas.mask >> bit & 1;
        uint64_t looks = rounds.areas.component[XSTATE_X87].rounds;
        assert_int_equal(rounds.areas.component[bit].rounds, tested ? looks : 0);
        assert_int_equal(rounds.areas.component[bit].findings, 0);
    }
    assert_int_equal(rounds.findings, 0);
}

/* A twentieth of the time: one part for nineteen of the others. */
static void rounds_by_xsave_have_a_twentieth_of_the_time(void **state)
{
    (void)state;
    assert_int_equal(slices_next_by_xsave(1, 128, 38400, 9000), 0);
    assert_int_equal(slices_next_by_xsave(4, 128, 12800000, 436000), 6);
    assert_int_equal(slices_next_by_xsave(1, 128, 12800000, 109000), 2); /* twice as many */
    assert_int_equal(slices_next_by_xsave(3, 4, 19000, 30), 4);          /* all */
    assert_int_equal(slices_next_by_xsave(1, 128, 1000, 0), 2);
}

static enum begun take_a_million_cycles(struct rounds *of, struct round *round, const char **reason)
{
    (void)of;
    (void)round;
    (void)reason;
    for (uint64_t start = rdtsc(); rdtsc() - start < 1000000;)
        continue;
    return BEGUN;
}

/* One a slice at least. Of an exit beside which they take no time some six, once the number has
 * grown. */
static void the_slower_an_exit_the_more_rounds_go_by_xsave(void **state)
{
    (void)state;
    need_areas();
    struct exit slow = {
        .name = "slow", .window = &window_bare, .rounds = 128, .begin = take_a_million_cycles};
    plan.count = 1;
    plan.entry[0].exit = &slow;
    plan.entry[0].window = slow.window;
    slice_run(&rounds, 0);
    assert_int_equal(rounds.areas.component[XSTATE_X87].rounds, 1);
    /* Where this process does not run for a while, its cycles say nothing: more slices then. */
    for (unsigned int n = 0; n < 100 && rounds.tally[0].by_xsave < 5; n++)
        slice_run(&rounds, 0);
    assert_in_range(rounds.tally[0].by_xsave, 5, 128);
}

static void a_flipped_bit_in_each_component_is_named(void **state)
{
    (void)state;
    need_areas();
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        if (!(areas_plantable(&rounds.areas) >> bit & 1))
            continue;
        areas_plant(&rounds, &rounds.area_round, bit);
        assert_true(finding_planted(&rounds, &rounds.area_round, &window_plant, &finding));
        assert_int_equal(finding.result, AREA_DIFFER);
        expect_named(bit, unless_settings(bit, CLASS_BIT_FLIP));
        assert_int_equal(rounds.areas.component[bit].findings, 1);
    }
}

static void nothing_is_planted_whose_values_nobody_knows(void **state)
{
    (void)state;
    struct areas areas = {.mask = XCR0_X87 | XCR0_AVX512 | XCR0_AMX | UINT64_C(1) << 40};
    assert_int_equal(areas_plantable(&areas),
                     XCR0_X87 | XCR0_AVX512 | UINT64_C(1) << XSTATE_TILEDATA);
}

/* The components in use of a planted area: `on` and not `off`. */
static void plant_in_use(uint64_t on, uint64_t off)
{
    uint64_t in_use;
    uint8_t *at = rounds.areas.planted + OFFSET_BV;
    memcpy(&in_use, at, sizeof(in_use));
    in_use = (in_use | on) & ~off;
    memcpy(at, &in_use, sizeof(in_use));
}

static void a_component_that_is_reset_is_zeroed(void **state)
{
    (void)state;
    need_areas();
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        if (!(rounds.areas.mask >> bit & 1))
            continue;
        areas_fill_planted(&rounds, &rounds.area_round, 0);
        plant_in_use(0, UINT64_C(1) << bit);
        assert_true(finding_planted(&rounds, &rounds.area_round, &window_plant, &finding));
        expect_named(bit, CLASS_ZEROED);
    }
}

static void a_component_that_was_reset_and_is_not_is_a_ghost(void **state)
{
    (void)state;
    need_areas();
    uint32_t number = 0, count = (areas_mixes(&rounds.areas) - 1) / 2;
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        if (!(rounds.areas.mask >> bit & 1))
            continue;
        /* The mix in which it alone is in its INIT state. */
        areas_fill_planted(&rounds, &rounds.area_round, 1 + count + number++);
        assert_int_equal(rounds.areas.live, rounds.areas.mask & ~(UINT64_C(1) << bit));
        rounds.areas.planted[machine.xstate.offset[bit] + (bit == 0 ? 33 : 1)] |= 0x50;
        plant_in_use(UINT64_C(1) << bit, 0);
        assert_true(finding_planted(&rounds, &rounds.area_round, &window_plant, &finding));
        expect_named(bit, CLASS_GHOST);
    }
}

/* Settings count bit by bit: one that differs is no flip of memory. */
static void a_changed_fcw_is_altered_and_a_register_foreign(void **state)
{
    (void)state;
    need_areas();
    areas_fill_planted(&rounds, &rounds.area_round, 0);
    rounds.areas.planted[1] ^= 0x08; /* FCW bit 11, of rounding control */
    assert_true(finding_planted(&rounds, &rounds.area_round, &window_plant, &finding));
    expect_named(XSTATE_X87, CLASS_ALTERED);
    areas_fill_planted(&rounds, &rounds.area_round, 0);
    memset(rounds.areas.planted + 48, 0x20, 10); /* ST1 */
    assert_true(finding_planted(&rounds, &rounds.area_round, &window_plant, &finding));
    expect_named(XSTATE_X87, CLASS_FOREIGN);
}

/* CPUID may offer state whose instructions it hides: the windows then load ymm registers only. */
static void what_the_windows_do_not_load_is_not_tested(void **state)
{
    (void)state;
    need_areas();
    need_avx512("AVX-512 state whose instructions are hidden");
    rounds.key.form = FORM_YMM;
    slices_prepare(&rounds);
    assert_int_equal(rounds.areas.mask & XCR0_AVX512, 0);
    assert_non_null(rounds.areas.component[XSTATE_OPMASK].reason);
    assert_true(rounds.areas.mask >> XSTATE_AVX & 1);
    for (uint32_t mix = 0; mix < areas_mixes(&rounds.areas); mix++) {
        areas_fill(&rounds, &rounds.area_round, mix);
        assert_true(areas_intact(&rounds, &rounds.area_round));
    }
}

/* Or each later round would run with x87 live, and a lost component would look as if it were not.
 */
static void x87_is_put_back_after_each_round(void **state)
{
    (void)state;
    need_areas();
    static _Alignas(16) uint8_t before[512], after[512];
    vectors_save_legacy(before); /* behind areas_prepare(), which tries each component */
    assert_memory_equal(before, "\x7f\x03\0\0\0", 5);
    for (uint32_t mix = 0; mix < areas_mixes(&rounds.areas); mix++) {
        areas_fill(&rounds, &rounds.area_round, mix);
        assert_true(areas_intact(&rounds, &rounds.area_round));
        vectors_save_legacy(after);
        assert_memory_equal(before, after, 5);             /* FCW, FSW, FTW */
        assert_memory_equal(before + 32, after + 32, 128); /* ST0 to ST7 */
    }
}

/* A process cannot alter it, so what it should be is. */
static void an_altered_xcr0_is_all_that_is_told(void **state)
{
    (void)state;
    need_areas();
    uint64_t xcr0 = rounds.areas.xcr0;
    areas_fill_planted(&rounds, &rounds.area_round, 0);
    rounds.areas.planted[machine.xstate.offset[XSTATE_SSE] + 5] ^= 0x10;
    rounds.areas.xcr0 ^= UINT64_C(1) << 40;
    assert_true(finding_planted(&rounds, &rounds.area_round, &window_plant, &finding));
    rounds.areas.xcr0 = xcr0;
    diagnose(&finding, &diagnosis);
    char components[DIAGNOSIS_TEXT], bits[DIAGNOSIS_TEXT];
    diagnosis_components(&diagnosis, components);
    diagnosis_bits(&diagnosis, bits);
    assert_string_equal(components, "xcr0");
    assert_string_equal(bits, "40");
    assert_int_equal(diagnosis.corruption, CLASS_ALTERED);
    assert_false(areas_mend_xcr0(&rounds));
}

/* Runs an XSAVE into cold memory on the round; where it was saved to. */
static uint8_t *save_cold(const struct exit *exit, struct round *round)
{
    unsigned int form = round->area_mask ? FORM_XSAVE : (unsigned int)rounds.key.form;
    const char *reason;
    assert_int_equal(exit->begin(&rounds, round, &reason), BEGUN);
    uint64_t area = round->expected.general[RDI];
    assert_int_equal(area % 64, 0);
    assert_int_not_equal(area / PAGE_BYTES, (area + machine.xstate.area_bytes - 1) / PAGE_BYTES);
    assert_int_equal(exit->window->form[form].enter(round), INTACT);
    memcpy(&round->found, &round->expected, sizeof(round->found));
    return (uint8_t *)area; // NOLINT(performance-no-int-to-ptr)
}

static void what_xsave_saves_is_compared_with_the_registers(void **state)
{
    (void)state;
    need_areas();
    static _Alignas(PAGE_BYTES) uint8_t cold[64 * PAGE_BYTES];
    const struct exit *exit = exit_named("cold-xsave");
    struct round *round = &rounds.ring[0];
    memset(cold, 0, sizeof(cold));
    rounds.buffers.cold = cold;
    rounds.buffers.cold_bytes = sizeof(cold);
    uint8_t *first = save_cold(exit, round);
    assert_true(exit->verify(&rounds, round));
    uint8_t *area = save_cold(exit, round);
    assert_int_not_equal((first - cold) % PAGE_BYTES, (area - cold) % PAGE_BYTES);
    area[machine.xstate.offset[XSTATE_SSE] + 3 * 16] ^= 1; /* xmm3 */
    assert_false(exit->verify(&rounds, round));
    assert_int_equal(round->found.vector[3][0] ^ round->expected.vector[3][0], 1);
    assert_int_equal(rounds.areas.differences, 0);
    areas_fill(&rounds, &rounds.area_round, 0);
    area = save_cold(exit, &rounds.area_round);
    assert_true(exit->verify(&rounds, &rounds.area_round));
    area[0] ^= 0x20; /* FCW */
    assert_false(exit->verify(&rounds, &rounds.area_round));
    assert_int_equal(rounds.areas.differences, 1);
    assert_int_equal(rounds.areas.difference[0].component, XSTATE_X87);
    areas_leave(&rounds);
    const char *reason = NULL;
    while (exit->begin(&rounds, round, &reason) == BEGUN)
        continue;
    assert_string_equal(reason, "each page of its memory has had its first touch");
    assert_true(rounds.buffers.cold_next <= sizeof(cold));
}

/* XSAVE would not save what tiles hold that are not configured. */
static void amx_tiles_are_live_together_or_not_at_all(void **state)
{
    (void)state;
    need_areas();
    const struct xstate kept = machine.xstate;
    uint64_t mask = rounds.areas.mask;
    if (machine.xstate.size[XSTATE_TILEDATA] == 0) { /* as a processor that has it says */
        machine.xstate.offset[XSTATE_TILECFG] = 2752;
        machine.xstate.size[XSTATE_TILECFG] = 64;
        machine.xstate.offset[XSTATE_TILEDATA] = 2816;
        machine.xstate.size[XSTATE_TILEDATA] = 8192;
        machine.xstate.area_bytes = 11008;
        assert_true(rounds_areas_anew());
    }
    rounds.areas.mask |= XCR0_AMX;
    for (uint32_t mix = 0; mix < areas_mixes(&rounds.areas); mix++) {
        areas_fill(&rounds, &rounds.area_round, mix);
        uint64_t tiles = rounds.areas.live & XCR0_AMX;
        const uint8_t *configuration = rounds.areas.wanted + machine.xstate.offset[XSTATE_TILECFG];
        assert_true(tiles == 0 || tiles == XCR0_AMX);
        assert_int_equal(configuration[0], tiles != 0);      /* palette */
        assert_int_equal(configuration[16], tiles ? 64 : 0); /* bytes of a row of tile 0 */
        assert_int_equal(configuration[55], tiles ? 16 : 0); /* rows of tile 7 */
        assert_int_equal(configuration[63], 0);
    }
    rounds.areas.mask = mask;
    machine.xstate = kept;
}

/* No processor has it: only what is made of it and how it is compared. */
static void a_component_that_nobody_knows_goes_by_its_size(void **state)
{
    (void)state;
    need_areas();
    const uint32_t bit = 25, size = 48;
    machine.xstate.xgetbv1 = false;
    machine.xstate.offset[bit] = machine.xstate.area_bytes;
    machine.xstate.size[bit] = size;
    machine.xstate.area_bytes += 64;
    assert_true(rounds_areas_anew());
    rounds.areas.mask |= UINT64_C(1) << bit;
    areas_fill(&rounds, &rounds.area_round, 0);
    rounds.area_round.area_save = (uint64_t)save_by_xsave;
    uint8_t *wanted = rounds.areas.wanted + machine.xstate.offset[bit];
    for (uint32_t n = 0; n < size; n++)
        assert_int_not_equal(wanted[n], 0);
    memcpy(rounds.areas.found, rounds.areas.wanted, machine.xstate.area_bytes);
    assert_true(areas_compare(&rounds, &rounds.area_round));
    rounds.areas.found[machine.xstate.offset[bit] + size - 1] ^= 0x10;
    assert_false(areas_compare(&rounds, &rounds.area_round));
    assert_int_equal(rounds.areas.differences, 1);
    assert_int_equal(rounds.areas.difference[0].component, bit);
    assert_int_equal(rounds.areas.difference[0].offset, size - 8);
    char name[XSTATE_NAME];
    xstate_log_name(bit, name);
    assert_string_equal(name, "component-25");
}

static void a_header_that_lies_is_named(void **state)
{
    (void)state;
    need_areas();
    areas_fill(&rounds, &rounds.area_round, 0);
    rounds.area_round.area_save = (uint64_t)save_by_xsave;
    memcpy(rounds.areas.found, rounds.areas.wanted, machine.xstate.area_bytes);
    rounds.area_round.area_xgetbv = 0;
    rounds.areas.found[OFFSET_BV + 7] = 0x10;
    assert_false(areas_compare(&rounds, &rounds.area_round));
    assert_int_equal(rounds.areas.differences, 1);
    assert_int_equal(rounds.areas.difference[0].component, AREA_HEADER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(x87_sse_and_what_xcr0_has_are_tested, prepare, leave),
        cmocka_unit_test_setup_teardown(xsavec_is_used_where_it_is_right, prepare, leave),
        cmocka_unit_test_setup_teardown(each_mix_comes_back_by_each_instruction, prepare, leave),
        cmocka_unit_test_setup_teardown(slices_count_each_component, prepare, leave),
        cmocka_unit_test(rounds_by_xsave_have_a_twentieth_of_the_time),
        cmocka_unit_test_setup_teardown(the_slower_an_exit_the_more_rounds_go_by_xsave, prepare,
                                        leave),
        cmocka_unit_test_setup_teardown(a_flipped_bit_in_each_component_is_named, prepare, leave),
        cmocka_unit_test(nothing_is_planted_whose_values_nobody_knows),
        cmocka_unit_test_setup_teardown(a_component_that_is_reset_is_zeroed, prepare, leave),
        cmocka_unit_test_setup_teardown(a_component_that_was_reset_and_is_not_is_a_ghost, prepare,
                                        leave),
        cmocka_unit_test_setup_teardown(a_changed_fcw_is_altered_and_a_register_foreign, prepare,
                                        leave),
        cmocka_unit_test_setup_teardown(what_the_windows_do_not_load_is_not_tested, prepare, leave),
        cmocka_unit_test_setup_teardown(x87_is_put_back_after_each_round, prepare, leave),
        cmocka_unit_test_setup_teardown(an_altered_xcr0_is_all_that_is_told, prepare, leave),
        cmocka_unit_test_setup_teardown(what_xsave_saves_is_compared_with_the_registers, prepare,
                                        leave),
        cmocka_unit_test_setup_teardown(amx_tiles_are_live_together_or_not_at_all, prepare, leave),
        cmocka_unit_test_setup_teardown(a_component_that_nobody_knows_goes_by_its_size, prepare,
                                        leave),
        cmocka_unit_test_setup_teardown(a_header_that_lies_is_named, prepare, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
