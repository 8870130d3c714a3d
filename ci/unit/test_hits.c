/* The map of what was hit: exactly the dwords that differ, of every finding and of each kind apart.
 */
#include "../../efi/core/window/area_compare.h"
#include "../../efi/core/window/area_fill.h"
#include "../../efi/core/window/area_format.h"
#include "../../efi/core/window/area_probe.h"
#include "../../efi/core/window/exits.h"
#include "../../efi/core/window/findings.h"
#include "../../efi/core/window/guard.h"
#include "../../efi/core/window/hits.h"
#include "../../efi/core/window/plant.h"
#include "../../efi/core/window/round.h"
#include "../../efi/core/window/slices.h"
#include "../../efi/core/window/work.h"
#include "../../efi/platform/instructions.h"
#include "../linux/process.h"
#include "host.h"
#include "rounds_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define ALL_GENERAL 0xffffu

/* Dwords 8 to 15: hit, and hit and zero. */
#define UPPER      0xff00u
#define UPPER_ZERO (UPPER << VECTOR_DWORDS | UPPER)

static struct round round;
static struct hits hits;

/* A round that found what it expected, every register of which is a pattern. */
static int start_intact(void **state)
{
    (void)state;
    const struct pattern_key key = {.run = 0xcafe, .vcpu = 2, .form = FORM_ZMM};
    memset(&round, 0, sizeof(round));
    memset(&hits, 0, sizeof(hits));
    pattern_fill(&round.expected, &key, 5, 0);
    round.found = round.expected;
    round.flags_kept = RFLAGS_STATUS;
    return 0;
}

static void expect_vectors(uint32_t first, uint32_t end, uint32_t bits)
{
    for (uint32_t n = 0; n < VECTOR_COUNT; n++)
        assert_int_equal(hits.vector[n], n >= first && n < end ? bits : 0);
}

static void zero_upper_halves(struct register_state *state)
{
    for (unsigned int n = 0; n < 16; n++)
        memset(&state->vector[n][4], 0, 4 * sizeof(uint64_t));
}

static void what_came_back_marks_nothing(void **state)
{
    (void)state;
    hits_add(&hits, &round, FORM_ZMM, ALL_GENERAL);
    expect_vectors(0, 0, 0);
    assert_int_equal(hits.other, 0);
}

static void zeroed_upper_halves_mark_those_dwords_as_zero(void **state)
{
    (void)state;
    zero_upper_halves(&round.found);
    hits_add(&hits, &round, FORM_ZMM, ALL_GENERAL);
    expect_vectors(0, 16, UPPER_ZERO);
    assert_int_equal(hits.other, 0);
}

static void each_dword_has_its_own_bit(void **state)
{
    (void)state;
    for (unsigned int reg = 0; reg < VECTOR_COUNT; reg++)
        for (unsigned int dword = 0; dword < VECTOR_DWORDS; dword++) {
            (void)start_intact(NULL);
            round.found.vector[reg][dword / 2] ^= UINT64_C(1) << (dword % 2 ? 63 : 0);
            hits_add(&hits, &round, FORM_ZMM, ALL_GENERAL);
            expect_vectors(reg, reg + 1, 1u << dword);
        }
}

static void a_ghost_is_hit_and_not_zero(void **state)
{
    (void)state;
    round.expected.vector[7][3] = 0;
    round.found.vector[7][3] = UINT64_C(0x5a5a5a5a) << 32;
    hits_add(&hits, &round, FORM_ZMM, ALL_GENERAL);
    expect_vectors(7, 8, 1u << 7);
}

static void each_opmask_has_its_own_bit_where_there_are_some(void **state)
{
    (void)state;
    for (unsigned int n = 0; n < OPMASK_COUNT; n++) {
        (void)start_intact(NULL);
        round.found.opmask[n] ^= UINT64_C(1) << 63;
        hits_add(&hits, &round, FORM_YMM, ALL_GENERAL);
        assert_int_equal(hits.other, 0);
        hits_add(&hits, &round, FORM_ZMM, ALL_GENERAL);
        assert_int_equal(hits.other, 1u << (HIT_OPMASK + n));
    }
}

static void general_registers_count_where_they_are_compared(void **state)
{
    (void)state;
    for (unsigned int n = 0; n < GENERAL_COUNT; n++) {
        (void)start_intact(NULL);
        round.found.general[n] ^= UINT64_C(1) << 63;
        hits_add(&hits, &round, FORM_ZMM, ALL_GENERAL & ~(1u << n));
        assert_int_equal(hits.other, 0);
        hits_add(&hits, &round, FORM_XMM, UINT64_C(1) << n);
        assert_int_equal(hits.other, 1u << (HIT_GENERAL + n));
    }
}

static void flags_count_where_the_event_leaves_them_alone(void **state)
{
    (void)state;
    round.found.rflags ^= RFLAGS_DIRECTION;
    hits_add(&hits, &round, FORM_ZMM, ALL_GENERAL);
    assert_int_equal(hits.other, 0);
    round.flags_kept |= RFLAGS_DIRECTION;
    hits_add(&hits, &round, FORM_ZMM, ALL_GENERAL);
    assert_int_equal(hits.other, 1u << HIT_RFLAGS);
}

