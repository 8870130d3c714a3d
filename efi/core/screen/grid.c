/* Draws into cells, and finds those that changed. */
#include "grid.h"
#include "../text.h"
#include <string.h>

void grid_start(struct grid *grid, uint32_t rows)
{
    memset(grid, 0, sizeof(*grid));
    grid->rows = rows < GRID_ROWS_MOST ? rows : GRID_ROWS_MOST;
}

void grid_clear(struct grid *grid)
{
    for (uint32_t row = 0; row < grid->rows; row++)
        for (uint32_t column = 0; column < GRID_COLUMNS; column++)
            grid->wanted[row][column] = (struct cell){' ', LOOK_PLAIN};
}

static void put_characters(struct grid *grid, uint32_t row, uint32_t column,
                           enum attribute attribute, const char *text, size_t length)
{
    for (size_t n = 0; row < grid->rows && n < length && column + n < GRID_COLUMNS; n++) {
        grid->wanted[row][column + n] = (struct cell){text_printable(text[n]), (uint8_t)attribute};
    }
}

void grid_put(struct grid *grid, uint32_t row, uint32_t column, enum attribute attribute,
              const char *format, ...)
{
    char buffer[GRID_COLUMNS + 1];
    struct text text;
    va_list arguments;
    text_start(&text, buffer, sizeof(buffer));
    va_start(arguments, format);
    text_add_list(&text, format, arguments);
    va_end(arguments);
    put_characters(grid, row, column, attribute, buffer, text.length);
}

void grid_fill(struct grid *grid, uint32_t row, enum attribute attribute)
{
    for (uint32_t column = 0; row < grid->rows && column < GRID_COLUMNS; column++)
        grid->wanted[row][column].attribute = (uint8_t)attribute;
}

uint32_t grid_put_wrapped(struct grid *grid, uint32_t row, uint32_t column, uint32_t columns,
                          uint32_t rows, enum attribute attribute, const char *text)
{
    for (uint32_t end = row + rows; *text && row < end; row++) {
        size_t length = text_break(text, columns);
        put_characters(grid, row, column, attribute, text, length);
        for (text += length; *text == ' ';)
            text++;
    }
    return row;
}

static bool is_shown(const struct grid *grid, uint32_t row, uint32_t column)
{
    const struct cell *wanted = &grid->wanted[row][column], *shown = &grid->shown[row][column];
    return wanted->c == shown->c && wanted->attribute == shown->attribute;
}

/* The cells from here on that are to be written and look alike. */
static uint32_t piece_at(const struct grid *grid, uint32_t row, uint32_t column, uint32_t end,
                         char text[GRID_COLUMNS + 1])
{
    uint32_t length = 0;
    uint8_t attribute = grid->wanted[row][column].attribute;
    for (; column < end && !is_shown(grid, row, column); column++) {
        if (grid->wanted[row][column].attribute != attribute)
            break;
        text[length++] = grid->wanted[row][column].c;
    }
    text[length] = '\0';
    return length;
}

void grid_show(struct grid *grid,
               bool (*write)(uint32_t row, uint32_t column, uint8_t attribute, const char *text))
{
    for (uint32_t row = 0; row < grid->rows; row++) {
        uint32_t end = row + 1 < grid->rows ? GRID_COLUMNS : GRID_COLUMNS - 1;
        for (uint32_t column = 0; column < end;) {
            char text[GRID_COLUMNS + 1];
            uint32_t length = piece_at(grid, row, column, end, text);
            if (length && write(row, column, grid->wanted[row][column].attribute, text))
                memcpy(&grid->shown[row][column], &grid->wanted[row][column],
                       length * sizeof(grid->shown[row][column]));
            column += length ? length : 1;
        }
    }
}

void grid_mark(struct grid *grid, uint32_t row, uint32_t column, enum attribute attribute, char c,
               bool (*write)(uint32_t row, uint32_t column, uint8_t attribute, const char *text))
{
    struct cell *shown = &grid->shown[row][column];
    const char text[] = {c, '\0'};
    if (shown->c == c && shown->attribute == attribute)
        return;
    if (write(row, column, (uint8_t)attribute, text))
        *shown = (struct cell){c, (uint8_t)attribute};
}
