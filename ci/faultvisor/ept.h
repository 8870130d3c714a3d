/* Extended page tables in which nothing is mapped until it is touched. */
#ifndef ZMMTEST_FAULTVISOR_EPT_H
#define ZMMTEST_FAULTVISOR_EPT_H

#include "host_cpu.h"

void ept_prepare(struct host_cpu *cpu);
uint64_t ept_pointer(const struct host_cpu *cpu);

/* False: outside of what the tables can map. */
bool ept_map(struct host_cpu *cpu, uint64_t address);
void ept_unmap(struct host_cpu *cpu, uint64_t address);

/* The next write to it exits, reads do not. */
void ept_protect(struct host_cpu *cpu, uint64_t address);

#endif
