/* Load options: what firmware, shells and boot managers put there, and what is read of it. */
#include "../../efi/core/run/load_options.h"
#include "../../efi/core/run/option_words.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct options options;
static struct text error;
static const char *notice;

static int start_anew(void **state)
{
    (void)state;
    static char buffer[512];
    options_default(&options);
    text_start(&error, buffer, sizeof(buffer));
    notice = NULL;
    return 0;
}

static bool parse_bytes(const void *bytes, size_t size)
{
    start_anew(NULL);
    return load_options_parse(&options, bytes, size, NULL, &error, &notice);
}

static bool took_nothing(void)
{
    return options.turns == 0;
}

static bool parse_load(const char *ascii)
{
    uint16_t wide[512];
    size_t n = 0;
    for (; ascii[n]; n++)
        wide[n] = (unsigned char)ascii[n];
    wide[n] = 0;
    return parse_bytes(wide, (n + 1) * sizeof(*wide));
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
    assert_true(took_nothing());
    assert_true(parse_load("   "));
    assert_true(took_nothing());
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
        assert_true(took_nothing());
    }
    assert_true(parse_load(".efi time=5"));
    assert_int_equal(options.seconds, 5);
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
    assert_true(parse_bytes(terminated, sizeof(terminated)));
    assert_int_equal(options.end, END_EXIT);
    assert_true(parse_bytes(terminated, 16));
    assert_int_equal(options.end, END_EXIT);
    assert_true(parse_bytes(terminated, 18));
    assert_int_equal(options.end, END_EXIT);
    assert_false(parse_bytes(terminated, 14));
    assert_non_null(strstr(error.start, "end=exi: value not allowed"));
}

/* Bytes as firmware put them there, and what becomes of them. */
static bool told(const char *words)
{
    return notice && strstr(notice, words);
}

static void what_is_no_text_is_told_and_not_taken(void **state)
{
    (void)state;
    static const uint16_t words[] = {'e', 'n', 'd', '=', 'e', 'x', 'i', 't'};
    uint16_t binary[8];
    static const uint16_t wrong[] = {0x01, 0x1f, 0x7f, 0x80, 0xff, 0x100, 0x0165, 0xfeff, 0xffff};
    for (size_t n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++) {
        memcpy(binary, words, sizeof(binary));
        binary[1 + n % 7] = wrong[n];
        assert_true(parse_bytes(binary, sizeof(binary)));
        assert_true(told("no text") && took_nothing());
    }
    for (size_t bytes = 3; bytes < sizeof(words); bytes += 2) {
        assert_true(parse_bytes(words, bytes));
        assert_true(told("no text") && took_nothing());
    }
    static const unsigned char big_endian[] = {0xfe, 0xff, 0, 'e', 0, 'n', 0, 'd'};
    assert_true(parse_bytes(big_endian, sizeof(big_endian)));
    assert_true(told("no text") && took_nothing());
}

static void no_load_options_are_told_of_with_no_word(void **state)
{
    (void)state;
    static const unsigned char ami[] = {0, 0, 'B', 'O'};
    assert_true(parse_bytes(NULL, 0));
    assert_true(!notice && took_nothing());
    assert_true(parse_bytes(NULL, 8));
    assert_true(!notice && took_nothing());
    assert_true(parse_bytes(ami, 0));
    assert_true(!notice && took_nothing());
    assert_true(parse_bytes(ami, sizeof(ami)));
    assert_true(!notice && took_nothing());
}

static void a_byte_order_mark_is_passed_over(void **state)
{
    (void)state;
    static const uint16_t ucs2[] = {0xfeff, 't', 'i', 'm', 'e', '=', '5'};
    static const char ascii[] = "\xef\xbb\xbftime=6";
    assert_true(parse_bytes(ucs2, sizeof(ucs2)));
    assert_int_equal(options.seconds, 5);
    assert_true(parse_bytes(ascii, sizeof(ascii)));
    assert_int_equal(options.seconds, 6);
}

static void ascii_is_read(void **state)
{
    (void)state;
    static const char line[] = "zmmtest.efi time=5 end=exit";
    for (size_t zero = 0; zero < 2; zero++) {
        assert_true(parse_bytes(line, strlen(line) + zero));
        assert_int_equal(options.seconds, 5);
        assert_int_equal(options.end, END_EXIT);
        assert_null(notice);
    }
    assert_false(parse_bytes("time=5 wrong", strlen("time=5 wrong")));
    assert_non_null(strstr(error.start, "load options line 1: wrong: no such option"));
}

static void data_that_looks_like_ascii_is_told_and_not_taken(void **state)
{
    (void)state;
    assert_true(parse_bytes("RC", 2));
    assert_true(told("no option of zmmtest") && took_nothing() && !options.given);
    assert_true(parse_bytes("ISPH\0\x01", 6));
    assert_true(told("no text") && took_nothing());
    assert_true(parse_bytes("WINDOWS\0\x01\0\0\0", 12));
    assert_true(told("no text") && took_nothing());
}

