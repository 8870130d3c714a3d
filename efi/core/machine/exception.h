/* Names of exceptions. */
#ifndef ZMMTEST_CORE_MACHINE_EXCEPTION_H
#define ZMMTEST_CORE_MACHINE_EXCEPTION_H

#include <stdint.h>

/* "#UD" for 6 and so on; "#?" for a number that has no name. */
const char *exception_name(uint64_t vector);

#endif
