/* Makes XSAVE areas and compares them (SDM vol. 1, chapter 13). */
#include "areas.h"
#include "../component.h"
#include "../machine/instructions.h"
#include "../machine/traps.h"
#include "rounds.h"
#include "vectors.h"
#include <string.h>

#define LEGACY_BYTES        512u
#define HEADER_BYTES        64u
#define COMPACTED           (UINT64_C(1) << 63) /* of XCOMP_BV */
#define OFFSET_MXCSR        24u
#define OFFSET_BV           LEGACY_BYTES
#define OFFSET_COMP_BV      (LEGACY_BYTES + 8u)
#define ATTEMPTS            3u /* a host that breaks registers now and then does not do it each time */
#define REGISTERS_BYTES_MAX 1024u /* of a component of registers: Hi16_ZMM */
#define FCW_INIT            0x37fu
#define FLIPPED             13u /* bit of the quadword that the self-test flips; legal in each component */

/* As builtins, which are an instruction each: -ffreestanding makes a call of memcpy(). */
static uint64_t load(const uint8_t *from)
{
    uint64_t value;
    __builtin_memcpy(&value, from, sizeof(value));
    return value;
}

static void store(uint8_t *to, uint64_t value)
{
    __builtin_memcpy(to, &value, sizeof(value));
}

/* The register component that an XCR0 bit stands for, or COMPONENT_COUNT. */
static enum component register_component(uint32_t bit)
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

/*
 * The bits of a component's quadword that are put in and compared. x87: FCW, FSW and the abridged
 * FTW, then the ten bytes of each register; not FOP, FIP and FDP, which AMD processors save only
 * with an exception pending (APM vol. 2, 11.4.4), nor MXCSR, which the window compares. PKRU: not
 * the rights to key 0, which all memory of a process has. BNDCSR: neither the enable bit nor an
 * address that is not canonical.
 */
static uint64_t used_bits(uint32_t bit, uint32_t offset)
{
    switch (bit) {
    case XSTATE_X87:
        if (offset == 0)
            return UINT64_C(0xff7f7f0f00);
        return offset < 32 ? 0 : offset % 16 ? 0xffff : UINT64_MAX;
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
static uint64_t fixed_bits(uint32_t bit, uint32_t offset)
{
    return bit == XSTATE_X87 && offset == 0 ? 0x7f : 0;
}

static uint64_t init_value(uint32_t bit, uint32_t offset)
{
    return bit == XSTATE_X87 && offset == 0 ? FCW_INIT : 0;
}

/* FCW's precision control takes 0, 2 and 3 (SDM vol. 1, 8.1.5.2). */
static uint64_t legal(uint32_t bit, uint32_t offset, uint64_t value)
{
    value = (value & used_bits(bit, offset)) | fixed_bits(bit, offset);
    if (bit == XSTATE_X87 && offset == 0 && (value >> 8 & 3) == 1)
        value |= UINT64_C(2) << 8;
    return value;
}

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
    return legal(bit, offset, pattern_make(&origin));
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
static uint64_t *register_quadword(struct register_state *state, uint32_t bit, uint32_t offset)
{
    uint32_t word = offset / 8;
    if (register_component(bit) == COMPONENT_COUNT)
        return NULL;
    if (bit == XSTATE_OPMASK)
        return &state->opmask[word];
    const struct place *place = place_of(bit);
    uint32_t lane = word & ((1u << place->log2_lanes) - 1);
    return &state->vector[place->first + (word >> place->log2_lanes)][place->lane + lane];
}

/* Whether a component of registers is in memory as it is in the state: the fast way. */
static bool holds_registers(const struct register_state *state, uint32_t bit, uint32_t size,
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
            difference |= vector[lane] ^ load(at);
    }
    return difference == 0;
}

size_t areas_bytes(const struct xstate *xstate)
{
    return (size_t)4 * xstate->area_bytes;
}

void areas_give_memory(struct areas *areas, uint8_t *memory, const struct xstate *xstate)
{
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++)
        areas->sized |= (uint64_t)(xstate->size[bit] != 0) << bit;
    if (!memory || !xstate->wanted)
        return;
    areas->wanted = memory;
    areas->found = memory + xstate->area_bytes;
    areas->planted = memory + 2 * (size_t)xstate->area_bytes;
    areas->before = memory + 3 * (size_t)xstate->area_bytes;
}

