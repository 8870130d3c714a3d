/* XSAVE images: run for real on this processor, each component comes back, and what does not is
 * named.
 */
#include "../../efi/component.h"
#include "../../efi/diagnosis/diagnosis.h"
#include "../../efi/machine/instructions.h"
#include "../../efi/machine/traps.h"
#include "../../efi/window/plant.h"
#include "../../efi/window/rounds.h"
#include "../silicon/linux/process.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define AREA_BYTES_MAX 16384u
#define OFFSET_BV      512u

static struct machine machine;
static struct plan plan = {.hold_microseconds = 1, .findings_kept = 4};
static struct rounds rounds;
static struct traps traps;
static struct finding finding;
static struct diagnosis diagnosis;
static _Alignas(64) uint8_t memory[4][AREA_BYTES_MAX];

/* What a run does before its first round. */
static int prepare(void **state)
{
    (void)state;
    cpu_identify(&machine.cpu);
    xstate_identify(&machine.xstate, &machine.cpu);
    memcpy(machine.system, "Linux", sizeof("Linux"));
    if (machine.xstate.area_bytes == 0 || machine.xstate.area_bytes > AREA_BYTES_MAX)
        return 0;
    memset(&rounds, 0, sizeof(rounds));
    memset(memory, 0, sizeof(memory));
    rounds.machine = &machine;
    rounds.plan = &plan;
    rounds.traps = &traps;
    rounds.key = (struct pattern_key){.run = 0xcafe, .vcpu = 2, .form = machine.xstate.form};
    images_give_memory(&rounds.images, memory[0], &machine.xstate);
    rounds.images.xcr0 = xgetbv0();
    images_keep(&rounds.images);
    process_exceptions();
    traps_enter(&traps);
    rounds_prepare(&rounds);
    return 0;
}

static int leave(void **state)
{
    (void)state;
    if (rounds.images.before)
        images_put_back(&rounds.images, false);
    traps_leave(&traps);
    return 0;
}

static void need_images(void)
{
    if (images_mixes(&rounds.images) == 0)
        skip();
}

static void expect_named(uint32_t bit, enum corruption corruption)
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
    need_images();
    uint64_t amx = UINT64_C(3) << 17;
    assert_int_equal(rounds.images.mask, rounds.images.xcr0 & machine.xstate.offered & ~amx);
    assert_true((rounds.images.mask & 3) == 3);
    assert_null(rounds.images.no_save[SAVE_XSAVE]);
    assert_non_null(rounds.images.no_save[SAVE_XSAVES]);
    assert_int_equal(rounds.images.no_save[SAVE_XSAVEC] == NULL, machine.xstate.xsavec);
}

static void each_mix_comes_back_by_each_instruction(void **state)
{
    (void)state;
    need_images();
    uint32_t seen[IMAGE_SAVES] = {0}, mixes = images_mixes(&rounds.images);
    for (uint32_t n = 0; n < 50 * mixes; n++) {
        images_fill(&rounds, &rounds.image_round, n % mixes);
        assert_true(rounds_image_intact(&rounds, &rounds.image_round));
        seen[rounds.images.save]++;
    }
    for (enum image_save save = 0; save < IMAGE_SAVES; save++)
        assert_int_equal(seen[save] != 0, rounds.images.no_save[save] == NULL);
}

static void slices_count_each_component(void **state)
{
    (void)state;
    need_images();
    struct exit exit = {
        .name = "bare", .window = &window_bare, .flags_kept = RFLAGS_STATUS, .rounds = 128};
    plan.count = 1;
    plan.entry[0].exit = &exit;
    plan.entry[0].window = exit.window;
    for (unsigned int n = 0; n < 10; n++)
        rounds_slice(&rounds, 0);
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        bool tested = rounds.images.mask >> bit & 1;
        assert_int_equal(rounds.images.component[bit].rounds, tested ? 10 : 0);
        assert_int_equal(rounds.images.component[bit].findings, 0);
    }
    assert_int_equal(rounds.findings, 0);
}

static void a_flipped_bit_in_each_component_is_named(void **state)
{
    (void)state;
    need_images();
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        if (!(rounds.images.mask >> bit & 1))
            continue;
        images_plant(&rounds, &rounds.image_round, bit);
        assert_true(rounds_planted(&rounds, &rounds.image_round, &window_plant, &finding));
        assert_int_equal(finding.result, IMAGE_DIFFER);
        expect_named(bit, CLASS_BIT_FLIP);
        assert_int_equal(rounds.images.component[bit].findings, 1);
    }
}

