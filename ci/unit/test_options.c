/* Options: what is allowed is taken, what is not is named and costs nothing that stands beside it.
 */
#include "../../efi/window/corruption.h"
#include "../../efi/option_table.h"
#include "../../efi/window/exits.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct options options;
static struct text error;

static int start_anew(void **state)
{
    (void)state;
    static char buffer[512];
    options_default(&options);
    text_start(&error, buffer, sizeof(buffer));
    return 0;
}

static bool parse(const char *words)
{
    start_anew(NULL);
    return options_parse(&options, "test", words, strlen(words), &error);
}

static bool parse_conf(const char *bytes, size_t size)
{
    start_anew(NULL);
    return options_parse_conf(&options, "zmmtest.conf", bytes, size, &error);
}

static bool parse_load(const char *ascii)
{
    uint16_t wide[512];
    size_t n = 0;
    for (; ascii[n]; n++)
        wide[n] = (unsigned char)ascii[n];
    wide[n] = 0;
    start_anew(NULL);
    return options_parse_load(&options, wide, (n + 1) * sizeof(*wide), &error);
}

static bool is_default(void)
{
    struct options untouched;
    options_default(&untouched);
    return options.seconds == untouched.seconds && options.plan.passes == untouched.plan.passes &&
           options.exits == untouched.exits && options.exits_named == untouched.exits_named &&
           memcmp(options.cpus, untouched.cpus, sizeof(options.cpus)) == 0 &&
           options.cpus_named == untouched.cpus_named && options.seed == untouched.seed &&
           options.seed_given == untouched.seed_given &&
           options.plan.inject_classes == untouched.plan.inject_classes &&
           options.plan.inject_every == untouched.plan.inject_every &&
           options.stop_first == untouched.stop_first && options.end == untouched.end;
}

static uint64_t all_exits(void)
{
    return (UINT64_C(1) << exit_count) - 1;
}

static uint64_t exit_bit(const char *name)
{
    for (uint32_t row = 0; row < exit_count; row++)
        if (strcmp(exits[row].name, name) == 0)
            return UINT64_C(1) << row;
    fail_msg("no exit is called %s", name);
    return 0;
}

static void the_defaults_test_everything_for_a_minute(void **state)
{
    (void)state;
    assert_int_equal(options.seconds, 60);
    assert_int_equal(options.plan.passes, 0);
    assert_true(options.exits == all_exits());
    assert_false(options.exits_named || options.cpus_named || options.seed_given);
    assert_false(options.stop_first);
    assert_int_equal(options.plan.inject_classes, 0);
    assert_int_equal(options.end, END_MENU);
    for (size_t n = 0; n < CPU_MAX / 64; n++)
        assert_true(options.cpus[n] == UINT64_MAX);
}

static void good_numbers_are_taken(void **state)
{
    (void)state;
    assert_true(parse("time=0"));
    assert_int_equal(options.seconds, 0);
    assert_true(parse("time=3153600000"));
    assert_int_equal(options.seconds, 3153600000);
    assert_true(parse("passes=18446744073709551615"));
    assert_true(options.plan.passes == UINT64_MAX);
    assert_true(parse("seed=0"));
    assert_true(options.seed_given && options.seed == 0);
    assert_true(parse("seed=0xFEDCBA9876543210"));
    assert_true(options.seed == 0xfedcba9876543210);
    assert_true(parse("seed=ffffffffffffffff"));
    assert_true(options.seed == UINT64_MAX);
}

static void good_words_are_taken(void **state)
{
    (void)state;
    static const char *const ends[] = {"end=menu", "end=shutdown", "end=reboot", "end=exit"};
    for (enum end end = END_MENU; end <= END_EXIT; end++) {
        assert_true(parse(ends[end]));
        assert_int_equal(options.end, end);
    }
    assert_true(parse("stop=first"));
    assert_true(options.stop_first);
    assert_true(parse("stop=first stop=never"));
    assert_false(options.stop_first);
    assert_true(parse("ui=screen"));
    assert_int_equal(options.ui, UI_SCREEN);
    assert_true(parse("ui=screen ui=lines"));
    assert_int_equal(options.ui, UI_LINES);
    assert_true(parse("ui=lines ui=auto"));
    assert_int_equal(options.ui, UI_AUTO);
}

/* What tells the start menu that it is not asked for. */
static void a_word_counts_as_given_even_if_it_is_wrong(void **state)
{
    (void)state;
    options_default(&options);
    assert_false(options.given);
    assert_true(parse(""));
    assert_false(options.given);
    assert_true(parse("# time=5\n"));
    assert_false(options.given);
    assert_true(parse("end=menu"));
    assert_true(options.given);
    assert_false(parse("nonsense"));
    assert_true(options.given);
}