const char *save_instruction_name(enum save_instruction save)
{
    static const char *const names[SAVE_COUNT] = {"xsave", "xsaveopt", "xsavec", "xsaves"};
    return names[save];
}

static uint64_t address_of(enum save_instruction save)
{
    const char *const addresses[SAVE_COUNT] = {save_by_xsave, save_by_xsaveopt, save_by_xsavec,
                                               save_by_xsaves};
    return (uint64_t)addresses[save];
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
    (void)controls_end(&areas->controls);
    put_pkru_back(areas);
    if (areas->before && areas->xcr0)
        vectors_restore_area(areas->before, areas->xcr0 & areas->sized);
}

static void try_area(void *argument)
{
    const struct areas *areas = argument;
    vectors_restore_area(areas->wanted, areas->live);
}

static void try_pkru(void *argument)
{
    struct areas *areas = argument;
    areas->pkru_before = read_pkru();
    areas->by_register = XCR0_PKRU;
}

/*
 * Without an event between, what XRSTOR put in must come back: or else it is not what the manual
 * says, and no exit is to blame.
 */
static bool gives_back(struct rounds *rounds, enum save_instruction save, uint32_t mix)
{
    for (unsigned int n = 0; n < ATTEMPTS; n++) {
        areas_fill(rounds, &rounds->area_round, mix);
        rounds->area_round.area_save = address_of(save);
        if (rounds_area_intact(rounds, &rounds->area_round))
            return true;
    }
    return false;
}

/* Which values are legal is a guess: of a component without a name, and of AMX tiles. */
static bool is_guessed(uint32_t bit)
{
    return bit == XSTATE_TILECFG || bit == XSTATE_TILEDATA || !xstate_component_name(bit);
}

/* Registers that the vCPU's windows do not load could not be told from what they are to hold. */
static bool fits_form(const struct rounds *rounds, uint32_t bit)
{
    switch (register_component(bit)) {
    case COMPONENT_AVX:
        return rounds->key.form >= FORM_YMM;
    case COMPONENT_OPMASK:
    case COMPONENT_ZMM_HI256:
    case COMPONENT_HI16_ZMM:
        return rounds->key.form >= FORM_ZMM;
    default:
        return true;
    }
}

/* Tiles are no tiles without their configuration: AMX components are live together. */
static uint64_t with_companions(uint64_t component, uint64_t mask)
{
    return component & XCR0_AMX ? XCR0_AMX & mask : component;
}

static const char *why_not(struct rounds *rounds, uint32_t bit)
{
    struct areas *areas = &rounds->areas;
    const struct xstate *xstate = &rounds->machine->xstate;
    if (!(areas->xcr0 >> bit & 1))
        return "XCR0 did not take it";
    if (bit == XSTATE_PKRU && xstate->pkru_by_register)
        return traps_run(try_pkru, areas, NULL)
                   ? NULL
                   : "CPUID.0D gives it no size, and RDPKRU raises an exception";
    if (xstate->size[bit] == 0)
        return "CPUID.0D gives it no size";
    if (!fits_form(rounds, bit))
        return "XCR0 has it, but the feature flags of CPUID hide the instructions for it";
    if (xstate->offset[bit] + xstate->size[bit] > xstate->area_bytes)
        return "CPUID.0D contradicts itself: it lies outside of the area";
    areas->live = with_companions(UINT64_C(1) << bit, areas->xcr0 & areas->sized);
    areas->mask = areas->live;
    areas_fill(rounds, &rounds->area_round, 0);
    if (!traps_run(try_area, areas, NULL))
        return "XRSTOR takes no value that could be guessed";
    return !is_guessed(bit) || gives_back(rounds, SAVE_XSAVE, 0)
               ? NULL
               : "XSAVE does not give back what could be guessed for it, even with nothing between";
}

