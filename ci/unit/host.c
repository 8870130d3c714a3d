/* The CPUID of the host tests: a made-up one, or the processor's. Their backdoor: made up, or none.
 * Their random numbers, and what they say of what cannot be tested here. */
#include "host.h"
#include <cpuid.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

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

/* xorshift64 (G. Marsaglia, "Xorshift RNGs", 2003). */
uint64_t random_value(void)
{
    static uint64_t state = 88172645463325252;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void say_not_tested(const char *what, const char *why)
{
    printf("# not tested here: %s: %s\n", what, why);
    (void)fflush(stdout);
}

void skip_here(const char *what, const char *why)
{
    say_not_tested(what, why);
    skip();
}

bool without_avx512(const char *what)
{
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
        return false;
    say_not_tested(what, "this processor has no AVX-512 (ci/silicon/emulated.t has one in Bochs)");
    return true;
}

void need_avx512(const char *what)
{
    if (without_avx512(what))
        skip();
}
