/*
 * System registers, with made-up ones in the place of the processor's: what gets a pattern, what is
 * found, put back, and never written. The processor's own are lost in ci/boot/registers.t.
 */
#include "../../efi/core/diagnosis/diagnosis.h"
#include "../../efi/core/window/findings.h"
#include "../../efi/core/window/round.h"
#include "../../efi/core/window/slices.h"
#include "../../efi/core/window/system_pattern.h"
#include "../../efi/core/window/system_state.h"
#include "../linux/process.h"
#include "host.h"
#include "rounds_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define ALL (SYSTEM_BIT(SYSTEM_COUNT) - SYSTEM_BIT(SYSTEM_IDTR))

/* The made-up registers: what they hold, which bits a write changes, which raise an exception. */
static struct system_values registers;
static uint64_t sticks[SYSTEM_COUNT];
static uint64_t refused;
static uint32_t writes[SYSTEM_COUNT];

struct system_value system_read(enum system_register number)
{
    if (refused >> number & 1)
        __builtin_trap();
    return system_value_of(&registers, number);
}

void system_write(enum system_register number, struct system_value value)
{
    if (refused >> number & 1)
        __builtin_trap();
    writes[number]++;
    value.quadword[0] =
        (value.quadword[0] & sticks[number]) | (registers.first[number] & ~sticks[number]);
    system_value_put(&registers, number, value);
}

bool system_read_all(uint64_t set, struct system_values *got, const struct system_values *want)
{
    bool same = true;
    for (enum system_register number = 0; number < SYSTEM_COUNT; number++) {
        if (!(set >> number & 1))
            continue;
        struct system_value value = system_read(number);
        struct system_value wanted = system_value_of(want, number);
        system_value_put(got, number, value);
        same &= memcmp(&value, &wanted, sizeof(value)) == 0;
    }
    return same;
}

static const struct fake_leaf everything[] = {
    {0, 0, {0xd, 0, 0, 0}},
    {1, 0, {0, 0, 0, 1u << 11 | 1u << 16}},
    {7, 0, {0, 0, 1u << 31 | 1u << 7, 1u << 26}},
    {0xd, 1, {1u << 3, 0, 0, 0}},
    {0x80000000, 0, {0x80000008, 0, 0, 0}},
    {0x80000001, 0, {0, 0, 0, 1u << 27}},
};
static const struct fake_leaf nothing[] = {
    {0, 0, {1, 0, 0, 0}},
    {0x80000000, 0, {0x80000000, 0, 0, 0}},
};

static struct exit bare = {.name = "bare", .window = &window_bare, .rounds = 16};
static struct exit other = {.name = "other", .window = &window_bare, .rounds = 16};
static struct system_values before;

static void make_registers(void)
{
    memset(&registers, 0, sizeof(registers));
    for (enum system_register number = SYSTEM_IDTR; number < SYSTEM_COUNT; number++) {
        sticks[number] = UINT64_MAX;
        system_value_put(&registers, number, (struct system_value){{0x1000 + number, number}});
    }
    registers.first[SYSTEM_DR7] = 0x400; /* no breakpoint is on */
    registers.first[SYSTEM_CR8] = 0;
    before = registers;
    refused = 0;
    memset(writes, 0, sizeof(writes));
}

static int start(void **state)
{
    (void)state;
    fake_cpuid(everything, sizeof(everything) / sizeof(everything[0]));
    make_registers();
    rounds_anew(FORM_XMM);
    machine.system[0] = '\0';
    bare = (struct exit){.name = "bare", .window = &window_bare, .rounds = 16};
    plan.count = 2;
    plan.entry[0].exit = &bare;
    plan.entry[1].exit = &other;
    plan.entry[0].window = plan.entry[1].window = &window_bare;
    traps_enter(&traps);
    slices_prepare(&rounds);
    return 0;
}

static int leave(void **state)
{
    (void)state;
    traps_leave(&traps);
    fake_cpuid(NULL, 0);
    return 0;
}

static void expect_registers_as_before(void)
{
    assert_memory_equal(&registers, &before, sizeof(before));
}

