/*
 * The values of options: what is allowed is taken, what is not is named, with what is allowed, and
 * changes nothing. Each option of the program has cases here.
 */
#include "../../efi/core/run/load_options.h"
#include "../../efi/core/run/option_table.h"
#include "../../efi/core/run/option_words.h"
#include "../../efi/core/window/corruption.h"
#include "../../efi/core/window/exits.h"
#include "host.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct options options;
static struct text error;

#define GOOD_MAX 8
#define BAD_MAX  32

struct cases {
    const char *name;
    const char *shown_default; /* in a list of options */
    uint64_t default_number;   /* that is then in the member's first bytes */
    void *member;
    size_t size;
    bool *chosen; /* says that the operator chose; NULL: nothing does */
    const char *allowed;
    struct {
        const char *value;
        uint64_t number; /* the same */
    } good[GOOD_MAX + 1];
    const char *bad[BAD_MAX + 1];
};

#define MEMBER(name) .member = &options.name, .size = sizeof(options.name)

static const struct cases all_cases[] = {
    {.name = "time",
     .shown_default = "60",
     .default_number = 60,
     MEMBER(seconds),
     .chosen = &options.seconds_given,
     .allowed = "seconds from 0 to 3153600000, 0 until a key is pressed",
     .good = {{"60", 60}, {"0", 0}, {"007", 7}, {"3153600000", 3153600000}},
     .bad = {"-1", "1.5", "1m", "0x10", "3153600001", "18446744073709551616", "1,2", "all"}},
    {.name = "passes",
     .shown_default = "0",
     MEMBER(plan.passes),
     .allowed = "a number, 0 for no limit",
     .good = {{"0", 0}, {"5", 5}, {"18446744073709551615", UINT64_MAX}},
     .bad = {"many", "-1", "18446744073709551616"}},
    {.name = "exits",
     .shown_default = "all",
     MEMBER(exits),
     .chosen = &options.exits_named,
     .allowed = "all, or a list of ",
     .good = {{"cpuid", 1}, {"hypercall", 2}, {"cpuid,hypercall", 3}, {"hypercall,cpuid,cpuid", 3}},
     .bad = {"cpuid,nothing", ",cpuid", "cpuid,", "cpuid,pause,", "all,", ",", "cpuid,,pause",
             "CPUID", "cpui", "cpuidx", "all,cpuid", "cpuid,all"}},
    {.name = "cpus",
     .shown_default = "all",
     .default_number = UINT64_MAX,
     MEMBER(cpus),
     .chosen = &options.cpus_named,
     .allowed = "all, or a list such as 0,2-3 of numbers below 1024",
     .good = {{"all", UINT64_MAX}, {"0", 1}, {"1,3-5", 0x3a}, {"7-7", 0x80}, {"1023", 0}},
     .bad = {",1",     "1,",
             "1-2,",   "all,",
             ",",      "1,,2",
             "-1",     "2-",
             "2-,5",   "5,2-",
             "2-3-",   "-",
             "2-1",    "1-2-3",
             "1--2",   "1024",
             "0-1024", "1023-1024",
             "0,1024", "a",
             "1,a",    "all,1",
             "1,all",  "18446744073709551616",
             "0x1",    "0-18446744073709551615"}},
    {.name = "hold",
     .shown_default = "1000",
     .default_number = 1000,
     MEMBER(plan.hold_microseconds),
     .allowed = "microseconds from 1 to 1000000",
     .good = {{"1", 1}, {"20", 20}, {"1000000", 1000000}},
     .bad = {"0", "1000001", "-1", "1ms", "18446744073709551616", "4294967297"}},
    {.name = "seed",
     .shown_default = "by clock",
     MEMBER(seed),
     .chosen = &options.seed_given,
     .allowed = "up to 16 hexadecimal digits",
     .good = {{"0", 0},
              {"12", 0x12},
              {"0xFEDCBA9876543210", 0xfedcba9876543210},
              {"ffffffffffffffff", UINT64_MAX}},
     .bad = {"0x", "g", "-1", "10000000000000000", "all"}},
    {.name = "inject",
     .shown_default = "none",
     MEMBER(plan.inject_classes),
     .allowed = "all, zeroed, stale, other-vcpu, other-run, swapped, bit-flip, foreign, ghost, "
                "altered, fault; with /N: every Nth round, N from 1",
     .good = {{"zeroed", 1u << CLASS_ZEROED},
              {"stale/5", 1u << CLASS_STALE},
              {"all/1", (1u << CLASS_COUNT) - 1},
              {"all", (1u << CLASS_COUNT) - 1}},
     .bad = {"/5", "stale/", "all/", "stale/1/", "/", "nothing", "none", "stale/0", "stale/x",
             "stale/1/2", "stale,ghost", "all/18446744073709551616"}},
    {.name = "stop",
     .shown_default = "never",
     MEMBER(stop_first),
     .allowed = "never, first",
     .good = {{"never", false}, {"first", true}},
     .bad = {"last", "firstly", "firs", "1"}},
    {.name = "focus",
     .shown_default = "auto",
     .default_number = true,
     MEMBER(focus),
     .chosen = &options.focus_given,
     .allowed = "off, auto",
     .good = {{"off", false}, {"auto", true}},
     .bad = {"on", "automatic", "1"}},
    {.name = "end",
     .shown_default = "menu",
     .default_number = END_MENU,
     MEMBER(end),
     .allowed = "menu, shutdown, reboot, exit",
     .good = {{"menu", END_MENU},
              {"shutdown", END_SHUTDOWN},
              {"reboot", END_REBOOT},
              {"exit", END_EXIT}},
     .bad = {"off", "menu,exit", "Menu"}},
    {.name = "ui",
     .shown_default = "auto",
     .default_number = UI_AUTO,
     MEMBER(ui),
     .allowed = "auto, screen, lines",
     .good = {{"screen", UI_SCREEN}, {"lines", UI_LINES}, {"auto", UI_AUTO}},
     .bad = {"window", "line"}},
    {.name = "disks",
     .shown_default = "boot",
     MEMBER(disks_all),
     .allowed = "boot, all",
     .good = {{"boot", false}, {"all", true}},
     .bad = {"none", "boot,all", "1"}},
    {.name = "net",
     .shown_default = "off",
     MEMBER(net),
     .allowed = "off, on",
     .good = {{"off", false}, {"on", true}},
     .bad = {"yes", "1", "on,off"}},
    {.name = "findings",
     .shown_default = "4",
     .default_number = 4,
     MEMBER(plan.findings_kept),
     .allowed = "a number from 1 to 1000",
     .good = {{"1", 1}, {"1000", 1000}},
     .bad = {"0", "1001", "-1", "4294967297", "all"}},
    {.name = "findings_total",
     .shown_default = "64",
     .default_number = 64,
     MEMBER(findings_total),
     .chosen = &options.findings_total_given,
     .allowed = "a number from 1 to 1000000",
     .good = {{"1", 1}, {"64", 64}, {"1000000", 1000000}},
     .bad = {"0", "1000001", "-1", "18446744073709551617", "all"}},
    {.name = "processors",
     .shown_default = "auto",
     .default_number = PROCESSORS_AUTO,
     MEMBER(processors),
     .allowed = "auto, firmware, own",
     .good = {{"firmware", PROCESSORS_FIRMWARE},
              {"own", PROCESSORS_OWN},
              {"auto", PROCESSORS_AUTO}},
     .bad = {"mp", "auto,own", "1"}},
};

