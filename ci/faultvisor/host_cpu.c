/* The vCPUs: main.c makes them, everything below it works on them. */
#include "host_cpu.h"

struct host_cpu *cpus[HOST_CPUS];
uint32_t cpu_count;
