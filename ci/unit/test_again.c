/* What is told of how to see findings again, and of exits that run more often for them. */
#include "../../efi/core/report/events.h"
#include "../../efi/core/report/report.h"
#include "../../efi/core/run/again.h"
#include "../../efi/core/run/counts.h"
#include "../../efi/core/run/focus.h"
#include "../../efi/core/run/option_words.h"
#include "../../efi/core/run/planning.h"
#include "../../efi/core/window/exits.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define VCPUS   4u
#define MINUTE  60000u /* milliseconds */
#define ONE_RUN 1000u  /* what all slices of a run take, in units of its counts */

static struct machine machine;
static struct options options;
static struct vcpu vcpus[VCPUS];
static struct watched watched[VCPUS];
static struct run run;
static struct totals totals;
static struct outcome outcome;

static char log_lines[8192], text_lines[8192];
static struct text logged, said;

static void keep_log(const char *line)
{
    text_add(&logged, "%s\n", line);
}

static void keep_text(const char *line)
{
    text_add(&said, "%s\n", line);
}

static void forget_lines(void)
{
    text_start(&logged, log_lines, sizeof(log_lines));
    text_start(&said, text_lines, sizeof(text_lines));
}

static bool parse(const char *words)
{
    char wrong[512];
    struct text error;
    text_start(&error, wrong, sizeof(wrong));
    options_default(&options);
    return options_parse(&options, "test", words, strlen(words), &error);
}

static int start_anew(void **state)
{
    (void)state;
    options_default(&options);
    memset(&run, 0, sizeof(run));
    memset(&totals, 0, sizeof(totals));
    memset(vcpus, 0, sizeof(vcpus));
    memset(watched, 0, sizeof(watched));
    run.machine = &machine;
    run.options = &options;
    run.watched = watched;
    run.processors.count = VCPUS;
    run.elapsed = MINUTE;
    run.plan.weighed = true;
    totals.vcpus = VCPUS;
    for (uint32_t cpu = 0; cpu < VCPUS; cpu++) {
        watched[cpu].vcpu = &vcpus[cpu];
        vcpus[cpu].rounds.plan = &run.plan;
        vcpus[cpu].rounds.cpu = cpu;
        atomic_store(&vcpus[cpu].state, VCPU_DONE);
    }
    forget_lines();
    return 0;
}

/* An exit in the plan: what was found, what its slices took, and what one of a pass does. */
static void ran(const char *name, uint64_t findings, uint64_t spent, uint64_t slice)
{
    struct exit_counts *counts = &run.counted[run.plan.count];
    run.plan.entry[run.plan.count++].exit = exit_named(name);
    *counts = (struct exit_counts){.result = {.name = name, .findings = findings},
                                   .spent = spent,
                                   .whole_spent = 10 * slice,
                                   .whole_slices = 10};
    totals.findings += findings;
}

static void found_on(uint32_t cpu, uint64_t findings)
{
    atomic_store(&vcpus[cpu].rounds.findings, findings);
}

static const struct again *describe(void)
{
    outcome = (struct outcome){.verdict = VERDICT_FAIL, .milliseconds = run.elapsed};
    again_describe(&run, &totals, &outcome);
    return &outcome.again;
}

static void expect_options(const char *words)
{
    const char *has = describe()->options;
    if (!strstr(has, words))
        fail_msg("no \"%s\" in: %s", words, has);
}

static void a_plan_of_the_same_shares_has_the_same_rate(void **state)
{
    (void)state;
    ran("cpuid", 4, 3 * ONE_RUN / 4, 30);
    ran("out80", 2, ONE_RUN / 4, 10);
    assert_int_equal(describe()->seconds, 30);
}

/* 100 of 101 come from an exit that had half of the time, and has a 17th of it then. */
static void a_plan_of_other_shares_has_its_own_rate(void **state)
{
    (void)state;
    ran("cpuid", 100, 500, 1);
    ran("hold", 1, 460, 16);
    ran("out80", 0, 40, 1);
    assert_int_equal(describe()->seconds, 13);
}

/* A rare one in an exit that had next to no time comes soon when it has all of it. */
static void an_exit_alone_has_all_of_the_time(void **state)
{
    (void)state;
    ran("cpuid", 1, 10, 1);
    ran("hold", 0, 990, 16);
    assert_int_equal(describe()->seconds, 1);
    expect_options("exits=cpuid ");
}

static void blocks_come_from_all_that_write(void **state)
{
    (void)state;
    ran("disk-write", 0, 250, 10);
    ran("disk-mixed", 0, 250, 10);
    ran("hold", 0, 500, 10);
    totals.wrong_blocks = 3;
    assert_int_equal(describe()->seconds, 30);
    expect_options("exits=disk-write,disk-mixed cpus=all ");
}

