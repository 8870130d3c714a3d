/* Makes the signature anew and compares all of it: half a signature is none. */
#include "signature.h"
#include "../text.h"
#include <string.h>

#define LINE_BYTES 64u

/* A line of text, eight times: each 64 bytes of the block, and of a torn one, say whose it is. */
static void make_line(char line[LINE_BYTES + 1], uint64_t bytes)
{
    char words[LINE_BYTES];
    struct text text;
    text_start(&text, words, sizeof(words));
    text_add(&text, "zmmtest scratch partition, version 1, bytes=%lu", bytes);
    text_start(&text, line, LINE_BYTES + 1);
    text_add(&text, "%-63s\n", words);
}

const char *signature_wrong(const uint8_t block[SIGNATURE_BYTES], uint64_t bytes)
{
    static const char beginning[] = "zmmtest scratch partition, ";
    char line[LINE_BYTES + 1];
    uint32_t right = 0, ours = 0;
    make_line(line, bytes);
    for (uint32_t at = 0; at < SIGNATURE_BYTES; at += LINE_BYTES) {
        right += memcmp(block + at, line, LINE_BYTES) == 0;
        ours += memcmp(block + at, beginning, strlen(beginning)) == 0;
    }
    if (right == SIGNATURE_BYTES / LINE_BYTES)
        return NULL;
    if (right)
        return "its signature is torn";
    return ours ? "its signature is of another size or version"
                : "its first block has no signature";
}
