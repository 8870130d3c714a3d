/* The start menu: what each key leads to, and that it ends by itself whatever comes. */
#include "../../efi/core/report/events.h"
#include "../../efi/core/report/report.h"
#include "../../efi/core/run/option_words.h"
#include "../../efi/core/screen/menu.h"
#include "../../efi/core/window/exits.h"
#include "../../efi/platform/keys.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define OPENED  UINT64_C(5000) /* milliseconds */
#define CHOICES 4u

static const struct machine machine = {
    .vcpus = 4, .cpu.brand = "A processor", .hypervisor = {.kind = HYPERVISOR_KVM, .name = "KVM"}};
static struct menu menu;
static struct options options;
static struct grid grid;

static int open_menu(void **state)
{
    (void)state;
    options_default(&options);
    menu_open(&menu, &machine, OPENED);
    grid_start(&grid, GRID_ROWS);
    return 0;
}

static uint64_t all(void)
{
    return (UINT64_C(1) << exit_count) - 1;
}

/* The words of the choice lead to options. */
static void choose(void)
{
    char words[MENU_CHOICE_MAX + 1], message[512];
    struct text text, error;
    text_start(&text, words, sizeof(words));
    text_start(&error, message, sizeof(message));
    assert_false(menu.among_exits);
    menu_choice(&menu, &text);
    assert_false(text.cut);
    options_default(&options);
    assert_true(options_parse_typed(&options, "start menu", words, &error));
    assert_true(options.exits == menu.exits);
    assert_int_equal(options.exits_named, menu.exits != all());
    assert_true(options.seconds_given);
}

/* True if the run starts; the options are then those that were chosen. */
static bool key_at(char key, uint64_t milliseconds)
{
    bool starts = menu_key(&menu, key, milliseconds);
    if (starts)
        choose();
    return starts;
}

static bool press(char key)
{
    return key_at(key, OPENED + 100);
}

static void press_times(char key, unsigned int times)
{
    while (times-- > 0)
        assert_false(press(key));
}

static bool wait_until(uint64_t milliseconds)
{
    return key_at(KEY_NONE, milliseconds);
}

static const char *row_text(uint32_t row)
{
    static char text[GRID_COLUMNS + 1];
    for (uint32_t column = 0; column < GRID_COLUMNS; column++)
        text[column] = grid.wanted[row][column].c;
    return text;
}

static bool shows(const char *words, uint64_t now)
{
    menu_draw(&grid, &menu, now);
    for (uint32_t row = 0; row < grid.rows; row++)
        if (strstr(row_text(row), words))
            return true;
    return false;
}

static void untouched_it_starts_the_default_after_ten_seconds(void **state)
{
    (void)state;
    assert_true(shows("starts by itself in 10 s", OPENED));
    assert_true(shows("starts by itself in 1 s", OPENED + 9999));
    assert_false(wait_until(OPENED + 9999));
    assert_true(wait_until(OPENED + 10000));
    assert_int_equal(options.seconds, 60);
    assert_true(options.seconds_given);
    assert_true(options.exits == all());
    assert_false(options.exits_named);
}

static void any_key_gives_time_to_think(void **state)
{
    (void)state;
    static const char keys[] = {KEY_DOWN, KEY_OTHER, KEY_ESC, KEY_LEFT, 'x', ' '};
    for (size_t n = 0; n < sizeof(keys); n++) {
        (void)open_menu(NULL);
        assert_false(key_at(keys[n], OPENED + 9000));
        assert_true(shows("starts by itself in 60 s", OPENED + 9000));
        assert_false(wait_until(OPENED + 9000 + 59999));
        assert_true(wait_until(OPENED + 9000 + 60000));
        assert_int_equal(options.seconds, 60);
    }
}

static void each_choice_starts_what_it_says(void **state)
{
    (void)state;
    static const uint64_t seconds[] = {60, 10, 0};
    for (unsigned int row = 0; row < sizeof(seconds) / sizeof(seconds[0]); row++) {
        (void)open_menu(NULL);
        press_times(KEY_DOWN, row);
        assert_true(press(KEY_ENTER));
        assert_int_equal(options.seconds, seconds[row]);
        assert_true(options.seconds_given);
        assert_false(options.exits_named);
    }
}

