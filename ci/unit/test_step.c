/*
 * What comes behind an instruction under TF, RF, or in a shadow: the right place, once, and for the
 * right cause is nothing to tell; all else is, and by its name.
 */
#include "../../efi/core/diagnosis/signatures.h"
#include "../../efi/core/window/exits.h"
#include "../../efi/core/window/findings.h"
#include "../../efi/core/window/round.h"
#include "../../efi/core/window/step.h"
#include "rounds_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define DR6_BREAKPOINT_1 0x2u
#define DR6_SINGLE_STEP  0x4000u

static struct round *round_at_hand;
static uint64_t behind;

/* The round of an exit, in which all came as it should, once `behind` is known. */
static void begin(const char *name, enum step_kind kind, uint64_t cause)
{
    const struct exit *exit = exit_named(name);
    assert_non_null(exit);
    assert_true(exit->steps);
    memset(&traps, 0, sizeof(traps));
    rounds_anew(FORM_XMM);
    plan.entry[0].exit = exit;
    plan.entry[0].window = exit->window;
    round_at_hand = &rounds.ring[0];
    round_fill(&rounds, round_at_hand, 0);
    memcpy(&round_at_hand->found, &round_at_hand->expected, sizeof(round_at_hand->found));
    rounds.stepping.kind = kind;
    traps.step = (struct step){.armed = true, .cause = cause, .count = 1};
    /* That place is the one difference to none at all. */
    assert_false(step_verify(&rounds, round_at_hand));
    assert_int_equal(rounds.areas.difference[0].got, 0);
    behind = rounds.areas.difference[0].want;
    traps.step.rip = behind;
    assert_true(step_verify(&rounds, round_at_hand));
    assert_int_equal(rounds.areas.differences, 0);
}

/* What is told of the round, as a slice does (slices.c). */
static void expect(const char *component, const char *signature)
{
    static struct finding finding;
    static struct diagnosis diagnosis;
    char components[DIAGNOSIS_TEXT];
    assert_false(step_verify(&rounds, round_at_hand));
    plan.options.findings_kept = 1;
    finding_keep(&rounds, 0, round_at_hand, plan.entry[0].window, AREA_DIFFER, 1);
    const struct finding *kept = findings_next(&rounds);
    assert_non_null(kept);
    finding = *kept;
    diagnose(&finding, &diagnosis);
    diagnosis_components(&diagnosis, components);
    assert_string_equal(components, component);
    assert_int_equal(diagnosis.corruption, CLASS_ALTERED);
    const struct signature *known = signature_find(&diagnosis);
    assert_string_equal(known ? known->name : "none", signature);
}

static void a_single_step_that_never_came_is_lost(void **state)
{
    (void)state;
    begin("cpuid-tf", STEP_OF_TRAP, DR6_SINGLE_STEP);
    traps.step.count = 0;
    expect("single-step", "single step lost");
}

static void a_single_step_one_instruction_later_is_at_a_wrong_place(void **state)
{
    (void)state;
    begin("out80-tf", STEP_OF_TRAP, DR6_SINGLE_STEP);
    traps.step.rip = behind + 2;
    expect("single-step", "single step at a wrong place");
    begin("cpuid-ss", STEP_OF_SHADOW, DR6_SINGLE_STEP);
    traps.step.rip = behind - 2;
    expect("single-step", "single step at a wrong place");
}

/* A #DB without DR6.BS is not known for a single step by the guest's debugger. */
static void a_single_step_without_its_cause_is_told(void **state)
{
    (void)state;
    begin("cpuid-tf", STEP_OF_TRAP, DR6_SINGLE_STEP);
    traps.step.cause = 0;
    expect("single-step", "none");
}

static void a_single_step_that_came_twice_is_told(void **state)
{
    (void)state;
    begin("apic-tf", STEP_OF_TRAP, DR6_SINGLE_STEP);
    traps.step.count = 2;
    expect("single-step", "none");
}

static void a_breakpoint_passed_over_is_lost(void **state)
{
    (void)state;
    begin("cpuid-rf", STEP_OF_BREAKPOINT, DR6_BREAKPOINT_1);
    traps.step.count = 0;
    expect("breakpoint", "breakpoint lost behind RF");
    begin("cpuid-rf", STEP_OF_BREAKPOINT, DR6_BREAKPOINT_1);
}

