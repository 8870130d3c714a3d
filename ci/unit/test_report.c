/* The report: each sink gets its kind of line, whole, in order, and never longer than it may be. */
#include "../../efi/core/report/events.h"
#include "../../efi/core/report/report.h"
#include "../../efi/core/window/hits.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define LINES_KEPT 20u

/* What the sinks got, with the sink's letter before each line: one record, so that order shows. */
static struct {
    char line[LINES_KEPT][2 * LOG_LINE_MAX];
    unsigned int lines;
} got;

static void keep(char sink, const char *line)
{
    struct text text;
    assert_true(got.lines < LINES_KEPT);
    text_start(&text, got.line[got.lines++], sizeof(got.line[0]));
    text_add(&text, "%c %s", sink, line);
    assert_false(text.cut);
}

static void first_log(const char *line)
{
    keep('1', line);
}

static void first_text(const char *line)
{
    keep('1', line);
}

static void log_only(const char *line)
{
    keep('l', line);
}

static void text_only(const char *line)
{
    keep('t', line);
}

static void sixth(const char *line)
{
    keep('6', line);
}

static void progressed(const struct progress *progress)
{
    assert_null(progress);
    keep('s', "progress");
}

static void found_one(const struct found *found)
{
    assert_null(found);
    keep('s', "found");
}

static void found_block(const struct found_block *found)
{
    assert_null(found);
    keep('s', "found block");
}

/* Each says its trouble once. */
static const char *say_once(const char **words)
{
    const char *said = *words;
    *words = NULL;
    return said;
}

static const char *first_trouble(void)
{
    static const char *words = "first";
    return say_once(&words);
}

static const char *second_trouble(void)
{
    static const char *words = "second";
    return say_once(&words);
}

static const char *sixth_trouble(void)
{
    static const char *words = "sixth";
    return say_once(&words);
}

static uint64_t clock_value;

static uint64_t test_clock(void)
{
    return clock_value;
}

/* Sinks stay for good, so they are added once: the first alone, the others by their test. */
static int add_first_sink(void **state)
{
    (void)state;
    static struct sink first = {.log = first_log, .text = first_text};
    report_add_sink(&first);
    return 0;
}

static int forget(void **state)
{
    (void)state;
    memset(&got, 0, sizeof(got));
    clock_value = 0;
    return 0;
}

static void expect_only(const char *wanted)
{
    assert_int_equal(got.lines, 1);
    assert_string_equal(got.line[0], wanted);
    forget(NULL);
}

static void a_log_line_begins_with_its_time_and_event(void **state)
{
    (void)state;
    struct log_line line;
    log_start(&line, "start");
    log_end(&line);
    expect_only("1 zmmtest ts=0.000 ev=start");
    report_set_clock(test_clock);
    clock_value = 61005;
    log_start(&line, "end");
    log_end(&line);
    expect_only("1 zmmtest ts=61.005 ev=end");
    clock_value = UINT64_MAX;
    log_start(&line, "end");
    log_end(&line);
    expect_only("1 zmmtest ts=18446744073709551.615 ev=end");
}

static void keys_stand_in_the_order_of_the_calls(void **state)
{
    (void)state;
    struct log_line line;
    log_start(&line, "x");
    log_number(&line, "b", UINT64_MAX);
    log_hex(&line, "a", 0);
    log_text(&line, "c", "word");
    log_hex(&line, "d", 0xdeadbeefcafe);
    log_number(&line, "e", 0);
    log_end(&line);
    expect_only("1 zmmtest ts=0.000 ev=x b=18446744073709551615 a=0x0 c=word d=0xdeadbeefcafe e=0");
}

static void what_needs_quotes_is_quoted(void **state)
{
    (void)state;
    struct log_line line;
    log_start(&line, "x");
    log_text(&line, "blank", "two words");
    log_text(&line, "quote", "a\"b");
    log_text(&line, "backslash", "fs0:\\a b");
    log_text(&line, "equals", "a=b");
    log_text(&line, "empty", "");
    log_text(&line, "none", "a,b;c:d-e/f'g");
    log_end(&line);
    expect_only("1 zmmtest ts=0.000 ev=x blank=\"two words\" quote=\"a'b\" "
                "backslash=\"fs0:/a b\" equals=\"a=b\" "
                "empty=\"\" none=a,b;c:d-e/f'g");
}