static void mxcsr_counts_always(void **state)
{
    (void)state;
    round.found.mxcsr ^= 1;
    hits_add(&hits, &round, FORM_XMM, 0);
    assert_int_equal(hits.other, 1u << HIT_MXCSR);
    expect_vectors(0, 0, 0);
}

static void a_narrower_form_sees_what_it_covers(void **state)
{
    (void)state;
    static const uint32_t covered[FORM_COUNT] = {0x000f, 0x00ff, 0xffff};
    for (enum form form = FORM_XMM; form < FORM_COUNT; form++) {
        (void)start_intact(NULL);
        memset(round.found.vector, 0, sizeof(round.found.vector));
        hits_add(&hits, &round, form, ALL_GENERAL);
        expect_vectors(0, form == FORM_ZMM ? 32 : 16,
                       covered[form] << VECTOR_DWORDS | covered[form]);
    }
}

static void hits_add_up(void **state)
{
    (void)state;
    round.found.vector[3][0] ^= 1;
    round.found.opmask[0] ^= 1;
    hits_add(&hits, &round, FORM_ZMM, ALL_GENERAL);
    round.found = round.expected;
    round.found.vector[3][7] &= UINT32_MAX;
    round.found.mxcsr ^= 1;
    hits_add(&hits, &round, FORM_ZMM, ALL_GENERAL);
    expect_vectors(3, 4, 1u << 31 | 1u << 15 | 1u);
    assert_int_equal(hits.other, 1u << HIT_OPMASK | 1u << HIT_MXCSR);
}

/* --- through rounds on this processor --------------------------------------------------------- */

static bool break_next;

/* The event of each round puts this state in: the pattern, or what is left of it. */
static enum begun plant_state(struct rounds *of, struct round *next, const char **reason)
{
    (void)reason;
    (void)of;
    next->planted = next->expected;
    if (break_next)
        zero_upper_halves(&next->planted);
    return BEGUN;
}

static const struct exit exit_planted = {
    .name = "planted", .window = &window_plant, .rounds = 8, .begin = plant_state};

static int start_rounds(void **state)
{
    (void)state;
    plan = (struct plan){.count = 1};
    plan.entry[0].exit = &exit_planted;
    plan.entry[0].window = exit_planted.window;
    rounds_anew(FORM_ZMM);
    plan.options.findings_kept = 1;
    break_next = true;
    return 0;
}

static void prepare(void)
{
    need_avx512("the map of hits, filled by rounds of the zmm form");
    slices_prepare(&rounds);
}

static void rounds_without_a_finding_mark_nothing(void **state)
{
    (void)state;
    prepare();
    break_next = false;
    slice_run(&rounds, 0);
    assert_true(rounds.verified > 0);
    assert_int_equal(rounds.findings, 0);
    for (unsigned int n = 0; n < VECTOR_COUNT; n++)
        assert_int_equal(rounds.hits.vector[n], 0);
    assert_int_equal(rounds.hits.other, 0);
}

/* The queue is full, or the exit has had its share of it: the map must still be whole. */
static void a_finding_that_is_counted_and_not_kept_is_on_the_map(void **state)
{
    (void)state;
    prepare();
    rounds.tally[0].kept = plan.options.findings_kept;
    slice_run(&rounds, 0);
    assert_true(rounds.tally[0].findings >= 8);
    assert_null(findings_next(&rounds));
    for (unsigned int n = 0; n < VECTOR_COUNT; n++) {
        assert_int_equal(rounds.hits.vector[n], n < 16 ? UPPER_ZERO : 0);
        assert_int_equal(rounds.injected_hits.vector[n], 0);
    }
    assert_int_equal(rounds.hits.other, 0);
}

static void what_was_planted_is_on_the_map_of_planted_faults_alone(void **state)
{
    (void)state;
    plan.options.inject_classes = 1u << CLASS_ZEROED;
    plan.options.inject_every = 2;
    prepare();
    break_next = false;
    slice_run(&rounds, 0);
    assert_true(rounds.tally[INJECT_ROW].findings > 0);
    for (unsigned int n = 0; n < VECTOR_COUNT; n++) {
        assert_int_equal(rounds.injected_hits.vector[n], n < 16 ? UPPER_ZERO : 0);
        assert_int_equal(rounds.hits.vector[n], 0);
    }
    assert_int_equal(rounds.hits.other | rounds.injected_hits.other, 0);
}

/* As an event does that writes RAX: the window lets it pass, and so must the map. */
static enum begun plant_state_and_rax(struct rounds *of, struct round *next, const char **reason)
{
    (void)plant_state(of, next, reason);
    next->planted.general[RAX] ^= 1;
    return BEGUN;
}

