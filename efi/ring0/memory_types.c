/* Reads the MSRs of memory types, and writes them as SDM vol. 3, 11.11.8 has it. */
#include "memory_types.h"
#include "../core/machine/cpu.h"
#include "../core/window/guard.h"
#include "../platform/instructions.h"
#include <string.h>

#define MSR_MTRR_CAP      0xfeu
#define MSR_MTRR_VARIABLE 0x200u /* base and mask in turn */
#define MSR_PAT           0x277u
#define MSR_MTRR_DEFAULT  0x2ffu

#define MTRR_CAP_COUNT   0xffu
#define MTRR_CAP_FIXED   (UINT64_C(1) << 8)
#define MTRR_ENABLED     (UINT64_C(1) << 11) /* of MSR_MTRR_DEFAULT */
#define CPUID_MTRR       (1u << 12)          /* of leaf 1, EDX */
#define CPUID_PAT        (1u << 16)
#define CR0_CACHE_OFF    (UINT64_C(1) << 30)
#define CR0_NOT_THROUGH  (UINT64_C(1) << 29)
#define CR4_GLOBAL_PAGES (UINT64_C(1) << 7)

static const uint32_t fixed_msrs[MTRR_FIXED] = {0x250, 0x258, 0x259, 0x268, 0x269, 0x26a,
                                                0x26b, 0x26c, 0x26d, 0x26e, 0x26f};

void memory_types_read(struct memory_types *types)
{
    uint32_t features = cpuid(1, 0).edx;
    uint64_t cap;
    memset(types, 0, sizeof(*types));
    types->has_pat = features & CPUID_PAT && traps_rdmsr(MSR_PAT, &types->pat);
    types->has_mtrrs = features & CPUID_MTRR && traps_rdmsr(MSR_MTRR_CAP, &cap) &&
                       traps_rdmsr(MSR_MTRR_DEFAULT, &types->default_type);
    if (!types->has_mtrrs)
        return;
    uint64_t count = cap & MTRR_CAP_COUNT;
    for (uint32_t n = 0; n < 2 * MTRR_VARIABLE && n < 2 * count; n++)
        (void)traps_rdmsr(MSR_MTRR_VARIABLE + n, &types->variable[n]);
    for (uint32_t n = 0; cap & MTRR_CAP_FIXED && n < MTRR_FIXED; n++)
        (void)traps_rdmsr(fixed_msrs[n], &types->fixed[n]);
}

/* Those that differ: one that is not there reads as 0 on both. */
static void write_one(uint32_t msr, uint64_t now, uint64_t wanted)
{
    if (now != wanted)
        (void)traps_wrmsr(msr, wanted);
}

static void write_all(const struct memory_types *now, const struct memory_types *wanted)
{
    if (wanted->has_mtrrs) {
        (void)traps_wrmsr(MSR_MTRR_DEFAULT, now->default_type & ~MTRR_ENABLED);
        for (uint32_t n = 0; n < 2 * MTRR_VARIABLE; n++)
            write_one(MSR_MTRR_VARIABLE + n, now->variable[n], wanted->variable[n]);
        for (uint32_t n = 0; n < MTRR_FIXED; n++)
            write_one(fixed_msrs[n], now->fixed[n], wanted->fixed[n]);
        (void)traps_wrmsr(MSR_MTRR_DEFAULT, wanted->default_type);
    }
    if (wanted->has_pat)
        write_one(MSR_PAT, now->pat, wanted->pat);
}

static void flush_caches(void)
{
    __asm__ volatile("wbinvd" ::: "memory");
}

/* With global pages off a new CR3 flushes all of the TLB. */
static void flush_tlb(void)
{
    __asm__ volatile("mov %%cr3, %%rax\n\tmov %%rax, %%cr3" ::: "rax", "memory");
}

enum memory_types_taken memory_types_take(const struct memory_types *types)
{
    struct memory_types mine;
    uint64_t cr0 = read_cr0(), cr4 = read_cr4();
    memory_types_read(&mine);
    if (memcmp(&mine, types, sizeof(mine)) == 0)
        return MEMORY_TYPES_SAME;
    if (mine.has_mtrrs != types->has_mtrrs || mine.has_pat != types->has_pat)
        return MEMORY_TYPES_DIFFER;
    write_cr0((cr0 | CR0_CACHE_OFF) & ~CR0_NOT_THROUGH);
    flush_caches();
    write_cr4(cr4 & ~CR4_GLOBAL_PAGES);
    flush_tlb();
    write_all(&mine, types);
    flush_caches();
    flush_tlb();
    write_cr0(cr0 & ~(CR0_CACHE_OFF | CR0_NOT_THROUGH));
    write_cr4(cr4);
    memory_types_read(&mine);
    return memcmp(&mine, types, sizeof(mine)) == 0 ? MEMORY_TYPES_SET : MEMORY_TYPES_DIFFER;
}
