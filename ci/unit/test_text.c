/* Text: what is formatted comes out whole or cut at the buffer's end, and numbers read back
 * exactly. */
#include "../../efi/core/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static char buffer[128];
static struct text text;

static int start_empty(void **state)
{
    (void)state;
    memset(buffer, '#', sizeof(buffer));
    text_start(&text, buffer, sizeof(buffer));
    return 0;
}

static void expect(const char *wanted)
{
    assert_string_equal(buffer, wanted);
    assert_int_equal(text.length, strlen(wanted));
    assert_false(text.cut);
    start_empty(NULL);
}

static void a_started_text_is_empty_and_terminated(void **state)
{
    (void)state;
    assert_ptr_equal(text.start, buffer);
    assert_int_equal(text.size, sizeof(buffer));
    expect("");
}

static void every_conversion_comes_out_as_printf_writes_it(void **state)
{
    (void)state;
    text_add(&text, "plain");
    expect("plain");
    text_add(&text, "%s", "");
    expect("");
    text_add(&text, "%s and %c and %%", "string", 'c');
    expect("string and c and %");
    text_add(&text, "%u %x", 0u, 0u);
    expect("0 0");
    text_add(&text, "%u %x", 4294967295u, 0xdeadbeefu);
    expect("4294967295 deadbeef");
    text_add(&text, "%lu %lx", 18446744073709551615ul, 0x123456789abcdef0ul);
    expect("18446744073709551615 123456789abcdef0");
    text_add(&text, "%u%s%lx%c", 1u, "2", 3ul, '4');
    expect("1234");
}

static void a_width_pads_left_right_or_with_zeros(void **state)
{
    (void)state;
    text_add(&text, "[%5u][%-5u][%05u]", 42u, 42u, 42u);
    expect("[   42][42   ][00042]");
    text_add(&text, "[%5s][%-5s]", "ab", "ab");
    expect("[   ab][ab   ]");
    text_add(&text, "[%016lx][%04x]", 0xabcul, 0x12345u);
    expect("[0000000000000abc][12345]");
    text_add(&text, "[%2s][%-2s][%1u]", "long", "long", 100u);
    expect("[long][long][100]");
    text_add(&text, "[%12s][%-12s]", "ten", "ten");
    expect("[         ten][ten         ]");
    text_add(&text, "%lu.%03lu", 7ul, 5ul);
    expect("7.005");
}

static void a_width_pads_a_character_too(void **state)
{
    (void)state;
    text_add(&text, "[%3c][%-3c][%1c][%c]", 'a', 'b', 'c', 'd');
    expect("[  a][b  ][c][d]");
    text_start(&text, buffer, 4);
    text_add(&text, "%5c", 'a');
    assert_string_equal(buffer, "   ");
    assert_true(text.cut);
}

/* What lies behind the end of the format must not be read, so there is something. */
static void a_format_that_ends_within_a_conversion_ends_there(void **state)
{
    (void)state;
    static const char *const formats[] = {"100%\0behind",   "100%5\0behind", "100%-\0behind",
                                          "100%05\0behind", "100%l\0behind", "100%9l\0behind"};
    for (size_t n = 0; n < sizeof(formats) / sizeof(formats[0]); n++) {
        text_add(&text, formats[n], 0ul);
        expect("100");
    }
}

static void text_is_cut_at_the_end_of_its_buffer(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 12; size++) {
        memset(buffer, '#', sizeof(buffer));
        text_start(&text, buffer, size);
        text_add(&text, "%s%u", "0123456", 789u);
        size_t kept = size > 10 ? 10 : size - 1;
        assert_int_equal(text.length, kept);
        assert_int_equal(text.cut, size <= 10);
        assert_memory_equal(buffer, "0123456789", kept);
        assert_int_equal(buffer[kept], '\0');
        for (size_t n = size; n < sizeof(buffer); n++)
            assert_int_equal(buffer[n], '#');
    }
}

static void a_cut_text_stays_cut_and_as_it_is(void **state)
{
    (void)state;
    text_start(&text, buffer, 4);
    text_add(&text, "%08x", 1u);
    assert_string_equal(buffer, "000");
    text_add(&text, "%s", "");
    text_add(&text, "more");
    assert_string_equal(buffer, "000");
    assert_true(text.cut);
}

static __attribute__((format(printf, 1, 2))) void add_twice(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_add_list(&text, format, arguments);
    text_add_list(&text, format, arguments);
    va_end(arguments);
}

static void an_argument_list_can_be_used_again(void **state)
{
    (void)state;
    add_twice("%s%lu;", "a", 1ul);
    expect("a1;a1;");
}

static void ranges_name_every_set_bit(void **state)
{
    (void)state;
    text_add_ranges(&text, "zmm", 0);
    expect("");
    text_add_ranges(&text, "zmm", 1);
    expect("zmm0");
    text_add_ranges(&text, "zmm", 0x27);
    expect("zmm0-2,zmm5");
    text_add_ranges(&text, "", 0x3);
    expect("0-1");
    text_add_ranges(&text, "k", 0x55);
    expect("k0,k2,k4,k6");
    text_add_ranges(&text, "", UINT64_MAX);
    expect("0-63");
    text_add_ranges(&text, "", UINT64_C(1) << 63);
    expect("63");
    text_add_ranges(&text, "", UINT64_C(3) << 62 | UINT64_C(1) << 60);
    expect("60,62-63");
}

