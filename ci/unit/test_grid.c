/* The grid: what is put shows where it belongs, and only what changed is written. */
#include "../../efi/core/screen/grid.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct grid grid;

/* What was written, piece by piece; and what a console makes of it. */
static struct {
    uint32_t row, column;
    uint8_t attribute;
    char text[GRID_COLUMNS + 1];
} piece[2 * GRID_ROWS_MOST];

static unsigned int pieces;
static struct cell console[GRID_ROWS_MOST][GRID_COLUMNS];
static uint32_t refused_row; /* write() takes nothing there */

static bool write(uint32_t row, uint32_t column, uint8_t attribute, const char *text)
{
    size_t length = strlen(text);
    assert_true(length > 0 && row < grid.rows && column + length <= GRID_COLUMNS);
    assert_true(pieces < sizeof(piece) / sizeof(piece[0]));
    piece[pieces].row = row;
    piece[pieces].column = column;
    piece[pieces].attribute = attribute;
    memcpy(piece[pieces++].text, text, length + 1);
    for (size_t n = 0; n < length && row != refused_row; n++)
        console[row][column + n] = (struct cell){text[n], attribute};
    return row != refused_row;
}

static void show(void)
{
    pieces = 0;
    grid_show(&grid, write);
}

static void start(uint32_t rows)
{
    refused_row = UINT32_MAX;
    memset(console, 0, sizeof(console));
    grid_start(&grid, rows);
    grid_clear(&grid);
}

static int start_usual(void **state)
{
    (void)state;
    start(GRID_ROWS);
    return 0;
}

static void expect_piece(unsigned int n, uint32_t row, uint32_t column, uint8_t attribute,
                         const char *text)
{
    assert_true(n < pieces);
    assert_int_equal(piece[n].row, row);
    assert_int_equal(piece[n].column, column);
    assert_int_equal(piece[n].attribute, attribute);
    assert_string_equal(piece[n].text, text);
}

static void expect_wanted(uint32_t row, uint32_t column, const char *text)
{
    for (; *text; text++, column++)
        assert_int_equal(grid.wanted[row][column].c, *text);
}

static void the_first_time_all_is_written_but_the_very_last_cell(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {GRID_ROWS, 31, GRID_ROWS_MOST, GRID_ROWS_MOST + 1, 200};
    for (size_t n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
        start(sizes[n]);
        uint32_t rows = sizes[n] < GRID_ROWS_MOST ? sizes[n] : GRID_ROWS_MOST;
        assert_int_equal(grid.rows, rows);
        show();
        assert_int_equal(pieces, rows);
        for (uint32_t row = 0; row < rows; row++)
            for (uint32_t column = 0; column < GRID_COLUMNS; column++) {
                bool last = row + 1 == rows && column + 1 == GRID_COLUMNS;
                assert_int_equal(console[row][column].c, last ? 0 : ' ');
                assert_int_equal(console[row][column].attribute, last ? 0 : LOOK_PLAIN);
            }
    }
}

static void the_second_time_nothing_is_written(void **state)
{
    (void)state;
    grid_put(&grid, 3, 3, LOOK_BAD, "same");
    show();
    show();
    assert_int_equal(pieces, 0);
    grid_clear(&grid);
    grid_put(&grid, 3, 3, LOOK_BAD, "same");
    show();
    assert_int_equal(pieces, 0);
}

static void what_changed_is_written_and_no_more(void **state)
{
    (void)state;
    grid_put(&grid, 4, 0, LOOK_PLAIN, "rounds 100 of 100");
    show();
    grid_put(&grid, 4, 0, LOOK_PLAIN, "rounds 109 of 199");
    show();
    assert_int_equal(pieces, 2);
    expect_piece(0, 4, 9, LOOK_PLAIN, "9");
    expect_piece(1, 4, 15, LOOK_PLAIN, "99");
    grid_put(&grid, 0, 79, LOOK_PLAIN, "x");
    grid_put(&grid, 24, 78, LOOK_PLAIN, "yz");
    show();
    assert_int_equal(pieces, 2);
    expect_piece(0, 0, 79, LOOK_PLAIN, "x");
    expect_piece(1, 24, 78, LOOK_PLAIN, "y");
}

static void another_colour_begins_another_piece(void **state)
{
    (void)state;
    show();
    grid_put(&grid, 2, 10, LOOK_GOOD, "ab");
    grid_put(&grid, 2, 12, LOOK_BAD, "cd");
    grid_put(&grid, 2, 14, LOOK_GOOD, "ef");
    show();
    assert_int_equal(pieces, 3);
    expect_piece(0, 2, 10, LOOK_GOOD, "ab");
    expect_piece(1, 2, 12, LOOK_BAD, "cd");
    expect_piece(2, 2, 14, LOOK_GOOD, "ef");
    grid_put(&grid, 2, 10, LOOK_BAD, "a");
    show();
    assert_int_equal(pieces, 1);
    expect_piece(0, 2, 10, LOOK_BAD, "a");
}

static void what_was_refused_is_tried_again(void **state)
{
    (void)state;
    show();
    grid_put(&grid, 5, 0, LOOK_PLAIN, "refused");
    grid_put(&grid, 6, 0, LOOK_PLAIN, "taken");
    refused_row = 5;
    show();
    assert_int_equal(pieces, 2);
    show();
    assert_int_equal(pieces, 1);
    expect_piece(0, 5, 0, LOOK_PLAIN, "refused");
    refused_row = UINT32_MAX;
    show();
    assert_int_equal(pieces, 1);
    show();
    assert_int_equal(pieces, 0);
}

