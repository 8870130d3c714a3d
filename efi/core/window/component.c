/* Names of the state components, and which of them holds a piece of a vector register. */
#include "component.h"

const char *component_name(enum component component)
{
    static const char *const names[COMPONENT_COUNT] = {
        [COMPONENT_GPR] = "gpr",
        [COMPONENT_RFLAGS] = "rflags",
        [COMPONENT_MXCSR] = "mxcsr",
        [COMPONENT_SSE] = "sse",
        [COMPONENT_AVX] = "avx",
        [COMPONENT_OPMASK] = "opmask",
        [COMPONENT_ZMM_HI256] = "zmm_hi256",
        [COMPONENT_HI16_ZMM] = "hi16_zmm",
        [COMPONENT_REST] = "rest",
    };
    return names[component];
}

enum component component_of_vector(unsigned int number, unsigned int lane)
{
    if (number >= 16)
        return COMPONENT_HI16_ZMM;
    if (lane >= 4)
        return COMPONENT_ZMM_HI256;
    return lane >= 2 ? COMPONENT_AVX : COMPONENT_SSE;
}
