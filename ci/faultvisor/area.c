/* Finds registers in an XSAVE area; CPUID.0D says where the components are. */
#include "area.h"
#include "../../efi/core/machine/cpu.h"
#include <stddef.h>

#define AREA_ST        32u
#define AREA_XMM       160u
#define AREA_XSTATE_BV 512u

/* Asked once: beneath a hypervisor, CPUID takes thousands of cycles. The same on each vCPU. */
static uint32_t offset_of_component(unsigned int component)
{
    static _Atomic uint32_t known[XSTATE_HI16_ZMM + 1];
    uint32_t offset = known[component];
    if (!offset)
        known[component] = offset = cpuid(0xd, component).ebx;
    return offset;
}

uint64_t *area_lane(uint8_t *area, unsigned int reg, unsigned int lane)
{
    uint32_t offset;
    if (reg >= 16)
        offset = offset_of_component(XSTATE_HI16_ZMM) + (reg - 16) * 64 + lane * 8;
    else if (lane >= 4)
        offset = offset_of_component(XSTATE_ZMM_HI256) + reg * 32 + (lane - 4) * 8;
    else if (lane >= 2)
        offset = offset_of_component(XSTATE_AVX) + reg * 16 + (lane - 2) * 8;
    else
        offset = AREA_XMM + reg * 16 + lane * 8;
    return (uint64_t *)(void *)(area + offset);
}

uint64_t *area_opmask(uint8_t *area, unsigned int number)
{
    return (uint64_t *)(void *)(area + offset_of_component(XSTATE_OPMASK) + (size_t)number * 8);
}

uint64_t *area_x87(uint8_t *area, unsigned int reg)
{
    return (uint64_t *)(void *)(area + AREA_ST + 16 * (size_t)reg);
}

uint16_t *area_x87_control(uint8_t *area)
{
    return (uint16_t *)(void *)area;
}

uint64_t *area_in_use(uint8_t *area)
{
    return (uint64_t *)(void *)(area + AREA_XSTATE_BV);
}

void area_init_component(uint8_t *area, unsigned int component)
{
    *area_in_use(area) &= ~(UINT64_C(1) << component);
}

void area_swap(uint8_t *area, unsigned int reg, unsigned int other)
{
    for (unsigned int lane = 0; lane < 8; lane++) {
        uint64_t value = *area_lane(area, reg, lane);
        *area_lane(area, reg, lane) = *area_lane(area, other, lane);
        *area_lane(area, other, lane) = value;
    }
}

bool area_all_live(uint8_t *area)
{
    return *area_lane(area, 0, 0) && *area_lane(area, 0, 2) && *area_lane(area, 0, 4) &&
           *area_lane(area, 16, 0) && *area_opmask(area, 0);
}