static void slices_of_all_vcpus_are_added_up(void **state)
{
    (void)state;
    ran("cpuid", 0, 0, 0);
    for (uint32_t cpu = 0; cpu < VCPUS; cpu++) {
        struct tally *tally = &vcpus[cpu].rounds.tally[0];
        atomic_store(&tally->slice_cycles, UINT64_MAX / 2);
        atomic_store(&tally->whole_cycles, UINT64_MAX / 3);
        atomic_store(&tally->whole_slices, cpu);
    }
    struct exit_counts counts = count_exit(&run, 0);
    assert_true(counts.spent == UINT64_MAX / 2 / 1024 * VCPUS);
    assert_true(counts.whole_spent == UINT64_MAX / 3 / 1024 * VCPUS);
    assert_true(counts.whole_slices == 0 + 1 + 2 + 3);
}

static void what_came_before_the_first_exit_has_the_rate_of_the_run(void **state)
{
    (void)state;
    ran("cpuid", 0, 500, 1);
    totals.findings = 3;
    assert_int_equal(describe()->seconds, 60);
    expect_options("cpus=all ");
    assert_null(strstr(outcome.again.options, "exits="));
}

static void counts_of_nothing_divide_nothing(void **state)
{
    (void)state;
    ran("cpuid", 1, 0, 0);
    run.counted[0].whole_slices = 0;
    assert_true(describe()->seconds > 0);
}

static void the_options_have_the_time_that_it_takes(void **state)
{
    (void)state;
    ran("cpuid", 60, ONE_RUN, 1);
    expect_options(" time=60");
    run.counted[0].result.findings = 1;
    expect_options(" time=180");
    run.elapsed = UINT64_C(3153600000) * 1000;
    expect_options(" time=3153600000");
    assert_true(parse(outcome.again.options));
}

static void the_options_have_who_starts_the_vcpus(void **state)
{
    (void)state;
    ran("cpuid", 1, ONE_RUN, 1);
    assert_null(strstr(describe()->options, "processors="));
    assert_true(parse("processors=own"));
    expect_options(" processors=own ");
    assert_true(parse("processors=firmware"));
    expect_options(" processors=firmware ");
    assert_true(parse(outcome.again.options));
    assert_int_equal(options.processors, PROCESSORS_FIRMWARE);
}

/* Of four vCPUs it takes twelve findings to say that the others have none. */
static void few_findings_say_nothing_of_other_vcpus(void **state)
{
    (void)state;
    ran("cpuid", 11, ONE_RUN, 1);
    found_on(1, 5);
    found_on(2, 6);
    expect_options(" cpus=all ");
    assert_string_equal(outcome.again.vcpus, "1-2");
    totals.findings = 12;
    expect_options(" cpus=1-2 ");
}

static void hit_all(void)
{
    for (uint32_t row = 0; row < exit_count; row++)
        ran(exits[row].name, 1000, ONE_RUN, 1);
    found_on(0, totals.findings);
}

/* Whatever a report breaks its lines for, they can be typed as they stand. */
static void the_longest_list_of_a_report_can_be_pasted(void **state)
{
    (void)state;
    hit_all();
    event_again((describe(), &outcome));
    assert_false(logged.cut || said.cut);
    char *pasted = strstr(text_lines, "\nAgain ");
    assert_non_null(pasted);
    pasted = strchr(pasted + 1, '\n');
    assert_true(strchr(pasted + 1, '\n') < pasted + 81); /* and it was wrapped */
    assert_true(parse(pasted));
    assert_true(options.exits_named && options.exits == (UINT64_C(1) << exit_count) - 1);
    assert_int_equal(options.seconds, 60);
}

/* "exits=" of ev=rate, each name of which is whole. */
static void a_long_list_is_cut_between_names(void **state)
{
    (void)state;
    hit_all();
    event_again((describe(), &outcome));
    char *list = strstr(log_lines, " exits=\"");
    assert_non_null(list);
    list += strlen(" exits=\"");
    *strchr(list, '"') = '\0';
    uint32_t whole = 0, more = 0;
    for (char *name = strtok(list, ", "); name; name = strtok(NULL, ", ")) {
        whole += exit_named(name) != NULL;
        if (exit_named(name))
            continue;
        for (; *name >= '0' && *name <= '9'; name++)
            more = more * 10 + (uint32_t)(*name - '0');
        assert_string_equal(strtok(NULL, ""), "more");
    }
    assert_true(whole > 5 && more > 0);
    assert_int_equal(whole + more, exit_count);
}

static void only_a_fail_that_ran_is_told(void **state)
{
    (void)state;
    ran("cpuid", 1, ONE_RUN, 1);
    (void)describe();
    outcome.verdict = VERDICT_ERROR;
    event_again(&outcome);
    outcome.verdict = VERDICT_FAIL;
    outcome.milliseconds = 0;
    event_again(&outcome);
    assert_int_equal(logged.length + said.length, 0);
    outcome.milliseconds = MINUTE;
    event_again(&outcome);
    assert_non_null(strstr(log_lines, "ev=rate findings=1 "));
    assert_non_null(strstr(log_lines, " again_within=180 "));
    assert_non_null(strstr(log_lines, "ev=again text=\"exits=cpuid "));
}

/* --- focus= --- */

static uint32_t lines_with(const char *words)
{
    uint32_t count = 0;
    for (const char *at = log_lines; (at = strstr(at, words)) != NULL; at++)
        count++;
    return count;
}