static void general_registers_that_the_event_may_write_are_no_hits(void **state)
{
    (void)state;
    struct window writes_rax = window_plant;
    struct exit exit = exit_planted;
    prepare();
    exit.begin = plant_state_and_rax;
    plan.entry[0].exit = &exit;
    slice_run(&rounds, 0);
    assert_int_equal(rounds.hits.other, 1u << (HIT_GENERAL + RAX));
    memset(&rounds.hits, 0, sizeof(rounds.hits));
    writes_rax.changes |= 1u << RAX;
    plan.entry[0].window = &writes_rax;
    slice_run(&rounds, 0);
    assert_int_equal(rounds.hits.vector[0], UPPER_ZERO);
    assert_int_equal(rounds.hits.other, 0);
}

/* Where an exception came in between, what is there is a handler's as well. */
static void spoil_found(struct rounds *of)
{
    for (unsigned int n = 0; n < GENERATIONS; n++)
        of->ring[n].found.vector[0][0] ^= 1;
}

/* An exception says nothing of the registers, which never came to be compared. */
static void a_fault_is_no_hit(void **state)
{
    (void)state;
    struct exit exit = exit_planted;
    exit.begin = NULL;
    exit.must_work = true;
    exit.end = spoil_found;
    plan.entry[0].exit = &exit;
    plan.entry[0].window = &window_plant_fault;
    rounds.traps = &traps;
    process_exceptions();
    traps_enter(&traps);
    prepare();
    slice_run(&rounds, 0);
    traps_leave(&traps);
    assert_true(rounds.findings > 0);
    for (unsigned int n = 0; n < VECTOR_COUNT; n++)
        assert_int_equal(rounds.hits.vector[n], 0);
    assert_int_equal(rounds.hits.other, 0);
}

/* --- rounds by XSAVE ---------------------------------------------------------------- */

static uint32_t broken_component;

static enum begun plant_component(struct rounds *of, struct round *next, const char **reason)
{
    if (!next->area_mask)
        return plant_state(of, next, reason);
    areas_plant(of, next, broken_component);
    return BEGUN;
}

/* areas_plant() flips a bit of the first quadword of the component. */
static void expect_area_hit(unsigned int reg, unsigned int dwords, uint32_t other)
{
    for (unsigned int n = 0; n < VECTOR_COUNT; n++)
        assert_int_equal(rounds.hits.vector[n] & ~(n == reg ? dwords : 0), 0);
    assert_int_equal(reg < VECTOR_COUNT && rounds.hits.vector[reg] == 0, 0);
    assert_int_equal(rounds.hits.other, other);
}

static void what_an_area_lost_is_on_the_map(void **state)
{
    (void)state;
    static const struct {
        uint32_t component;
        unsigned int reg, dwords;
        uint32_t other;
    } components[] = {{0, VECTOR_COUNT, 0, 0}, {1, 0, 0x0003, 0},
                      {2, 0, 0x0030, 0},       {5, VECTOR_COUNT, 0, 1u << HIT_OPMASK},
                      {6, 0, 0x0300, 0},       {7, 16, 0x0003, 0}};
    struct exit exit = exit_planted;
    exit.begin = plant_component;
    plan.entry[0].exit = &exit;
    break_next = false;
    if (!rounds_with_areas())
        skip_here("hits of XSAVE areas", "this processor has no XSAVE");
    prepare();
    for (size_t n = 0; n < sizeof(components) / sizeof(components[0]); n++) {
        broken_component = components[n].component;
        if (!(areas_plantable(&rounds.areas) >> broken_component & 1))
            continue;
        uint64_t findings = rounds.findings;
        memset(&rounds.hits, 0, sizeof(rounds.hits));
        slice_run(&rounds, 0);
        assert_true(rounds.findings > findings);
        expect_area_hit(components[n].reg, components[n].dwords, components[n].other);
    }
    rounds_leave();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_came_back_marks_nothing, start_intact),
        cmocka_unit_test_setup(zeroed_upper_halves_mark_those_dwords_as_zero, start_intact),
        cmocka_unit_test_setup(each_dword_has_its_own_bit, start_intact),
        cmocka_unit_test_setup(a_ghost_is_hit_and_not_zero, start_intact),
        cmocka_unit_test_setup(each_opmask_has_its_own_bit_where_there_are_some, start_intact),
        cmocka_unit_test_setup(general_registers_count_where_they_are_compared, start_intact),
        cmocka_unit_test_setup(flags_count_where_the_event_leaves_them_alone, start_intact),
        cmocka_unit_test_setup(mxcsr_counts_always, start_intact),
        cmocka_unit_test_setup(a_narrower_form_sees_what_it_covers, start_intact),
        cmocka_unit_test_setup(hits_add_up, start_intact),
        cmocka_unit_test_setup(rounds_without_a_finding_mark_nothing, start_rounds),
        cmocka_unit_test_setup(a_finding_that_is_counted_and_not_kept_is_on_the_map, start_rounds),
        cmocka_unit_test_setup(what_was_planted_is_on_the_map_of_planted_faults_alone,
                               start_rounds),
        cmocka_unit_test_setup(general_registers_that_the_event_may_write_are_no_hits,
                               start_rounds),
        cmocka_unit_test_setup(a_fault_is_no_hit, start_rounds),
        cmocka_unit_test_setup(what_an_area_lost_is_on_the_map, start_rounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
