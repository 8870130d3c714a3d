/*
 * What is where in an area, and which values of it are legal (SDM vol. 1, chapters 8, 13, 18; APM
 * vol. 2, chapter 11).
 */
#include "area_format.h"
#include "../machine/xstate.h"
#include <string.h>

#define FCW_INIT 0x37fu

/* The register component that an XCR0 bit stands for, or COMPONENT_COUNT. */
enum component area_registers(uint32_t bit)
{
    switch (bit) {
    case XSTATE_SSE:
        return COMPONENT_SSE;
    case XSTATE_AVX:
        return COMPONENT_AVX;
    case XSTATE_OPMASK:
        return COMPONENT_OPMASK;
    case XSTATE_ZMM_HI256:
        return COMPONENT_ZMM_HI256;
    case XSTATE_HI16_ZMM:
        return COMPONENT_HI16_ZMM;
    default:
        return COMPONENT_COUNT;
    }
}

/* FOP has eleven bits; FIP and FDP are addresses (SDM vol. 1, 8.1.8). */
static uint64_t pointer_bits(uint32_t offset)
{
    const uint64_t of_opcode = UINT64_C(0x7ff) << 48, of_address = UINT64_C(0x7fffffffffff);
    return offset == 0 ? of_opcode : offset < 24 ? of_address : 0;
}

/*
 * The bits of a component's quadword that are put in and compared. x87: FCW, FSW and the abridged
 * FTW, then the ten bytes of each register; not MXCSR, which the window compares. PKRU: not
 * the rights to key 0, which all memory of a process has. BNDCSR: neither the enable bit nor an
 * address that is not canonical.
 */
uint64_t area_used_bits(const struct areas *areas, uint32_t bit, uint32_t offset)
{
    switch (bit) {
    case XSTATE_X87:
        if (offset < 32)
            return (offset == 0 ? UINT64_C(0xff7f7f0f00) : 0) |
                   (areas->no_pointers ? 0 : pointer_bits(offset));
        return offset % 16 ? 0xffff : UINT64_MAX;
    case XSTATE_BNDCSR:
        return offset == 0   ? UINT64_C(0x00007ffffffff000)
               : offset == 8 ? UINT64_C(0x7ffffffffffc)
                             : 0;
    case XSTATE_PKRU:
        return offset == 0 ? 0xfffffffc : 0;
    default:
        return UINT64_MAX;
    }
}

/* What is added to make it legal: x87's exceptions masked, and the bit of FCW that is always set.
 */
uint64_t area_fixed_bits(uint32_t bit, uint32_t offset)
{
    return bit == XSTATE_X87 && offset == 0 ? 0x7f : 0;
}

uint64_t area_init_value(uint32_t bit, uint32_t offset)
{
    return bit == XSTATE_X87 && offset == 0 ? FCW_INIT : 0;
}

/* FCW's precision control takes 0, 2 and 3 (SDM vol. 1, 8.1.5.2). */
uint64_t area_legal(const struct areas *areas, uint32_t bit, uint32_t offset, uint64_t value)
{
    value = (value & area_used_bits(areas, bit, offset)) | area_fixed_bits(bit, offset);
    if (bit == XSTATE_X87 && offset == 0 && (value >> 8 & 3) == 1)
        value |= UINT64_C(2) << 8;
    return value;
}

/* Which part of which vector registers a component is: of each 1 << log2_lanes quadwords. */
struct place {
    uint8_t first, lane, log2_lanes;
};

static const struct place *place_of(uint32_t bit)
{
    static const struct place places[] = {
        [XSTATE_SSE] = {0, 0, 1},
        [XSTATE_AVX] = {0, 2, 1},
        [XSTATE_ZMM_HI256] = {0, 4, 2},
        [XSTATE_HI16_ZMM] = {16, 0, 3},
    };
    return &places[bit];
}

/* Where a vector register's or opmask's quadword is in the component; NULL: in another one. */
uint64_t *area_register_quadword(struct register_state *state, uint32_t bit, uint32_t offset)
{
    uint32_t quadword = offset / 8;
    if (area_registers(bit) == COMPONENT_COUNT)
        return NULL;
    if (bit == XSTATE_OPMASK)
        return &state->opmask[quadword];
    const struct place *place = place_of(bit);
    uint32_t lane = quadword & ((1u << place->log2_lanes) - 1);
    return &state->vector[place->first + (quadword >> place->log2_lanes)][place->lane + lane];
}

/* Whether a component of registers is in memory as it is in the state: the fast way. */
bool area_holds_registers(const struct register_state *state, uint32_t bit, uint32_t size,
                          const uint8_t *at)
{
    if (bit == XSTATE_OPMASK)
        return memcmp(state->opmask, at, size) == 0;
    const struct place *place = place_of(bit);
    const uint32_t lanes = 1u << place->log2_lanes, count = size / 8 / lanes;
    uint64_t difference = 0;
    for (uint32_t n = 0; n < count; n++) {
        const uint64_t *vector = &state->vector[place->first + n][place->lane];
        for (uint32_t lane = 0; lane < lanes; lane++, at += 8)
            difference |= vector[lane] ^ area_load(at);
    }
    return difference == 0;
}

const char *save_instruction_name(enum save_instruction save)
{
    static const char *const names[SAVE_COUNT] = {"xsave", "xsaveopt", "xsavec", "xsaves"};
    return names[save];
}

uint64_t area_save_address(enum save_instruction save)
{
    const char *const addresses[SAVE_COUNT] = {save_by_xsave, save_by_xsaveopt, save_by_xsavec,
                                               save_by_xsaves};
    return (uint64_t)addresses[save];
}

/* Of a component in an area of the compacted format (SDM vol. 1, 13.4.3). */
uint32_t area_compacted_offset(const struct xstate *xstate, uint64_t in_area, uint32_t bit)
{
    uint32_t at = LEGACY_BYTES + HEADER_BYTES;
    if (bit < 2)
        return xstate->offset[bit];
    for (uint32_t n = 2; n <= bit; n++) {
        if (!(in_area >> n & 1))
            continue;
        if (xstate->aligned >> n & 1)
            at = (at + 63) / 64 * 64;
        if (n < bit)
            at += xstate->size[n];
    }
    return at;
}

bool area_fits_form(uint32_t bit, enum form form)
{
    switch (area_registers(bit)) {
    case COMPONENT_AVX:
        return form >= FORM_YMM;
    case COMPONENT_OPMASK:
    case COMPONENT_ZMM_HI256:
    case COMPONENT_HI16_ZMM:
        return form >= FORM_ZMM;
    default:
        return true;
    }
}