static void what_cannot_be_printed_becomes_a_question_mark(void **state)
{
    (void)state;
    struct log_line line;
    log_start(&line, "x");
    log_text(&line, "lf", "a\nzmmtest");
    log_text(&line, "crlf", "two words\r\n");
    log_text(&line, "tab", "a\tb");
    log_text(&line, "escape", "\x1b[2J");
    log_text(&line, "utf8", "caf\xc3\xa9");
    log_text(&line, "edge", "\x1f!~\x7f\x80\xff");
    log_end(&line);
    expect_only("1 zmmtest ts=0.000 ev=x lf=a?zmmtest crlf=\"two words??\" tab=a?b escape=?[2J "
                "utf8=caf?? edge=?!~???");
}

static void fill_up_to(struct log_line *line, size_t length)
{
    log_start(line, "x");
    while (line->text.length < length)
        text_add(&line->text, "_");
}

static unsigned int count(const char *line, char c)
{
    unsigned int found = 0;
    for (; *line; line++)
        found += *line == c;
    return found;
}

static void a_number_is_whole_or_left_out(void **state)
{
    (void)state;
    struct log_line line;
    for (size_t length = 200; length <= LOG_LINE_MAX; length++) {
        fill_up_to(&line, length);
        log_number(&line, "key", 123456789);
        bool room = length + strlen(" key=123456789") <= LOG_LINE_MAX;
        assert_string_equal(line.buffer + length, room ? " key=123456789" : "");
        fill_up_to(&line, length);
        log_hex(&line, "key", UINT64_MAX);
        room = length + strlen(" key=0xffffffffffffffff") <= LOG_LINE_MAX;
        assert_string_equal(line.buffer + length, room ? " key=0xffffffffffffffff" : "");
    }
}

static void a_shorter_key_still_finds_room_after_one_left_out(void **state)
{
    (void)state;
    struct log_line line;
    fill_up_to(&line, LOG_LINE_MAX - 4);
    log_number(&line, "long", 1);
    log_number(&line, "n", 1);
    assert_string_equal(line.buffer + LOG_LINE_MAX - 4, " n=1");
}

static void text_is_shortened_and_its_quote_closed(void **state)
{
    (void)state;
    static const char *const values[] = {"plainword", "two words", "a=b\"c", "", " "};
    struct log_line line;
    for (size_t n = 0; n < sizeof(values) / sizeof(values[0]); n++) {
        for (size_t length = 200; length <= LOG_LINE_MAX; length++) {
            fill_up_to(&line, length);
            log_text(&line, "key", values[n]);
            const char *added = line.buffer + length;
            assert_true(strlen(line.buffer) <= LOG_LINE_MAX);
            assert_int_equal(strlen(line.buffer), line.text.length);
            assert_int_equal(count(added, '"') % 2, 0);
            if (*added == '\0')
                assert_true(length + strlen(" key=\"\"") >= LOG_LINE_MAX - strlen("\"\""));
            else
                assert_memory_equal(added, " key=", 5);
            if (count(added, '"'))
                assert_int_equal(added[strlen(added) - 1], '"');
        }
    }
    fill_up_to(&line, LOG_LINE_MAX - 10);
    log_text(&line, "key", "two words");
    assert_string_equal(line.buffer + LOG_LINE_MAX - 10, " key=\"two\"");
    fill_up_to(&line, LOG_LINE_MAX - 10);
    log_text(&line, "key", "plainword");
    assert_string_equal(line.buffer + LOG_LINE_MAX - 10, " key=plain");
}

static void a_key_without_room_for_any_value_is_left_out(void **state)
{
    (void)state;
    struct log_line line;
    fill_up_to(&line, LOG_LINE_MAX - 5);
    log_text(&line, "key", "value");
    assert_int_equal(line.text.length, LOG_LINE_MAX - 5);
    fill_up_to(&line, LOG_LINE_MAX - 7);
    log_text(&line, "key", "a value");
    assert_int_equal(line.text.length, LOG_LINE_MAX - 7);
    fill_up_to(&line, LOG_LINE_MAX);
    log_text(&line, "k", "v");
    log_number(&line, "k", 1);
    log_hex(&line, "k", 1);
    assert_int_equal(strlen(line.buffer), LOG_LINE_MAX);
}

