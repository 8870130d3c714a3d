/*
 * State components by Intel's names (SDM vol. 1, 13.1), with the control state that XSAVE keeps
 * elsewhere or not at all.
 */
#ifndef ZMMTEST_CORE_WINDOW_COMPONENT_H
#define ZMMTEST_CORE_WINDOW_COMPONENT_H

#include <stdint.h>

enum component {
    COMPONENT_GPR,
    COMPONENT_RFLAGS,
    COMPONENT_MXCSR,
    COMPONENT_SSE,
    COMPONENT_AVX,
    COMPONENT_OPMASK,
    COMPONENT_ZMM_HI256,
    COMPONENT_HI16_ZMM,
    COMPONENT_REST, /* whatever else XSAVE knows: by the number of its XCR0 bit */
    COMPONENT_COUNT
};

#define COMPONENT_BIT(component) (1u << (component))

/* The name in log lines: lower case, one word. */
const char *component_name(enum component component);

/* The component that holds 64-bit lane `lane` (0 to 7) of vector register `number` (0 to 31). */
enum component component_of_vector(unsigned int number, unsigned int lane);

#endif
