/*
 * The table of options: what each is called and is for, its default, the values that it takes, and
 * where they go. Reading, errors, defaults and lists of options all come from it; a new option is a
 * row, and a member of struct options.
 */
#ifndef ZMMTEST_CORE_RUN_OPTION_TABLE_H
#define ZMMTEST_CORE_RUN_OPTION_TABLE_H

#include "../text.h"
#include "../word.h"
#include "options.h"

#define OPTION_WORDS_MAX 4u

struct option {
    const char *name;
    const char *purpose;
    const struct value_kind *kind;

    /* Where in struct options the value goes. */
    size_t at, size;
    /* Where a bool says that the operator chose; "all" leaves the choice to zmmtest. 0: nowhere. */
    size_t chosen_at;

    const char *value; /* the default, as it would be typed; NULL: there is none, */
    const char *unset; /* and this is what happens then */

    /* Of a number. */
    uint64_t least, most;
    const char *unit; /* or "a number" */
    const char *zero; /* what 0 stands for; NULL: nothing special */

    /* Of a word: all that are allowed. The value is the number of one. */
    const char *words[OPTION_WORDS_MAX];
};

extern const struct option option_table[OPTION_COUNT];

/* Puts a value where it goes. False: it is not allowed, and nothing has changed. */
bool option_read(const struct option *option, struct word value, struct options *options);

/* Appends the values that are allowed. */
void option_allowed(const struct option *option, struct text *text);

/* The default as a list of options shows it. */
const char *option_default(const struct option *option);

#endif
