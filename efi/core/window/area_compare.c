/* Compares an area with what was put in, component by component. */
#include "area_compare.h"
#include "../../platform/instructions.h"
#include "area_format.h"
#include "counter.h"
#include "round.h"
#include "system_state.h"
#include "vectors.h"
#include <string.h>

#define REGISTERS_BYTES_MAX 1024u /* of a component of registers: Hi16_ZMM */

/* How the area is laid out, and that nothing is in it that was not asked for. */
static void compare_header(struct rounds *rounds, const struct round *round)
{
    struct areas *areas = &rounds->areas;
    const uint8_t *found = round->area_found;
    bool compacted = round->area_save == area_save_address(SAVE_XSAVEC) ||
                     round->area_save == area_save_address(SAVE_XSAVES);
    struct area_difference of_layout = {.component = AREA_HEADER, .offset = 8};
    of_layout.want = compacted ? COMPACTED | round->area_mask : 0;
    of_layout.got = area_load(found + OFFSET_COMP_BV);
    if (of_layout.got != of_layout.want)
        areas_note(areas, &of_layout);
    struct area_difference beyond = {.component = AREA_HEADER};
    beyond.got = area_load(found + OFFSET_BV) & ~round->area_mask;
    if (beyond.got)
        areas_note(areas, &beyond);
}

/* XGETBV(1) must agree, where there is one. */
static void compare_in_use(struct areas *areas, const struct round *round)
{
    struct area_difference in_use = {.component = AREA_HEADER,
                                     .offset = 16,
                                     .want = areas->live & round->area_mask,
                                     .got = round->area_in_use & areas->live & round->area_mask};
    if (round->area_xgetbv && in_use.got != in_use.want)
        areas_note(areas, &in_use);
}

/* Where the component is in what an instruction saved. */
static const uint8_t *found_component(const struct rounds *rounds, uint32_t bit)
{
    const struct xstate *xstate = &rounds->machine->xstate;
    const uint8_t *found = rounds->areas.found;
    uint64_t layout = area_load(found + OFFSET_COMP_BV);
    return found +
           (layout & COMPACTED ? area_compacted_offset(xstate, layout, bit) : xstate->offset[bit]);
}

/*
 * A processor may call a component in use that was put back into its INIT state, and then saves its
 * INIT values (SDM vol. 1, 13.6; QEMU does so with x87): a reset all the same.
 */
static bool has_init_values(const struct rounds *rounds, uint32_t bit, const uint8_t *at)
{
    const struct xstate *xstate = &rounds->machine->xstate;
    for (uint32_t offset = 0; offset + 8 <= xstate->size[bit]; offset += 8) {
        uint64_t used = area_used_bits(&rounds->areas, bit, offset) | area_fixed_bits(bit, offset);
        if ((area_load(at + offset) & used) != area_init_value(bit, offset))
            return false;
    }
    return true;
}

/*
 * A component of the round against what was saved `at`, all of it; false if it differs. What is not
 * in use has its INIT value, whatever the area holds there.
 */
static bool compare_saved(struct rounds *rounds, struct round *round, uint32_t bit,
                          const uint8_t *at, bool in_use)
{
    struct areas *areas = &rounds->areas;
    const struct xstate *xstate = &rounds->machine->xstate;
    bool same = true;
    static const uint8_t zeros[REGISTERS_BYTES_MAX];
    bool of_registers = area_registers(bit) < COMPONENT_COUNT;
    if (of_registers &&
        area_holds_registers(&round->expected, bit, xstate->size[bit], in_use ? at : zeros))
        return true;
    for (uint32_t offset = 0; offset + 8 <= xstate->size[bit]; offset += 8) {
        uint64_t used = area_used_bits(areas, bit, offset) | area_fixed_bits(bit, offset);
        const uint64_t *expected = area_register_quadword(&round->expected, bit, offset);
        uint64_t *found = area_register_quadword(&round->found, bit, offset);
        struct area_difference difference = {
            .component = bit,
            .offset = offset,
            .want = expected ? *expected
                             : area_load(areas->wanted + xstate->offset[bit] + offset) & used,
            .got = (in_use ? area_load(at + offset) : area_init_value(bit, offset)) & used,
            .init = !(areas->live >> bit & 1)};
        if (difference.got == difference.want)
            continue;
        same = false;
        difference.reset = !in_use || has_init_values(rounds, bit, at);
        if (found)
            *found = difference.got;
        else
            areas_note(areas, &difference);
    }
    return same;
}

static bool compare_pkru(struct areas *areas)
{
    struct area_difference difference = {.component = XSTATE_PKRU,
                                         .want = areas->pkru_wanted,
                                         .got = read_pkru() & area_used_bits(areas, XSTATE_PKRU, 0),
                                         .init = !(areas->live & XCR0_PKRU)};
    difference.reset = difference.got == 0;
    if (difference.got == difference.want)
        return true;
    areas_note(areas, &difference);
    return false;
}