static void find_in(uint32_t entry)
{
    atomic_store(&vcpus[1].rounds.tally[entry].findings, 1);
    totals.findings++;
}

static void one_notice_names_all_that_is_new(void **state)
{
    (void)state;
    for (uint32_t row = 0; row < 10; row++)
        ran(exits[row].name, 0, 1, 1);
    focus_follow(&run, &totals);
    assert_int_equal(logged.length, 0);
    find_in(0);
    focus_follow(&run, &totals);
    assert_non_null(strstr(log_lines, "text=\"findings in cpuid: it runs more often from here on"));
    forget_lines();
    find_in(3);
    find_in(4);
    focus_follow(&run, &totals);
    assert_int_equal(lines_with("ev=notice"), 1);
    assert_non_null(strstr(log_lines, "findings in out80, rtc: they run more often"));
    assert_true(vcpus[1].rounds.focus == (1 | 1 << 3 | 1 << 4));
    focus_follow(&run, &totals);
    assert_int_equal(lines_with("ev=notice"), 1);
}

static void most_of_the_plan_is_told_no_more(void **state)
{
    (void)state;
    for (uint32_t row = 0; row < exit_count; row++)
        ran(exits[row].name, 0, 1, 1);
    for (uint32_t row = 0; row < exit_count; row++) {
        find_in(row);
        focus_follow(&run, &totals);
    }
    assert_int_equal(lines_with("ev=notice"), exit_count / 2 + 1);
    assert_true(vcpus[1].rounds.focus == (UINT64_C(1) << exit_count) - 1);
    forget_lines();
    run.focus = run.focus_findings = 0;
    focus_follow(&run, &totals); /* all at once: the text of one notice, in as many lines */
    assert_int_equal(lines_with("findings in"), 1);
    assert_non_null(strstr(log_lines, "they run more"));
    assert_non_null(strstr(log_lines, "(focus=off prevents"));
}

static void a_plan_that_is_not_weighed_has_no_focus(void **state)
{
    (void)state;
    ran("cpuid", 0, 1, 1);
    find_in(0);
    run.plan.weighed = false;
    focus_follow(&run, &totals);
    assert_int_equal(logged.length, 0);
    assert_true(vcpus[1].rounds.focus == 0);
}

/* Whether a run by these options says that focus= is for nothing. */
static bool focus_is_said_to_be_off(const char *words)
{
    (void)start_anew(NULL);
    run.watched = NULL;
    assert_true(parse(words));
    assert_true(planning_boot_vcpu(&run) && planning_all(&run));
    planning_undo(&run);
    assert_true(lines_with("focus=auto does nothing here") <= 1);
    return lines_with("focus=auto does nothing here") == 1;
}

static void a_focus_that_was_asked_for_is_not_off_in_silence(void **state)
{
    (void)state;
    assert_true(focus_is_said_to_be_off("focus=auto exits=cpuid cpus=0"));
    assert_true(focus_is_said_to_be_off("focus=auto passes=3 cpus=0"));
    assert_false(focus_is_said_to_be_off("focus=auto cpus=0"));
    assert_false(focus_is_said_to_be_off("focus=auto exits=hold cpus=0"));
    assert_false(focus_is_said_to_be_off("exits=cpuid passes=3 cpus=0"));
    assert_false(focus_is_said_to_be_off("focus=off exits=cpuid cpus=0"));
}

int main(void)
{
    static struct sink log_sink = {.log = keep_log}, text_sink = {.text = keep_text};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_plan_of_the_same_shares_has_the_same_rate, start_anew),
        cmocka_unit_test_setup(a_plan_of_other_shares_has_its_own_rate, start_anew),
        cmocka_unit_test_setup(an_exit_alone_has_all_of_the_time, start_anew),
        cmocka_unit_test_setup(blocks_come_from_all_that_write, start_anew),
        cmocka_unit_test_setup(slices_of_all_vcpus_are_added_up, start_anew),
        cmocka_unit_test_setup(what_came_before_the_first_exit_has_the_rate_of_the_run, start_anew),
        cmocka_unit_test_setup(counts_of_nothing_divide_nothing, start_anew),
        cmocka_unit_test_setup(the_options_have_the_time_that_it_takes, start_anew),
        cmocka_unit_test_setup(the_options_have_who_starts_the_vcpus, start_anew),
        cmocka_unit_test_setup(few_findings_say_nothing_of_other_vcpus, start_anew),
        cmocka_unit_test_setup(the_longest_list_of_a_report_can_be_pasted, start_anew),
        cmocka_unit_test_setup(a_long_list_is_cut_between_names, start_anew),
        cmocka_unit_test_setup(only_a_fail_that_ran_is_told, start_anew),
        cmocka_unit_test_setup(one_notice_names_all_that_is_new, start_anew),
        cmocka_unit_test_setup(most_of_the_plan_is_told_no_more, start_anew),
        cmocka_unit_test_setup(a_plan_that_is_not_weighed_has_no_focus, start_anew),
        cmocka_unit_test_setup(a_focus_that_was_asked_for_is_not_off_in_silence, start_anew),
    };
    report_add_sink(&log_sink);
    report_add_sink(&text_sink);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
