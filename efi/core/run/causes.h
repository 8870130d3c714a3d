/*
 * What keeps a run from a PASS: each cause has its verdict and its words, in the table of causes.c.
 * Whoever meets one notes it; the verdict is a function of all of them.
 */
#ifndef ZMMTEST_CORE_RUN_CAUSES_H
#define ZMMTEST_CORE_RUN_CAUSES_H

#include "../report/verdict.h"
#include <stdint.h>

enum cause {
    CAUSE_WRONG_OPTIONS,
    CAUSE_NO_MEMORY,
    CAUSE_MACHINE_CHECK,
    CAUSE_SELFTEST_FAILED,
    CAUSE_VCPU_LOST,
    CAUSE_OWN_EXCEPTION,
    CAUSE_MEMORY_CHANGED,
    CAUSE_PLANTED_NOT_FOUND,

    CAUSE_CHANGED_BENEATH_GUEST,
    CAUSE_CHANGED_BENEATH_PROCESS,
    CAUSE_STORAGE_CHANGED,
    CAUSE_CHANGED_BY_INJECTION,

    CAUSE_REFUSED,
    CAUSE_CONFIDENTIAL,
    CAUSE_NO_AVX512,
    CAUSE_STATE_REFUSED,
    CAUSE_TOO_MANY_VCPUS,
    CAUSE_VCPU_NO_PART,
    CAUSE_VCPU_NOT_THERE,
    CAUSE_EXIT_CANNOT_RUN,
    CAUSE_VCPU_NOT_STARTED,
    CAUSE_DISK_FAILED,
    CAUSE_SCRATCH_FAILED,
    CAUSE_NET_FAILED,
    CAUSE_VCPU_UNKNOWN,
    CAUSE_KEY,
    CAUSE_EXIT_WITHOUT_TURN,
    CAUSE_PASSES_NOT_DONE,
    CAUSE_NOTHING_RAN,
    CAUSE_NOTHING_LEFT,

    CAUSE_COUNT
};

/* A set of them: bit n is cause n. */
static inline void note_cause(uint32_t *causes, enum cause cause)
{
    *causes |= UINT32_C(1) << cause;
}

/* The worst verdict of a set, and the words of the first of its causes; PASS for none. */
enum verdict causes_verdict(uint32_t causes, const char **reason);

#endif