#define CASES_COUNT (sizeof(all_cases) / sizeof(all_cases[0]))

static const struct cases *cases_of(const char *name)
{
    for (size_t n = 0; n < CASES_COUNT; n++)
        if (strcmp(all_cases[n].name, name) == 0)
            return &all_cases[n];
    fail_msg("%s= has no cases in this test", name);
    return NULL;
}

static int start_anew(void **state)
{
    (void)state;
    static char buffer[1024];
    options_default(&options);
    text_start(&error, buffer, sizeof(buffer));
    return 0;
}

static bool parse(const char *words)
{
    (void)start_anew(NULL);
    return options_parse(&options, "test", words, strlen(words), &error);
}

/* "name=value", which the next call overwrites. */
static const char *word_of(const char *name, const char *value)
{
    static char word[100];
    struct text text;
    text_start(&text, word, sizeof(word));
    text_add(&text, "%s=%s", name, value);
    assert_false(text.cut);
    return word;
}

/* The option twice, with two values. */
static bool parse_both(const struct cases *cases, const char *first, const char *second)
{
    char words[200];
    struct text text;
    text_start(&text, words, sizeof(words));
    text_add(&text, "%s=%s %s=%s", cases->name, first, cases->name, second);
    return parse(words);
}

static uint64_t number_in(const struct cases *cases)
{
    uint64_t number = 0;
    memcpy(&number, cases->member, cases->size < sizeof(number) ? cases->size : sizeof(number));
    return number;
}

