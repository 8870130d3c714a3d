/*
 * What tells one machine from another in a dozen exits, so that it can be looked at each second:
 * a migration is over in less than the shortest standstill that can be noticed.
 */
#ifndef ZMMTEST_CORE_MACHINE_MARK_H
#define ZMMTEST_CORE_MACHINE_MARK_H

#include "machine.h"

#define MARK_LEAVES 10u

struct mark {
    struct cpuid leaf[MARK_LEAVES];
    uint32_t microcode, build;
};

/* Fills all but microcode (platform/identify.h). `machine` is what it was at the last full look. */
void mark_read(struct mark *mark, const struct machine *machine);

/* What of two differs first, in words; NULL: nothing does. */
const char *mark_differs(const struct mark *one, const struct mark *other);

#endif
