/* Makes XSAVE images and compares them (SDM vol. 1, chapter 13). */
#include "image.h"
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

size_t images_bytes(const struct xstate *xstate)
{
    return (size_t)4 * xstate->area_bytes;
}

void images_give_memory(struct images *images, uint8_t *memory, const struct xstate *xstate)
{
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++)
        images->sized |= (uint64_t)(xstate->size[bit] != 0) << bit;
    if (!memory || !xstate->wanted)
        return;
    images->wanted = memory;
    images->found = memory + xstate->area_bytes;
    images->planted = memory + 2 * (size_t)xstate->area_bytes;
    images->before = memory + 3 * (size_t)xstate->area_bytes;
}

const char *image_save_name(enum image_save save)
{
    static const char *const names[IMAGE_SAVES] = {"xsave", "xsaveopt", "xsavec", "xsaves"};
    return names[save];
}

static uint64_t address_of(enum image_save save)
{
    const char *const addresses[IMAGE_SAVES] = {save_by_xsave, save_by_xsaveopt, save_by_xsavec,
                                                save_by_xsaves};
    return (uint64_t)addresses[save];
}

void images_keep(struct images *images)
{
    if (images->by_register)
        images->pkru_before = read_pkru();
    if (images->before && images->xcr0)
        vectors_save_image(images->before, images->xcr0 & images->sized);
}

static void put_pkru_back(const struct images *images)
{
    if (images->by_register)
        write_pkru(images->pkru_before);
}

void images_put_back(struct images *images)
{
    (void)controls_end(&images->controls);
    put_pkru_back(images);
    if (images->before && images->xcr0)
        vectors_restore_image(images->before, images->xcr0 & images->sized);
}

static void try_image(void *argument)
{
    const struct images *images = argument;
    vectors_restore_image(images->wanted, images->live);
}

static void try_pkru(void *argument)
{
    struct images *images = argument;
    images->pkru_before = read_pkru();
    images->by_register = XCR0_PKRU;
}

/*
 * Without an event between, what XRSTOR put in must come back: or else it is not what the manual
 * says, and no exit is to blame.
 */
static bool gives_back(struct rounds *rounds, enum image_save save, uint32_t mix)
{
    for (unsigned int n = 0; n < ATTEMPTS; n++) {
        images_fill(rounds, &rounds->image_round, mix);
        rounds->image_round.image_save = address_of(save);
        if (rounds_image_intact(rounds, &rounds->image_round))
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
    struct images *images = &rounds->images;
    const struct xstate *xstate = &rounds->machine->xstate;
    if (!(images->xcr0 >> bit & 1))
        return "XCR0 did not take it";
    if (bit == XSTATE_PKRU && xstate->pkru_by_register)
        return traps_run(try_pkru, images, NULL)
                   ? NULL
                   : "CPUID.0D gives it no size, and RDPKRU raises an exception";
    if (xstate->size[bit] == 0)
        return "CPUID.0D gives it no size";
    if (!fits_form(rounds, bit))
        return "XCR0 has it, but the feature flags of CPUID hide the instructions for it";
    if (xstate->offset[bit] + xstate->size[bit] > xstate->area_bytes)
        return "CPUID.0D contradicts itself: it lies outside of the area";
    images->live = with_companions(UINT64_C(1) << bit, images->xcr0 & images->sized);
    images->mask = images->live;
    images_fill(rounds, &rounds->image_round, 0);
    if (!traps_run(try_image, images, NULL))
        return "XRSTOR takes no value that could be guessed";
    return !is_guessed(bit) || gives_back(rounds, SAVE_XSAVE, 0)
               ? NULL
               : "XSAVE does not give back what could be guessed for it, even with nothing between";
}

static const char *why_not_save(const struct machine *machine, enum image_save save)
{
    const struct xstate *xstate = &machine->xstate;
    bool there[IMAGE_SAVES] = {true, xstate->xsaveopt, xstate->xsavec, xstate->xsaves};
    if (!there[save])
        return "not on this processor";
    return save == SAVE_XSAVES && machine->system[0] ? "the operating system keeps it to itself"
                                                     : NULL;
}

void images_count_anew(struct images *images)
{
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        atomic_store_explicit(&images->component[bit].rounds, 0, memory_order_relaxed);
        atomic_store_explicit(&images->component[bit].findings, 0, memory_order_relaxed);
    }
}