static void every_class_can_be_injected_at_any_rate(void **state)
{
    (void)state;
    for (enum corruption corruption = 0; corruption < CLASS_COUNT; corruption++) {
        char words[64];
        struct text text;
        text_start(&text, words, sizeof(words));
        text_add(&text, "inject=%s", class_name(corruption));
        assert_true(parse(words));
        assert_int_equal(options.plan.inject_classes, 1u << corruption);
        assert_int_equal(options.plan.inject_every, 1000);
        text_add(&text, "/7");
        assert_true(parse(words));
        assert_int_equal(options.plan.inject_classes, 1u << corruption);
        assert_int_equal(options.plan.inject_every, 7);
    }
    assert_true(parse("inject=all/1"));
    assert_int_equal(options.plan.inject_classes, (1u << CLASS_COUNT) - 1);
    assert_int_equal(options.plan.inject_every, 1);
    assert_true(parse("inject=stale/18446744073709551615"));
    assert_true(options.plan.inject_every == UINT64_MAX);
}

static void exits_are_taken_one_by_one_or_all(void **state)
{
    (void)state;
    for (uint32_t row = 0; row < exit_count; row++) {
        char words[64];
        struct text text;
        text_start(&text, words, sizeof(words));
        text_add(&text, "exits=%s", exits[row].name);
        assert_true(parse(words));
        assert_true(options.exits == UINT64_C(1) << row);
        assert_true(options.exits_named);
    }
    assert_true(parse("exits=pause,cpuid,cpuid"));
    assert_true(options.exits == (exit_bit("pause") | exit_bit("cpuid")));
    assert_true(parse("exits=pause exits=all"));
    assert_true(options.exits == all_exits());
    assert_false(options.exits_named);
}

static bool has_cpu(unsigned int number)
{
    return options.cpus[number / 64] >> number % 64 & 1;
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
    assert_true(parse("cpus=0"));
    assert_true(options.cpus_named && has_cpu(0) && cpu_count() == 1);
    assert_true(parse("cpus=1,3-5,64,1"));
    assert_true(has_cpu(1) && has_cpu(3) && has_cpu(4) && has_cpu(5) && has_cpu(64));
    assert_int_equal(cpu_count(), 5);
    assert_true(parse("cpus=63-64"));
    assert_true(has_cpu(63) && has_cpu(64) && cpu_count() == 2);
    assert_true(parse("cpus=7-7"));
    assert_true(has_cpu(7) && cpu_count() == 1);
    assert_true(parse("cpus=1023"));
    assert_true(has_cpu(1023) && cpu_count() == 1);
    assert_true(parse("cpus=0-1023"));
    assert_true(options.cpus_named);
    assert_int_equal(cpu_count(), 1024);
    assert_true(parse("cpus=2 cpus=all"));
    assert_false(options.cpus_named);
    assert_int_equal(cpu_count(), CPU_MAX);
}

static const char *const bad_values[] = {
    "time",
    "time=",
    "time=-1",
    "time=1.5",
    "time=1m",
    "time=0x10",
    "time=3153600001",
    "time=18446744073709551616",
    "time==5",
    "passes=",
    "passes=many",
    "passes=18446744073709551616",
    "exits",
    "exits=",
    "exits=cpuid,nothing",
    "exits=,cpuid",
    "exits=cpuid,",
    "exits=cpuid,pause,",
    "exits=all,",
    "exits=,",
    "exits=cpuid,,pause",
    "exits=CPUID",
    "exits=cpui",
    "exits=cpuidx",
    "exits=all,cpuid",
    "cpus=",
    "cpus=,1",
    "cpus=1,",
    "cpus=1-2,",
    "cpus=all,",
    "cpus=,",
    "cpus=1,,2",
    "cpus=-1",
    "cpus=2-",
    "cpus=2-,5",
    "cpus=5,2-",
    "cpus=2-3-",
    "cpus=-",
    "cpus=2-1",
    "cpus=1-2-3",
    "cpus=1--2",
    "cpus=1024",
    "cpus=0-1024",
    "cpus=1023-1024",
    "cpus=0,1024",
    "cpus=18446744073709551616",
    "cpus=0-18446744073709551615",
    "cpus=a",
    "cpus=1,a",
    "cpus=all,1",
    "seed=",
    "seed=0x",
    "seed=g",
    "seed=10000000000000000",
    "inject=",
    "inject=/5",
    "inject=stale/",
    "inject=all/",
    "inject=stale/1/",
    "inject=/",
    "inject=nothing",
    "inject=stale/0",
    "inject=stale/x",
    "inject=stale/1/2",
    "inject=all/18446744073709551616",
    "stop=",
    "stop=last",
    "stop=firstly",
    "end=",
    "end=off",
    "end=menu,exit",
    "ui=",
    "ui=window",
};