static void msrs_are_behind_the_others_and_names_are_unique(void **state)
{
    (void)state;
    for (enum system_register number = 0; number < SYSTEM_COUNT; number++) {
        assert_non_null(system_rows[number].name);
        assert_int_equal(system_rows[number].msr != 0, number >= SYSTEM_EFER);
        for (enum system_register one = 0; one < number; one++)
            assert_string_not_equal(system_rows[one].name, system_rows[number].name);
    }
}

/* Each vCPU and each generation has another one, which says whose it is, and is canonical. */
static void a_pattern_says_whose_it_is(void **state)
{
    (void)state;
    const struct pattern_key key = {.run = 0xcafe, .vcpu = 3}, another = {.run = 0xbeef, .vcpu = 3};
    struct pattern_origin origin;
    for (uint32_t generation = 0; generation < 4000; generation++) {
        uint64_t value = system_pattern(&key, SYSTEM_LSTAR, generation, SYSTEM_CANONICAL);
        assert_true((int64_t)value >> 46 == 0 || (int64_t)value >> 46 == -1);
        assert_true(system_pattern_decode(value, &key, SYSTEM_LSTAR, &origin));
        assert_int_equal(origin.generation, generation);
        assert_int_equal(origin.vcpu, 3);
        assert_int_equal(origin.reg, SYSTEM_LSTAR);
        assert_false(system_pattern_decode(value, &another, SYSTEM_LSTAR, &origin));
        value = system_pattern(&key, SYSTEM_TSC_AUX, generation, UINT32_MAX);
        assert_true(value <= UINT32_MAX);
        assert_true(system_pattern_decode(value, &key, SYSTEM_TSC_AUX, &origin));
        assert_int_equal(origin.generation, generation);
        assert_int_equal(origin.vcpu, 3);
    }
}

static void a_narrow_pattern_changes_each_time_and_is_never_zero(void **state)
{
    (void)state;
    const uint64_t masks[] = {0xf, 0xe00f, 0xffff, 0xb};
    for (size_t n = 0; n < sizeof(masks) / sizeof(masks[0]); n++) {
        const struct pattern_key key = {.vcpu = 9};
        uint64_t last = 0;
        for (uint32_t generation = 0; generation < 300; generation++) {
            uint64_t value = system_pattern(&key, SYSTEM_CR8, generation, masks[n]);
            assert_true(value && !(value & ~masks[n]) && value != last);
            last = value;
        }
    }
}

static void all_is_compared_and_what_is_free_has_a_pattern(void **state)
{
    (void)state;
    struct system_values last = before;
    assert_int_equal(rounds.system.present, ALL);
    expect_registers_as_before();
    for (unsigned int slice = 0; slice < 20; slice++) {
        system_begin(&rounds, &bare);
        for (enum system_register number = SYSTEM_IDTR; number < SYSTEM_COUNT; number++) {
            const bool pattern = system_rows[number].pattern_bits != 0;
            assert_int_equal(rounds.system.patterned >> number & 1, pattern);
            assert_int_equal(registers.first[number] != before.first[number], pattern);
            assert_true(!pattern || registers.first[number] != last.first[number]);
        }
        last = registers;
        assert_true(system_compare(&rounds));
        system_end(&rounds);
    }
    system_put_back(&rounds);
    expect_registers_as_before();
}

static void what_is_to_be_left_is_never_written(void **state)
{
    (void)state;
    static const enum system_register left[] = {SYSTEM_SPEC_CTRL, SYSTEM_DEBUGCTL, SYSTEM_CS,
                                                SYSTEM_TR};
    for (size_t n = 0; n < sizeof(left) / sizeof(left[0]); n++) {
        system_begin(&rounds, &bare);
        registers.first[left[n]] ^= 1;
        assert_false(system_compare(&rounds));
        assert_true(system_compare(&rounds));
        system_end(&rounds);
        system_put_back(&rounds);
        assert_int_equal(writes[left[n]], 0);
    }
    /* And what nothing happened to has no reason to be. */
    for (enum system_register number = SYSTEM_IDTR; number < SYSTEM_COUNT; number++)
        assert_int_equal(writes[number] != 0, system_rows[number].pattern_bits != 0);
}

static enum system_register to_lose;

/* In the second round of a slice, and there alone. */
static enum begun lose(struct rounds *of, struct round *round, const char **reason)
{
    (void)round;
    (void)reason;
    if (of->tally[0].rounds == 0 && of->beats % 3 == 0)
        registers.first[to_lose] ^= UINT64_C(1) << 3;
    return BEGUN;
}