static void after_another_start_all_is_written_anew(void **state)
{
    (void)state;
    show();
    grid_start(&grid, GRID_ROWS);
    show();
    assert_int_equal(pieces, 0); /* nothing is wanted */
    grid_clear(&grid);
    show();
    assert_int_equal(pieces, GRID_ROWS);
}

static void what_does_not_fit_is_cut(void **state)
{
    (void)state;
    char longer[3 * GRID_COLUMNS];
    memset(longer, 'l', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    grid_put(&grid, 0, 0, LOOK_PLAIN, "%s", longer);
    grid_put(&grid, 1, 78, LOOK_PLAIN, "abc");
    grid_put(&grid, 2, GRID_COLUMNS, LOOK_PLAIN, "beyond");
    grid_put(&grid, 2, UINT32_MAX, LOOK_PLAIN, "beyond");
    grid_put(&grid, GRID_ROWS, 0, LOOK_PLAIN, "below");
    grid_put(&grid, UINT32_MAX, 0, LOOK_PLAIN, "below");
    grid_fill(&grid, GRID_ROWS, LOOK_BAD);
    grid_fill(&grid, UINT32_MAX, LOOK_BAD);
    expect_wanted(0, 78, "ll");
    expect_wanted(1, 77, " ab");
    for (uint32_t row = 2; row < GRID_ROWS; row++)
        for (uint32_t column = 0; column < GRID_COLUMNS; column++)
            assert_int_equal(grid.wanted[row][column].c, ' ');
    for (uint32_t row = GRID_ROWS; row < GRID_ROWS_MOST; row++)
        assert_int_equal(grid.wanted[row][0].c | grid.wanted[row][0].attribute, 0);
}

static void a_full_grid_has_no_row_below_either(void **state)
{
    (void)state;
    start(GRID_ROWS_MOST);
    static struct grid before;
    grid_put(&grid, GRID_ROWS_MOST - 1, 0, LOOK_PLAIN, "last");
    before = grid;
    grid_put(&grid, GRID_ROWS_MOST, 0, LOOK_BAD, "below");
    grid_fill(&grid, GRID_ROWS_MOST, LOOK_BAD);
    assert_memory_equal(&before, &grid, sizeof(grid));
    expect_wanted(GRID_ROWS_MOST - 1, 0, "last");
}

static void a_filled_row_keeps_its_text(void **state)
{
    (void)state;
    grid_put(&grid, 1, 0, LOOK_PLAIN, "title");
    grid_fill(&grid, 1, LOOK_TITLE);
    grid_put(&grid, 1, 70, LOOK_BAD, "!");
    show();
    assert_int_equal(pieces, GRID_ROWS + 2); /* other rows are whole */
    expect_piece(1, 1, 0, LOOK_TITLE,
                 "title                                                                 ");
    expect_piece(2, 1, 70, LOOK_BAD, "!");
    expect_piece(3, 1, 71, LOOK_TITLE, "         ");
}

static void what_cannot_be_printed_is_a_question_mark(void **state)
{
    (void)state;
    grid_put(&grid, 0, 0, LOOK_PLAIN, "%s", "a\x1b[2J\r\n\t\x1f ~\x7f\x80\xff");
    expect_wanted(0, 0, "a?[2J???? ~??? ");
    (void)grid_put_wrapped(&grid, 1, 0, GRID_COLUMNS, 1, LOOK_PLAIN, "a\nb");
    expect_wanted(1, 0, "a?b ");
}

static void long_text_is_wrapped_at_blanks(void **state)
{
    (void)state;
    assert_int_equal(grid_put_wrapped(&grid, 3, 2, 10, 9, LOOK_PLAIN, "one two three four"), 5);
    expect_wanted(3, 0, "  one two    ");
    expect_wanted(4, 0, "  three four ");
    expect_wanted(5, 0, "             ");
}

static void wrapped_text_ends_with_its_rows(void **state)
{
    (void)state;
    assert_int_equal(grid_put_wrapped(&grid, 3, 0, 3, 2, LOOK_PLAIN, "one two three"), 5);
    expect_wanted(4, 0, "two ");
    expect_wanted(5, 0, "     ");
    assert_int_equal(grid_put_wrapped(&grid, 6, 0, 3, 0, LOOK_PLAIN, "one"), 6);
    expect_wanted(6, 0, "   ");
    assert_int_equal(grid_put_wrapped(&grid, 6, 0, 3, 2, LOOK_PLAIN, ""), 6);
    /* On and beyond the last row. */
    assert_int_equal(grid_put_wrapped(&grid, 24, 0, 3, 9, LOOK_PLAIN, "one two three"), 28);
    expect_wanted(24, 0, "one ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_time_all_is_written_but_the_very_last_cell),
        cmocka_unit_test_setup(the_second_time_nothing_is_written, start_usual),
        cmocka_unit_test_setup(what_changed_is_written_and_no_more, start_usual),
        cmocka_unit_test_setup(another_colour_begins_another_piece, start_usual),
        cmocka_unit_test_setup(what_was_refused_is_tried_again, start_usual),
        cmocka_unit_test_setup(after_another_start_all_is_written_anew, start_usual),
        cmocka_unit_test_setup(what_does_not_fit_is_cut, start_usual),
        cmocka_unit_test(a_full_grid_has_no_row_below_either),
        cmocka_unit_test_setup(a_filled_row_keeps_its_text, start_usual),
        cmocka_unit_test_setup(what_cannot_be_printed_is_a_question_mark, start_usual),
        cmocka_unit_test_setup(long_text_is_wrapped_at_blanks, start_usual),
        cmocka_unit_test_setup(wrapped_text_ends_with_its_rows, start_usual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