static void bad_values_change_nothing(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof(bad_values) / sizeof(bad_values[0]); n++) {
        if (parse(bad_values[n]))
            fail_msg("taken: %s", bad_values[n]);
        if (!is_default())
            fail_msg("changed something: %s", bad_values[n]);
        assert_non_null(strstr(error.start, "test line 1: "));
        assert_non_null(strstr(error.start, bad_values[n]));
        assert_non_null(strstr(error.start, ": value not allowed. Allowed for "));
    }
}

static void a_bad_value_keeps_the_good_one_before_it(void **state)
{
    (void)state;
    assert_false(parse("time=5 time=3153600001"));
    assert_int_equal(options.seconds, 5);
    assert_false(parse("stop=first stop=last"));
    assert_true(options.stop_first);
    assert_false(parse("seed=12 seed=zz"));
    assert_true(options.seed_given && options.seed == 0x12);
    assert_false(parse("inject=stale/5 inject=nothing/6"));
    assert_int_equal(options.plan.inject_classes, 1u << CLASS_STALE);
    assert_int_equal(options.plan.inject_every, 5);
}

static void unknown_options_are_refused_with_the_list_of_known_ones(void **state)
{
    (void)state;
    static const char *const wrong[] = {"x",      "x=1",   "=",       "=1",
                                        "Time=1", "tim=1", "times=1", "time:1"};
    for (size_t n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++) {
        assert_false(parse(wrong[n]));
        assert_true(is_default());
        assert_non_null(strstr(error.start, "test line 1: "));
        assert_non_null(strstr(error.start, wrong[n]));
        assert_non_null(strstr(
            error.start, "no such option. Allowed: time=, passes=, exits=, cpus=, hold=, seed=, "
                         "inject=, stop=, end=, ui="));
    }
}

static void each_error_says_what_is_allowed(void **state)
{
    (void)state;
    static const struct {
        const char *words, *allowed;
    } cases[] = {
        {"time=x", "Allowed for time: seconds from 0 to 3153600000, 0 until a key is pressed"},
        {"passes=x", "Allowed for passes: a number, 0 for no limit"},
        {"exits=x", "Allowed for exits: all, or a list of cpuid,"},
        {"cpus=x", "Allowed for cpus: all, or a list such as 0,2-3 of numbers below 1024"},
        {"seed=x", "Allowed for seed: up to 16 hexadecimal digits"},
        {"inject=x", "Allowed for inject: all, zeroed, stale, "},
        {"stop=x", "Allowed for stop: never, first"},
        {"end=x", "Allowed for end: menu, shutdown, reboot, exit"},
        {"ui=x", "Allowed for ui: auto, screen, lines"},
    };
    for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        assert_false(parse(cases[n].words));
        assert_non_null(strstr(error.start, cases[n].allowed));
        assert_false(error.cut);
    }
    assert_false(parse("exits=x"));
    for (uint32_t row = 0; row < exit_count; row++)
        assert_non_null(strstr(error.start, exits[row].name));
    assert_false(parse("inject=x"));
    for (enum corruption corruption = 0; corruption < CLASS_COUNT; corruption++)
        assert_non_null(strstr(error.start, class_name(corruption)));
}

static void the_first_error_is_told_and_later_options_still_count(void **state)
{
    (void)state;
    assert_false(parse("time=7\n\nwrong=1 end=shutdown\ntime=bad\npasses=3"));
    assert_non_null(strstr(error.start, "test line 3: wrong=1: no such option"));
    assert_null(strstr(error.start, "bad"));
    assert_int_equal(options.end, END_SHUTDOWN);
    assert_int_equal(options.plan.passes, 3);
    assert_int_equal(options.seconds, 7);
}

static void later_options_win(void **state)
{
    (void)state;
    assert_true(parse("time=1 end=exit exits=cpuid\ntime=2 end=reboot exits=pause cpus=1 cpus=2"));
    assert_int_equal(options.seconds, 2);
    assert_int_equal(options.end, END_REBOOT);
    assert_true(options.exits == exit_bit("pause"));
    assert_true(has_cpu(2) && cpu_count() == 1);
}

static void comments_and_blanks_are_passed_over(void **state)
{
    (void)state;
    assert_true(parse(""));
    assert_true(is_default());
    assert_true(parse(" \t\r\n\n  \r\n"));
    assert_true(is_default());
    assert_true(parse("# time=1"));
    assert_true(is_default());
    assert_true(parse("#time=1 wrong\n\ttime=2\t# time=3 # passes=1\n#\n   # end=exit\npasses=4"));
    assert_int_equal(options.seconds, 2);
    assert_int_equal(options.plan.passes, 4);
    assert_int_equal(options.end, END_MENU);
}

