/* What the host tests share: a CPUID and a VMware backdoor that a test can make up, random numbers,
 * and how a test says that this processor does not have what it needs. */
#ifndef ZMMTEST_CI_UNIT_HOST_H
#define ZMMTEST_CI_UNIT_HOST_H

#include "../../efi/core/machine/cpu.h"
#include "../../efi/core/machine/hypervisor.h"
#include <stdbool.h>

struct fake_leaf {
    uint32_t leaf, subleaf;
    struct cpuid answer;
};

/* From now on cpuid() answers from this table, zeros for what is not in it; NULL: the real CPUID.
 */
void fake_cpuid(const struct fake_leaf *table, unsigned int count);

/* From now on this answers backdoor_call(); NULL: nothing does. */
void fake_backdoor(void (*answer)(struct backdoor *registers));

/* The next of a row of numbers that is the same in each run. */
uint64_t random_value(void);

/*
 * Skips the test that calls it, and says so where ci/prove finds it. The zmm form of the windows
 * runs on processors with AVX-512 alone: ci/silicon/emulated.t has these tests on an emulated one.
 */
void skip_here(const char *what, const char *why);
void need_avx512(const char *what);

/* Only says it; false where there is AVX-512. */
bool without_avx512(const char *what);

#endif
