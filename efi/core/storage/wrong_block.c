/* The names are those of the classes of registers, where the same has happened to a block. */
#include "wrong_block.h"

const char *block_origin_name(enum block_origin origin)
{
    static const char *const names[] = {
        [ORIGIN_ZEROED] = "zeroed",     [ORIGIN_STALE] = "stale",
        [ORIGIN_SWAPPED] = "swapped",   [ORIGIN_OTHER_RUN] = "other-run",
        [ORIGIN_BIT_FLIP] = "bit-flip", [ORIGIN_FOREIGN] = "foreign",
    };
    return names[origin];
}

void wrong_block_from(const struct wrong_block *wrong, struct text *text)
{
    text_add(text, "%s", block_origin_name(wrong->origin));
    if (wrong->origin == ORIGIN_STALE)
        text_add(text, ": generation %lu", wrong->from_generation);
    else if (wrong->origin == ORIGIN_SWAPPED)
        text_add(text, ": block %lu, generation %lu", wrong->from_block, wrong->from_generation);
    else if (wrong->origin == ORIGIN_OTHER_RUN)
        text_add(text, ": run %04x, block %lu, generation %lu", wrong->from_run, wrong->from_block,
                 wrong->from_generation);
}

const char *wrong_block_meaning(void)
{
    return "What was written to this block came back as something else. This is no register's "
           "fault: suspect the storage, or what carries data there and back.";
}
