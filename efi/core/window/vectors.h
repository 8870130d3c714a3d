/* The few vector instructions that zmmtest needs outside a round; they are in vectors.S. */
#ifndef ZMMTEST_CORE_WINDOW_VECTORS_H
#define ZMMTEST_CORE_WINDOW_VECTORS_H

#include "state.h"

/* FXSAVE64 and FXRSTOR64 of x87, XMM and MXCSR state: 512 bytes, 16-byte aligned. */
void vectors_save_legacy(void *area);
void vectors_restore_legacy(const void *area);

/*
 * XSAVE64 and XRSTOR64 of these components: an area of xstate.area_bytes, 64-byte aligned, whose
 * header was zero before the first of them.
 */
void vectors_save_area(void *area, uint64_t components);
void vectors_restore_area(const void *area, uint64_t components);

/* Zeroes every vector and opmask register of the form. Clobbers nothing else. */
void vectors_clear(enum form form);

#endif