static void words_that_may_be_somebody_elses_need_a_key_of_ours(void **state)
{
    (void)state;
    static const uint16_t other[] = {'q', 'u', 'i', 'e', 't'}, ours[] = {'e', 'n', 'd', '='};
    assert_true(load_options_parse(&options, other, sizeof(other), "not ours", &error, &notice));
    assert_string_equal(notice, "not ours");
    notice = NULL;
    assert_false(load_options_parse(&options, ours, sizeof(ours), "not ours", &error, &notice));
    assert_true(!notice && strstr(error.start, "end=: value not allowed"));
}

/* EFI_LOAD_OPTION: ACTIVE, paths of so many bytes, "zmmtest", then the paths. */
static size_t make_load_option(unsigned char *to, uint32_t attributes, uint16_t paths)
{
    static const uint16_t description[] = {'z', 'm', 'm', 't', 'e', 's', 't', 0};
    memcpy(to, &attributes, sizeof(attributes));
    memcpy(to + 4, &paths, sizeof(paths));
    memcpy(to + 6, description, sizeof(description));
    for (size_t n = 0; n < paths; n++)
        to[6 + sizeof(description) + n] = (unsigned char)(n + 1);
    return 6 + sizeof(description) + paths;
}

static void the_options_of_a_whole_load_option_are_read(void **state)
{
    (void)state;
    static const uint16_t words[] = {'t', 'i', 'm', 'e', '=', '5', 0};
    static const uint16_t lengths[] = {0, 1, 4, 97, 98};
    unsigned char whole[200];
    for (size_t n = 0; n < sizeof(lengths) / sizeof(lengths[0]); n++) {
        size_t size = make_load_option(whole, n % 2 ? 0x101 : 1, lengths[n]);
        assert_true(parse_bytes(whole, size));
        assert_true(!notice && took_nothing());
        memcpy(whole + size, words, sizeof(words));
        assert_true(parse_bytes(whole, size + sizeof(words)));
        assert_int_equal(options.seconds, 5);
        assert_null(notice);
    }
}

static void a_load_option_that_contradicts_itself_is_no_text(void **state)
{
    (void)state;
    unsigned char whole[200];
    size_t size = make_load_option(whole, 1, 98);
    for (size_t cut = 5; cut < size; cut++) {
        assert_true(parse_bytes(whole, cut));
        assert_true(told("no text") && took_nothing());
    }
    size = make_load_option(whole, 0x80000001, 4);
    assert_true(parse_bytes(whole, size));
    assert_true(told("no text") && took_nothing());
}

static void load_options_of_the_largest_size_are_read_and_larger_ones_told(void **state)
{
    (void)state;
    static const char option[] = "end=exit ";
    static uint16_t large[4097];
    for (size_t n = 0; n < sizeof(large) / sizeof(large[0]); n++)
        large[n] = n < 4096 - 8 ? ' ' : (uint16_t)option[n - (4096 - 8)];
    assert_true(parse_bytes(large, 4096 * sizeof(large[0])));
    assert_int_equal(options.end, END_EXIT);
    assert_true(parse_bytes(large, sizeof(large)));
    assert_true(told("no text") && took_nothing());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(load_options_are_read, start_anew),
        cmocka_unit_test_setup(line_ends_in_load_options_are_blanks, start_anew),
        cmocka_unit_test_setup(the_name_of_the_program_is_no_option, start_anew),
        cmocka_unit_test_setup(an_option_that_ends_like_the_name_is_no_name, start_anew),
        cmocka_unit_test_setup(a_quoted_program_name_is_passed_over, start_anew),
        cmocka_unit_test_setup(a_word_that_only_looks_like_the_name_is_an_option, start_anew),
        cmocka_unit_test_setup(load_options_end_at_a_zero_or_with_their_bytes, start_anew),
        cmocka_unit_test_setup(what_is_no_text_is_told_and_not_taken, start_anew),
        cmocka_unit_test_setup(no_load_options_are_told_of_with_no_word, start_anew),
        cmocka_unit_test_setup(a_byte_order_mark_is_passed_over, start_anew),
        cmocka_unit_test_setup(ascii_is_read, start_anew),
        cmocka_unit_test_setup(data_that_looks_like_ascii_is_told_and_not_taken, start_anew),
        cmocka_unit_test_setup(words_that_may_be_somebody_elses_need_a_key_of_ours, start_anew),
        cmocka_unit_test_setup(the_options_of_a_whole_load_option_are_read, start_anew),
        cmocka_unit_test_setup(a_load_option_that_contradicts_itself_is_no_text, start_anew),
        cmocka_unit_test_setup(load_options_of_the_largest_size_are_read_and_larger_ones_told,
                               start_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
