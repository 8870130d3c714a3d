/* Reads options: key=value words, from the sources that conf.h lists. */
#ifndef ZMMTEST_CORE_RUN_OPTION_WORDS_H
#define ZMMTEST_CORE_RUN_OPTION_WORDS_H

#include "../text.h"
#include "options.h"
#include <stddef.h>

/* The defaults of the table of options. */
void options_default(struct options *options);

/*
 * Appends "zmmtest.conf: time=10 end=shutdown; load options: passes=3": the words that are in
 * force, in the order in which they were read; "defaults" where there is none. At most so much.
 */
#define OPTIONS_IN_FORCE_MAX (OPTION_COUNT * (OPTION_TYPED_MAX + 40u))
void options_in_force(const struct options *options, struct text *text);

/*
 * A configuration file, or what has its form, goes by its name in *error; it is ASCII or UTF-8 text
 * of at most CONF_MAX bytes, with any line ends, with or without a byte order mark. Where size is
 * more than that, bytes are not looked at. Reports like options_parse().
 */
#define CONF_MAX 16384u
bool options_parse_conf(struct options *options, const char *name, const char *bytes, size_t size,
                        struct text *error);

/*
 * What was typed elsewhere than in a file: as options_parse(), but *error names the source alone. A
 * line number would send the reader looking for a file.
 */
bool options_parse_typed(struct options *options, const char *source, const char *words,
                         struct text *error);

/*
 * Reads words that blanks and line ends separate; # starts a comment. A list that ends in a comma
 * goes on with the next word, if that is no option. `source` has to outlive the options. All words
 * are read, whatever is wrong with one: what follows still counts, above all the power state that
 * was asked for. False if any was wrong; *error then says of the first where it stands and what is
 * allowed.
 */
bool options_parse(struct options *options, const char *source, const char *words, size_t length,
                   struct text *error);

#endif