static const char *why_not_save(const struct machine *machine, enum save_instruction save)
{
    const struct xstate *xstate = &machine->xstate;
    bool there[SAVE_COUNT] = {true, xstate->xsaveopt, xstate->xsavec, xstate->xsaves};
    if (!there[save])
        return "not on this processor";
    return save == SAVE_XSAVES && machine->system[0] ? "the operating system keeps it to itself"
                                                     : NULL;
}

void areas_count_anew(struct areas *areas)
{
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        atomic_store_explicit(&areas->component[bit].rounds, 0, memory_order_relaxed);
        atomic_store_explicit(&areas->component[bit].findings, 0, memory_order_relaxed);
    }
}

/*
 * Bochs 2.7 leaves no room in the compacted format for what is in its INIT state (SDM vol. 1,
 * 13.4.3: it goes by XCOMP_BV).
 */
static void try_save(struct rounds *rounds, enum save_instruction save)
{
    for (uint32_t mix = 0; mix < areas_mixes(&rounds->areas) && !rounds->areas.no_save[save]; mix++)
        if (!gives_back(rounds, save, mix))
            rounds->areas.no_save[save] =
                "it does not give back what XRSTOR put in, even with nothing between";
}

void areas_prepare(struct rounds *rounds)
{
    struct areas *areas = &rounds->areas;
    uint64_t mask = 0, offered = rounds->machine->xstate.offered;
    if (!areas->wanted || !areas->xcr0)
        return;
    for (enum save_instruction save = 0; save < SAVE_COUNT; save++)
        areas->no_save[save] = why_not_save(rounds->machine, save);
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        if (!(offered >> bit & 1))
            continue;
        areas->component[bit].reason = why_not(rounds, bit);
        if (!areas->component[bit].reason)
            mask |= UINT64_C(1) << bit;
    }
    areas->mask = mask;
    for (enum save_instruction save = SAVE_XSAVEOPT; save < SAVE_COUNT; save++)
        if (!areas->no_save[save])
            try_save(rounds, save);
    areas_leave(rounds); /* what was tried is not to stay */
    areas_count_anew(areas);
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

static uint64_t live_of(uint64_t mask, uint32_t mix)
{
    uint32_t count = count_bits(mask), number = mix == 0 ? 0 : (mix - 1) % count;
    uint64_t left = mask;
    while (number-- > 0)
        left &= left - 1;
    uint64_t one = with_companions(left & -left, mask);
    return mix == 0 ? mask : mix <= count ? one : mask & ~one;
}

static uint32_t init_components(const struct areas *areas)
{
    uint32_t init = 0;
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        enum component component = register_component(bit);
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
        store(to + offset, *register_quadword(&round->expected, bit, offset));
}

static void fill_rest(struct rounds *rounds, const struct round *round, uint32_t bit)
{
    const struct xstate *xstate = &rounds->machine->xstate;
    uint8_t *to = rounds->areas.wanted + xstate->offset[bit];
    bool live = rounds->areas.live >> bit & 1;
    for (uint32_t offset = 0; offset + 8 <= xstate->size[bit]; offset += 8) {
        if (live && used_bits(bit, offset))
            store(to + offset, pattern_of(rounds, round, bit, offset));
        else if (!live && init_value(bit, offset))
            store(to + offset, init_value(bit, offset));
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
    rounds_fill(rounds, round, init_components(areas));
    memset(areas->wanted, 0, xstate->area_bytes);
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        if (!(areas->mask >> bit & 1))
            continue;
        if (areas->by_register >> bit & 1)
            fill_pkru(rounds, round);
        else if (register_component(bit) < COMPONENT_COUNT)
            fill_registers(rounds, round, bit);
        else
            fill_rest(rounds, round, bit);
    }
    memcpy(areas->wanted + OFFSET_MXCSR, &round->expected.mxcsr, sizeof(round->expected.mxcsr));
    store(areas->wanted + OFFSET_BV, areas->live & ~areas->by_register);
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
    round->area_save = address_of(areas->save);
    if (!rounds->machine->system[0])
        controls_begin(&areas->controls, round->expected.general[RSP]);
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
    return areas->mask & ~(UINT64_C(1) << XSTATE_TILECFG);
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
    store(areas->planted + offset, load(areas->planted + offset) ^ UINT64_C(1) << FLIPPED);
}

