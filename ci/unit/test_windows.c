/* Windows: run for real on this processor, they lose nothing, and nothing that is lost escapes
 * them. */
#include "../../efi/core/diagnosis/diagnosis.h"
#include "../../efi/core/window/area_compare.h"
#include "../../efi/core/window/area_fill.h"
#include "../../efi/core/window/area_format.h"
#include "../../efi/core/window/area_probe.h"
#include "../../efi/core/window/component.h"
#include "../../efi/core/window/exits.h"
#include "../../efi/core/window/findings.h"
#include "../../efi/core/window/plant.h"
#include "../../efi/core/window/round.h"
#include "../../efi/core/window/slices.h"
#include "../../efi/core/window/work.h"
#include "host.h"
#include "rounds_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define ROUNDS 4000u

static struct finding finding;
static struct diagnosis diagnosis;

static enum form widest_form(void)
{
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
        return FORM_ZMM;
    return __builtin_cpu_supports("avx") ? FORM_YMM : FORM_XMM;
}

static void prepare(enum form form)
{
    static _Alignas(64) uint8_t copied[1 << 18];
    rounds_anew(form);
    rounds.buffers.copy = copied;
    rounds.buffers.copy_bytes = sizeof(copied);
    slices_prepare(&rounds);
}

static int start_anew(void **state)
{
    (void)state;
    memset(&plan, 0, sizeof(plan));
    return 0;
}

/* Every slice takes exit->rounds rounds of live state, and some mixed ones. */
static void expect_intact_slices(enum form form, uint32_t entry)
{
    struct tally *tally = &rounds.tally[entry];
    for (unsigned int n = 0; n < ROUNDS && tally->rounds < ROUNDS; n++)
        slice_run(&rounds, entry);
    if (tally->findings != 0) {
        char components[DIAGNOSIS_TEXT];
        diagnose(findings_next(&rounds), &diagnosis);
        diagnosis_components(&diagnosis, components);
        fail_msg("form %u, entry %u: %s", form, entry, components);
    }
    assert_int_equal(tally->unavailable, 0);
    assert_true(tally->rounds >= ROUNDS);
    assert_true(tally->timings > 0 && tally->cycles_lowest > 0);
    assert_null(findings_next(&rounds));
}

static void what_a_process_may_execute_comes_back_intact(void **state)
{
    (void)state;
    static const struct exit bare = {.name = "bare", .window = &window_bare, .rounds = 256};
    const struct exit *const allowed[] = {
        &bare,
        exit_named("cpuid"),
        exit_named("rdtsc"),
        exit_named("pause"),
        exit_named("hold"),
        exit_named("copy"),
        exit_named("copy-ymm"),
        exit_named("copy-xmm"),
    };
    plan.count = sizeof(allowed) / sizeof(allowed[0]);
    for (uint32_t entry = 0; entry < plan.count; entry++) {
        plan.entry[entry].exit = allowed[entry];
        plan.entry[entry].window = allowed[entry]->window;
    }
    for (enum form form = FORM_XMM; form <= widest_form(); form++) {
        prepare(form);
        for (uint32_t entry = 0; entry < plan.count; entry++)
            expect_intact_slices(form, entry);
        assert_true(rounds.verified >= (uint64_t)plan.count * ROUNDS);
    }
}

static void timed_rounds_are_held_against_an_exit(void **state)
{
    (void)state;
    plan.count = 1;
    plan.entry[0].exit = exit_named("cpuid");
    plan.entry[0].window = plan.entry[0].exit->window;
    prepare(FORM_XMM);
    machine.leaving.cycles = UINT64_MAX / 4;
    slice_run(&rounds, 0);
    assert_int_equal(rounds.tally[0].timed, rounds.tally[0].timings);
    assert_int_equal(rounds.tally[0].left, 0);
    machine.leaving.cycles = 1;
    slice_run(&rounds, 0);
    assert_true(rounds.tally[0].left > 0);
    assert_int_equal(rounds.tally[0].timed, 2 * rounds.tally[0].left);
    machine.leaving.cycles = 0;
}

static void each_component_in_its_init_state_comes_back_intact(void **state)
{
    (void)state;
    for (enum form form = FORM_XMM; form <= widest_form(); form++) {
        prepare(form);
        for (uint32_t components = 0; components < 1u << COMPONENT_REST; components++) {
            round_fill(&rounds, &rounds.planted, components);
            assert_false(finding_planted(&rounds, &rounds.planted, &window_bare, &finding));
        }
    }
}

static void registers_of(uint32_t reg, enum form form, char *buffer)
{
    const struct lane lane = {.reg = reg};
    lane_register(&lane, form, buffer);
}