/*
 * Bochs 2.7 leaves no room in the compacted format for what is in its INIT state (SDM vol. 1,
 * 13.4.3: it goes by XCOMP_BV).
 */
static void try_save(struct rounds *rounds, enum image_save save)
{
    for (uint32_t mix = 0; mix < images_mixes(&rounds->images) && !rounds->images.no_save[save];
         mix++)
        if (!gives_back(rounds, save, mix))
            rounds->images.no_save[save] =
                "it does not give back what XRSTOR put in, even with nothing between";
}

void images_prepare(struct rounds *rounds)
{
    struct images *images = &rounds->images;
    uint64_t mask = 0, offered = rounds->machine->xstate.offered;
    if (!images->wanted || !images->xcr0)
        return;
    for (enum image_save save = 0; save < IMAGE_SAVES; save++)
        images->no_save[save] = why_not_save(rounds->machine, save);
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        if (!(offered >> bit & 1))
            continue;
        images->component[bit].reason = why_not(rounds, bit);
        if (!images->component[bit].reason)
            mask |= UINT64_C(1) << bit;
    }
    images->mask = mask;
    for (enum image_save save = SAVE_XSAVEOPT; save < IMAGE_SAVES; save++)
        if (!images->no_save[save])
            try_save(rounds, save);
    images_leave(rounds); /* what was tried is not to stay */
    images_count_anew(images);
}

static uint32_t count_bits(uint64_t set)
{
    uint32_t count = 0;
    for (; set; set &= set - 1)
        count++;
    return count;
}

/* All live; each alone live; each alone in its INIT state. */
uint32_t images_mixes(const struct images *images)
{
    return images->mask ? 2 * count_bits(images->mask) + 1 : 0;
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

static uint32_t init_components(const struct images *images)
{
    uint32_t init = 0;
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        enum component component = register_component(bit);
        if (component < COMPONENT_COUNT && images->mask >> bit & ~images->live >> bit & 1)
            init |= COMPONENT_BIT(component);
    }
    return init;
}

static void fill_registers(struct rounds *rounds, struct round *round, uint32_t bit)
{
    const struct xstate *xstate = &rounds->machine->xstate;
    uint8_t *to = rounds->images.wanted + xstate->offset[bit];
    for (uint32_t offset = 0; offset + 8 <= xstate->size[bit]; offset += 8)
        store(to + offset, *register_quadword(&round->expected, bit, offset));
}

static void fill_rest(struct rounds *rounds, const struct round *round, uint32_t bit)
{
    const struct xstate *xstate = &rounds->machine->xstate;
    uint8_t *to = rounds->images.wanted + xstate->offset[bit];
    bool live = rounds->images.live >> bit & 1;
    for (uint32_t offset = 0; offset + 8 <= xstate->size[bit]; offset += 8) {
        if (live && used_bits(bit, offset))
            store(to + offset, pattern_of(rounds, round, bit, offset));
        else if (!live && init_value(bit, offset))
            store(to + offset, init_value(bit, offset));
    }
}

static void fill_pkru(struct rounds *rounds, const struct round *round)
{
    struct images *images = &rounds->images;
    bool live = images->live & XCR0_PKRU;
    images->pkru_wanted = live ? (uint32_t)pattern_of(rounds, round, XSTATE_PKRU, 0) : 0;
    write_pkru(images->pkru_wanted);
}

void images_take_register_0(struct rounds *rounds, struct round *round)
{
    fill_registers(rounds, round, XSTATE_SSE);
}

void images_fill(struct rounds *rounds, struct round *round, uint32_t mix)
{
    struct images *images = &rounds->images;
    const struct xstate *xstate = &rounds->machine->xstate;
    images->live = live_of(images->mask, mix);
    rounds_fill(rounds, round, init_components(images));
    memset(images->wanted, 0, xstate->area_bytes);
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        if (!(images->mask >> bit & 1))
            continue;
        if (images->by_register >> bit & 1)
            fill_pkru(rounds, round);
        else if (register_component(bit) < COMPONENT_COUNT)
            fill_registers(rounds, round, bit);
        else
            fill_rest(rounds, round, bit);
    }
    memcpy(images->wanted + OFFSET_MXCSR, &round->expected.mxcsr, sizeof(round->expected.mxcsr));
    store(images->wanted + OFFSET_BV, images->live & ~images->by_register);
    memset(images->found, 0xee, xstate->area_bytes);
    memset(images->found + LEGACY_BYTES, 0, HEADER_BYTES);
    round->image = images->wanted;
    round->image_found = images->found;
    round->image_planted = images->planted;
    round->image_mask = images->mask & ~images->by_register;
    round->image_xgetbv = xstate->xgetbv1;
    round->image_in_use = 0;
    do
        images->save = (images->save + 1) % IMAGE_SAVES;
    while (images->no_save[images->save]);
    round->image_save = address_of(images->save);
    if (!rounds->machine->system[0])
        controls_begin(&images->controls, round->expected.general[RSP]);
}

