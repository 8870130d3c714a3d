/* A word: a piece of a text that somebody typed. */
#ifndef ZMMTEST_CORE_WORD_H
#define ZMMTEST_CORE_WORD_H

#include <stdbool.h>
#include <stddef.h>

/* Not terminated. */
struct word {
    const char *start;
    size_t length;
};

bool word_is(struct word word, const char *text);
bool word_ends_with(struct word word, char c);

/* What stands between words: blanks, tabs and line ends. */
bool word_is_between(char c);

/* Cuts the part before the first separator off. What follows the separator stays in *word. */
struct word word_cut(struct word *word, char separator);

#endif