static bool compare_component(struct rounds *rounds, struct round *round, uint32_t bit)
{
    bool in_use = area_load(rounds->areas.found + OFFSET_BV) >> bit & 1;
    if (rounds->areas.by_register >> bit & 1)
        return compare_pkru(&rounds->areas);
    return compare_saved(rounds, round, bit, found_component(rounds, bit), in_use);
}

void areas_keep(struct areas *areas)
{
    if (areas->by_register)
        areas->pkru_before = read_pkru();
    if (areas->before && areas->xcr0)
        vectors_save_area(areas->before, areas->xcr0 & areas->sized);
}

static void put_pkru_back(const struct areas *areas)
{
    if (areas->by_register)
        write_pkru(areas->pkru_before);
}

void areas_put_back(struct areas *areas)
{
    put_pkru_back(areas);
    if (areas->before && areas->xcr0)
        vectors_restore_area(areas->before, areas->xcr0 & areas->sized);
}

/* What the other rounds do not load must not look as if it were live. */
static void forget(const struct areas *areas)
{
    uint64_t rest = 0;
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++)
        if (areas->mask >> bit & 1 && area_registers(bit) == COMPONENT_COUNT)
            rest |= UINT64_C(1) << bit;
    vectors_restore_area(areas->before, rest & ~areas->by_register);
    put_pkru_back(areas);
}

void areas_leave(struct rounds *rounds)
{
    forget(&rounds->areas);
}

bool areas_mend_xcr0(struct rounds *rounds)
{
    struct areas *areas = &rounds->areas;
    struct area_difference xcr0 = {.component = AREA_SYSTEM + SYSTEM_XCR0, .want = areas->xcr0};
    areas->differences = 0;
    if (!areas->xcr0)
        return false;
    xcr0.got = xgetbv0();
    if (xcr0.got == xcr0.want)
        return false;
    areas_note(areas, &xcr0);
    areas->xcr0_lost = true;
    areas->xcr0_found = xcr0.got;
    if (!rounds->machine->system[0])
        xsetbv0(areas->xcr0);
    return true;
}

void areas_note_lost_xcr0(struct areas *areas)
{
    struct area_difference xcr0 = {
        .component = AREA_SYSTEM + SYSTEM_XCR0, .want = areas->xcr0, .got = areas->xcr0_found};
    areas->differences = 0;
    areas_note(areas, &xcr0);
}

bool areas_compare(struct rounds *rounds, struct round *round)
{
    struct areas *areas = &rounds->areas;
    bool same = true;
    memcpy(round->found.vector, round->expected.vector, sizeof(round->found.vector));
    memcpy(round->found.opmask, round->expected.opmask, sizeof(round->found.opmask));
    compare_header(rounds, round);
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        if (!(areas->mask >> bit & 1))
            continue;
        bool intact = compare_component(rounds, round, bit);
        counter_add(&areas->component[bit].rounds, 1);
        if (!intact)
            counter_add(&areas->component[bit].findings, 1);
        same &= intact;
    }
    if (same)
        compare_in_use(areas, round);
    same &= system_compare(rounds);
    return same && areas->differences == 0;
}

bool areas_saved_right(struct rounds *rounds, struct round *round, const uint8_t *area)
{
    struct areas *areas = &rounds->areas;
    const struct xstate *xstate = &rounds->machine->xstate;
    bool same = true;
    const uint64_t saved = areas->stored;
    areas->differences = 0;
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        bool of_registers =
            area_registers(bit) < COMPONENT_COUNT && area_fits_form(bit, rounds->key.form);
        bool known = saved >> bit & 1 && (of_registers || round->area_mask >> bit & 1);
        if (!known)
            continue;
        bool in_use = area_load(area + OFFSET_BV) >> bit & 1;
        same &= compare_saved(rounds, round, bit, area + xstate->offset[bit], in_use);
    }
    return same;
}

/*
 * What the window found first stands, but the area is looked at in any case; unless XCR0 was
 * altered, from which all else follows.
 */
enum window_result areas_look(struct rounds *rounds, struct round *round, enum window_result result)
{
    if (!round->area_mask && result < FAULTED)
        return result;
    if (areas_mend_xcr0(rounds)) {
        memcpy(&round->found, &round->expected, sizeof(round->found));
        result = AREA_DIFFER;
    } else if (round->area_mask && result != FAULTED_TWICE) {
        bool intact = areas_compare(rounds, round);
        result = result == INTACT && !intact ? AREA_DIFFER : result;
    }
    if (round->area_mask)
        areas_leave(rounds);
    return result;
}

bool areas_intact(struct rounds *rounds, struct round *round)
{
    return areas_look(rounds, round, round_enter(rounds, &window_bare, round)) == INTACT;
}
