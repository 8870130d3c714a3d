/*
 * An XSAVE area in the standard format (SDM vol. 1, 13.4): where each register is in it. For those
 * who break registers on purpose, beneath a guest (faultvisor) or a process (ci/silicon/inject.c).
 */
#ifndef ZMMTEST_CI_FAULTVISOR_AREA_H
#define ZMMTEST_CI_FAULTVISOR_AREA_H

#include "../../efi/core/machine/xstate.h"
#include <stdbool.h>
#include <stdint.h>

/* Offsets in bytes: MXCSR, and x87's tag word, a bit for each register (SDM vol. 1, 10.5.1). */
#define AREA_MXCSR   24u
#define AREA_X87_TAG 4u

/* A quadword of a vector register: 0 to 7 of zmm0 to zmm31. */
uint64_t *area_lane(uint8_t *area, unsigned int reg, unsigned int lane);

uint64_t *area_opmask(uint8_t *area, unsigned int number);

/* The low quadword of an x87 register, ST0 to ST7; FCW, and what that is in the INIT state. */
uint64_t *area_x87(uint8_t *area, unsigned int reg);
uint16_t *area_x87_control(uint8_t *area);
#define X87_CONTROL_INIT 0x37fu

/* XSTATE_BV: the components that are not in their INIT state. */
uint64_t *area_in_use(uint8_t *area);

/* Puts a component in its INIT state. */
void area_init_component(uint8_t *area, unsigned int component);

/* Gives two vector registers each other's value. */
void area_swap(uint8_t *area, unsigned int reg, unsigned int other);

/* A round of zmmtest in which no component is in its INIT state. */
bool area_all_live(uint8_t *area);

#endif