/* The components in use of a planted image: `on` and not `off`. */
static void plant_in_use(uint64_t on, uint64_t off)
{
    uint64_t in_use;
    uint8_t *at = rounds.images.planted + OFFSET_BV;
    memcpy(&in_use, at, sizeof(in_use));
    in_use = (in_use | on) & ~off;
    memcpy(at, &in_use, sizeof(in_use));
}

static void a_component_that_is_reset_is_zeroed(void **state)
{
    (void)state;
    need_images();
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        if (!(rounds.images.mask >> bit & 1))
            continue;
        images_fill_planted(&rounds, &rounds.image_round, 0);
        plant_in_use(0, UINT64_C(1) << bit);
        assert_true(rounds_planted(&rounds, &rounds.image_round, &window_plant, &finding));
        expect_named(bit, CLASS_ZEROED);
    }
}

static void a_component_that_was_reset_and_is_not_is_a_ghost(void **state)
{
    (void)state;
    need_images();
    uint32_t number = 0, count = (images_mixes(&rounds.images) - 1) / 2;
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        if (!(rounds.images.mask >> bit & 1))
            continue;
        /* The mix in which it alone is in its INIT state. */
        images_fill_planted(&rounds, &rounds.image_round, 1 + count + number++);
        assert_int_equal(rounds.images.live, rounds.images.mask & ~(UINT64_C(1) << bit));
        rounds.images.planted[machine.xstate.offset[bit] + (bit == 0 ? 33 : 1)] |= 0x50;
        plant_in_use(UINT64_C(1) << bit, 0);
        assert_true(rounds_planted(&rounds, &rounds.image_round, &window_plant, &finding));
        expect_named(bit, CLASS_GHOST);
    }
}

/* No processor has it: only what is made of it and how it is compared. */
static void a_component_that_nobody_knows_goes_by_its_size(void **state)
{
    (void)state;
    need_images();
    const uint32_t bit = 25, size = 48;
    machine.xstate.xgetbv1 = false;
    machine.xstate.offset[bit] = machine.xstate.area_bytes;
    machine.xstate.size[bit] = size;
    machine.xstate.area_bytes += 64;
    images_put_back(&rounds.images, false);
    memset(memory, 0, sizeof(memory));
    images_give_memory(&rounds.images, memory[0], &machine.xstate);
    images_keep(&rounds.images);
    rounds.images.mask |= UINT64_C(1) << bit;
    images_fill(&rounds, &rounds.image_round, 0);
    rounds.image_round.image_save = (uint64_t)save_by_xsave;
    uint8_t *wanted = rounds.images.wanted + machine.xstate.offset[bit];
    for (uint32_t n = 0; n < size; n++)
        assert_int_not_equal(wanted[n], 0);
    memcpy(rounds.images.found, rounds.images.wanted, machine.xstate.area_bytes);
    assert_true(images_compare(&rounds, &rounds.image_round));
    rounds.images.found[machine.xstate.offset[bit] + size - 1] ^= 0x10;
    assert_false(images_compare(&rounds, &rounds.image_round));
    assert_int_equal(rounds.images.differences, 1);
    assert_int_equal(rounds.images.difference[0].component, bit);
    assert_int_equal(rounds.images.difference[0].offset, size - 8);
    char name[XSTATE_NAME];
    xstate_log_name(bit, name);
    assert_string_equal(name, "component-25");
}

static void a_header_that_lies_is_named(void **state)
{
    (void)state;
    need_images();
    images_fill(&rounds, &rounds.image_round, 0);
    rounds.image_round.image_save = (uint64_t)save_by_xsave;
    memcpy(rounds.images.found, rounds.images.wanted, machine.xstate.area_bytes);
    rounds.image_round.image_xgetbv = 0;
    rounds.images.found[OFFSET_BV + 7] = 0x10;
    assert_false(images_compare(&rounds, &rounds.image_round));
    assert_int_equal(rounds.images.differences, 1);
    assert_int_equal(rounds.images.difference[0].component, IMAGE_HEADER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(x87_sse_and_what_xcr0_has_are_tested, prepare, leave),
        cmocka_unit_test_setup_teardown(each_mix_comes_back_by_each_instruction, prepare, leave),
        cmocka_unit_test_setup_teardown(slices_count_each_component, prepare, leave),
        cmocka_unit_test_setup_teardown(a_flipped_bit_in_each_component_is_named, prepare, leave),
        cmocka_unit_test_setup_teardown(a_component_that_is_reset_is_zeroed, prepare, leave),
        cmocka_unit_test_setup_teardown(a_component_that_was_reset_and_is_not_is_a_ghost, prepare,
                                        leave),
        cmocka_unit_test_setup_teardown(a_component_that_nobody_knows_goes_by_its_size, prepare,
                                        leave),
        cmocka_unit_test_setup_teardown(a_header_that_lies_is_named, prepare, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
