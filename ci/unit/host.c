/* The CPUID of the host tests: a made-up one, or the processor's. Their backdoor: made up, or none.
 */
#include "host.h"
#include <cpuid.h>
#include <stddef.h>

static const struct fake_leaf *leaves;
static unsigned int leaf_count;

void fake_cpuid(const struct fake_leaf *table, unsigned int count)
{
    leaves = table;
    leaf_count = count;
}

struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid answer = {0};
    if (!leaves) {
        __cpuid_count(leaf, subleaf, answer.eax, answer.ebx, answer.ecx, answer.edx);
        return answer;
    }
    for (unsigned int n = 0; n < leaf_count; n++)
        if (leaves[n].leaf == leaf && leaves[n].subleaf == subleaf)
            return leaves[n].answer;
    return answer;
}

static void (*backdoor)(struct backdoor *registers);

void fake_backdoor(void (*answer)(struct backdoor *registers))
{
    backdoor = answer;
}

void backdoor_call(struct backdoor *registers)
{
    registers->eax = BACKDOOR_MAGIC;
    registers->edx |= BACKDOOR_PORT;
    if (backdoor)
        backdoor(registers);
    else
        registers->eax = UINT32_MAX;
}
