/* Words: how they are found in each kind of source, and what is told of them. */
#include "../../efi/core/run/option_table.h"
#include "../../efi/core/run/option_words.h"
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

static bool took_nothing(void)
{
    return options.turns == 0;
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

/* What tells U-Boot's bootargs that are meant for zmmtest from those of a kernel. */
static void a_word_with_a_known_key_is_told_from_others(void **state)
{
    (void)state;
    assert_false(parse("root=/dev/sda1 quiet Time=5"));
    assert_false(options.known);
    assert_false(parse("root=/dev/sda1 time=soon"));
    assert_true(options.known);
    assert_false(parse("time=5 quiet"));
    assert_true(options.known);
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

static void comments_and_blanks_are_passed_over(void **state)
{
    (void)state;
    assert_true(parse(""));
    assert_true(took_nothing());
    assert_true(parse(" \t\r\n\n  \r\n"));
    assert_true(took_nothing());
    assert_true(parse("# time=1"));
    assert_true(took_nothing());
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
    assert_true(took_nothing());
}

static void a_byte_order_mark_is_passed_over(void **state)
{
    (void)state;
    static const char marked[] = "\xef\xbb\xbftime=5";
    assert_true(parse_conf(marked, strlen(marked)));
    assert_int_equal(options.seconds, 5);
    assert_true(parse_conf(marked, 3));
    assert_true(took_nothing());
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
    assert_true(took_nothing());
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
    assert_true(took_nothing());
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
    assert_true(took_nothing());
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
    assert_true(error.length < 240);
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
    assert_string_equal(in_force(), "defaults");
    assert_true(options_parse_conf(&options, "zmmtest.conf", conf, strlen(conf), &error));
    assert_string_equal(in_force(), "zmmtest.conf: end=shutdown time=10");
    assert_true(options_parse_typed(&options, "load options", "passes=3", &error));
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

/* "time=0000...05": the piece again and again, then the end. */
static void make_long_word(struct text *word, const char *name, const char *piece, const char *end)
{
    word->length = 0;
    text_add(word, "%s=", name);
    while (word->length < OPTION_TYPED_MAX)
        text_add(word, "%s", piece);
    text_add(word, "%s", end);
}

static bool takes_long_word(uint32_t number)
{
    static const char *const forms[][2] = {{"0", "5"}, {"0,", "5"}, {"cpuid,", "cpuid"}};
    static const char *const sources[] = {"fw_cfg opt/zmmtest/options",
                                          "guestinfo.zmmtest.options"};
    char buffer[3 * OPTION_TYPED_MAX];
    struct text word;
    text_start(&word, buffer, sizeof(buffer));
    for (size_t n = 0; n < sizeof(forms) / sizeof(forms[0]); n++) {
        make_long_word(&word, option_table[number].name, forms[n][0], forms[n][1]);
        if (options_parse_typed(&options, sources[number % 2], buffer, &error))
            return true;
    }
    return false;
}

static void all_that_can_be_in_force_fits(void **state)
{
    (void)state;
    unsigned int taken = 0;
    for (uint32_t number = 0; number < OPTION_COUNT; number++)
        taken += takes_long_word(number);
    assert_true(taken >= 7);
    assert_true(strlen(in_force()) > (size_t)taken * (OPTION_TYPED_MAX - 1));
}

static void what_was_typed_has_no_line_number(void **state)
{
    (void)state;
    assert_false(options_parse_typed(&options, "options", "time=5\ncolour=red", &error));
    assert_non_null(strstr(error.start, "options: colour=red: no such option. Allowed: time=,"));
    assert_int_equal(options.seconds, 5);
}

/* As a report wraps it, and as it is pasted. */
static void a_list_goes_on_behind_its_comma(void **state)
{
    (void)state;
    assert_true(parse("exits=cpuid,\n           hypercall cpus=0,\r\n\t2-3,\n5 time=7"));
    assert_int_equal(options.exits, 3);
    assert_int_equal(options.cpus.bits[0], 0x2d);
    assert_int_equal(options.seconds, 7);
    assert_string_equal(in_force(), "test: exits=cpuid,hypercall cpus=0,2-3,5 time=7");
}

/* It is no list, has no more, goes on with an option or behind a comment, or has no first entry. */
static void no_other_word_goes_on(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "exits=cpuid,\n# hold\n",
        "exits=cpuid, time=5",
        "exits=cpuid, # x\nhold",
        "exits=cpuid, ,hold",
        "exits=, cpuid",
        "exits=cpuid, nothing",
        "time=5, 6",
        "cpuid, hold",
        "exits=cpuid, hold,",
        "seed=1, exits=cpuid,\n",
        "cpus=1, 2-",
    };
    for (size_t n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++) {
        if (parse(wrong[n]))
            fail_msg("taken: %s", wrong[n]);
        assert_false(options.exits_named || options.cpus_named);
    }
    assert_false(parse("exits=cpuid hold"));
    assert_false(parse("exits=cpuid, time=5"));
    assert_non_null(strstr(error.start, "line 1: exits=cpuid,: value not allowed"));
    assert_int_equal(options.seconds, 5);
    assert_false(parse("exits=cpuid,\nnothing\n\ntime=5"));
    assert_non_null(strstr(error.start, "exits=cpuid,nothing: value not allowed"));
    assert_false(parse("exits=cpuid,\nhypercall\n\ntime=x"));
    assert_non_null(strstr(error.start, "line 4: time=x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_word_counts_as_given_even_if_it_is_wrong, start_anew),
        cmocka_unit_test_setup(a_word_with_a_known_key_is_told_from_others, start_anew),
        cmocka_unit_test_setup(the_first_error_is_told_and_later_options_still_count, start_anew),
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
        cmocka_unit_test_setup(what_is_in_force_is_told_with_its_source, start_anew),
        cmocka_unit_test_setup(what_a_later_source_replaced_is_not_in_force, start_anew),
        cmocka_unit_test_setup(arguments_of_one_command_line_have_one_source, start_anew),
        cmocka_unit_test_setup(what_was_refused_is_not_in_force, start_anew),
        cmocka_unit_test_setup(a_word_without_end_is_marked_where_it_is_cut, start_anew),
        cmocka_unit_test_setup(all_that_can_be_in_force_fits, start_anew),
        cmocka_unit_test_setup(what_was_typed_has_no_line_number, start_anew),
        cmocka_unit_test_setup(a_list_goes_on_behind_its_comma, start_anew),
        cmocka_unit_test_setup(no_other_word_goes_on, start_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
