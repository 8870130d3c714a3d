/*
 * Text without a C library: bounded formatting for log lines and reports, and the few list and
 * number forms that options use. ASCII only; the console sink turns it into UCS-2.
 */
#ifndef ZMMTEST_CORE_TEXT_H
#define ZMMTEST_CORE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text that grows in a buffer of the caller's. Always terminated; what does not fit is cut. */
struct text {
    char *start;
    size_t size;   /* of the buffer, with the terminator */
    size_t length; /* without it */
    bool cut;
};

void text_start(struct text *text, char *buffer, size_t size);

/* Appends, as printf does, %s %c %u %x %lu %lx %%, with a width, 0 or - before it. */
__attribute__((format(printf, 2, 3))) void text_add(struct text *text, const char *format, ...);

__attribute__((format(printf, 2, 0))) void text_add_list(struct text *text, const char *format,
                                                         va_list arguments);

/* Appends of a list "a, b, c" as many whole names as there is room for, and ", 7 more". */
void text_add_names(struct text *text, const char *list, size_t room);

/* Appends 0-2,5 for the bits that are set in mask. `name` stands before each entry. */
void text_add_ranges(struct text *text, const char *name, uint64_t mask);

/*
 * How much of the text goes on a line of so many columns: up to the last blank that fits; of a word
 * that is longer, up to the last comma of a list.
 */
size_t text_break(const char *text, size_t columns);

/* What is shown of a character that others wrote: a question mark for one that could start a line
 * or steer a terminal. */
static inline char text_printable(char c)
{
    return (char)(c >= ' ' && c <= '~' ? c : '?');
}

/* A whole unsigned number, decimal or hexadecimal (base 10 or 16). False if it is none or too big.
 */
bool text_to_number(const char *text, size_t length, unsigned int base, uint64_t *value);

#endif