static void a_flipped_bit_anywhere_is_found_and_named_as_that_register_alone(void **state)
{
    (void)state;
    for (enum form form = FORM_XMM; form <= widest_form(); form++) {
        prepare(form);
        for (unsigned int position = 0; position < plant_positions(form); position++) {
            char wanted[DIAGNOSIS_TEXT], named[DIAGNOSIS_TEXT];
            uint32_t reg = plant_register(form, position);
            round_fill(&rounds, &rounds.planted, 0);
            const struct window *window = plant_bit(&rounds.planted, form, position);
            assert_true(finding_planted(&rounds, &rounds.planted, window, &finding));
            assert_false(finding.memory_changed);
            diagnose(&finding, &diagnosis);
            registers_of(reg, form, wanted);
            diagnosis_registers(&diagnosis, named);
            assert_string_equal(named, wanted);
            assert_int_equal(diagnosis.lane_count, 1);
            assert_int_equal(diagnosis.lane[0].reg, reg);
            bool vector = reg < PATTERN_OPMASK;
            assert_int_equal(diagnosis.lane[0].lane, vector ? position % form_lanes(form) : 0);
            assert_int_equal(diagnosis.corruption,
                             reg >= LANE_RFLAGS ? CLASS_ALTERED : CLASS_BIT_FLIP);
            if (vector)
                assert_int_equal(finding.result, VECTOR_DIFFER);
        }
    }
}

static void positions_cover_every_register_once(void **state)
{
    (void)state;
    static const unsigned int totals[FORM_COUNT] = {16 * 2 + 17, 16 * 4 + 17, 32 * 8 + 8 + 17};
    for (enum form form = FORM_XMM; form < FORM_COUNT; form++) {
        unsigned int found[LANE_MXCSR + 1] = {0};
        assert_int_equal(plant_positions(form), totals[form]);
        for (unsigned int position = 0; position < plant_positions(form); position++)
            found[plant_register(form, position)]++;
        for (uint32_t reg = 0; reg <= LANE_MXCSR; reg++) {
            unsigned int wanted = 1;
            if (reg < PATTERN_OPMASK)
                wanted = reg < form_vectors(form) ? form_lanes(form) : 0;
            else if (reg < PATTERN_GENERAL)
                wanted = form == FORM_ZMM;
            else if (reg == PATTERN_GENERAL + RSP)
                wanted = 0;
            assert_int_equal(found[reg], wanted);
        }
    }
}

static void the_control_register_of_each_round_differs(void **state)
{
    (void)state;
    uint32_t seen_set = 0, seen_clear = 0;
    prepare(FORM_XMM);
    for (unsigned int n = 0; n < 200; n++) {
        round_fill(&rounds, &rounds.planted, 0);
        uint32_t mxcsr = rounds.planted.expected.mxcsr;
        assert_int_equal(mxcsr & ~MXCSR_VARIED, MXCSR_MASKS);
        seen_set |= mxcsr;
        seen_clear |= ~mxcsr;
    }
    assert_int_equal(seen_set & seen_clear & MXCSR_VARIED, MXCSR_VARIED);
}

static void expect_plant(const struct plant *plant, enum corruption_class corruption)
{
    char text[DIAGNOSIS_TEXT];
    diagnose(&finding, &diagnosis);
    assert_int_equal(plant->corruption, corruption);
    assert_string_equal(class_name(diagnosis.corruption), class_name(corruption));
    diagnosis_components(&diagnosis, text);
    assert_string_equal(text, plant->component);
    diagnosis_registers(&diagnosis, text);
    assert_string_equal(text, plant->registers);
    diagnosis_bits(&diagnosis, text);
    assert_string_equal(text, plant->bits);
    assert_true(finding.injected);
    assert_int_equal(finding.exit, INJECT_ROW);
}

/* Without CLASS_FAULT, whose #UD only an exception handler of our own survives. */
static void each_planted_class_is_found_and_named_right(void **state)
{
    (void)state;
    for (enum form form = FORM_XMM; form <= widest_form(); form++) {
        prepare(form);
        for (unsigned int n = 0; n < 100 * CLASS_FAULT; n++) {
            enum corruption_class corruption = n % CLASS_FAULT;
            struct plant plant;
            round_fill(&rounds, &rounds.planted, plant_init_components(corruption, form));
            const struct window *window =
                plant_class(&rounds.planted, &rounds.key, corruption, &plant);
            assert_true(finding_planted(&rounds, &rounds.planted, window, &finding));
            assert_false(finding.memory_changed);
            expect_plant(&plant, corruption);
        }
    }
}

