/* Plants one fault of each class in the state that window_plant puts in (plant.S). */
#include "plant.h"
#include "component.h"
#include <string.h>

/* The registers that carry each class, apart from each other so that a mix-up shows. */
enum {
    REG_SWAP_1 = 1,
    REG_SWAP_2 = 2,
    REG_STALE = 3,
    REG_FLIP = 4,
    REG_RUN = 5,
    REG_FOREIGN = 6,
    REG_GHOST = 7,
    GHOST_OPMASK = 3
};

static const char *const whole_register[FORM_COUNT] = {"sse", "sse,avx", "sse,avx,zmm_hi256"};
static const char *const whole_bits[FORM_COUNT] = {"127:0", "255:0", "511:0"};

static void put_pattern(uint64_t *lanes, const struct pattern_key *key, uint32_t generation,
                        uint32_t reg)
{
    struct pattern_origin origin = {key->run, key->vcpu, generation, reg, 0};
    for (; origin.lane < form_lanes(key->form); origin.lane++)
        lanes[origin.lane] = pattern_make(&origin);
}

/* What the ESXi 8.0.2 bug does, as far as the form reaches: the upper half of registers 0 to 15. */
static void plant_zeroed(struct register_state *state, enum form form, struct plant *plant)
{
    static const char *const components[FORM_COUNT] = {"sse", "avx", "zmm_hi256"};
    static const char *const registers[FORM_COUNT] = {"xmm0-15", "ymm0-15", "zmm0-15"};
    static const char *const bits[FORM_COUNT] = {"127:64", "255:128", "511:256"};
    unsigned int half = form_lanes(form) / 2;
    for (unsigned int n = 0; n < 16; n++)
        memset(&state->vector[n][half], 0, half * sizeof(uint64_t));
    plant->component = components[form];
    plant->registers = registers[form];
    plant->bits = bits[form];
}

static void plant_other_vcpu(struct round *round, const struct pattern_key *key,
                             struct plant *plant)
{
    static const char *const components[FORM_COUNT] = {"sse", "sse,avx", "hi16_zmm"};
    static const char *const registers[FORM_COUNT] = {"xmm15", "ymm15", "zmm31"};
    unsigned int last = form_vectors(key->form) - 1;
    struct pattern_key other = *key;
    other.vcpu++;
    put_pattern(round->planted.vector[last], &other, round->generation, last);
    plant->component = components[key->form];
    plant->registers = registers[key->form];
}

static void plant_ghost(struct register_state *state, enum form form, struct plant *plant)
{
    static const char *const components[FORM_COUNT] = {"sse", "avx", "opmask"};
    static const char *const registers[FORM_COUNT] = {"xmm7", "ymm7", "k3"};
    static const char *const bits[FORM_COUNT] = {"127:0", "255:128", "63:0"};
    if (form == FORM_ZMM)
        memset(&state->opmask[GHOST_OPMASK], 0x5a, sizeof(uint64_t));
    else
        memset(&state->vector[REG_GHOST][form == FORM_YMM ? 2 : 0], 0x5a, 2 * sizeof(uint64_t));
    plant->component = components[form];
    plant->registers = registers[form];
    plant->bits = bits[form];
}

uint32_t plant_init_components(enum corruption_class corruption, enum form form)
{
    static const enum component ghosts[FORM_COUNT] = {COMPONENT_SSE, COMPONENT_AVX,
                                                      COMPONENT_OPMASK};
    return corruption == CLASS_GHOST ? COMPONENT_BIT(ghosts[form]) : 0;
}

static const char *register_text(enum form form, unsigned int number)
{
    static const char *const names[][FORM_COUNT] = {
        [REG_STALE] = {"xmm3", "ymm3", "zmm3"},
        [REG_FLIP] = {"xmm4", "ymm4", "zmm4"},
        [REG_RUN] = {"xmm5", "ymm5", "zmm5"},
        [REG_FOREIGN] = {"xmm6", "ymm6", "zmm6"},
    };
    return names[number][form];
}

static void plant_foreign(struct register_state *state)
{
    static const char text[64] = "Text of some host process, which no guest's register may hold.";
    memcpy(state->vector[REG_FOREIGN], text, sizeof(text));
}