static void line_ends_of_every_kind_are_taken(void **state)
{
    (void)state;
    static const char windows[] = "# first\r\ntime=5\r\n\r\nend=exit\r\n";
    assert_true(parse_conf(windows, strlen(windows)));
    assert_int_equal(options.seconds, 5);
    assert_int_equal(options.end, END_EXIT);
    static const char wrong[] = "time=5\r\n# more\r\n\r\nwrong\r\nend=exit";
    assert_false(parse_conf(wrong, strlen(wrong)));
    assert_non_null(strstr(error.start, "zmmtest.conf line 4: wrong: "));
    assert_int_equal(options.end, END_EXIT);
}

static void a_carriage_return_alone_ends_a_line_and_its_comment(void **state)
{
    (void)state;
    static const char macintosh[] = "# first\rtime=5\r#\r\rend=exit # last\r";
    assert_true(parse_conf(macintosh, strlen(macintosh)));
    assert_int_equal(options.seconds, 5);
    assert_int_equal(options.end, END_EXIT);
    assert_true(parse("# comment\rend=shutdown"));
    assert_int_equal(options.end, END_SHUTDOWN);
}

static void each_line_end_counts_once(void **state)
{
    (void)state;
    static const struct {
        const char *words, *where;
    } cases[] = {
        {"\nwrong", "line 2: "},           {"\rwrong", "line 2: "},
        {"\r\nwrong", "line 2: "},         {"\r\rwrong", "line 3: "},
        {"\n\rwrong", "line 3: "},         {"\r\n\r\nwrong", "line 3: "},
        {"\r\r\nwrong", "line 3: "},       {"\r\n\rwrong", "line 3: "},
        {"# x\r\n# y\rwrong", "line 3: "}, {"time=5\rpasses=1\r\nwrong", "line 3: "},
        {"wrong\r", "line 1: "},
    };
    for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        assert_false(parse(cases[n].words));
        assert_non_null(strstr(error.start, cases[n].where));
        assert_non_null(strstr(error.start, ": wrong: no such option"));
    }
}

static void only_the_given_length_is_read(void **state)
{
    (void)state;
    static const char words[] = "time=12345 end=exit";
    assert_true(parse_conf(words, 7));
    assert_int_equal(options.seconds, 12);
    assert_true(parse_conf(words, strlen("time=12345 ")));
    assert_int_equal(options.seconds, 12345);
    assert_int_equal(options.end, END_MENU);
    assert_true(parse_conf(words, strlen(words)));
    assert_int_equal(options.end, END_EXIT);
    assert_true(parse_conf(words, 0));
    assert_true(is_default());
}

static void a_byte_order_mark_is_passed_over(void **state)
{
    (void)state;
    static const char marked[] = "\xef\xbb\xbftime=5";
    assert_true(parse_conf(marked, strlen(marked)));
    assert_int_equal(options.seconds, 5);
    assert_true(parse_conf(marked, 3));
    assert_true(is_default());
    static const char late[] = "time=5 \xef\xbb\xbfpasses=1";
    assert_false(parse_conf(late, strlen(late)));
    assert_non_null(strstr(error.start, "???passes=1"));
    assert_false(parse_conf("\xef\xbb", 2));
}

static void another_encoding_is_refused_as_such(void **state)
{
    (void)state;
    static const char little[] = "\xff\xfe"
                                 "e\0n\0d\0=\0",
                      big[] = "\xfe\xff\0e\0n\0d\0=";
    assert_false(parse_conf(little, sizeof(little) - 1));
    assert_non_null(strstr(error.start, "zmmtest.conf line 1: this is UTF-16"));
    assert_true(is_default());
    assert_false(parse_conf(big, sizeof(big) - 1));
    assert_non_null(strstr(error.start, "UTF-16"));
    assert_false(parse_conf(little, 2));
    assert_non_null(strstr(error.start, "UTF-16"));
    assert_false(parse_conf(little, 1));
    assert_non_null(strstr(error.start, "?: no such option"));
}

static void a_file_of_the_largest_size_is_read_and_a_larger_one_refused(void **state)
{
    (void)state;
    static char large[CONF_MAX + 1];
    memset(large, '\n', sizeof(large));
    /* A file has no terminator. */
    memcpy(large + CONF_MAX - 8, "end=exit", 8); // NOLINT(bugprone-not-null-terminated-result)
    assert_true(parse_conf(large, CONF_MAX));
    assert_int_equal(options.end, END_EXIT);
    assert_false(parse_conf(large, CONF_MAX + 1));
    assert_string_equal(error.start, "zmmtest.conf: larger than the 16384 bytes allowed");
    assert_true(is_default());
}

