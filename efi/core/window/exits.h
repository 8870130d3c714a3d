/* The table of exits: what each is called, whether it can run here, and what operands it takes. */
#ifndef ZMMTEST_CORE_WINDOW_EXITS_H
#define ZMMTEST_CORE_WINDOW_EXITS_H

#include "exit.h"

extern const struct exit exits[];
extern const uint32_t exit_count;

/* The exit of that name; NULL: there is none. */
const struct exit *exit_named(const char *name);

#endif