const struct window *plant_class(struct round *round, const struct pattern_key *key,
                                 enum corruption_class corruption, struct plant *plant)
{
    static const char *const swapped[FORM_COUNT] = {"xmm1-2", "ymm1-2", "zmm1-2"};
    struct register_state *state = &round->planted;
    struct pattern_key other_run = *key;
    other_run.run ^= 0x5a5a;
    memcpy(state, &round->expected, sizeof(*state));
    *plant = (struct plant){corruption, whole_register[key->form], "none", whole_bits[key->form]};
    switch (corruption) {
    case CLASS_ZEROED:
        plant_zeroed(state, key->form, plant);
        break;
    case CLASS_STALE:
        put_pattern(state->vector[REG_STALE], key, round->generation - 1, REG_STALE);
        plant->registers = register_text(key->form, REG_STALE);
        break;
    case CLASS_OTHER_VCPU:
        plant_other_vcpu(round, key, plant);
        break;
    case CLASS_OTHER_RUN:
        put_pattern(state->vector[REG_RUN], &other_run, round->generation, REG_RUN);
        plant->registers = register_text(key->form, REG_RUN);
        break;
    case CLASS_SWAPPED:
        put_pattern(state->vector[REG_SWAP_1], key, round->generation, REG_SWAP_2);
        put_pattern(state->vector[REG_SWAP_2], key, round->generation, REG_SWAP_1);
        plant->registers = swapped[key->form];
        break;
    case CLASS_BIT_FLIP:
        state->vector[REG_FLIP][0] ^= 1u << 13;
        plant->component = "sse";
        plant->registers = register_text(key->form, REG_FLIP);
        plant->bits = "13";
        break;
    case CLASS_FOREIGN:
        plant_foreign(state);
        plant->registers = register_text(key->form, REG_FOREIGN);
        break;
    case CLASS_GHOST:
        plant_ghost(state, key->form, plant);
        break;
    case CLASS_ALTERED:
        state->flags_source ^= 1u << 8;
        *plant = (struct plant){corruption, "rflags", "rflags", "0"};
        break;
    case CLASS_FAULT:
        *plant = (struct plant){corruption, "none", "none", "none"};
        return &window_plant_fault;
    case CLASS_COUNT:
        break;
    }
    return &window_plant;
}

unsigned int plant_positions(enum form form)
{
    unsigned int opmasks = form == FORM_ZMM ? OPMASK_COUNT : 0;
    return form_vectors(form) * form_lanes(form) + opmasks + GENERAL_COUNT + 1;
}

/* RSP carries no pattern: its place in the order stands for the flags. MXCSR comes last. */
uint32_t plant_register(enum form form, unsigned int position)
{
    unsigned int in_vectors = form_vectors(form) * form_lanes(form);
    if (position < in_vectors)
        return position / form_lanes(form);
    position -= in_vectors;
    if (form == FORM_ZMM && position < OPMASK_COUNT)
        return PATTERN_OPMASK + position;
    position -= form == FORM_ZMM ? OPMASK_COUNT : 0;
    if (position == GENERAL_COUNT)
        return PATTERN_END + 1;
    return position == RSP ? PATTERN_END : PATTERN_GENERAL + position;
}

const struct window *plant_bit(struct round *round, enum form form, unsigned int position)
{
    struct register_state *state = &round->planted;
    uint32_t reg = plant_register(form, position);
    uint64_t bit = UINT64_C(1) << (position * 7 + 3) % 64;
    memcpy(state, &round->expected, sizeof(*state));
    if (reg < PATTERN_OPMASK)
        state->vector[reg][position % form_lanes(form)] ^= bit;
    else if (reg < PATTERN_GENERAL)
        state->opmask[reg - PATTERN_OPMASK] ^= bit;
    else if (reg < PATTERN_END)
        state->general[reg - PATTERN_GENERAL] ^= bit;
    else if (reg == PATTERN_END)
        state->flags_source ^= 1u << 14; /* ZF, in AH */
    else
        state->mxcsr ^= 1u << 13; /* rounding control */
    return &window_plant;
}
