/* A wrong block of a scratch partition in words, for whoever tells or shows it. */
#ifndef ZMMTEST_CORE_STORAGE_WRONG_BLOCK_H
#define ZMMTEST_CORE_STORAGE_WRONG_BLOCK_H

#include "../../platform/scratch.h"
#include "../text.h"

const char *block_origin_name(enum block_origin origin);

/* Whose the block is: "swapped: block 17, generation 3". */
void wrong_block_from(const struct wrong_block *wrong, struct text *text);

const char *wrong_block_meaning(void);

#endif