static void whole_registers_that_differ_are_all_kept(void **state)
{
    (void)state;
    for (enum form form = FORM_XMM; form <= widest_form(); form++) {
        prepare(form);
        struct round *round = &rounds.planted;
        round_fill(&rounds, round, 0);
        struct pattern_key other = rounds.key;
        other.vcpu = 700;
        pattern_fill(&round->planted, &other, 5, 0);
        assert_true(finding_planted(&rounds, round, &window_plant, &finding));
        assert_int_equal(finding.result, GENERAL_DIFFER);
        diagnose(&finding, &diagnosis);
        assert_int_equal(diagnosis.corruption, CLASS_OTHER_VCPU);
        assert_int_equal(diagnosis.vectors, form == FORM_ZMM ? 0xffffffff : 0xffff);
        assert_int_equal(diagnosis.opmasks, form == FORM_ZMM ? 0xff : 0);
        assert_int_equal(diagnosis.general, 0xffff & ~(1u << RSP));
    }
}

static void a_pattern_that_memory_lost_is_told_apart(void **state)
{
    (void)state;
    for (enum form form = FORM_XMM; form <= widest_form(); form++) {
        prepare(form);
        struct round *round = &rounds.planted;
        round_fill(&rounds, round, 0);
        const struct window *window = plant_bit(round, form, 0);
        round->expected.vector[15][1] ^= 1;
        assert_true(finding_planted(&rounds, round, window, &finding));
        assert_true(finding.memory_changed);
    }
}

static void faults_planted_during_slices_are_queued_as_injected(void **state)
{
    (void)state;
    plan.count = 1;
    plan.entry[0].exit = exit_named("rdtsc");
    plan.entry[0].window = plan.entry[0].exit->window;
    plan.options.inject_classes = (1u << CLASS_FAULT) - 1;
    plan.options.inject_every = 10;
    prepare(widest_form());
    for (unsigned int n = 0; n < 8; n++) {
        const struct finding *next;
        slice_run(&rounds, 0);
        while ((next = findings_next(&rounds)) != NULL) {
            assert_true(next->injected);
            assert_int_equal(next->exit, INJECT_ROW);
            findings_took(&rounds);
        }
    }
    assert_int_equal(rounds.tally[0].findings, 0);
    assert_true(rounds.tally[INJECT_ROW].rounds >= 8 * 256 / 10);
    assert_int_equal(rounds.tally[INJECT_ROW].findings, rounds.tally[INJECT_ROW].rounds);
    assert_int_equal(rounds.tally[INJECT_ROW].kept, 2 * CLASS_COUNT);
    assert_int_equal(rounds.queued, rounds.taken);
}

static uint32_t met[GENERATIONS];
static unsigned int met_count;

static enum begun note_mix(struct rounds *of, struct round *round, const char **reason)
{
    (void)reason;
    (void)of;
    if (round->init_components == 0)
        return BEGUN;
    for (unsigned int n = 0; n < met_count; n++)
        if (met[n] == round->init_components)
            return BEGUN;
    assert_true(met_count < GENERATIONS);
    met[met_count++] = round->init_components;
    return BEGUN;
}

/* With one mixed round a slice, and with as many as there are mixes. */
static void an_exit_meets_every_mix_of_zero_components(void **state)
{
    (void)state;
    struct exit exit = *exit_named("rdtsc");
    need_avx512("all mixes of zero components");
    exit.begin = note_mix;
    plan.count = 1;
    plan.entry[0].exit = &exit;
    plan.entry[0].window = exit.window;
    for (exit.rounds = 1; exit.rounds <= 64; exit.rounds += 63) {
        uint64_t passes = exit.rounds == 1 ? GENERATIONS : 1;
        met_count = 0;
        prepare(FORM_ZMM);
        for (uint64_t pass = 0; pass < passes; pass++) {
            slice_run(&rounds, 0);
            atomic_fetch_add(&rounds.passes, 1);
        }
        assert_int_equal(met_count, GENERATIONS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_a_process_may_execute_comes_back_intact, start_anew),
        cmocka_unit_test_setup(timed_rounds_are_held_against_an_exit, start_anew),
        cmocka_unit_test_setup(each_component_in_its_init_state_comes_back_intact, start_anew),
        cmocka_unit_test_setup(a_flipped_bit_anywhere_is_found_and_named_as_that_register_alone,
                               start_anew),
        cmocka_unit_test(positions_cover_every_register_once),
        cmocka_unit_test_setup(the_control_register_of_each_round_differs, start_anew),
        cmocka_unit_test_setup(each_planted_class_is_found_and_named_right, start_anew),
        cmocka_unit_test_setup(whole_registers_that_differ_are_all_kept, start_anew),
        cmocka_unit_test_setup(a_pattern_that_memory_lost_is_told_apart, start_anew),
        cmocka_unit_test_setup(faults_planted_during_slices_are_queued_as_injected, start_anew),
        cmocka_unit_test_setup(an_exit_meets_every_mix_of_zero_components, start_anew),
    };
    (void)without_avx512("the zmm form of the windows");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
