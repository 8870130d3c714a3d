/*
 * Sets of vCPUs, so that what is the same of hundreds of them is told once: a log of a line for
 * each would be megabytes on a serial port.
 */
#ifndef ZMMTEST_CORE_CPUS_H
#define ZMMTEST_CORE_CPUS_H

#include <stdbool.h>
#include <stdint.h>

#define CPU_MAX 1024u /* numbers below this take part in a run */

struct cpus {
    uint64_t bits[CPU_MAX / 64];
};

static inline bool cpus_has(const struct cpus *cpus, uint32_t cpu)
{
    return cpu < CPU_MAX && cpus->bits[cpu / 64] >> cpu % 64 & 1;
}

static inline void cpus_add(struct cpus *cpus, uint32_t cpu)
{
    if (cpu < CPU_MAX)
        cpus->bits[cpu / 64] |= UINT64_C(1) << cpu % 64;
}

static inline void cpus_remove(struct cpus *cpus, uint32_t cpu)
{
    if (cpu < CPU_MAX)
        cpus->bits[cpu / 64] &= ~(UINT64_C(1) << cpu % 64);
}

bool cpus_any(const struct cpus *cpus);

/* Whether the same is to be said of two. */
typedef bool cpus_alike(const void *context, uint32_t one, uint32_t other);

/* Says it of some that are alike: `first` is one of them, `list` is all of them, as 0-2,5. */
typedef void cpus_tell(void *context, uint32_t first, const char *list);

#define CPUS_LIST 48u /* bytes of a list; a longer one is told in pieces */

/* Tells all of a set in groups, by their first numbers. `alike` NULL: all of them are. */
void cpus_fold(const struct cpus *cpus, cpus_alike *alike, cpus_tell *tell, void *context);

/* "vCPU" or "vCPUs", and "cpu" or "cpus", as a list has one or more. */
const char *cpus_noun(const char *list);
const char *cpus_key(const char *list);

#endif