static void a_loss_is_one_finding_of_its_exit_and_put_back(void **state)
{
    (void)state;
    bare.begin = lose;
    for (to_lose = SYSTEM_IDTR; to_lose < SYSTEM_COUNT; to_lose++) {
        struct diagnosis diagnosis;
        char components[DIAGNOSIS_TEXT], bits[DIAGNOSIS_TEXT];
        rounds.tally[0].rounds = rounds.tally[0].findings = rounds.tally[0].kept = 0;
        rounds.beats = 0;
        slice_run(&rounds, 0);
        slice_run(&rounds, 1);
        slice_run(&rounds, 1);
        assert_int_equal(rounds.tally[0].findings, 1);
        assert_int_equal(rounds.tally[1].findings, 0);
        const struct finding *finding = findings_next(&rounds);
        assert_non_null(finding);
        assert_true(finding->of_slice);
        assert_int_equal(finding->exit, 0);
        assert_int_equal(finding->round, rounds.tally[0].rounds);
        assert_false(finding->memory_changed);
        diagnose(finding, &diagnosis);
        diagnosis_components(&diagnosis, components);
        diagnosis_bits(&diagnosis, bits);
        assert_string_equal(components, system_rows[to_lose].name);
        assert_string_equal(bits, "3");
        assert_int_equal(diagnosis.corruption, CLASS_ALTERED);
        findings_took(&rounds);
        system_put_back(&rounds);
        if (system_rows[to_lose].is_left)
            registers.first[to_lose] = before.first[to_lose];
        expect_registers_as_before();
    }
}

static void expect_class(enum system_register number, uint64_t value, enum corruption_class class,
                         const char *bits_wanted)
{
    struct diagnosis diagnosis;
    char bits[DIAGNOSIS_TEXT];
    rounds.areas.differences = 0;
    registers.first[number] = value;
    assert_false(system_compare(&rounds));
    rounds.tally[0].kept = 0;
    finding_keep_of_slice(&rounds, 0, &window_bare);
    diagnose(findings_next(&rounds), &diagnosis);
    findings_took(&rounds);
    diagnosis_bits(&diagnosis, bits);
    assert_string_equal(class_name(diagnosis.corruption), class_name(class));
    assert_string_equal(bits, bits_wanted);
}

static void the_class_says_what_became_of_a_pattern(void **state)
{
    (void)state;
    const struct pattern_key key = rounds.key, peer = {.run = key.run, .vcpu = key.vcpu + 1};
    for (unsigned int n = 0; n < 5; n++) {
        system_begin(&rounds, &bare);
        system_end(&rounds);
    }
    system_begin(&rounds, &bare);
    uint64_t earlier = system_pattern(&key, SYSTEM_LSTAR, 2, SYSTEM_CANONICAL);
    uint64_t swapped = registers.first[SYSTEM_CSTAR];
    uint64_t foreign = UINT64_C(0xffff800012345678);
    expect_class(SYSTEM_LSTAR, earlier, CLASS_STALE, "63:0");
    expect_class(SYSTEM_LSTAR, swapped, CLASS_SWAPPED, "63:0");
    expect_class(SYSTEM_LSTAR, foreign, CLASS_FOREIGN, "63:0");
    expect_class(SYSTEM_LSTAR, 0, CLASS_ZEROED, "63:0");
    expect_class(SYSTEM_TSC_AUX, system_pattern(&peer, SYSTEM_TSC_AUX, 77, UINT32_MAX),
                 CLASS_OTHER_VCPU, "31:0");
    expect_class(SYSTEM_TSC_AUX, 0, CLASS_ZEROED, "31:0");
    expect_class(SYSTEM_CR4, registers.first[SYSTEM_CR4] ^ 0x110, CLASS_ALTERED, "8,4");
}

static void what_the_firmware_changes_is_no_finding(void **state)
{
    (void)state;
    slice_run(&rounds, 0);
    system_put_back(&rounds);
    assert_int_equal(rounds.system.changed_outside, 0);
    registers.first[SYSTEM_PAT] ^= 1;
    registers.first[SYSTEM_CR2] ^= 1;
    registers.second[SYSTEM_GDTR] ^= 8;
    before = registers;
    slice_run(&rounds, 0);
    assert_int_equal(rounds.findings, 0);
    assert_int_equal(rounds.system.changed_outside,
                     SYSTEM_BIT(SYSTEM_PAT) | SYSTEM_BIT(SYSTEM_GDTR));
    system_put_back(&rounds);
    expect_registers_as_before();
}