static void no_log_line_is_longer_than_allowed(void **state)
{
    (void)state;
    static char value[3 * LOG_LINE_MAX];
    struct log_line line;
    for (size_t length = 0; length + 1 < sizeof(value); length++) {
        forget(NULL);
        memset(value, length % 3 ? 'v' : ' ', length);
        value[length] = '\0';
        log_start(&line, "x");
        log_text(&line, "first", value);
        log_number(&line, "number", length);
        log_text(&line, "second", value);
        log_hex(&line, "hex", length);
        log_end(&line);
        assert_int_equal(got.lines, 1);
        assert_true(strlen(got.line[0]) - 2 <= LOG_LINE_MAX);
    }
}

static void a_line_of_text_is_formatted(void **state)
{
    (void)state;
    report_say("%s %u of %lx", "pass", 3u, 0xful);
    expect_only("1 pass 3 of f");
    report_say("%s", "");
    expect_only("1 ");
}

/* What a processor, a firmware or a host calls itself. */
static void words_of_others_cannot_pass_for_a_line_of_the_log(void **state)
{
    (void)state;
    report_say("Processor  %s", "A\nzmmtest ts=0.100 ev=done verdict=PASS x");
    expect_only("1 Processor  A?zmmtest?ts=0.100 ev=done verdict=PASS x");
    report_say("%s", "zmmtest ts=0.100 ev=done");
    expect_only("1 zmmtest?ts=0.100 ev=done");
    report_say_wrapped(2, "a\x1b[2Jb\tc\x7f\xc3\xa9");
    expect_only("1   a?[2Jb?c???");
    struct log_line line;
    log_start(&line, "x");
    log_text(&line, "cpu", "zmmtest ts=0.100 ev=done zmmtest ts=1");
    log_end(&line);
    expect_only("1 zmmtest ts=0.000 ev=x cpu=\"zmmtest?ts=0.100 ev=done zmmtest?ts=1\"");
}

static void a_line_of_text_that_is_too_long_is_cut(void **state)
{
    (void)state;
    char words[400];
    memset(words, 'w', sizeof(words));
    words[sizeof(words) - 1] = '\0';
    report_say("%s", words);
    assert_int_equal(got.lines, 1);
    assert_true(strlen(got.line[0]) - 2 >= 79);
    assert_true(strlen(got.line[0]) - 2 < 160);
}

static void short_text_is_not_wrapped(void **state)
{
    (void)state;
    report_say_wrapped(0, "one line");
    expect_only("1 one line");
    report_say_wrapped(4, "one line");
    expect_only("1     one line");
    report_say_wrapped(4, "");
    assert_int_equal(got.lines, 0);
    static const char full[] = "12345678 12345678 12345678 12345678 12345678 12345678 12345678 "
                               "12345678 123456";
    report_say_wrapped(0, full);
    assert_int_equal(got.lines, 1);
    assert_int_equal(strlen(got.line[0]) - 2, 78);
    forget(NULL);
    report_say_wrapped(1, full);
    assert_int_equal(got.lines, 1);
    assert_int_equal(strlen(got.line[0]) - 2, 79);
    forget(NULL);
    report_say_wrapped(2, full);
    assert_int_equal(got.lines, 2);
}

static void text_breaks_at_the_last_blank_that_fits(void **state)
{
    (void)state;
    static const char digits[] = "123456789 123456789 123456789 123456789 123456789 123456789 "
                                 "123456789 123456789 123456789 123456789 1234567";
    report_say_wrapped(0, digits);
    assert_int_equal(got.lines, 2);
    assert_int_equal(strlen(got.line[0]) - 2, 79);
    assert_string_equal(got.line[1], "1 123456789 123456789 1234567");
    forget(NULL);
    report_say_wrapped(1, digits);
    assert_int_equal(got.lines, 2);
    assert_int_equal(strlen(got.line[0]) - 2, 70);
    assert_string_equal(got.line[1], "1  123456789 123456789 123456789 1234567");
}

