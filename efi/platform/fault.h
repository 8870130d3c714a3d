/* An exception that code of ours raised (SDM vol. 3, 6.15). */
#ifndef ZMMTEST_PLATFORM_FAULT_H
#define ZMMTEST_PLATFORM_FAULT_H

#include <stdint.h>

#define VECTOR_PAGE_FAULT 14u

struct fault {
    uint64_t vector;
    uint64_t error_code;
    uint64_t rip;
    uint64_t cr2;
};

#endif