static void what_cannot_be_printed_does_not_reach_the_message(void **state)
{
    (void)state;
    static const char bytes[] = "time=5\x80\x81 end=exit\n\xff\x7f passes=2";
    assert_false(parse_conf(bytes, sizeof(bytes) - 1));
    assert_non_null(strstr(error.start, "zmmtest.conf line 1: time=5??: value not allowed"));
    assert_int_equal(options.end, END_EXIT);
    assert_int_equal(options.plan.passes, 2);
    static const char nul[] = "time=5\nend=exit\0\n";
    assert_false(parse_conf(nul, sizeof(nul) - 1));
    assert_string_equal(error.start,
                        "zmmtest.conf line 2: this is no text. Allowed: ASCII or UTF-8");
    static char garbage[256];
    for (size_t n = 0; n < sizeof(garbage); n++)
        garbage[n] = (char)(n ^ 0xff);
    assert_false(parse_conf(garbage, sizeof(garbage)));
    assert_true(is_default());
    for (size_t n = 0; n < error.length; n++)
        assert_true(error.start[n] >= ' ' && error.start[n] <= '~');
}

static void a_long_word_is_shortened_in_the_message(void **state)
{
    (void)state;
    char word[300];
    memset(word, 'w', sizeof(word));
    word[sizeof(word) - 1] = '\0';
    assert_false(parse(word));
    assert_non_null(strstr(error.start, "www...: no such option"));
    assert_true(error.length < 200);
    word[40] = '\0';
    assert_false(parse(word));
    assert_null(strstr(error.start, "..."));
}

static void a_small_error_buffer_is_not_overrun(void **state)
{
    (void)state;
    char small[16];
    memset(small, '#', sizeof(small));
    text_start(&error, small, 8);
    assert_false(options_parse(&options, "test", "wrong end=exit", 14, &error));
    assert_string_equal(small, "test li");
    assert_int_equal(small[8], '#');
    assert_int_equal(options.end, END_EXIT);
}

static void load_options_are_read(void **state)
{
    (void)state;
    assert_true(parse_load("time=5 end=exit"));
    assert_int_equal(options.seconds, 5);
    assert_int_equal(options.end, END_EXIT);
    assert_true(parse_load("time=5\tend=exit"));
    assert_int_equal(options.end, END_EXIT);
    assert_true(parse_load(""));
    assert_true(is_default());
    assert_true(parse_load("   "));
    assert_true(is_default());
    assert_false(parse_load("time=5 wrong end=exit"));
    assert_non_null(strstr(error.start, "load options line 1: wrong: no such option"));
    assert_int_equal(options.end, END_EXIT);
}

static void line_ends_in_load_options_are_blanks(void **state)
{
    (void)state;
    static const char *const good[] = {"end=exit\r\n",        "end=exit\n",
                                       "end=exit\r",          "\r\nend=exit",
                                       "time=5\r\nend=exit",  "time=5\nend=exit\n\n",
                                       "time=5\r\rend=exit ", "zmmtest.efi\r\nend=exit"};
    for (size_t n = 0; n < sizeof(good) / sizeof(good[0]); n++) {
        assert_true(parse_load(good[n]));
        assert_int_equal(options.end, END_EXIT);
    }
    assert_false(parse_load("time=5\r\nwrong\r\n"));
    assert_non_null(strstr(error.start, "load options line 2: wrong: no such option"));
}

static void the_name_of_the_program_is_no_option(void **state)
{
    (void)state;
    static const char *const good[] = {"zmmtest.efi time=5",
                                       "ZMMTEST.EFI time=5",
                                       "\\EFI\\BOOT\\BOOTX64.EFI time=5",
                                       "fs0:\\zmmtest.efi    time=5",
                                       "fs0:\\x\\zmmtest.efi time=5",
                                       "zmmtest time=5",
                                       "ZmmTest time=5",
                                       "fs0:\\x\\zmmtest time=5",
                                       " zmmtest.efi time=5",
                                       "\t zmmtest time=5",
                                       "zmmtest.efi\ttime=5",
                                       "zmmtest\ttime=5"};
    for (size_t n = 0; n < sizeof(good) / sizeof(good[0]); n++) {
        assert_true(parse_load(good[n]));
        assert_int_equal(options.seconds, 5);
    }
    static const char *const alone[] = {"zmmtest.efi", "zmmtest", " zmmtest.efi", "zmmtest.efi\t",
                                        " zmmtest "};
    for (size_t n = 0; n < sizeof(alone) / sizeof(alone[0]); n++) {
        assert_true(parse_load(alone[n]));
        assert_true(is_default());
    }
    assert_true(parse_load(".efi time=5"));
    assert_int_equal(options.seconds, 5);
}

static void a_word_that_only_looks_like_the_name_is_an_option(void **state)
{
    (void)state;
    assert_false(parse_load("time=5 zmmtest.efi"));
    assert_false(parse_load("time=5 zmmtest"));
    assert_false(parse_load("zmmtest zmmtest"));
    assert_false(parse_load("zmmtests time=5"));
    assert_false(parse_load("mmtest time=5"));
    assert_false(parse_load("zmmtest.ef time=5"));
    assert_false(parse_load("efi time=5"));
    assert_false(parse_load("zmmtest_efi time=5"));
    assert_false(parse_load("zmmtest.efi zmmtest.efi"));
}