static void wrapped_text_keeps_every_word_within_79_columns(void **state)
{
    (void)state;
    static const char words[] = "Bits 511:256 of zmm0-15 came back zero, the low 256 bits intact: "
                                "code beneath the guest wrote these registers with 256-bit AVX "
                                "instructions and saved only ymm. This is what was done to guests.";
    for (unsigned int indent = 0; indent <= 40; indent++) {
        char joined[sizeof(words)];
        struct text text;
        text_start(&text, joined, sizeof(joined));
        forget(NULL);
        report_say_wrapped(indent, words);
        for (unsigned int n = 0; n < got.lines; n++) {
            const char *line = got.line[n] + 2;
            assert_true(strlen(line) <= 79);
            assert_int_equal(strspn(line, " "), indent);
            assert_true(line[strlen(line) - 1] != ' ');
            text_add(&text, "%s%s", n ? " " : "", line + indent);
        }
        assert_string_equal(joined, words);
    }
}

static void a_word_longer_than_a_line_is_broken(void **state)
{
    (void)state;
    char words[200];
    memset(words, 'w', 170);
    memcpy(words + 170, " end", sizeof(" end"));
    report_say_wrapped(2, words);
    assert_int_equal(got.lines, 3);
    assert_int_equal(strlen(got.line[0]) - 2, 79);
    assert_int_equal(strlen(got.line[1]) - 2, 79);
    assert_int_equal(count(got.line[0], 'w') + count(got.line[1], 'w') + count(got.line[2], 'w'),
                     170);
    assert_string_equal(got.line[2], "1   wwwwwwwwwwwwwwww end");
    forget(NULL);
    words[78] = '\0';
    report_say_wrapped(2, words);
    assert_int_equal(got.lines, 2);
    assert_string_equal(got.line[1], "1   w");
}

static void start_with(const char *firmware, const char *options)
{
    const struct run_identity identity = {"0.1", "72626d253550", 0xe0cd, 0x1910352b286a3f92, 7, 0};
    forget(NULL);
    event_start(&identity, firmware, options);
}

static void the_start_says_which_options_are_in_force(void **state)
{
    (void)state;
    start_with("EDK II 0x10000", "zmmtest.conf: time=10; load options: passes=3");
    assert_string_equal(got.line[0],
                        "1 zmmtest ts=0.000 ev=start version=0.1 commit=72626d253550 run=0xe0cd "
                        "seed=0x1910352b286a3f92 boot=7 firmware=\"EDK II 0x10000\" "
                        "options=\"zmmtest.conf: time=10; load options: passes=3\"");
    assert_string_equal(got.line[3], "1 Options    zmmtest.conf: time=10; load options: passes=3");
    start_with("EDK II 0x10000", "defaults");
    assert_non_null(strstr(got.line[0], " options=defaults"));
    assert_string_equal(got.line[3], "1 Options    defaults");
}

static bool is_log(unsigned int n, const char *event)
{
    return strstr(got.line[n], event) == got.line[n] + strlen("1 zmmtest ts=0.000 ");
}

/* Puts the values of all ev=options lines together again; where there is none, it is "". */
static void join_folded(char *joined, size_t size)
{
    struct text text;
    text_start(&text, joined, size);
    for (unsigned int n = 1; n < got.lines && is_log(n, "ev=options "); n++) {
        char *value = strstr(got.line[n], " text=") + strlen(" text=");
        assert_true(strlen(got.line[n]) - 2 <= LOG_LINE_MAX);
        size_t length = strlen(value);
        if (value[0] == '"') {
            value[length - 1] = '\0';
            value++;
        }
        text_add(&text, "%s%s", n > 1 && value[-1] == '"' ? " " : "", value);
    }
}

static void options_that_do_not_fit_are_marked_and_told_in_full(void **state)
{
    (void)state;
    char options[600] = "zmmtest.conf:", joined[700];
    const size_t head = strlen(options);
    start_with("EDK II 0x10000", options);
    const size_t room = LOG_LINE_MAX + 2 - strlen(got.line[0]) + head - strlen("\"\"");
    for (size_t length = head; length + 8 < sizeof(options); length += strlen(" time=5")) {
        memcpy(options + length, " time=5", strlen(" time=5") + 1);
        start_with("EDK II 0x10000", options);
        assert_true(is_log(0, "ev=start "));
        assert_true(strlen(got.line[0]) - 2 <= LOG_LINE_MAX);
        join_folded(joined, sizeof(joined));
        if (strlen(options) <= room) {
            assert_non_null(strstr(got.line[0], options));
            assert_string_equal(joined, "");
            continue;
        }
        const char *end = got.line[0] + strlen(got.line[0]) - strlen(" time=5 ...\"");
        assert_string_equal(end, " time=5 ...\"");
        assert_string_equal(joined, options);
    }
}