static void arrows_go_round(void **state)
{
    (void)state;
    press_times(KEY_UP, 2);
    assert_true(press(KEY_ENTER));
    assert_int_equal(options.seconds, 0);
    (void)open_menu(NULL);
    press_times(KEY_DOWN, CHOICES + 1);
    assert_true(press(KEY_ENTER));
    assert_int_equal(options.seconds, 10);
    (void)open_menu(NULL);
    press_times(KEY_UP, 1);
    press_times(KEY_ENTER, 1);
    press_times(KEY_UP, 1); /* the last exit */
    press_times(' ', 1);
    assert_true(menu.exits == (all() & ~(UINT64_C(1) << (exit_count - 1))));
    press_times(KEY_DOWN, 1); /* the first again */
    press_times(' ', 1);
    assert_true(menu.exits == (all() & ~(UINT64_C(1) << (exit_count - 1) | 1)));
}

/* To the list of exits, of which none is chosen. */
static void open_exits(void)
{
    (void)open_menu(NULL);
    press_times(KEY_UP, 1);
    press_times(KEY_ENTER, 1);
    assert_true(menu.among_exits);
    press_times('a', 1);
    assert_int_equal(menu.exits, 0);
}

/* Back, and up to the choice in the first row. */
static void leave_exits(char key)
{
    press_times(key, 1);
    assert_false(menu.among_exits);
    press_times(KEY_DOWN, 1);
}

static void chosen_exits_are_those_that_run(void **state)
{
    (void)state;
    open_exits();
    press_times(KEY_DOWN, 2);
    press_times(' ', 1);
    press_times(KEY_DOWN, 3);
    press_times(' ', 1);
    leave_exits(KEY_ENTER);
    assert_true(shows("2 of ", OPENED));
    assert_true(press(KEY_ENTER));
    assert_int_equal(options.exits, 1u << 2 | 1u << 5);
    assert_true(options.exits_named);
    assert_int_equal(options.seconds, 60);
}

static void a_blank_takes_an_exit_back_as_well(void **state)
{
    (void)state;
    open_exits();
    press_times(' ', 3);
    press_times(KEY_DOWN, 1);
    press_times(' ', 2);
    leave_exits(KEY_ESC);
    assert_true(press(KEY_ENTER));
    assert_int_equal(options.exits, 1);
}

static void all_exits_are_none_that_was_named(void **state)
{
    (void)state;
    open_exits();
    press_times(' ', 1);
    press_times('a', 1);
    assert_true(menu.exits == all());
    leave_exits(KEY_ENTER);
    assert_true(press(KEY_ENTER));
    assert_true(options.exits == all());
    assert_false(options.exits_named);
}

static void no_exit_at_all_is_all_of_them(void **state)
{
    (void)state;
    open_exits();
    leave_exits(KEY_ENTER);
    assert_true(press(KEY_ENTER));
    assert_true(options.exits == all());
    assert_false(options.exits_named);
    open_exits();
    assert_true(wait_until(menu.start_at));
    assert_true(options.exits == all());
    assert_false(options.exits_named);
}

static void time_that_is_over_starts_the_chosen_exits(void **state)
{
    (void)state;
    open_exits();
    press_times(' ', 1);
    assert_true(wait_until(menu.start_at));
    assert_int_equal(options.exits, 1);
    assert_true(options.exits_named);
    assert_int_equal(options.seconds, 60);
}

/* As from a serial line that makes noise: there is a key each time that it is asked. */
static void keys_without_end_start_it_all_the_same(void **state)
{
    (void)state;
    static const char storms[] = {KEY_OTHER, KEY_DOWN, KEY_ESC, 'a', ' '};
    for (size_t n = 0; n < sizeof(storms); n++) {
        (void)open_menu(NULL);
        uint64_t now = OPENED;
        while (now < menu.last_at) {
            assert_false(key_at(storms[n], now));
            now += 20;
        }
        assert_true(now <= OPENED + 600 * UINT64_C(1000) + 20);
        assert_true(shows("starts by itself in 0 s", now));
        assert_true(key_at(storms[n], now));
        assert_int_equal(options.seconds, 60);
        assert_true(options.exits != 0);
    }
}