static bool reads_as(const char *digits, unsigned int base, uint64_t wanted)
{
    uint64_t value = ~wanted;
    return text_to_number(digits, strlen(digits), base, &value) && value == wanted;
}

static bool is_no_number(const char *digits, unsigned int base)
{
    uint64_t value;
    return !text_to_number(digits, strlen(digits), base, &value);
}

static void decimal_numbers_are_read_up_to_the_last_that_fits(void **state)
{
    (void)state;
    assert_true(reads_as("0", 10, 0));
    assert_true(reads_as("7", 10, 7));
    assert_true(reads_as("007", 10, 7));
    assert_true(reads_as("18446744073709551615", 10, UINT64_MAX));
    assert_true(reads_as("00000018446744073709551615", 10, UINT64_MAX));
    assert_true(is_no_number("18446744073709551616", 10));
    assert_true(is_no_number("18446744073709551620", 10));
    assert_true(is_no_number("99999999999999999999", 10));
    assert_true(is_no_number("184467440737095516150", 10));
}

static void what_is_no_decimal_number_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",   "-1", "+1",  " 1", "1 ", "1.0", "a",
                                        "1a", "0x", "0x1", "x1", "1,", "/",   ":"};
    for (size_t n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++)
        assert_true(is_no_number(wrong[n], 10));
}

static void hexadecimal_numbers_are_read_with_and_without_prefix(void **state)
{
    (void)state;
    assert_true(reads_as("0", 16, 0));
    assert_true(reads_as("ff", 16, 255));
    assert_true(reads_as("FF", 16, 255));
    assert_true(reads_as("0xff", 16, 255));
    assert_true(reads_as("0XfF", 16, 255));
    assert_true(reads_as("0123456789abcdef", 16, 0x0123456789abcdef));
    assert_true(reads_as("0xABCDEF", 16, 0xabcdef));
    assert_true(reads_as("ffffffffffffffff", 16, UINT64_MAX));
    assert_true(reads_as("0xffffffffffffffff", 16, UINT64_MAX));
    assert_true(is_no_number("10000000000000000", 16));
    assert_true(is_no_number("0x10000000000000000", 16));
}

static void what_is_no_hexadecimal_number_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "0x", "x1", "0x0x1", "g", "0xg", "@", "`", "1 ", "-1"};
    for (size_t n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++)
        assert_true(is_no_number(wrong[n], 16));
}

static void only_the_given_length_of_a_number_is_read(void **state)
{
    (void)state;
    uint64_t value;
    assert_true(text_to_number("123", 2, 10, &value));
    assert_int_equal(value, 12);
    assert_true(text_to_number("0xff", 1, 16, &value));
    assert_int_equal(value, 0);
    assert_true(text_to_number("1z", 1, 10, &value));
    assert_int_equal(value, 1);
}

static void lines_break_at_the_last_blank_and_long_lists_behind_a_comma(void **state)
{
    (void)state;
    assert_int_equal(text_break("one two", 7), 7);
    assert_int_equal(text_break("one two", 6), 3);
    assert_int_equal(text_break("one two", 3), 3);
    assert_int_equal(text_break("one two,three", 9), 3); /* a blank goes before */
    assert_int_equal(text_break("one,two,three", 9), 8);
    assert_int_equal(text_break("one,two,three", 8), 8);
    assert_int_equal(text_break("one,two,three", 7), 4);
    assert_int_equal(text_break("one,two,three", 3), 3);
    assert_int_equal(text_break("onetwothree", 5), 5);
    assert_int_equal(text_break("", 5), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_started_text_is_empty_and_terminated, start_empty),
        cmocka_unit_test_setup(every_conversion_comes_out_as_printf_writes_it, start_empty),
        cmocka_unit_test_setup(a_width_pads_left_right_or_with_zeros, start_empty),
        cmocka_unit_test_setup(a_width_pads_a_character_too, start_empty),
        cmocka_unit_test_setup(a_format_that_ends_within_a_conversion_ends_there, start_empty),
        cmocka_unit_test_setup(text_is_cut_at_the_end_of_its_buffer, start_empty),
        cmocka_unit_test_setup(a_cut_text_stays_cut_and_as_it_is, start_empty),
        cmocka_unit_test_setup(an_argument_list_can_be_used_again, start_empty),
        cmocka_unit_test_setup(ranges_name_every_set_bit, start_empty),
        cmocka_unit_test(decimal_numbers_are_read_up_to_the_last_that_fits),
        cmocka_unit_test(what_is_no_decimal_number_is_refused),
        cmocka_unit_test(hexadecimal_numbers_are_read_with_and_without_prefix),
        cmocka_unit_test(what_is_no_hexadecimal_number_is_refused),
        cmocka_unit_test(only_the_given_length_of_a_number_is_read),
        cmocka_unit_test(lines_break_at_the_last_blank_and_long_lists_behind_a_comma),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