/* But for the notes that there was a word. */
static bool is_default(void)
{
    struct options untouched;
    options_default(&untouched);
    untouched.given = options.given;
    untouched.known = options.known;
    /* The padding, too, is what options_default() has put there. */
    // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-exp42-c,cert-flp37-c)
    return memcmp(&options, &untouched, sizeof(options)) == 0;
}

static uint64_t all_exits(void)
{
    return (UINT64_C(1) << exit_count) - 1;
}

static void each_option_of_the_program_has_cases_and_no_other(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < OPTION_COUNT; n++) {
        const struct cases *cases = cases_of(option_table[n].name);
        assert_non_null(cases->good[1].value);
        assert_non_null(cases->bad[0]);
    }
    assert_int_equal(CASES_COUNT, OPTION_COUNT);
}

static void the_defaults_are_what_the_list_says(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < OPTION_COUNT; n++) {
        const struct cases *cases = cases_of(option_table[n].name);
        assert_string_equal(option_default(&option_table[n]), cases->shown_default);
        if (cases->member != &options.exits) /* which are as many as there are */
            assert_true(number_in(cases) == cases->default_number);
        assert_false(cases->chosen && *cases->chosen);
    }
    assert_true(options.exits == all_exits());
    for (size_t n = 0; n < CPU_MAX / 64; n++)
        assert_true(options.cpus.bits[n] == UINT64_MAX);
}

/* As if the option had not been there. */
static void take_back(const struct cases *cases)
{
    struct options untouched;
    options_default(&untouched);
    size_t at = (size_t)((char *)cases->member - (char *)&options);
    memcpy(cases->member, (char *)&untouched + at, cases->size);
    if (cases->chosen)
        *cases->chosen = false;
    if (cases->member == &options.plan.inject_classes)
        options.plan.inject_every = 0;
    memset(options.word, 0, sizeof(options.word));
    options.turns = 0;
}

static void good_values_go_where_they_belong_and_nowhere_else(void **state)
{
    (void)state;
    for (const struct cases *cases = all_cases; cases < all_cases + CASES_COUNT; cases++) {
        for (size_t n = 0; cases->good[n].value; n++) {
            const char *value = cases->good[n].value;
            if (!parse(word_of(cases->name, value)))
                fail_msg("refused: %s", error.start);
            if (number_in(cases) != cases->good[n].number)
                fail_msg("%s=%s is 0x%llx", cases->name, value,
                         (unsigned long long)number_in(cases));
            assert_int_equal(error.length, 0);
            assert_true(!cases->chosen || *cases->chosen == (strcmp(value, "all") != 0));
            take_back(cases);
            if (!is_default())
                fail_msg("changed something else: %s=%s", cases->name, value);
        }
    }
}

