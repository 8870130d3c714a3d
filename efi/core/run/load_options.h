/* Reads what the program was started with: UEFI's load options (UEFI 2.10, 9.1.1). */
#ifndef ZMMTEST_CORE_RUN_LOAD_OPTIONS_H
#define ZMMTEST_CORE_RUN_LOAD_OPTIONS_H

#include "../text.h"
#include "options.h"
#include <stddef.h>

/*
 * Reads text in UCS-2 or ASCII, of at most 4096 characters, with or without a byte order mark, the
 * program's own name before it, or a whole EFI_LOAD_OPTION around it; `size` is in bytes. Reports
 * like options_parse().
 *
 * Firmware puts data of its own there as well, which is nobody's mistake. What is no text is not
 * taken, and *notice says so. ASCII words are not taken where none of them has a key of ours; nor
 * are those in UCS-2 where `foreign` is not NULL: *notice is then `foreign`.
 */
bool load_options_parse(struct options *options, const void *load_options, size_t size,
                        const char *foreign, struct text *error, const char **notice);

#endif
