/* Memory from the firmware, in whole pages of 4096 bytes. Sizes are in bytes. */
#ifndef ZMMTEST_PLATFORM_PAGES_H
#define ZMMTEST_PLATFORM_PAGES_H

#include <stddef.h>
#include <stdint.h>

#define PAGE_BYTES 4096u

/* Filled with zeros; NULL if there is not that much in a row. */
void *pages_allocate(size_t size);

/*
 * As much as asked for, or half of it, and so on down to the least: free memory comes in pieces.
 * Not touched. *size becomes what it is; NULL and 0 if there is not even the least.
 */
void *pages_allocate_some(size_t *size, size_t least);

void pages_give_back(void *memory, size_t size);

/* All that is free, as the firmware counts it; 0 where it does not say. */
uint64_t pages_free_bytes(void);

#endif