/* Where no firmware runs, there is nobody else: the reference is that of the start. */
static void a_loss_between_slices_is_found_where_no_firmware_ran(void **state)
{
    (void)state;
    slice_run(&rounds, 0);
    registers.first[SYSTEM_EFER] ^= 1;
    slice_run(&rounds, 1);
    slice_run(&rounds, 0);
    assert_int_equal(rounds.tally[1].findings, 1);
    assert_int_equal(rounds.findings, 1);
    assert_int_equal(rounds.system.changed_outside, 0);
}

static void what_is_refused_or_absent_has_a_reason(void **state)
{
    (void)state;
    fake_cpuid(nothing, sizeof(nothing) / sizeof(nothing[0]));
    process_exceptions(); /* cmocka has its own by now */
    refused = SYSTEM_BIT(SYSTEM_STAR);
    memset(&rounds.system, 0, sizeof(rounds.system));
    system_prepare(&rounds);
    assert_string_equal(rounds.system.reason[SYSTEM_STAR], "reading it raises an exception here");
    assert_ptr_equal(rounds.system.reason[SYSTEM_TSC_AUX], system_absent);
    assert_ptr_equal(rounds.system.reason[SYSTEM_PKRS], system_absent);
    assert_null(rounds.system.reason[SYSTEM_LSTAR]);
    slice_run(&rounds, 0);
    assert_int_equal(rounds.findings, 0);
    assert_int_equal(rounds.system.present & (SYSTEM_BIT(SYSTEM_STAR) | SYSTEM_BIT(SYSTEM_XSS)), 0);
    assert_int_equal(writes[SYSTEM_XSS], 0);
}

/* As SYSENTER_ESP of AMD, which has 32 bits; a register that takes one pattern and no other. */
static void only_bits_that_take_it_have_a_pattern(void **state)
{
    (void)state;
    sticks[SYSTEM_SYSENTER_ESP] = UINT32_MAX;
    sticks[SYSTEM_CSTAR] = 0;
    sticks[SYSTEM_KERNEL_GS_BASE] = UINT64_C(0xffffffff0000ffff);
    memset(&rounds.system, 0, sizeof(rounds.system));
    system_prepare(&rounds);
    expect_registers_as_before();
    assert_int_equal(rounds.system.free[SYSTEM_SYSENTER_ESP], UINT32_MAX);
    assert_int_equal(rounds.system.free[SYSTEM_CSTAR], 0);
    assert_int_equal(rounds.system.free[SYSTEM_KERNEL_GS_BASE], 0);
    slice_run(&rounds, 0);
    assert_int_equal(rounds.findings, 0);
    system_begin(&rounds, &bare);
    assert_int_not_equal(registers.first[SYSTEM_SYSENTER_ESP], before.first[SYSTEM_SYSENTER_ESP]);
    assert_int_equal(registers.first[SYSTEM_CSTAR], before.first[SYSTEM_CSTAR]);
    registers.first[SYSTEM_CSTAR] ^= 1; /* it is compared all the same */
    assert_false(system_compare(&rounds));
}

static void with_interrupts_on_cr8_and_gs_stay(void **state)
{
    (void)state;
    bare.interrupts = true;
    system_begin(&rounds, &other);
    assert_int_not_equal(registers.first[SYSTEM_CR8], before.first[SYSTEM_CR8]);
    assert_int_not_equal(registers.first[SYSTEM_GS_BASE], before.first[SYSTEM_GS_BASE]);
    system_end(&rounds);
    for (unsigned int n = 0; n < 2; n++) { /* between slices interrupts may be let in */
        assert_int_equal(registers.first[SYSTEM_CR8], before.first[SYSTEM_CR8]);
        assert_int_equal(registers.first[SYSTEM_GS_BASE], before.first[SYSTEM_GS_BASE]);
        system_begin(&rounds, &bare);
    }
    assert_int_not_equal(registers.first[SYSTEM_FS_BASE], before.first[SYSTEM_FS_BASE]);
    registers.first[SYSTEM_CR8] = 5;
    assert_false(system_compare(&rounds));
}

