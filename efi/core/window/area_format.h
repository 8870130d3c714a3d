/*
 * The format of an XSAVE area: where each component is, which of its bits are put in and compared,
 * and which values of them are legal.
 */
#ifndef ZMMTEST_CORE_WINDOW_AREA_FORMAT_H
#define ZMMTEST_CORE_WINDOW_AREA_FORMAT_H

#include "areas.h"
#include "component.h"
#include "state.h"
#include <stdbool.h>

#define LEGACY_BYTES   512u
#define HEADER_BYTES   64u
#define OFFSET_MXCSR   24u
#define OFFSET_BV      LEGACY_BYTES
#define OFFSET_COMP_BV (LEGACY_BYTES + 8u)
#define COMPACTED      (UINT64_C(1) << 63) /* of XCOMP_BV */

/* As builtins, which are an instruction each: -ffreestanding makes a call of memcpy(). */
static inline uint64_t area_load(const uint8_t *from)
{
    uint64_t value;
    __builtin_memcpy(&value, from, sizeof(value));
    return value;
}

static inline void area_store(uint8_t *to, uint64_t value)
{
    __builtin_memcpy(to, &value, sizeof(value));
}

/* The component of registers that an XCR0 bit stands for, or COMPONENT_COUNT. */
enum component area_registers(uint32_t bit);

/* Whether the windows of a form load the component's registers. If they do not, what XSAVE stores
 * of it has nothing to be compared with. */
bool area_fits_form(uint32_t bit, enum form form);

/*
 * Of the quadword at this offset of a component: the bits that are put in and compared, those that
 * are set to make it legal, its value in the INIT state, and what is legal and nearest to a value.
 */
uint64_t area_used_bits(const struct areas *areas, uint32_t bit, uint32_t offset);
uint64_t area_fixed_bits(uint32_t bit, uint32_t offset);
uint64_t area_init_value(uint32_t bit, uint32_t offset);
uint64_t area_legal(const struct areas *areas, uint32_t bit, uint32_t offset, uint64_t value);

/* Where a vector register's or opmask's quadword is in the component; NULL: in another one. */
uint64_t *area_register_quadword(struct register_state *state, uint32_t bit, uint32_t offset);

/* Whether a component of registers, of `size` bytes, is `at` as it is in the state: the fast way.
 */
bool area_holds_registers(const struct register_state *state, uint32_t bit, uint32_t size,
                          const uint8_t *at);

/* Where a component is in an area of the compacted format that has those `in_area`. */
uint32_t area_compacted_offset(const struct xstate *xstate, uint64_t in_area, uint32_t bit);

/* "xsavec" and so on; and the code in compare.S that saves by it. */
const char *save_instruction_name(enum save_instruction save);
uint64_t area_save_address(enum save_instruction save);

#endif
