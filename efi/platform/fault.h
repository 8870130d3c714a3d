/* An exception that code of ours raised (SDM vol. 3, 6.15). */
#ifndef ZMMTEST_PLATFORM_FAULT_H
#define ZMMTEST_PLATFORM_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#define VECTOR_DIVIDE_ERROR      0u
#define VECTOR_DEBUG             1u
#define VECTOR_PAGE_FAULT        14u
#define VECTOR_MACHINE_CHECK     18u
#define VECTOR_VIRTUALIZATION    20u /* #VE: Intel TDX */
#define VECTOR_VMM_COMMUNICATION 29u /* #VC: AMD SEV-ES (APM vol. 2, 8.2.21) */

struct fault {
    uint64_t vector;
    uint64_t error_code;
    uint64_t rip;
    uint64_t cr2;
};

/* Where an address lies in the program, which a linker's map and a disassembly of it know. */
uint64_t image_offset(uint64_t address);

/* What the first valid bank of a machine check said (SDM vol. 3, 15.3.2). */
struct machine_check {
    bool valid; /* there was such a bank */
    uint32_t bank;
    uint64_t status, address, miscellaneous; /* 0: the bank has none */
};

#endif