/* The end of a message. */
static void expect_allowed(const struct cases *cases, const char *hint)
{
    char expected[512];
    struct text text;
    text_start(&text, expected, sizeof(expected));
    text_add(&text, ": value not allowed%s. Allowed for %s: %s", hint, cases->name, cases->allowed);
    for (uint32_t row = 0; cases->member == &options.exits && row < exit_count; row++)
        text_add(&text, "%s%s", row ? "," : "", exits[row].name);
    assert_false(text.cut || error.cut);
    assert_true(error.length > text.length);
    assert_string_equal(error.start + error.length - text.length, expected);
}

static void refuse(const struct cases *cases, const char *words)
{
    if (parse(words))
        fail_msg("taken: %s", words);
    if (!is_default())
        fail_msg("changed something: %s", words);
    assert_int_equal(strncmp(error.start, "test line 1: ", 13), 0);
    assert_int_equal(strncmp(error.start + 13, words, strlen(words)), 0);
    expect_allowed(cases, "");
}

static void bad_values_change_nothing_and_what_is_allowed_is_told(void **state)
{
    (void)state;
    static const char *const bad_always[] = {"", "=", "=5", "#", "?"};
    for (const struct cases *cases = all_cases; cases < all_cases + CASES_COUNT; cases++) {
        refuse(cases, cases->name);
        for (size_t n = 0; n < sizeof(bad_always) / sizeof(bad_always[0]); n++)
            refuse(cases, word_of(cases->name, bad_always[n]));
        for (size_t n = 0; cases->bad[n]; n++)
            refuse(cases, word_of(cases->name, cases->bad[n]));
    }
}

static void a_bad_value_keeps_the_good_one_before_it(void **state)
{
    (void)state;
    for (const struct cases *cases = all_cases; cases < all_cases + CASES_COUNT; cases++) {
        for (size_t n = 0; cases->bad[n]; n++) {
            assert_false(parse_both(cases, cases->good[1].value, cases->bad[n]));
            assert_true(number_in(cases) == cases->good[1].number);
            assert_true(!cases->chosen || *cases->chosen);
        }
    }
    assert_false(parse("inject=stale/5 inject=nothing/6"));
    assert_int_equal(options.plan.inject_every, 5);
}

static void of_two_good_values_the_later_one_counts(void **state)
{
    (void)state;
    for (const struct cases *cases = all_cases; cases < all_cases + CASES_COUNT; cases++) {
        for (size_t n = 0; cases->good[n].value; n++) {
            const char *other = cases->good[n ? 0 : 1].value;
            assert_true(parse_both(cases, other, cases->good[n].value));
            assert_true(number_in(cases) == cases->good[n].number);
        }
    }
}

static void quotes_that_were_kept_are_pointed_out(void **state)
{
    (void)state;
    for (const struct cases *cases = all_cases; cases < all_cases + CASES_COUNT; cases++) {
        static const char *const quotes[][2] = {{"\"", "\""}, {"'", "'"}, {"\"", ","}, {"", "'"}};
        for (size_t n = 0; n < sizeof(quotes) / sizeof(quotes[0]); n++) {
            char value[100];
            struct text text;
            text_start(&text, value, sizeof(value));
            text_add(&text, "%s%s%s", quotes[n][0], cases->good[0].value, quotes[n][1]);
            assert_false(parse(word_of(cases->name, value)));
            expect_allowed(cases, ", write it without the quotes");
            assert_true(is_default());
        }
    }
    assert_false(parse("\"time=5\""));
    assert_non_null(strstr(error.start, ": no such option, write it without the quotes. Allowed:"));
    assert_false(parse("exits=cpu'id"));
    assert_null(strstr(error.start, "quotes"));
}

static void each_exit_is_taken_by_its_name(void **state)
{
    (void)state;
    for (uint32_t row = 0; row < exit_count; row++) {
        assert_true(parse(word_of("exits", exits[row].name)));
        assert_true(options.exits == UINT64_C(1) << row);
        assert_true(options.exits_named);
    }
    assert_true(parse("exits=pause exits=all"));
    assert_true(options.exits == all_exits());
    assert_false(options.exits_named);
}

