/*
 * A picture of characters: drawn anew each time, of which only what changed goes to the console.
 * Knows no UEFI.
 */
#ifndef ZMMTEST_CORE_SCREEN_GRID_H
#define ZMMTEST_CORE_SCREEN_GRID_H

#include <stdbool.h>
#include <stdint.h>

/* What every console has (UEFI 2.10, 12.4, mode 0); more rows are used where there are more. */
#define GRID_COLUMNS   80u
#define GRID_ROWS      25u
#define GRID_ROWS_MOST 60u

/*
 * Attributes, each a foreground and a background, with the numbers of UEFI 2.10, 12.4.3
 * (SetAttribute): 0 black, 1 blue, 2 green, 4 red, 5 magenta, 6 brown, 7 light grey, 8 more bright.
 */
enum attribute {
    LOOK_PLAIN = 0x07,
    LOOK_STRONG = 0x0f,
    LOOK_TITLE = 0x1f,
    LOOK_GOOD = 0x0a,     /* bright green */
    LOOK_BAD = 0x4f,      /* white on red */
    LOOK_PLANTED = 0x5f,  /* white on magenta: an INJECTED fault */
    LOOK_BROKEN = 0x6f,   /* white on brown */
    LOOK_PASS = 0x20,     /* black on green */
    LOOK_WARNING = 0x60,  /* black on brown */
    LOOK_QUESTION = 0x70, /* black on light grey */
};

struct cell {
    char c;
    uint8_t attribute;
};

struct grid {
    uint32_t rows;
    struct cell wanted[GRID_ROWS_MOST][GRID_COLUMNS];
    struct cell shown[GRID_ROWS_MOST][GRID_COLUMNS]; /* c 0: not known */
};

/* `rows` of the console, of which as many are used as a grid has. Nothing is known to be shown. */
void grid_start(struct grid *grid, uint32_t rows);

/* Blanks everywhere. */
void grid_clear(struct grid *grid);

/* Text at a place; what is beyond the last column, or a row that there is not, is cut. */
__attribute__((format(printf, 5, 6))) void grid_put(struct grid *grid, uint32_t row,
                                                    uint32_t column, enum attribute attribute,
                                                    const char *format, ...);

/* Gives a whole row a look. What is put there later has its own. */
void grid_fill(struct grid *grid, uint32_t row, enum attribute attribute);

/* Long text in lines of at most `columns`; the row behind the last one, `rows` at the most. */
uint32_t grid_put_wrapped(struct grid *grid, uint32_t row, uint32_t column, uint32_t columns,
                          uint32_t rows, enum attribute attribute, const char *text);

/*
 * Writes what is not shown yet, a piece of a row at a time. What write() could not write is tried
 * again the next time. The last column of the last row is left alone: behind it consoles scroll.
 */
void grid_show(struct grid *grid,
               bool (*write)(uint32_t row, uint32_t column, uint8_t attribute, const char *text));

/*
 * One character on the console at once, and nothing else: a mark, where all of the picture may take
 * long. The next grid_show() takes it back, as it is not wanted.
 */
void grid_mark(struct grid *grid, uint32_t row, uint32_t column, enum attribute attribute, char c,
               bool (*write)(uint32_t row, uint32_t column, uint8_t attribute, const char *text));

#endif
