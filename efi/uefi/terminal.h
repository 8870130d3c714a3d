/* The consoles of the firmware: which of them are displays, and how they are written on. */
#ifndef ZMMTEST_UEFI_TERMINAL_H
#define ZMMTEST_UEFI_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

enum terminal_kind {
    TERMINAL_NONE,    /* the firmware has no console */
    TERMINAL_TEXT,    /* one console, or several that cannot be told apart */
    TERMINAL_DISPLAY, /* displays, which are written on by themselves, and maybe others */
};

/* Finds out what there is, once. */
enum terminal_kind terminal_start(void);

/*
 * Rows and columns of the smallest console that terminal_write() writes on: of the displays, or of
 * the only one.
 */
void terminal_size(uint32_t *rows, uint32_t *columns);

enum consoles {
    CONSOLES_ALL,       /* whatever the firmware's console is */
    CONSOLES_OF_SCREEN, /* what terminal_write() writes on */
    CONSOLES_BESIDE,    /* the ones that it leaves alone */
};

/* All of them; or for a screen, also without its cursor. */
void terminal_clear(enum consoles consoles);

/*
 * Text in UEFI 2.10, 12.4's attribute at a place. False if no console took it; one without colours
 * has taken it all the same.
 */
bool terminal_write(uint32_t row, uint32_t column, uint8_t attribute, const char *text);

/* A line where the cursor is. */
void terminal_line(const char *line, enum consoles to);

/* Cursor, colours and place as they were found, and a screen's console clear. */
void terminal_leave(void);

#endif