static void what_the_event_changes_is_not_compared(void **state)
{
    (void)state;
    bare.system_changed = SYSTEM_BIT(SYSTEM_DR6);
    slice_run(&rounds, 1);
    system_begin(&rounds, &bare);
    assert_int_equal(registers.first[SYSTEM_DR6], before.first[SYSTEM_DR6]);
    registers.first[SYSTEM_DR6] = 0x4000;
    assert_true(system_compare(&rounds));
    system_end(&rounds);
    assert_int_equal(registers.first[SYSTEM_DR6], before.first[SYSTEM_DR6]);
    slice_run(&rounds, 1);
    assert_int_equal(rounds.findings, 0);
}

static void a_page_fault_of_ours_explains_cr2(void **state)
{
    (void)state;
    system_begin(&rounds, &bare);
    registers.first[SYSTEM_CR2] = 0x400000000000;
    system_exception(&rounds, VECTOR_PAGE_FAULT);
    registers.first[SYSTEM_DR6] |= 0x4000;
    system_exception(&rounds, 1);
    assert_true(system_compare(&rounds));
    registers.first[SYSTEM_CR2] = 0x400000000000;
    system_exception(&rounds, 13);
    assert_false(system_compare(&rounds));
}

static void breakpoints_of_the_firmware_stay_where_they_are(void **state)
{
    (void)state;
    registers.first[SYSTEM_DR7] = 0x402; /* the first, everywhere */
    memset(&rounds.system, 0, sizeof(rounds.system));
    memset(writes, 0, sizeof(writes));
    system_prepare(&rounds);
    slice_run(&rounds, 0);
    for (enum system_register number = SYSTEM_DR0; number <= SYSTEM_DR3; number++)
        assert_int_equal(writes[number], 0);
    assert_int_equal(rounds.findings, 0);
}

static void a_process_has_none(void **state)
{
    (void)state;
    memset(&rounds.system, 0, sizeof(rounds.system));
    memset(writes, 0, sizeof(writes));
    refused = UINT64_MAX;
    machine.system[0] = 'L';
    system_prepare(&rounds);
    slice_run(&rounds, 0);
    assert_int_equal(rounds.system.present, 0);
    assert_int_equal(rounds.system.comparisons, 0);
    machine.system[0] = '\0';
    machine.confidential = CONFIDENTIAL_TDX;
    system_prepare(&rounds);
    machine.confidential = 0;
    assert_int_equal(rounds.system.present, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(msrs_are_behind_the_others_and_names_are_unique),
        cmocka_unit_test(a_pattern_says_whose_it_is),
        cmocka_unit_test(a_narrow_pattern_changes_each_time_and_is_never_zero),
        cmocka_unit_test_setup_teardown(all_is_compared_and_what_is_free_has_a_pattern, start,
                                        leave),
        cmocka_unit_test_setup_teardown(what_is_to_be_left_is_never_written, start, leave),
        cmocka_unit_test_setup_teardown(a_loss_is_one_finding_of_its_exit_and_put_back, start,
                                        leave),
        cmocka_unit_test_setup_teardown(the_class_says_what_became_of_a_pattern, start, leave),
        cmocka_unit_test_setup_teardown(what_the_firmware_changes_is_no_finding, start, leave),
        cmocka_unit_test_setup_teardown(a_loss_between_slices_is_found_where_no_firmware_ran, start,
                                        leave),
        cmocka_unit_test_setup_teardown(what_is_refused_or_absent_has_a_reason, start, leave),
        cmocka_unit_test_setup_teardown(only_bits_that_take_it_have_a_pattern, start, leave),
        cmocka_unit_test_setup_teardown(with_interrupts_on_cr8_and_gs_stay, start, leave),
        cmocka_unit_test_setup_teardown(what_the_event_changes_is_not_compared, start, leave),
        cmocka_unit_test_setup_teardown(a_page_fault_of_ours_explains_cr2, start, leave),
        cmocka_unit_test_setup_teardown(breakpoints_of_the_firmware_stay_where_they_are, start,
                                        leave),
        cmocka_unit_test_setup_teardown(a_process_has_none, start, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