void images_fill_planted(struct rounds *rounds, struct round *round, uint32_t mix)
{
    const struct images *images = &rounds->images;
    images_fill(rounds, round, mix);
    memcpy(&round->planted, &round->expected, sizeof(round->planted));
    memcpy(images->planted, images->wanted, rounds->machine->xstate.area_bytes);
}

uint64_t images_plantable(const struct images *images)
{
    return images->mask & ~(UINT64_C(1) << XSTATE_TILECFG);
}

void images_plant(struct rounds *rounds, struct round *round, uint32_t component)
{
    const struct images *images = &rounds->images;
    uint32_t offset =
        rounds->machine->xstate.offset[component] + (component == XSTATE_X87 ? 32 : 0);
    images_fill_planted(rounds, round, 0);
    if (images->by_register >> component & 1) {
        write_pkru(images->pkru_wanted ^ 1u << FLIPPED);
        return;
    }
    store(images->planted + offset, load(images->planted + offset) ^ UINT64_C(1) << FLIPPED);
}

/* Of a component in an image of the compacted format (SDM vol. 1, 13.4.3). */
static uint32_t compacted_offset(const struct xstate *xstate, uint64_t in_image, uint32_t bit)
{
    uint32_t at = LEGACY_BYTES + HEADER_BYTES;
    if (bit < 2)
        return xstate->offset[bit];
    for (uint32_t n = 2; n <= bit; n++) {
        if (!(in_image >> n & 1))
            continue;
        if (xstate->aligned >> n & 1)
            at = (at + 63) / 64 * 64;
        if (n < bit)
            at += xstate->size[n];
    }
    return at;
}

static void note(struct images *images, const struct image_difference *difference)
{
    for (uint32_t n = 0; n < images->differences; n++)
        if (images->difference[n].component == difference->component)
            return;
    if (images->differences < IMAGE_DIFFERENCES)
        images->difference[images->differences++] = *difference;
}

/* How the image is laid out, and that nothing is in it that was not asked for. */
static void compare_header(struct rounds *rounds, const struct round *round)
{
    struct images *images = &rounds->images;
    const uint8_t *found = round->image_found;
    bool compacted = round->image_save == address_of(SAVE_XSAVEC) ||
                     round->image_save == address_of(SAVE_XSAVES);
    struct image_difference of_layout = {.component = IMAGE_HEADER, .offset = 8};
    of_layout.want = compacted ? COMPACTED | round->image_mask : 0;
    of_layout.got = load(found + OFFSET_COMP_BV);
    if (of_layout.got != of_layout.want)
        note(images, &of_layout);
    struct image_difference beyond = {.component = IMAGE_HEADER};
    beyond.got = load(found + OFFSET_BV) & ~round->image_mask;
    if (beyond.got)
        note(images, &beyond);
}

/* XGETBV(1) must agree, where there is one. */
static void compare_in_use(struct images *images, const struct round *round)
{
    struct image_difference in_use = {.component = IMAGE_HEADER,
                                      .offset = 16,
                                      .want = images->live & round->image_mask,
                                      .got =
                                          round->image_in_use & images->live & round->image_mask};
    if (round->image_xgetbv && in_use.got != in_use.want)
        note(images, &in_use);
}

