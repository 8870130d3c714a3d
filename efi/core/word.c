/* Compares and cuts words. */
#include "word.h"
#include <string.h>

bool word_is(struct word word, const char *text)
{
    return strlen(text) == word.length && memcmp(word.start, text, word.length) == 0;
}

bool word_ends_with(struct word word, char c)
{
    return word.length > 0 && word.start[word.length - 1] == c;
}

struct word word_cut(struct word *word, char separator)
{
    struct word part = {word->start, 0};
    while (part.length < word->length && part.start[part.length] != separator)
        part.length++;
    size_t used = part.length < word->length ? part.length + 1 : part.length;
    word->start += used;
    word->length -= used;
    return part;
}

bool word_is_between(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
