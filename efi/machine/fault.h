/* An exception that code of ours raised. */
#ifndef ZMMTEST_MACHINE_FAULT_H
#define ZMMTEST_MACHINE_FAULT_H

#include <stdint.h>

struct fault {
    uint64_t vector;
    uint64_t error_code;
    uint64_t rip;
    uint64_t cr2;
};

/* "#UD" for 6 and so on; "#?" for a number that has no name. */
const char *exception_name(uint64_t vector);

#endif
