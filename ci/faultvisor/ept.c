/*
 * Extended page tables: guest-physical is host-physical, but nothing is mapped until it is touched,
 * so that each first touch exits. 2 MiB pages (SDM vol. 3, 28.3).
 */
#include "ept.h"
#include <string.h>

#define ENTRY_RWX      7u
#define ENTRY_WRITE    2u
#define ENTRY_LARGE    (1u << 7)
#define TYPE_WRITEBACK (6u << 3)
#define PAGE_2M        UINT64_C(0x200000)

void ept_prepare(struct host_cpu *cpu)
{
    memset(cpu->ept_pd, 0, sizeof(cpu->ept_pd));
    cpu->ept_pml4[0] = (uint64_t)cpu->ept_pdpt | ENTRY_RWX;
    for (size_t n = 0; n < EPT_GIBIBYTES; n++)
        cpu->ept_pdpt[n] = (uint64_t)cpu->ept_pd[n] | ENTRY_RWX;
}

uint64_t ept_pointer(const struct host_cpu *cpu)
{
    return (uint64_t)cpu->ept_pml4 | 3u << 3 | 6u; /* four levels, tables in write-back memory */
}

/* PAT and the guest's page tables still decide: what the MTRRs make uncacheable stays so. */
bool ept_map(struct host_cpu *cpu, uint64_t address)
{
    uint64_t page = address / PAGE_2M;
    if (page / 512 >= EPT_GIBIBYTES)
        return false;
    uint64_t type = page / 512 == 3 ? 0 : TYPE_WRITEBACK; /* devices live below 4 GiB */
    cpu->ept_pd[page / 512][page % 512] = page * PAGE_2M | ENTRY_LARGE | ENTRY_RWX | type;
    return true;
}

void ept_protect(struct host_cpu *cpu, uint64_t address)
{
    uint64_t page = address / PAGE_2M;
    if (page / 512 < EPT_GIBIBYTES)
        cpu->ept_pd[page / 512][page % 512] &= ~(uint64_t)ENTRY_WRITE;
}

void ept_unmap(struct host_cpu *cpu, uint64_t address)
{
    uint64_t page = address / PAGE_2M;
    if (page / 512 < EPT_GIBIBYTES)
        cpu->ept_pd[page / 512][page % 512] = 0;
}