/* Once, or without an end: the exception that ends it is no finding beside. */
static void a_breakpoint_at_the_instruction_shows_that_rf_was_lost(void **state)
{
    (void)state;
    begin("cpuid-rf", STEP_OF_BREAKPOINT, DR6_BREAKPOINT_1);
    traps.step.rip = behind - 2;
    traps.step.cause = 1;
    expect("breakpoint", "breakpoint in spite of RF");
    round_at_hand->fault.vector = VECTOR_DEBUG;
    assert_false(step_without_end(&rounds, round_at_hand));
    traps.step.count = STEP_TIMES_MOST + 1;
    assert_true(step_without_end(&rounds, round_at_hand));
    expect("breakpoint", "breakpoint in spite of RF");
    round_at_hand->fault.vector = VECTOR_PAGE_FAULT;
    assert_false(step_without_end(&rounds, round_at_hand));
}

static void begin_interrupt(void)
{
    begin("cpuid-sti", STEP_OF_TRAP, DR6_SINGLE_STEP);
    rounds.stepping.kind = STEP_OF_INTERRUPT;
    assert_false(step_verify(&rounds, round_at_hand));
    behind = rounds.areas.difference[0].want;
    atomic_store(&traps.interrupts[INTERRUPT_STEP], 1);
    traps.interrupted = behind;
    assert_true(step_verify(&rounds, round_at_hand));
}

static void an_interrupt_elsewhere_than_behind_the_shadow_is_told(void **state)
{
    (void)state;
    begin_interrupt();
    traps.interrupted = behind - 2;
    expect("interrupt", "interrupt in the shadow of STI");
    begin_interrupt();
    traps.interrupted = behind + 1;
    expect("interrupt", "interrupt in the shadow of STI");
    begin_interrupt();
    rounds.stepping.interrupts = 1;
    expect("interrupt", "interrupt in the shadow of STI");
}

/* It may end a shadow, and is nobody's fault. */
static void with_a_non_maskable_interrupt_nothing_is_told(void **state)
{
    (void)state;
    begin("cpuid-tf", STEP_OF_TRAP, DR6_SINGLE_STEP);
    traps.step.count = 0;
    traps.nmis = 1;
    assert_true(step_verify(&rounds, round_at_hand));
}

/* Each way has a place of its own within the event, and all forms the same. */
static void each_way_has_a_place_within_the_event(void **state)
{
    (void)state;
    static const char *const names[] = {"cpuid-tf", "out80-tf", "apic-tf"};
    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        uint64_t places[3];
        static const enum step_kind of[] = {STEP_OF_TRAP, STEP_OF_SHADOW, STEP_OF_INTERRUPT};
        begin(names[n], STEP_OF_TRAP, DR6_SINGLE_STEP);
        for (size_t way = 0; way < 3; way++) {
            rounds.stepping.kind = of[way];
            rounds.stepping.interrupts = 0;
            traps.step.rip = 0;
            assert_false(step_verify(&rounds, round_at_hand));
            places[way] = rounds.areas.difference[0].want;
            const struct window *window = plan.entry[0].window;
            assert_true(places[way] > window->form[FORM_XMM].event);
            assert_true(places[way] < window->form[FORM_XMM].event_end);
            assert_true(way == 0 || places[way] > places[way - 1]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_single_step_that_never_came_is_lost),
        cmocka_unit_test(a_single_step_one_instruction_later_is_at_a_wrong_place),
        cmocka_unit_test(a_single_step_without_its_cause_is_told),
        cmocka_unit_test(a_single_step_that_came_twice_is_told),
        cmocka_unit_test(a_breakpoint_passed_over_is_lost),
        cmocka_unit_test(a_breakpoint_at_the_instruction_shows_that_rf_was_lost),
        cmocka_unit_test(an_interrupt_elsewhere_than_behind_the_shadow_is_told),
        cmocka_unit_test(with_a_non_maskable_interrupt_nothing_is_told),
        cmocka_unit_test(each_way_has_a_place_within_the_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
