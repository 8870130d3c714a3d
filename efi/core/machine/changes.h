/* What a migration or an update beneath the running guest changed of the machine. */
#ifndef ZMMTEST_CORE_MACHINE_CHANGES_H
#define ZMMTEST_CORE_MACHINE_CHANGES_H

#include "../text.h"
#include "machine.h"
#include <stdbool.h>

/*
 * Appends each difference, as "microcode 0x1 is now 0x2", with semicolons between them. False:
 * there is none, and nothing was appended.
 */
bool machine_changes(const struct machine *before, const struct machine *now, struct text *text);

#endif