static void keys_in_any_order_choose_something_that_runs(void **state)
{
    (void)state;
    uint32_t random = 1;
    for (unsigned int n = 0; n < 20000; n++) {
        static const char keys[] = {KEY_UP, KEY_DOWN, KEY_ENTER, KEY_ESC, ' ', 'a', KEY_LEFT, 'z'};
        random = random * 1664525 + 1013904223;
        bool starts = press(keys[random >> 24 & 7]);
        menu_draw(&grid, &menu, OPENED);
        assert_true(menu.row < (menu.among_exits ? exit_count : CHOICES));
        if (!starts)
            continue;
        assert_true(options.exits != 0 && (options.exits & ~all()) == 0);
        assert_int_equal(options.exits_named, options.exits != all());
        (void)open_menu(NULL);
    }
}

static void a_list_of_any_exits_leads_to_them(void **state)
{
    (void)state;
    for (uint32_t row = 0; row < exit_count; row++) {
        menu.exits = UINT64_C(1) << row;
        choose();
        menu.exits = all() & ~menu.exits;
        choose();
    }
}

static char logged[2 * LOG_LINE_MAX];
static unsigned int lines_logged;

/* The texts of all notices, one after the other. */
static void keep_notice(const char *line)
{
    static const char event[] = "ev=notice text=";
    size_t before = strlen(logged);
    const char *text = strstr(line, event);
    assert_non_null(text);
    assert_true(strlen(line) <= LOG_LINE_MAX);
    text += strlen(event);
    text += *text == '"';
    (void)snprintf(logged + before, sizeof(logged) - before, "%.*s", (int)strcspn(text, "\""),
                   text);
    lines_logged++;
}

/* A list that were cut in the log would be another one to whoever repeats it. */
static void the_log_has_the_longest_choice_whole(void **state)
{
    (void)state;
    static struct sink sink = {.log = keep_notice};
    char words[MENU_CHOICE_MAX + 40];
    struct text text;
    menu.exits = all() & ~UINT64_C(0x10); /* without one that has a short name */
    text_start(&text, words, sizeof(words));
    text_add(&text, "Chosen at the start menu: ");
    menu_choice(&menu, &text);
    assert_true(text.length > 200);
    report_add_sink(&sink);
    event_notice(words);
    assert_true(lines_logged > 1);
    assert_int_equal(strlen(logged), text.length - 1); /* without the blank where a line broke */
    assert_non_null(strstr(logged, strrchr(words, ' ') + 1));
    event_notice("a");
    assert_int_equal(logged[text.length - 1], 'a');
}

/* Where the next key counts, and nowhere else, is another look. */
static void expect_one_mark(void)
{
    unsigned int marked = 0;
    menu_draw(&grid, &menu, OPENED);
    for (uint32_t row = 1; row < grid.rows; row++)
        for (uint32_t column = 1; column < GRID_COLUMNS; column++)
            if (grid.wanted[row][column].attribute == LOOK_TITLE) {
                marked += grid.wanted[row][column - 1].attribute != LOOK_TITLE;
            } else {
                assert_true(grid.wanted[row][column].attribute == LOOK_PLAIN ||
                            row == grid.rows - 3);
                assert_true(grid.wanted[row][column].c != '>');
            }
    assert_int_equal(marked, 1);
}

