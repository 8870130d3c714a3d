/* Puts patterns into an area, by the mix of what is live in it. */
#include "area_fill.h"
#include "../../platform/instructions.h"
#include "area_format.h"
#include "round.h"
#include <string.h>

/* Bit of the quadword that the self-test flips; legal in each component. */
#define FLIPPED 13u

/*
 * Palette 1 with each of the eight tiles as large as it can be, 16 rows of 64 bytes (SDM vol. 1,
 * 18.2): XSAVE then saves all of TILEDATA. Few other values are legal, so it is the same each time.
 */
static uint64_t tile_configuration(uint32_t offset)
{
    const uint64_t palette = 1, bytes_per_row = UINT64_C(0x0040004000400040),
                   rows = UINT64_C(0x1010101010101010);
    return offset == 0                    ? palette
           : offset == 16 || offset == 24 ? bytes_per_row
           : offset == 48                 ? rows
                                          : 0;
}

static uint64_t pattern_of(const struct rounds *rounds, const struct round *round, uint32_t bit,
                           uint32_t offset)
{
    struct pattern_origin origin = {rounds->key.run, rounds->key.vcpu, round->generation,
                                    PATTERN_END + bit % 8, offset / 8 % VECTOR_LANES};
    if (bit == XSTATE_TILECFG)
        return tile_configuration(offset);
    return area_legal(&rounds->areas, bit, offset, pattern_make(&origin));
}

static uint32_t count_bits(uint64_t set)
{
    uint32_t count = 0;
    for (; set; set &= set - 1)
        count++;
    return count;
}

/* All live; each alone live; each alone in its INIT state. */
uint32_t areas_mixes(const struct areas *areas)
{
    return areas->mask ? 2 * count_bits(areas->mask) + 1 : 0;
}

/* Tiles are no tiles without their configuration: AMX components are live together. */
uint64_t areas_with_companions(uint64_t component, uint64_t mask)
{
    return component & XCR0_AMX ? XCR0_AMX & mask : component;
}

static uint64_t live_of(uint64_t mask, uint32_t mix)
{
    uint32_t count = count_bits(mask), number = mix == 0 ? 0 : (mix - 1) % count;
    uint64_t left = mask;
    while (number-- > 0)
        left &= left - 1;
    uint64_t one = areas_with_companions(left & -left, mask);
    return mix == 0 ? mask : mix <= count ? one : mask & ~one;
}

static uint32_t init_components(const struct areas *areas)
{
    uint32_t init = 0;
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        enum component component = area_registers(bit);
        if (component < COMPONENT_COUNT && areas->mask >> bit & ~areas->live >> bit & 1)
            init |= COMPONENT_BIT(component);
    }
    return init;
}

static void fill_registers(struct rounds *rounds, struct round *round, uint32_t bit)
{
    const struct xstate *xstate = &rounds->machine->xstate;
    uint8_t *to = rounds->areas.wanted + xstate->offset[bit];
    for (uint32_t offset = 0; offset + 8 <= xstate->size[bit]; offset += 8)
        area_store(to + offset, *area_register_quadword(&round->expected, bit, offset));
}

static void fill_rest(struct rounds *rounds, const struct round *round, uint32_t bit)
{
    const struct xstate *xstate = &rounds->machine->xstate;
    uint8_t *to = rounds->areas.wanted + xstate->offset[bit];
    bool live = rounds->areas.live >> bit & 1;
    for (uint32_t offset = 0; offset + 8 <= xstate->size[bit]; offset += 8) {
        if (live && area_used_bits(&rounds->areas, bit, offset))
            area_store(to + offset, pattern_of(rounds, round, bit, offset));
        else if (!live && area_init_value(bit, offset))
            area_store(to + offset, area_init_value(bit, offset));
    }
}

static void fill_pkru(struct rounds *rounds, const struct round *round)
{
    struct areas *areas = &rounds->areas;
    bool live = areas->live & XCR0_PKRU;
    areas->pkru_wanted = live ? (uint32_t)pattern_of(rounds, round, XSTATE_PKRU, 0) : 0;
    write_pkru(areas->pkru_wanted);
}

void areas_take_register_0(struct rounds *rounds, struct round *round)
{
    fill_registers(rounds, round, XSTATE_SSE);
}

void areas_fill(struct rounds *rounds, struct round *round, uint32_t mix)
{
    struct areas *areas = &rounds->areas;
    const struct xstate *xstate = &rounds->machine->xstate;
    areas->live = live_of(areas->mask, mix);
    round_fill(rounds, round, init_components(areas));
    memset(areas->wanted, 0, xstate->area_bytes);
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        if (!(areas->mask >> bit & 1))
            continue;
        if (areas->by_register >> bit & 1)
            fill_pkru(rounds, round);
        else if (area_registers(bit) < COMPONENT_COUNT)
            fill_registers(rounds, round, bit);
        else
            fill_rest(rounds, round, bit);
    }
    memcpy(areas->wanted + OFFSET_MXCSR, &round->expected.mxcsr, sizeof(round->expected.mxcsr));
    area_store(areas->wanted + OFFSET_BV, areas->live & ~areas->by_register);
    memset(areas->found, 0xee, xstate->area_bytes);
    memset(areas->found + LEGACY_BYTES, 0, HEADER_BYTES);
    round->area = areas->wanted;
    round->area_found = areas->found;
    round->area_planted = areas->planted;
    round->area_mask = areas->mask & ~areas->by_register;
    round->area_xgetbv = xstate->xgetbv1;
    round->area_in_use = 0;
    do
        areas->save = (areas->save + 1) % SAVE_COUNT;
    while (areas->no_save[areas->save]);
    round->area_save = area_save_address(areas->save);
}

void areas_fill_planted(struct rounds *rounds, struct round *round, uint32_t mix)
{
    const struct areas *areas = &rounds->areas;
    areas_fill(rounds, round, mix);
    memcpy(&round->planted, &round->expected, sizeof(round->planted));
    memcpy(areas->planted, areas->wanted, rounds->machine->xstate.area_bytes);
}

uint64_t areas_plantable(const struct areas *areas)
{
    uint64_t named = 0;
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++)
        named |= (uint64_t)(xstate_component_name(bit) != NULL) << bit;
    return areas->mask & named & ~(UINT64_C(1) << XSTATE_TILECFG);
}

void areas_plant(struct rounds *rounds, struct round *round, uint32_t component)
{
    const struct areas *areas = &rounds->areas;
    uint32_t offset =
        rounds->machine->xstate.offset[component] + (component == XSTATE_X87 ? 32 : 0);
    areas_fill_planted(rounds, round, 0);
    if (areas->by_register >> component & 1) {
        write_pkru(areas->pkru_wanted ^ 1u << FLIPPED);
        return;
    }
    area_store(areas->planted + offset, area_load(areas->planted + offset) ^ UINT64_C(1)
                                                                                 << FLIPPED);
}
