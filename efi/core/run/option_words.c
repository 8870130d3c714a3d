/* Reads words from the sources, by the table of options. */
#include "option_words.h"
#include "option_table.h"
#include <string.h>

void options_default(struct options *options)
{
    memset(options, 0, sizeof(*options));
    for (uint32_t n = 0; n < OPTION_COUNT; n++) {
        const char *value = option_table[n].value;
        if (value)
            (void)option_read(&option_table[n], (struct word){value, strlen(value)}, options);
    }
}

/* Only what is printable of what a source holds goes into a message, and not too much of it. What
 * is between the pieces of a list is no part of it. */
static void add_printable(struct text *text, struct word word, size_t most)
{
    for (size_t n = 0; n < word.length && n < most; n++)
        if (!word_is_between(word.start[n]))
            text_add(text, "%c", text_printable(word.start[n]));
    if (word.length > most)
        text_add(text, "...");
}

#define WORD_IN_ERROR 40u

/* A shell takes quotes away; a file, a boot menu, and a shell within another one keep them. */
static bool in_quotes(struct word word)
{
    return word.length > 0 && (*word.start == '"' || *word.start == '\'' ||
                               word_ends_with(word, '"') || word_ends_with(word, '\''));
}

/* `number` is the option's in the table. */
static void take_note(struct options *options, uint32_t number, const char *source,
                      struct word word, struct word value)
{
    size_t chosen_at = option_table[number].chosen_at;
    if (chosen_at)
        *(bool *)((char *)options + chosen_at) = !word_is(value, "all");
    struct option_word *note = &options->word[number];
    struct text text;
    bool fits = word.length < sizeof(note->typed);
    note->source = source;
    note->turn = ++options->turns;
    text_start(&text, note->typed, sizeof(note->typed));
    add_printable(&text, word, fits ? word.length : sizeof(note->typed) - sizeof("..."));
}

static void refuse_value(const struct option *option, struct word word, struct word value,
                         struct text *error)
{
    add_printable(error, word, WORD_IN_ERROR);
    text_add(error, ": value not allowed%s. Allowed for %s: ",
             in_quotes(value) ? ", write it without the quotes" : "", option->name);
    option_allowed(option, error);
}

static void refuse_name(struct word word, struct text *error)
{
    add_printable(error, word, WORD_IN_ERROR);
    text_add(error, ": no such option%s. Allowed:",
             in_quotes(word) ? ", write it without the quotes" : "");
    for (uint32_t n = 0; n < OPTION_COUNT; n++)
        text_add(error, "%s %s=", n ? "," : "", option_table[n].name);
}

static bool parse_word(struct options *options, const char *source, struct word word,
                       struct text *error)
{
    struct word value = word;
    struct word name = word_cut(&value, '=');
    uint32_t number = 0;
    while (number < OPTION_COUNT && !word_is(name, option_table[number].name))
        number++;
    if (number == OPTION_COUNT) {
        refuse_name(word, error);
        return false;
    }
    options->known = true;
    if (!option_read(&option_table[number], value, options)) {
        refuse_value(&option_table[number], word, value, error);
        return false;
    }
    take_note(options, number, source, word, value);
    return true;
}

/* The word that was taken next after the turn; NULL: none was. */
static const struct option_word *next_word(const struct options *options, uint32_t turn)
{
    const struct option_word *next = NULL;
    for (uint32_t n = 0; n < OPTION_COUNT; n++) {
        const struct option_word *word = &options->word[n];
        if (word->turn > turn && (!next || word->turn < next->turn))
            next = word;
    }
    return next;
}

void options_in_force(const struct options *options, struct text *text)
{
    const struct option_word *word = next_word(options, 0), *before = NULL;
    if (!word)
        text_add(text, "defaults");
    for (; word; before = word, word = next_word(options, word->turn)) {
        if (!before || strcmp(before->source, word->source) != 0)
            text_add(text, "%s%s:", before ? "; " : "", word->source);
        text_add(text, " %s", word->typed);
    }
}

/* LF, CR or CR LF: one line end. */
static bool ends_line(const char *words, size_t at, size_t length)
{
    return words[at] == '\n' || (words[at] == '\r' && (at + 1 == length || words[at + 1] != '\n'));
}

/* The next word, and on which line it stands; of no length at the end. */
static struct word next_typed(const char *words, size_t length, size_t *at, unsigned int *line)
{
    bool comment = false;
    for (; *at < length; (*at)++) {
        char c = words[*at];
        if (ends_line(words, *at, length)) {
            ++*line;
            comment = false;
        }
        comment |= c == '#';
        if (!comment && !word_is_between(c))
            break;
    }
    struct word word = {words + *at, 0};
    while (*at < length && !word_is_between(words[*at])) {
        ++*at;
        word.length++;
    }
    return word;
}

static bool has_value(struct word word)
{
    size_t length = word.length;
    return word_cut(&word, '=').length < length;
}

/*
 * A report wraps a long list behind a comma, and what it says is pasted as it stands. The next word
 * is more of the list if it is no option of its own: without that, either would be an error.
 */
static struct word next_option(const char *words, size_t length, size_t *at, unsigned int *line)
{
    struct word word = next_typed(words, length, at, line);
    while (word_ends_with(word, ',') && has_value(word)) {
        size_t behind = *at;
        unsigned int line_behind = *line;
        struct word more = next_typed(words, length, &behind, &line_behind);
        if (more.length == 0 || has_value(more))
            break;
        word.length = (size_t)(more.start - word.start) + more.length;
        *at = behind;
        *line = line_behind;
    }
    return word;
}

/* Where the words have lines, an error tells the one. */
static bool parse_words(struct options *options, const char *source, bool lines, struct word words,
                        struct text *error)
{
    bool good = true;
    unsigned int line = 1;
    size_t at = 0;
    struct word word;
    while ((word = next_option(words.start, words.length, &at, &line)).length > 0) {
        options->given = true;
        char buffer[512];
        struct text message;
        text_start(&message, buffer, sizeof(buffer));
        if (parse_word(options, source, word, &message) || !good)
            continue;
        good = false;
        text_add(error, "%s", source);
        if (lines)
            text_add(error, " line %u", line);
        text_add(error, ": %s", buffer);
    }
    return good;
}

bool options_parse(struct options *options, const char *source, const char *words, size_t length,
                   struct text *error)
{
    return parse_words(options, source, true, (struct word){words, length}, error);
}

bool options_parse_typed(struct options *options, const char *source, const char *words,
                         struct text *error)
{
    return parse_words(options, source, false, (struct word){words, strlen(words)}, error);
}

/* A folder of that name, a program, UTF-16 without a mark: all of them have control characters. */
static bool is_text(char c)
{
    return word_is_between(c) || (unsigned char)c >= ' ';
}

bool options_parse_conf(struct options *options, const char *name, const char *bytes, size_t size,
                        struct text *error)
{
    if (size > CONF_MAX) {
        text_add(error, "%s: larger than the %u bytes allowed", name, CONF_MAX);
        return false;
    }
    if (size >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0)) {
        text_add(error, "%s line 1: this is UTF-16. Allowed: ASCII or UTF-8 text", name);
        return false;
    }
    for (size_t n = 0, line = 1; n < size; n++) {
        line += ends_line(bytes, n, size);
        if (is_text(bytes[n]))
            continue;
        text_add(error, "%s line %lu: this is no text. Allowed: ASCII or UTF-8", name, line);
        return false;
    }
    if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
        bytes += 3;
        size -= 3;
    }
    return options_parse(options, name, bytes, size, error);
}