static void each_class_can_be_injected_at_any_rate(void **state)
{
    (void)state;
    for (enum corruption_class corruption = 0; corruption < CLASS_COUNT; corruption++) {
        char value[64];
        struct text text;
        text_start(&text, value, sizeof(value));
        text_add(&text, "%s", class_name(corruption));
        assert_true(parse(word_of("inject", value)));
        assert_int_equal(options.plan.inject_classes, 1u << corruption);
        assert_int_equal(options.plan.inject_every, 1000);
        text_add(&text, "/7");
        assert_true(parse(word_of("inject", value)));
        assert_int_equal(options.plan.inject_classes, 1u << corruption);
        assert_int_equal(options.plan.inject_every, 7);
    }
    assert_true(parse("inject=all/1"));
    assert_int_equal(options.plan.inject_every, 1);
    assert_true(parse("inject=stale/18446744073709551615"));
    assert_true(options.plan.inject_every == UINT64_MAX);
}

static bool has_cpu(unsigned int number)
{
    return options.cpus.bits[number / 64] >> number % 64 & 1;
}

static unsigned int cpu_count(void)
{
    unsigned int count = 0;
    for (unsigned int n = 0; n < CPU_MAX; n++)
        count += has_cpu(n);
    return count;
}

static void processors_are_taken_as_numbers_and_ranges(void **state)
{
    (void)state;
    assert_true(parse("cpus=1,3-5,64,1"));
    assert_true(has_cpu(1) && has_cpu(3) && has_cpu(4) && has_cpu(5) && has_cpu(64));
    assert_int_equal(cpu_count(), 5);
    assert_true(parse("cpus=63-64"));
    assert_true(has_cpu(63) && has_cpu(64) && cpu_count() == 2);
    assert_true(parse("cpus=1023"));
    assert_true(has_cpu(1023) && cpu_count() == 1);
    assert_true(parse("cpus=0-1023"));
    assert_true(options.cpus_named);
    assert_int_equal(cpu_count(), 1024);
    assert_true(parse("cpus=2 cpus=all"));
    assert_false(options.cpus_named);
    assert_int_equal(cpu_count(), CPU_MAX);
}

static void unknown_options_are_refused_with_the_list_of_known_ones(void **state)
{
    (void)state;
    static const char *const wrong[] = {"x",      "x=1",   "=",       "=1",
                                        "Time=1", "tim=1", "times=1", "time:1"};
    char known[512];
    struct text text;
    text_start(&text, known, sizeof(known));
    text_add(&text, ": no such option. Allowed:");
    for (uint32_t n = 0; n < OPTION_COUNT; n++)
        text_add(&text, "%s %s=", n ? "," : "", option_table[n].name);
    assert_non_null(strstr(known, ". Allowed: time=, passes="));
    for (size_t n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++) {
        assert_false(parse(wrong[n]));
        assert_true(is_default());
        assert_int_equal(strncmp(error.start, "test line 1: ", 13), 0);
        assert_int_equal(strncmp(error.start + 13, wrong[n], strlen(wrong[n])), 0);
        assert_string_equal(error.start + 13 + strlen(wrong[n]), known);
    }
}

/* What real options are made of, or no value would ever be reached. */
static void random_piece(struct text *piece)
{
    static const char *const others[] = {"/",  ",",    "-",  "all",  "1024",     "0x", "#",
                                         "\n", "\r\n", "\t", ".efi", "\xff\xfe", "'\""};
    uint64_t choice = random_value();
    const struct cases *cases = &all_cases[choice % CASES_COUNT];
    const char *value = cases->good[(choice >> 8) % GOOD_MAX].value;
    value = value ? value : cases->bad[0];
    piece->length = 0;
    if (choice >> 16 & 1)
        text_add(piece, " %s=%s ", cases->name, value);
    else if (choice >> 17 & 1)
        text_add(piece, "%s=", cases->name);
    else if (choice >> 18 & 1)
        text_add(piece, "%s", value);
    else
        text_add(piece, "%s", others[(choice >> 24) % (sizeof(others) / sizeof(others[0]))]);
}