static void load_options_end_at_a_zero_or_with_their_bytes(void **state)
{
    (void)state;
    static const uint16_t terminated[] = {'e', 'n', 'd', '=', 'e', 'x', 'i', 't', 0, 0xdead, 'w'};
    assert_true(options_parse_load(&options, terminated, sizeof(terminated), &error));
    assert_int_equal(options.end, END_EXIT);
    start_anew(NULL);
    assert_true(options_parse_load(&options, terminated, 16, &error));
    assert_int_equal(options.end, END_EXIT);
    start_anew(NULL);
    assert_true(options_parse_load(&options, terminated, 18, &error));
    assert_int_equal(options.end, END_EXIT);
    start_anew(NULL);
    assert_false(options_parse_load(&options, terminated, 14, &error));
    assert_non_null(strstr(error.start, "end=exi: value not allowed"));
}

static void what_is_no_text_is_passed_over(void **state)
{
    (void)state;
    static const uint16_t words[] = {'e', 'n', 'd', '=', 'e', 'x', 'i', 't'};
    uint16_t binary[8];
    assert_true(options_parse_load(&options, NULL, 0, &error));
    assert_true(options_parse_load(&options, NULL, 8, &error));
    assert_true(options_parse_load(&options, words, 0, &error));
    for (size_t bytes = 1; bytes < sizeof(words); bytes += 2)
        assert_true(options_parse_load(&options, words, bytes, &error));
    static const uint16_t wrong[] = {0x01, 0x1f, 0x7f, 0x80, 0xff, 0x100, 0x0165, 0xffff};
    for (size_t n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++) {
        memcpy(binary, words, sizeof(binary));
        binary[n] = wrong[n];
        assert_true(options_parse_load(&options, binary, sizeof(binary), &error));
    }
    assert_true(is_default());
    assert_int_equal(error.length, 0);
}

static void load_options_of_the_largest_size_are_read_and_larger_ones_passed_over(void **state)
{
    (void)state;
    static const char option[] = "end=exit ";
    static uint16_t large[4097];
    for (size_t n = 0; n < sizeof(large) / sizeof(large[0]); n++)
        large[n] = n < 4096 - 8 ? ' ' : (uint16_t)option[n - (4096 - 8)];
    assert_true(options_parse_load(&options, large, 4096 * sizeof(large[0]), &error));
    assert_int_equal(options.end, END_EXIT);
    start_anew(NULL);
    assert_true(options_parse_load(&options, large, sizeof(large), &error));
    assert_true(is_default());
}

static uint64_t random_state = 88172645463325252;

static uint64_t random_value(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Pieces of real options between the random bytes, or no value would ever be reached. */
static size_t random_bytes(char *bytes, size_t size)
{
    static const char *const pieces[] = {"time=",
                                         "passes=",
                                         "exits=",
                                         "cpus=",
                                         "seed=",
                                         "inject=",
                                         "stop=",
                                         "end=",
                                         "ui=",
                                         "all",
                                         "first",
                                         "menu",
                                         "cpuid",
                                         "stale",
                                         "/",
                                         ",",
                                         "-",
                                         "7",
                                         "1023",
                                         "1024",
                                         "0x",
                                         "#",
                                         "\r\n",
                                         " ",
                                         "\n",
                                         "\t",
                                         "exit",
                                         "\xff\xfe",
                                         ".efi",
                                         " end=exit ",
                                         " cpus=2-9,64 ",
                                         " time=5 ",
                                         " inject=all/3 ",
                                         " exits=pause,cpuid\n",
                                         " stop=first "};
    size_t length = 0, wanted = random_value() % size;
    while (length < wanted) {
        uint64_t choice = random_value();
        const char *piece = pieces[choice % (sizeof(pieces) / sizeof(pieces[0]))];
        size_t piece_length = choice >> 32 & 15 ? strlen(piece) : 0;
        if (piece_length == 0 || piece_length > wanted - length) {
            bytes[length++] = (char)(choice >> 40);
            continue;
        }
        /* Bytes of a file, which has no terminator. */
        memcpy(bytes + length, piece, piece_length); // NOLINT(bugprone-not-null-terminated-result)
        length += piece_length;
    }
    return length;
}

static bool in_range(void)
{
    return options.end >= END_MENU && options.end <= END_EXIT && !(options.exits & ~all_exits()) &&
           options.exits && options.seconds <= 3153600000 &&
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
        good = options_parse_load(&options, wide, 2 * length - n % 64 % (length + 1), &error);
        assert_int_equal(good, error.length == 0);
        assert_true(in_range());
    }
    assert_true(refused > 1000 && changed > 1000);
}