static void options_are_told_where_the_start_has_no_room_at_all(void **state)
{
    (void)state;
    char firmware[200], joined[700];
    for (size_t length = 1; length < sizeof(firmware); length++) {
        memset(firmware, 'f', sizeof(firmware));
        firmware[length] = '\0';
        start_with(firmware, "zmmtest.conf: time=5");
        assert_true(strlen(got.line[0]) - 2 <= LOG_LINE_MAX);
        assert_int_equal(count(got.line[0], '"') % 2, 0);
        join_folded(joined, sizeof(joined));
        bool whole = strstr(got.line[0], " options=\"zmmtest.conf: time=5\"") != NULL;
        assert_string_equal(joined, whole ? "" : "zmmtest.conf: time=5");
    }
}

/* As in findings and in ev=component. */
static void a_state_names_each_component_of_xcr0(void **state)
{
    (void)state;
    static struct machine machine;
    struct xstate_saved saved = {.xcr0 = 1, .xcr0_on = 7 | UINT64_C(1) << 20};
    machine.xstate.size[0] = 160;
    machine.xstate.size[1] = machine.xstate.size[2] = 256;
    machine.xstate.size[20] = 48;
    event_state(&machine, "0", &saved, true);
    expect_only("1 zmmtest ts=0.000 ev=state cpu=0 xcr0_before=0x1 xcr0=0x100007 "
                "components=x87:160,SSE:256,AVX:256,component-20:48");
}

static void options_cannot_break_a_line_or_its_quotes(void **state)
{
    (void)state;
    start_with("EDK II", "x: seed=\"5\" \n\x1b[2J\xff ev=done");
    assert_non_null(strstr(got.line[0], " options=\"x: seed='5' ??[2J? ev=done\""));
}

/* Whichever of them have a pattern, are to stay the same or are not there: each is in one list. */
static void each_system_register_is_told_once(void **state)
{
    (void)state;
    const uint64_t all = (UINT64_C(1) << SYSTEM_COUNT) - 1;
    for (uint32_t n = 0; n <= SYSTEM_COUNT; n++) {
        struct system_result result = {.comparisons = 7, .compared = all};
        uint32_t told[SYSTEM_COUNT] = {0};
        result.patterned = (UINT64_C(1) << n) - 1;
        if (n % 3 == 0) {
            result.compared = result.patterned;
            for (uint32_t absent = n; absent < SYSTEM_COUNT; absent++)
                result.reason[absent] = absent == SYSTEM_PAT ? "it is refused" : system_absent;
        }
        forget(NULL);
        event_system(&result);
        for (unsigned int line = 0; line < got.lines; line++) {
            assert_true(strlen(got.line[line]) - 2 <= LOG_LINE_MAX);
            if (strstr(got.line[line], "ev=skip exit=pat reason=\"it is refused\""))
                told[SYSTEM_PAT]++;
            if (!is_log(line, "ev=registers "))
                continue;
            char *name = strtok(strrchr(got.line[line], '=') + 1, ",");
            for (; name; name = strtok(NULL, ","))
                for (uint32_t number = 0; number < SYSTEM_COUNT; number++)
                    told[number] += strcmp(name, system_rows[number].name) == 0;
        }
        for (uint32_t number = 0; number < SYSTEM_COUNT; number++)
            assert_int_equal(told[number], 1);
    }
}

/* Registers that are alike are one entry, vCPUs that are alike one line. */
static void each_register_that_was_hit_is_in_one_line(void **state)
{
    (void)state;
    static struct hits tested, hits;
    tested.form = FORM_ZMM;
    tested.compared = 0xffef;
    event_hits("0-1022,1023", &tested, &tested);
    expect_only("1 zmmtest ts=0.000 ev=hits cpus=0-1022,1023 form=zmm compared=0xffef vectors=none "
                "opmask=0x0 general=0x0 rflags=0 mxcsr=0");
    for (unsigned int n = 0; n < 16; n++)
        hits.vector[n] = 0xff00ff00;
    hits.vector[17] = 1;
    hits.other = 1u << HIT_MXCSR | 0x8001u << HIT_GENERAL | 0x80u << HIT_OPMASK;
    event_hits("3", &hits, &tested);
    expect_only("1 zmmtest ts=0.000 ev=hits label=INJECTED cpu=3 form=zmm compared=0xffef "
                "vectors=0-15:ff00:ff00,17:1:0 opmask=0x80 general=0x8001 rflags=0 mxcsr=1");
}

