/* What the host tests share: a CPUID and a VMware backdoor that a test can make up. */
#ifndef ZMMTEST_CI_UNIT_HOST_H
#define ZMMTEST_CI_UNIT_HOST_H

#include "../../efi/machine/cpu.h"
#include "../../efi/machine/hypervisor.h"

struct fake_leaf {
    uint32_t leaf, subleaf;
    struct cpuid answer;
};

/* From now on cpuid() answers from this table, zeros for what is not in it; NULL: the real CPUID.
 */
void fake_cpuid(const struct fake_leaf *table, unsigned int count);

/* From now on this answers backdoor_call(); NULL: nothing does. */
void fake_backdoor(void (*answer)(struct backdoor *registers));

#endif