/* Of a component in an area of the compacted format (SDM vol. 1, 13.4.3). */
static uint32_t compacted_offset(const struct xstate *xstate, uint64_t in_area, uint32_t bit)
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

static void note(struct areas *areas, const struct area_difference *difference)
{
    for (uint32_t n = 0; n < areas->differences; n++)
        if (areas->difference[n].component == difference->component)
            return;
    if (areas->differences < AREA_DIFFERENCES)
        areas->difference[areas->differences++] = *difference;
}

/* How the area is laid out, and that nothing is in it that was not asked for. */
static void compare_header(struct rounds *rounds, const struct round *round)
{
    struct areas *areas = &rounds->areas;
    const uint8_t *found = round->area_found;
    bool compacted =
        round->area_save == address_of(SAVE_XSAVEC) || round->area_save == address_of(SAVE_XSAVES);
    struct area_difference of_layout = {.component = AREA_HEADER, .offset = 8};
    of_layout.want = compacted ? COMPACTED | round->area_mask : 0;
    of_layout.got = load(found + OFFSET_COMP_BV);
    if (of_layout.got != of_layout.want)
        note(areas, &of_layout);
    struct area_difference beyond = {.component = AREA_HEADER};
    beyond.got = load(found + OFFSET_BV) & ~round->area_mask;
    if (beyond.got)
        note(areas, &beyond);
}

/* XGETBV(1) must agree, where there is one. */
static void compare_in_use(struct areas *areas, const struct round *round)
{
    struct area_difference in_use = {.component = AREA_HEADER,
                                     .offset = 16,
                                     .want = areas->live & round->area_mask,
                                     .got = round->area_in_use & areas->live & round->area_mask};
    if (round->area_xgetbv && in_use.got != in_use.want)
        note(areas, &in_use);
}

/* Where the component is in what an instruction saved. */
static const uint8_t *found_component(const struct rounds *rounds, uint32_t bit)
{
    const struct xstate *xstate = &rounds->machine->xstate;
    const uint8_t *found = rounds->areas.found;
    uint64_t layout = load(found + OFFSET_COMP_BV);
    return found +
           (layout & COMPACTED ? compacted_offset(xstate, layout, bit) : xstate->offset[bit]);
}

/*
 * A processor may call a component in use that was put back into its INIT state, and then saves its
 * INIT values (SDM vol. 1, 13.6; QEMU does so with x87): a reset all the same.
 */