static void an_option_that_ends_like_the_name_is_no_name(void **state)
{
    (void)state;
    assert_false(parse_load("end=zmmtest"));
    assert_false(parse_load("x=zmmtest.efi"));
}

static void a_quoted_program_name_is_passed_over(void **state)
{
    (void)state;
    assert_true(parse_load("\"zmmtest.efi\" time=5"));
    assert_int_equal(options.seconds, 5);
    assert_true(parse_load("\"fs0:\\my dir\\zmmtest.efi\" time=6"));
    assert_int_equal(options.seconds, 6);
}

static const char *in_force(void)
{
    static char buffer[OPTIONS_IN_FORCE_MAX];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    options_in_force(&options, &text);
    assert_false(text.cut);
    return buffer;
}

static void what_is_in_force_is_told_with_its_source(void **state)
{
    (void)state;
    static const char conf[] = "# first\n end=shutdown time=10\n";
    static const uint16_t load[] = {'p', 'a', 's', 's', 'e', 's', '=', '3'};
    assert_string_equal(in_force(), "defaults");
    assert_true(options_parse_conf(&options, "zmmtest.conf", conf, strlen(conf), &error));
    assert_string_equal(in_force(), "zmmtest.conf: end=shutdown time=10");
    assert_true(options_parse_load(&options, load, sizeof(load), &error));
    assert_string_equal(in_force(), "zmmtest.conf: end=shutdown time=10; load options: passes=3");
}

static void what_a_later_source_replaced_is_not_in_force(void **state)
{
    (void)state;
    assert_true(options_parse_typed(&options, "first", "time=10 end=exit", &error));
    assert_true(options_parse_typed(&options, "second", "time=20", &error));
    assert_string_equal(in_force(), "first: end=exit; second: time=20");
    assert_true(options_parse_typed(&options, "third", "end=menu", &error));
    assert_string_equal(in_force(), "second: time=20; third: end=menu");
}

static void arguments_of_one_command_line_have_one_source(void **state)
{
    (void)state;
    assert_true(options_parse_typed(&options, "command line", "passes=3", &error));
    assert_true(options_parse_typed(&options, "command line", "time=5", &error));
    assert_string_equal(in_force(), "command line: passes=3 time=5");
}

static void what_was_refused_is_not_in_force(void **state)
{
    (void)state;
    assert_false(parse("time=5 time=x colour=red inject=stale/0 cpus=\x1b[2J"));
    assert_string_equal(in_force(), "test: time=5");
}

static void a_word_without_end_is_marked_where_it_is_cut(void **state)
{
    (void)state;
    char word[3000];
    const size_t lengths[] = {OPTION_TYPED_MAX - 1, OPTION_TYPED_MAX, sizeof(word) - 1};
    for (size_t n = 0; n < sizeof(lengths) / sizeof(lengths[0]); n++) {
        memset(word, '0', sizeof(word));
        memcpy(word, "hold=", strlen("hold="));
        word[lengths[n] - 1] = '5';
        word[lengths[n]] = 0;
        assert_true(parse(word));
        assert_int_equal(options.plan.hold_microseconds, 5);
        const char *kept = in_force() + strlen("test: ");
        assert_int_equal(strlen(kept), OPTION_TYPED_MAX - 1);
        assert_string_equal(kept + strlen(kept) - 4, n == 0 ? "0005" : "0...");
    }
}

static void all_that_can_be_in_force_fits(void **state)
{
    (void)state;
    static const char *const keys[] = {"time=", "passes=", "hold=", "seed=", "findings="};
    for (size_t n = 0; n < sizeof(keys) / sizeof(keys[0]); n++) {
        char word[1000];
        memset(word, '0', sizeof(word));
        memcpy(word, keys[n], strlen(keys[n]));
        memcpy(word + sizeof(word) - 2, "5", 2);
        assert_true(options_parse_typed(&options, "fw_cfg opt/zmmtest/options", word, &error));
    }
    assert_true(strlen(in_force()) > sizeof(keys) / sizeof(keys[0]) * (OPTION_TYPED_MAX - 1));
}

static void quotes_that_were_kept_are_pointed_out(void **state)
{
    (void)state;
    static const char *const quoted[] = {"exits=\"cpuid\"", "exits='cpuid'", "time='5'",
                                         "exits=\"cpuid,", "cpus=1\""};
    for (size_t n = 0; n < sizeof(quoted) / sizeof(quoted[0]); n++) {
        assert_false(parse(quoted[n]));
        assert_non_null(strstr(error.start, quoted[n]));
        assert_non_null(strstr(error.start, ": value not allowed, write it without the quotes. "
                                            "Allowed for "));
        assert_true(is_default());
    }
    assert_false(parse("\"time=5\""));
    assert_non_null(strstr(error.start, ": no such option, write it without the quotes. Allowed:"));
    assert_false(parse("exits=cpu'id"));
    assert_null(strstr(error.start, "quotes"));
}