static void the_place_of_the_next_key_is_marked(void **state)
{
    (void)state;
    expect_one_mark();
    assert_int_equal(strncmp(row_text(1), "Processor A processor ", 22), 0);
    assert_int_equal(strncmp(row_text(2), "Beneath   KVM; 4 vCPUs ", 23), 0);
    assert_int_equal(strncmp(row_text(6), "   > Default  one minute ", 25), 0);
    assert_int_equal(strncmp(row_text(22), "  Default starts by itself in 10 s ", 35), 0);
    assert_int_equal(grid.wanted[22][2].attribute, LOOK_STRONG);
    assert_int_equal(strncmp(row_text(24), "up, down: move   Enter: start ", 30), 0);
    press_times(KEY_DOWN, 2);
    assert_true(shows("   > Soak     until it is stopped by a key  ", OPENED));
    press_times(KEY_DOWN, 1);
    assert_true(shows("   > Exits    choose the exits that are run ", OPENED));
    press_times(KEY_ENTER, 1);
    expect_one_mark();
    assert_int_equal(grid.wanted[6][2].attribute, LOOK_TITLE);
    assert_int_equal(row_text(grid.rows - 1)[0], 'u');
    press_times(KEY_DOWN, 17);
    expect_one_mark();
    assert_int_equal(grid.wanted[7][22].attribute, LOOK_TITLE);
}

static void without_a_hypervisor_it_is_a_control_run(void **state)
{
    (void)state;
    static const struct machine bare = {.vcpus = 1, .hypervisor.kind = HYPERVISOR_NONE};
    menu_open(&menu, &bare, OPENED);
    assert_true(shows("Beneath   no hypervisor seen: a control run; 1 vCPUs", OPENED));
}

static void every_exit_and_choice_is_in_sight(void **state)
{
    (void)state;
    assert_true(shows("> Default", OPENED));
    assert_true(shows("  Quick", OPENED));
    assert_true(shows("Does what runs beneath this machine keep its registers?", OPENED));
    assert_int_equal(strncmp(row_text(0), " zmmtest ", 9), 0);
    assert_int_equal(grid.wanted[0][0].attribute, LOOK_TITLE);
    assert_int_equal(grid.wanted[0][79].attribute, LOOK_TITLE);
    assert_true(shows("A processor", OPENED));
    assert_true(shows("KVM; 4 vCPUs", OPENED));
    char words[64];
    (void)snprintf(words, sizeof(words), "%u of %u kinds of exit", exit_count, exit_count);
    assert_true(shows(words, OPENED));
    press_times(KEY_UP, 1);
    assert_true(shows("> Exits", OPENED));
    press_times(KEY_ENTER, 1);
    for (uint32_t row = 0; row < exit_count; row++) {
        (void)snprintf(words, sizeof(words), "[x] %s ", exits[row].name);
        assert_true(shows(words, OPENED));
    }
    press_times(' ', 1);
    (void)snprintf(words, sizeof(words), "[ ] %s ", exits[0].name);
    assert_true(shows(words, OPENED));
    assert_true(shows("starts by itself in ", OPENED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(untouched_it_starts_the_default_after_ten_seconds, open_menu),
        cmocka_unit_test(any_key_gives_time_to_think),
        cmocka_unit_test(each_choice_starts_what_it_says),
        cmocka_unit_test_setup(arrows_go_round, open_menu),
        cmocka_unit_test(chosen_exits_are_those_that_run),
        cmocka_unit_test(a_blank_takes_an_exit_back_as_well),
        cmocka_unit_test(all_exits_are_none_that_was_named),
        cmocka_unit_test(no_exit_at_all_is_all_of_them),
        cmocka_unit_test(time_that_is_over_starts_the_chosen_exits),
        cmocka_unit_test(keys_without_end_start_it_all_the_same),
        cmocka_unit_test_setup(keys_in_any_order_choose_something_that_runs, open_menu),
        cmocka_unit_test_setup(a_list_of_any_exits_leads_to_them, open_menu),
        cmocka_unit_test_setup(the_log_has_the_longest_choice_whole, open_menu),
        cmocka_unit_test_setup(the_place_of_the_next_key_is_marked, open_menu),
        cmocka_unit_test_setup(without_a_hypervisor_it_is_a_control_run, open_menu),
        cmocka_unit_test_setup(every_exit_and_choice_is_in_sight, open_menu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