static void a_map_without_two_registers_alike_goes_on_in_other_lines(void **state)
{
    (void)state;
    static struct hits hits;
    static const char list[] = "1000,1002,1004,1006,1008,1010,1012,1014,1016-1023";
    uint32_t told = 0;
    for (unsigned int n = 0; n < VECTOR_COUNT; n++)
        hits.vector[n] = 0xffff8000 | n;
    hits.other = UINT32_MAX;
    clock_value = 999999999999;
    event_hits(list, &hits, &(struct hits){.form = FORM_ZMM, .compared = 0xffff});
    for (unsigned int line = 0; line < got.lines; line++) {
        assert_true(strlen(got.line[line]) - 2 <= LOG_LINE_MAX);
        assert_non_null(strstr(got.line[line], " opmask=0xff general=0xffff rflags=1 mxcsr=1"));
        char *entry = strtok(strstr(got.line[line], " vectors=") + strlen(" vectors="), ", ");
        for (; entry && strchr(entry, ':'); entry = strtok(NULL, ", ")) {
            char wanted[32];
            struct text text;
            text_start(&text, wanted, sizeof(wanted));
            text_add(&text, "%u:%x:ffff", told, 0x8000 | told);
            assert_string_equal(entry, wanted);
            told++;
        }
    }
    assert_int_equal(told, VECTOR_COUNT);
}

static void what_a_finding_means_is_in_the_log_once(void **state)
{
    (void)state;
    static const struct finding finding = {.cpu = 1};
    static struct diagnosis diagnosis = {.corruption = CLASS_STALE};
    struct found found = {.finding = &finding,
                          .diagnosis = &diagnosis,
                          .signature = signature_of_number(0),
                          .exit_name = "cpuid",
                          .number = 7};
    unsigned int references = 0, texts = 0;
    event_finding(&found);
    for (unsigned int n = 0; n < got.lines; n++) {
        references += strstr(got.line[n], " ev=meaning n=7 reference=\"erlang/otp ") != NULL;
        texts += strstr(got.line[n], " ev=meaning n=7 text=\"") != NULL;
        assert_true(strlen(got.line[n]) - 2 <= LOG_LINE_MAX);
    }
    assert_int_equal(references, 1);
    assert_true(texts >= 2);
    forget(NULL);
    found.told_before = true;
    event_finding(&found);
    for (unsigned int n = 0; n < got.lines; n++)
        assert_null(strstr(got.line[n], "ev=meaning"));
    forget(NULL);
    found.told_before = false;
    found.signature = NULL;
    event_finding(&found);
    for (unsigned int n = texts = 0; n < got.lines; n++) {
        assert_null(strstr(got.line[n], " reference="));
        texts += strstr(got.line[n], " ev=meaning n=7 text=\"A register went back ") != NULL;
    }
    assert_int_equal(texts, 1);
}

static void flushed(void)
{
    keep('l', "flushed");
}

/* The last test: the sinks that it adds stay. */
static void an_exit_says_whether_it_left_the_guest(void **state)
{
    (void)state;
    struct exit_result result = {
        .name = "apic", .rounds = 3000, .leaves = LEAVES_SOME, .stayed = 2250};
    event_exit_log(&result);
    assert_non_null(strstr(got.line[0], " below_one_in=250 exits=some"));
    result =
        (struct exit_result){.name = "rdpmc", .rounds = 3000, .leaves = LEAVES_NO, .stayed = 3000};
    event_exit_log(&result);
    assert_non_null(strstr(got.line[1], " exits=no"));
    assert_null(strstr(got.line[1], "below_one_in"));
    event_exit_row(&result);
    assert_non_null(strstr(got.line[2], "no exit here"));
    result.leaves = LEAVES_UNKNOWN;
    result.stayed = 0;
    event_exit_log(&result);
    assert_non_null(strstr(got.line[3], " below_one_in=1000"));
    assert_null(strstr(got.line[3], "exits="));
}

