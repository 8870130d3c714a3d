/* Finds the text in load options, and hands its words on. */
#include "load_options.h"
#include "../word.h"
#include "option_words.h"
#include <string.h>

struct bytes {
    const unsigned char *start;
    size_t size;
};

static uint32_t number_at(struct bytes bytes, size_t at, size_t size)
{
    uint32_t number = 0;
    memcpy(&number, bytes.start + at, size);
    return number;
}

static bool starts_with(struct bytes bytes, const char *start, size_t size)
{
    return bytes.size >= size && memcmp(bytes.start, start, size) == 0;
}

/*
 * Some firmware (Dell's) passes the whole variable Boot#### instead of what its OptionalData holds:
 * UEFI 2.10, 3.1.3, EFI_LOAD_OPTION. Attributes, the length of the paths, a description that ends
 * with a zero, the paths. No text in UCS-2 or ASCII begins with such attributes.
 */
#define LOAD_OPTION_ATTRIBUTES (0x1u | 0x2u | 0x8u | 0x1f00u) /* all that are defined */
#define DESCRIPTION_AT         6u

static struct bytes without_load_option(struct bytes bytes)
{
    if (bytes.size < DESCRIPTION_AT || (number_at(bytes, 0, 4) & ~LOAD_OPTION_ATTRIBUTES) != 0)
        return bytes;
    size_t at = DESCRIPTION_AT, paths = number_at(bytes, 4, 2);
    while (at + 2 <= bytes.size && number_at(bytes, at, 2) != 0)
        at += 2;
    if (at + 2 + paths > bytes.size)
        return bytes;
    at += 2 + paths;
    return (struct bytes){bytes.start + at, bytes.size - at};
}

#define LOAD_OPTIONS_MAX 4096u /* characters */

static bool is_text(uint32_t c)
{
    return c <= '~' && (c >= ' ' || word_is_between((char)c));
}

/* Takes characters of so many bytes each, up to a zero. False if they are no text of that kind. */
static bool take_text(struct bytes bytes, size_t each, char *words, size_t *length)
{
    size_t at = 0;
    if (bytes.size % each)
        return false;
    for (*length = 0; at < bytes.size && number_at(bytes, at, each) != 0; at += each) {
        uint32_t c = number_at(bytes, at, each);
        if (!is_text(c) || *length == LOAD_OPTIONS_MAX)
            return false;
        words[(*length)++] = (char)c;
    }
    return true;
}

/* UCS-2 by the specification; efibootmgr writes ASCII where it is not told -u. */
static bool find_text(struct bytes bytes, char *words, size_t *length, bool *ascii)
{
    bool ucs2 = starts_with(bytes, "\xff\xfe", 2), utf8 = starts_with(bytes, "\xef\xbb\xbf", 3);
    size_t mark = ucs2 ? 2 : utf8 ? 3 : 0;
    bytes.start += mark;
    bytes.size -= mark;
    *ascii = false;
    if (!utf8 && take_text(bytes, 2, words, length))
        return true;
    *ascii = true;
    /* What follows the zero tells text from data that begins with a letter. */
    return !ucs2 && take_text(bytes, 1, words, length) &&
           (*length == bytes.size || bytes.size - *length == 1);
}

static bool ends_with_any_case(struct word word, const char *suffix)
{
    size_t length = strlen(suffix);
    if (word.length < length)
        return false;
    for (size_t n = 0; n < length; n++)
        if ((word.start[word.length - length + n] | 0x20) != (suffix[n] | 0x20))
            return false;
    return true;
}

/* What a shell passes begins with the command as it was typed: "fs0:\\zmmtest.efi", "zmmtest". */
static size_t program_name_end(const char *words, size_t length)
{
    struct word first = {words, 0};
    while (length > 0 && word_is_between(*first.start)) {
        first.start++;
        length--;
    }
    /* A path with blanks stands in quotes. */
    bool quoted = length > 0 && *first.start == '"';
    while (first.length < length && (quoted || !word_is_between(first.start[first.length]))) {
        first.length++;
        quoted = quoted && (first.length == 1 || first.start[first.length - 1] != '"');
    }
    struct word rest = first;
    if (word_cut(&rest, '=').length < first.length)
        return 0;
    size_t end = (size_t)(first.start - words) + first.length;
    if (word_ends_with(first, '"'))
        first.length--;
    bool is_name = ends_with_any_case(first, ".efi") || ends_with_any_case(first, "zmmtest");
    return is_name ? end : 0;
}

/* If none of the words has a key of ours, they are somebody else's, and are not taken. */
static bool parse_if_ours(struct options *options, struct word words, const char *foreign,
                          struct text *error, const char **notice)
{
    char wrong[512];
    struct text message;
    struct options taken = *options;
    text_start(&message, wrong, sizeof(wrong));
    taken.known = false;
    bool good = options_parse(&taken, "load options", words.start, words.length, &message);
    if (!good && !taken.known) {
        *notice = foreign;
        return true;
    }
    *options = taken;
    text_add(error, "%s", wrong);
    return good;
}

bool load_options_parse(struct options *options, const void *load_options, size_t size,
                        const char *foreign, struct text *error, const char **notice)
{
    static char text[LOAD_OPTIONS_MAX];
    bool ascii;
    size_t length;
    if (!load_options || size == 0)
        return true;
    struct bytes bytes = without_load_option((struct bytes){load_options, size});
    if (!find_text(bytes, text, &length, &ascii)) {
        *notice = "The load options are no text in ASCII characters, and nothing of them is taken.";
        return true;
    }
    size_t name = program_name_end(text, length);
    struct word words = {text + name, length - name};
    if (ascii && !foreign)
        foreign = "The load options hold no option of zmmtest, and nothing of them is taken.";
    if (foreign)
        return parse_if_ours(options, words, foreign, error, notice);
    return options_parse(options, "load options", words.start, words.length, error);
}