/* Where the component is in what an instruction saved. */
static const uint8_t *found_component(const struct rounds *rounds, uint32_t bit)
{
    const struct xstate *xstate = &rounds->machine->xstate;
    const uint8_t *found = rounds->images.found;
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
 * in use has its INIT value, whatever the image holds there.
 */
static bool compare_saved(struct rounds *rounds, struct round *round, uint32_t bit,
                          const uint8_t *at, bool in_use)
{
    struct images *images = &rounds->images;
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
        struct image_difference difference = {
            .component = bit,
            .offset = offset,
            .want =
                expected ? *expected : load(images->wanted + xstate->offset[bit] + offset) & used,
            .got = (in_use ? load(at + offset) : init_value(bit, offset)) & used,
            .init = !(images->live >> bit & 1)};
        if (difference.got == difference.want)
            continue;
        same = false;
        difference.reset = !in_use || has_init_values(xstate, bit, at);
        if (found)
            *found = difference.got;
        else
            note(images, &difference);
    }
    return same;
}

static bool compare_pkru(struct images *images)
{
    struct image_difference difference = {.component = XSTATE_PKRU,
                                          .want = images->pkru_wanted,
                                          .got = read_pkru() & used_bits(XSTATE_PKRU, 0),
                                          .init = !(images->live & XCR0_PKRU)};
    difference.reset = difference.got == 0;
    if (difference.got == difference.want)
        return true;
    note(images, &difference);
    return false;
}

static bool compare_component(struct rounds *rounds, struct round *round, uint32_t bit)
{
    bool in_use = load(rounds->images.found + OFFSET_BV) >> bit & 1;
    if (rounds->images.by_register >> bit & 1)
        return compare_pkru(&rounds->images);
    return compare_saved(rounds, round, bit, found_component(rounds, bit), in_use);
}

static void count(_Atomic uint64_t *counter)
{
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + 1, memory_order_relaxed);
}

/* What the other rounds do not load must not look as if it were live. */
static void forget(const struct images *images)
{
    uint64_t rest = 0;
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++)
        if (images->mask >> bit & 1 && register_component(bit) == COMPONENT_COUNT)
            rest |= UINT64_C(1) << bit;
    vectors_restore_image(images->before, rest & ~images->by_register);
    put_pkru_back(images);
}

void images_leave(struct rounds *rounds)
{
    (void)controls_end(&rounds->images.controls);
    forget(&rounds->images);
}

bool images_mend_xcr0(struct rounds *rounds)
{
    struct images *images = &rounds->images;
    struct image_difference xcr0 = {.component = IMAGE_CONTROL + CONTROL_XCR0,
                                    .want = images->xcr0};
    images->differences = 0;
    if (!images->xcr0)
        return false;
    xcr0.got = xgetbv0();
    if (xcr0.got == xcr0.want)
        return false;
    note(images, &xcr0);
    if (!rounds->machine->system[0])
        xsetbv0(images->xcr0);
    return true;
}

static void compare_controls(struct rounds *rounds)
{
    struct images *images = &rounds->images;
    uint32_t changed = controls_end(&images->controls);
    for (uint32_t n = 0; n < CONTROL_COUNT; n++) {
        struct image_difference difference = {.component = IMAGE_CONTROL + n,
                                              .want = images->controls.want[n],
                                              .got = images->controls.got[n]};
        if (changed >> n & 1)
            note(images, &difference);
    }
}

bool images_compare(struct rounds *rounds, struct round *round)
{
    struct images *images = &rounds->images;
    bool same = true;
    memcpy(round->found.vector, round->expected.vector, sizeof(round->found.vector));
    memcpy(round->found.opmask, round->expected.opmask, sizeof(round->found.opmask));
    compare_header(rounds, round);
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        if (!(images->mask >> bit & 1))
            continue;
        bool intact = compare_component(rounds, round, bit);
        count(&images->component[bit].rounds);
        if (!intact)
            count(&images->component[bit].findings);
        same &= intact;
    }
    if (same)
        compare_in_use(images, round);
    compare_controls(rounds);
    return same && images->differences == 0;
}

bool images_saved_right(struct rounds *rounds, struct round *round, const uint8_t *area)
{
    struct images *images = &rounds->images;
    const struct xstate *xstate = &rounds->machine->xstate;
    bool same = true;
    const uint64_t saved = images->xcr0 & images->sized;
    images->differences = 0;
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        bool of_registers = register_component(bit) < COMPONENT_COUNT && fits_form(rounds, bit);
        bool known = saved >> bit & 1 && (of_registers || round->image_mask >> bit & 1);
        if (!known)
            continue;
        bool in_use = load(area + OFFSET_BV) >> bit & 1;
        same &= compare_saved(rounds, round, bit, area + xstate->offset[bit], in_use);
    }
    return same;
}