static void what_was_typed_has_no_line_number(void **state)
{
    (void)state;
    assert_false(options_parse_typed(&options, "options", "time=5\ncolour=red", &error));
    assert_non_null(strstr(error.start, "options: colour=red: no such option. Allowed: time=,"));
    assert_int_equal(options.seconds, 5);
}

static void the_list_of_options_says_what_an_error_says(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < OPTION_COUNT; n++) {
        char word[40], values[512];
        struct text text, allowed;
        text_start(&text, word, sizeof(word));
        text_start(&allowed, values, sizeof(values));
        text_add(&text, "%s=?", option_table[n].name);
        option_allowed(&option_table[n], &allowed);
        assert_false(parse(word));
        assert_string_equal(strstr(error.start, values), values);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_in_force_is_told_with_its_source, start_anew),
        cmocka_unit_test_setup(what_a_later_source_replaced_is_not_in_force, start_anew),
        cmocka_unit_test_setup(arguments_of_one_command_line_have_one_source, start_anew),
        cmocka_unit_test(what_was_refused_is_not_in_force),
        cmocka_unit_test(a_word_without_end_is_marked_where_it_is_cut),
        cmocka_unit_test_setup(all_that_can_be_in_force_fits, start_anew),
        cmocka_unit_test(quotes_that_were_kept_are_pointed_out),
        cmocka_unit_test_setup(what_was_typed_has_no_line_number, start_anew),
        cmocka_unit_test(the_list_of_options_says_what_an_error_says),
        cmocka_unit_test(an_option_that_ends_like_the_name_is_no_name),
        cmocka_unit_test(a_quoted_program_name_is_passed_over),
        cmocka_unit_test_setup(the_defaults_test_everything_for_a_minute, start_anew),
        cmocka_unit_test_setup(good_numbers_are_taken, start_anew),
        cmocka_unit_test_setup(good_words_are_taken, start_anew),
        cmocka_unit_test(a_word_counts_as_given_even_if_it_is_wrong),
        cmocka_unit_test_setup(every_class_can_be_injected_at_any_rate, start_anew),
        cmocka_unit_test_setup(exits_are_taken_one_by_one_or_all, start_anew),
        cmocka_unit_test_setup(processors_are_taken_as_numbers_and_ranges, start_anew),
        cmocka_unit_test_setup(bad_values_change_nothing, start_anew),
        cmocka_unit_test_setup(a_bad_value_keeps_the_good_one_before_it, start_anew),
        cmocka_unit_test_setup(unknown_options_are_refused_with_the_list_of_known_ones, start_anew),
        cmocka_unit_test_setup(each_error_says_what_is_allowed, start_anew),
        cmocka_unit_test_setup(the_first_error_is_told_and_later_options_still_count, start_anew),
        cmocka_unit_test_setup(later_options_win, start_anew),
        cmocka_unit_test_setup(comments_and_blanks_are_passed_over, start_anew),
        cmocka_unit_test_setup(line_ends_of_every_kind_are_taken, start_anew),
        cmocka_unit_test_setup(a_carriage_return_alone_ends_a_line_and_its_comment, start_anew),
        cmocka_unit_test_setup(each_line_end_counts_once, start_anew),
        cmocka_unit_test_setup(only_the_given_length_is_read, start_anew),
        cmocka_unit_test_setup(a_byte_order_mark_is_passed_over, start_anew),
        cmocka_unit_test_setup(another_encoding_is_refused_as_such, start_anew),
        cmocka_unit_test_setup(a_file_of_the_largest_size_is_read_and_a_larger_one_refused,
                               start_anew),
        cmocka_unit_test_setup(what_cannot_be_printed_does_not_reach_the_message, start_anew),
        cmocka_unit_test_setup(a_long_word_is_shortened_in_the_message, start_anew),
        cmocka_unit_test_setup(a_small_error_buffer_is_not_overrun, start_anew),
        cmocka_unit_test_setup(load_options_are_read, start_anew),
        cmocka_unit_test_setup(line_ends_in_load_options_are_blanks, start_anew),
        cmocka_unit_test_setup(the_name_of_the_program_is_no_option, start_anew),
        cmocka_unit_test_setup(a_word_that_only_looks_like_the_name_is_an_option, start_anew),
        cmocka_unit_test_setup(load_options_end_at_a_zero_or_with_their_bytes, start_anew),
        cmocka_unit_test_setup(what_is_no_text_is_passed_over, start_anew),
        cmocka_unit_test_setup(
            load_options_of_the_largest_size_are_read_and_larger_ones_passed_over, start_anew),
        cmocka_unit_test_setup(random_bytes_leave_every_field_in_its_range, start_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