static size_t random_bytes(char *bytes, size_t size)
{
    char buffer[100];
    struct text piece;
    text_start(&piece, buffer, sizeof(buffer));
    size_t length = 0, wanted = random_value() % size;
    while (length < wanted) {
        uint64_t choice = random_value();
        random_piece(&piece);
        if ((choice & 15) == 0 || piece.length > wanted - length) {
            bytes[length++] = (char)(choice >> 40);
            continue;
        }
        /* Bytes of a file, which has no terminator. */
        memcpy(bytes + length, buffer, piece.length); // NOLINT(bugprone-not-null-terminated-result)
        length += piece.length;
    }
    return length;
}

static bool in_range(void)
{
    return options.end <= END_EXIT && options.ui <= UI_LINES && options.exits &&
           !(options.exits & ~all_exits()) && options.seconds <= 3153600000 &&
           options.plan.hold_microseconds >= 1 && options.plan.hold_microseconds <= 1000000 &&
           options.plan.findings_kept >= 1 && options.plan.findings_kept <= 1000 &&
           !(options.plan.inject_classes & ~((1u << CLASS_COUNT) - 1)) &&
           (!options.plan.inject_classes || options.plan.inject_every) && cpu_count() > 0;
}

static void random_bytes_leave_every_field_in_its_range(void **state)
{
    (void)state;
    static _Alignas(2) char bytes[200];
    unsigned int refused = 0, changed = 0;
    for (unsigned int n = 0; n < 20000; n++) {
        size_t length = random_bytes(bytes, sizeof(bytes));
        start_anew(NULL);
        bool good = options_parse_conf(&options, "zmmtest.conf", bytes, length, &error);
        assert_int_equal(good, error.length == 0);
        assert_true(in_range());
        for (size_t at = 0; at < error.length; at++)
            assert_true(error.start[at] >= ' ' && error.start[at] <= '~');
        refused += !good;
        changed += !is_default();
        start_anew(NULL);
        uint16_t wide[sizeof(bytes)];
        for (size_t at = 0; at < length; at++)
            wide[at] = bytes[at] & (n % 2 ? 0x7f : 0xff);
        const char *notice = NULL;
        good = load_options_parse(&options, wide, 2 * length - n % 64 % (length + 1), NULL, &error,
                                  &notice);
        assert_int_equal(good, error.length == 0);
        assert_true(in_range());
    }
    assert_true(refused > 1000 && changed > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_option_of_the_program_has_cases_and_no_other, start_anew),
        cmocka_unit_test_setup(the_defaults_are_what_the_list_says, start_anew),
        cmocka_unit_test_setup(good_values_go_where_they_belong_and_nowhere_else, start_anew),
        cmocka_unit_test_setup(bad_values_change_nothing_and_what_is_allowed_is_told, start_anew),
        cmocka_unit_test_setup(a_bad_value_keeps_the_good_one_before_it, start_anew),
        cmocka_unit_test_setup(of_two_good_values_the_later_one_counts, start_anew),
        cmocka_unit_test_setup(quotes_that_were_kept_are_pointed_out, start_anew),
        cmocka_unit_test_setup(each_exit_is_taken_by_its_name, start_anew),
        cmocka_unit_test_setup(each_class_can_be_injected_at_any_rate, start_anew),
        cmocka_unit_test_setup(processors_are_taken_as_numbers_and_ranges, start_anew),
        cmocka_unit_test_setup(unknown_options_are_refused_with_the_list_of_known_ones, start_anew),
        cmocka_unit_test_setup(random_bytes_leave_every_field_in_its_range, start_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