static bool has_init_values(const struct xstate *xstate, uint32_t bit, const uint8_t *at)
{
    for (uint32_t offset = 0; offset + 8 <= xstate->size[bit]; offset += 8) {
        uint64_t used = used_bits(bit, offset) | fixed_bits(bit, offset);
        if ((load(at + offset) & used) != init_value(bit, offset))
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
    bool of_registers = register_component(bit) < COMPONENT_COUNT;
    if (of_registers &&
        holds_registers(&round->expected, bit, xstate->size[bit], in_use ? at : zeros))
        return true;
    for (uint32_t offset = 0; offset + 8 <= xstate->size[bit]; offset += 8) {
        uint64_t used = used_bits(bit, offset) | fixed_bits(bit, offset);
        const uint64_t *expected = register_quadword(&round->expected, bit, offset);
        uint64_t *found = register_quadword(&round->found, bit, offset);
        struct area_difference difference = {
            .component = bit,
            .offset = offset,
            .want =
                expected ? *expected : load(areas->wanted + xstate->offset[bit] + offset) & used,
            .got = (in_use ? load(at + offset) : init_value(bit, offset)) & used,
            .init = !(areas->live >> bit & 1)};
        if (difference.got == difference.want)
            continue;
        same = false;
        difference.reset = !in_use || has_init_values(xstate, bit, at);
        if (found)
            *found = difference.got;
        else
            note(areas, &difference);
    }
    return same;
}

static bool compare_pkru(struct areas *areas)
{
    struct area_difference difference = {.component = XSTATE_PKRU,
                                         .want = areas->pkru_wanted,
                                         .got = read_pkru() & used_bits(XSTATE_PKRU, 0),
                                         .init = !(areas->live & XCR0_PKRU)};
    difference.reset = difference.got == 0;
    if (difference.got == difference.want)
        return true;
    note(areas, &difference);
    return false;
}

static bool compare_component(struct rounds *rounds, struct round *round, uint32_t bit)
{
    bool in_use = load(rounds->areas.found + OFFSET_BV) >> bit & 1;
    if (rounds->areas.by_register >> bit & 1)
        return compare_pkru(&rounds->areas);
    return compare_saved(rounds, round, bit, found_component(rounds, bit), in_use);
}

static void count(_Atomic uint64_t *counter)
{
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + 1, memory_order_relaxed);
}

/* What the other rounds do not load must not look as if it were live. */
static void forget(const struct areas *areas)
{
    uint64_t rest = 0;
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++)
        if (areas->mask >> bit & 1 && register_component(bit) == COMPONENT_COUNT)
            rest |= UINT64_C(1) << bit;
    vectors_restore_area(areas->before, rest & ~areas->by_register);
    put_pkru_back(areas);
}

void areas_leave(struct rounds *rounds)
{
    (void)controls_end(&rounds->areas.controls);
    forget(&rounds->areas);
}

bool areas_mend_xcr0(struct rounds *rounds)
{
    struct areas *areas = &rounds->areas;
    struct area_difference xcr0 = {.component = AREA_CONTROL + CONTROL_XCR0, .want = areas->xcr0};
    areas->differences = 0;
    if (!areas->xcr0)
        return false;
    xcr0.got = xgetbv0();
    if (xcr0.got == xcr0.want)
        return false;
    note(areas, &xcr0);
    if (!rounds->machine->system[0])
        xsetbv0(areas->xcr0);
    return true;
}

static void compare_controls(struct rounds *rounds)
{
    struct areas *areas = &rounds->areas;
    uint32_t changed = controls_end(&areas->controls);
    for (uint32_t n = 0; n < CONTROL_COUNT; n++) {
        struct area_difference difference = {.component = AREA_CONTROL + n,
                                             .want = areas->controls.want[n],
                                             .got = areas->controls.got[n]};
        if (changed >> n & 1)
            note(areas, &difference);
    }
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
        count(&areas->component[bit].rounds);
        if (!intact)
            count(&areas->component[bit].findings);
        same &= intact;
    }
    if (same)
        compare_in_use(areas, round);
    compare_controls(rounds);
    return same && areas->differences == 0;
}

bool areas_saved_right(struct rounds *rounds, struct round *round, const uint8_t *area)
{
    struct areas *areas = &rounds->areas;
    const struct xstate *xstate = &rounds->machine->xstate;
    bool same = true;
    const uint64_t saved = areas->xcr0 & areas->sized;
    areas->differences = 0;
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        bool of_registers = register_component(bit) < COMPONENT_COUNT && fits_form(rounds, bit);
        bool known = saved >> bit & 1 && (of_registers || round->area_mask >> bit & 1);
        if (!known)
            continue;
        bool in_use = load(area + OFFSET_BV) >> bit & 1;
        same &= compare_saved(rounds, round, bit, area + xstate->offset[bit], in_use);
    }
    return same;
}