static void each_sink_gets_its_kind_of_line_in_order(void **state)
{
    (void)state;
    static struct sink log_sink = {.log = log_only, .flush = flushed, .trouble = second_trouble},
                       text_sink = {.text = text_only, .trouble = first_trouble},
                       deaf_sink = {.log = NULL},
                       screen_sink = {.progress = progressed,
                                      .found = found_one,
                                      .found_block = found_block},
                       sixth_sink = {.log = sixth, .text = sixth, .trouble = sixth_trouble};
    struct log_line line;
    report_add_sink(&deaf_sink);
    report_add_sink(&text_sink);
    report_add_sink(&log_sink);
    report_add_sink(NULL);
    assert_false(report_shows_progress());
    report_add_sink(&screen_sink);
    assert_true(report_shows_progress());
    report_add_sink(&sixth_sink);
    log_start(&line, "x");
    log_end(&line);
    report_say("text");
    report_say_wrapped(0, "wrapped");
    report_flush();
    report_progress(NULL);
    report_found(NULL);
    report_found_block(NULL);
    static const char *const wanted[] = {"1 zmmtest ts=0.000 ev=x",
                                         "l zmmtest ts=0.000 ev=x",
                                         "6 zmmtest ts=0.000 ev=x",
                                         "1 text",
                                         "t text",
                                         "6 text",
                                         "1 wrapped",
                                         "t wrapped",
                                         "6 wrapped",
                                         "l flushed",
                                         "s progress",
                                         "s found",
                                         "s found block"};
    assert_int_equal(got.lines, sizeof(wanted) / sizeof(wanted[0]));
    for (unsigned int n = 0; n < got.lines; n++)
        assert_string_equal(got.line[n], wanted[n]);
    assert_string_equal(report_trouble(), "first");
    assert_string_equal(report_trouble(), "second");
    assert_string_equal(report_trouble(), "sixth");
    assert_null(report_trouble());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_log_line_begins_with_its_time_and_event, forget),
        cmocka_unit_test_setup(keys_stand_in_the_order_of_the_calls, forget),
        cmocka_unit_test_setup(what_needs_quotes_is_quoted, forget),
        cmocka_unit_test_setup(what_cannot_be_printed_becomes_a_question_mark, forget),
        cmocka_unit_test_setup(a_number_is_whole_or_left_out, forget),
        cmocka_unit_test_setup(a_shorter_key_still_finds_room_after_one_left_out, forget),
        cmocka_unit_test_setup(text_is_shortened_and_its_quote_closed, forget),
        cmocka_unit_test_setup(a_key_without_room_for_any_value_is_left_out, forget),
        cmocka_unit_test_setup(no_log_line_is_longer_than_allowed, forget),
        cmocka_unit_test_setup(a_line_of_text_is_formatted, forget),
        cmocka_unit_test_setup(words_of_others_cannot_pass_for_a_line_of_the_log, forget),
        cmocka_unit_test_setup(a_line_of_text_that_is_too_long_is_cut, forget),
        cmocka_unit_test_setup(short_text_is_not_wrapped, forget),
        cmocka_unit_test_setup(text_breaks_at_the_last_blank_that_fits, forget),
        cmocka_unit_test_setup(wrapped_text_keeps_every_word_within_79_columns, forget),
        cmocka_unit_test_setup(a_word_longer_than_a_line_is_broken, forget),
        cmocka_unit_test_setup(the_start_says_which_options_are_in_force, forget),
        cmocka_unit_test_setup(options_that_do_not_fit_are_marked_and_told_in_full, forget),
        cmocka_unit_test_setup(options_are_told_where_the_start_has_no_room_at_all, forget),
        cmocka_unit_test_setup(a_state_names_each_component_of_xcr0, forget),
        cmocka_unit_test_setup(options_cannot_break_a_line_or_its_quotes, forget),
        cmocka_unit_test_setup(each_system_register_is_told_once, forget),
        cmocka_unit_test_setup(an_exit_says_whether_it_left_the_guest, forget),
        cmocka_unit_test_setup(each_register_that_was_hit_is_in_one_line, forget),
        cmocka_unit_test_setup(a_map_without_two_registers_alike_goes_on_in_other_lines, forget),
        cmocka_unit_test_setup(what_a_finding_means_is_in_the_log_once, forget),
        cmocka_unit_test_setup(each_sink_gets_its_kind_of_line_in_order, forget),
    };
    return cmocka_run_group_tests(tests, add_first_sink, NULL);
}
