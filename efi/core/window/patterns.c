/* Makes and decodes patterns: an invertible 64-bit mix of the origin and a check byte. */
#include "patterns.h"
#include "component.h"

/*
 * The fields of an unmixed pattern, from bit 0: lane 3, register 6, generation 18, vCPU 10, run 16,
 * salt 3, check 8. The salt is what is left to vary until no byte of the mix is zero.
 */
enum {
    REGISTER_SHIFT = 3,
    GENERATION_SHIFT = 9,
    VCPU_SHIFT = GENERATION_SHIFT + PATTERN_GENERATION_BITS,
    RUN_SHIFT = VCPU_SHIFT + PATTERN_VCPU_BITS,
    SALT_SHIFT = RUN_SHIFT + PATTERN_RUN_BITS,
    CHECK_SHIFT = SALT_SHIFT + 3,
};
_Static_assert(CHECK_SHIFT + 8 == 64, "the fields fill a quadword");

#define CHECK (UINT64_C(0xa5) << CHECK_SHIFT)

/* Odd multipliers and their inverses modulo 2^64. */
#define MULTIPLIER_1 UINT64_C(0x9fb21c651e98df25)
#define INVERSE_1    UINT64_C(0x02ab9c720d1024ad)
#define MULTIPLIER_2 UINT64_C(0xd6e8feb86659fd93)
#define INVERSE_2    UINT64_C(0xcfee444d8b59a89b)

static uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    x *= MULTIPLIER_1;
    x ^= x >> 32;
    x *= MULTIPLIER_2;
    return x ^ x >> 32;
}

static uint64_t unmix(uint64_t x)
{
    x ^= x >> 32;
    x *= INVERSE_2;
    x ^= x >> 32;
    x *= INVERSE_1;
    return x ^ x >> 32;
}

static bool has_zero_byte(uint64_t x)
{
    return ((x - UINT64_C(0x0101010101010101)) & ~x & UINT64_C(0x8080808080808080)) != 0;
}

static uint64_t make_from_base(uint64_t base)
{
    uint64_t value = mix(base);
    for (uint64_t salt = 1; has_zero_byte(value) && salt < 8; salt++)
        value = mix(base | salt << SALT_SHIFT);
    return value;
}

static uint64_t field(uint32_t value, int bits, int shift)
{
    return (value & ((UINT64_C(1) << bits) - 1)) << shift;
}

static uint64_t base_of(uint32_t run, uint32_t vcpu, uint32_t generation)
{
    return CHECK | field(run, PATTERN_RUN_BITS, RUN_SHIFT) |
           field(vcpu, PATTERN_VCPU_BITS, VCPU_SHIFT) |
           field(generation, PATTERN_GENERATION_BITS, GENERATION_SHIFT);
}

uint64_t pattern_make(const struct pattern_origin *origin)
{
    return make_from_base(base_of(origin->run, origin->vcpu, origin->generation) |
                          (uint64_t)origin->reg << REGISTER_SHIFT | origin->lane);
}

bool pattern_decode(uint64_t value, struct pattern_origin *origin)
{
    uint64_t x = unmix(value);
    if (x >> CHECK_SHIFT != CHECK >> CHECK_SHIFT)
        return false;
    origin->lane = x & 7;
    origin->reg = x >> REGISTER_SHIFT & 63;
    origin->generation = x >> GENERATION_SHIFT & ((1u << PATTERN_GENERATION_BITS) - 1);
    origin->vcpu = x >> VCPU_SHIFT & ((1u << PATTERN_VCPU_BITS) - 1);
    origin->run = x >> RUN_SHIFT & ((1u << PATTERN_RUN_BITS) - 1);
    /* The lane of a 64-bit register is 0; a salt other than the one pattern_make takes is foreign.
     */
    if (origin->reg >= PATTERN_END || (origin->reg >= PATTERN_OPMASK && origin->lane != 0))
        return false;
    return pattern_make(origin) == value;
}

/* The flags and MXCSR that an arbitrary value stands for, and what AX must hold to set the flags.
 */
static void fill_control(struct register_state *state, uint64_t arbitrary)
{
    state->mxcsr = MXCSR_MASKS | (arbitrary >> 16 & MXCSR_VARIED);
    uint64_t overflow = arbitrary >> 8 & 1;
    uint64_t low = (arbitrary & RFLAGS_STATUS & 0xff) | RFLAGS_FIXED;
    state->rflags = low | (overflow ? RFLAGS_OVERFLOW : 0);
    state->flags_source = low << 8 | overflow;
}

void pattern_fill_general(struct register_state *state, const struct pattern_key *key,
                          uint32_t generation)
{
    uint64_t base = base_of(key->run, key->vcpu, generation);
    for (uint64_t n = 0; n < GENERAL_COUNT; n++)
        state->general[n] = make_from_base(base | (PATTERN_GENERAL + n) << REGISTER_SHIFT);
    fill_control(state, state->general[RSP]);
}

static void clear_components(struct register_state *state, enum form form, uint32_t components)
{
    for (unsigned int n = 0; n < form_vectors(form); n++)
        for (unsigned int lane = 0; lane < form_lanes(form); lane++)
            if (components & COMPONENT_BIT(component_of_vector(n, lane)))
                state->vector[n][lane] = 0;
    if (components & COMPONENT_BIT(COMPONENT_OPMASK))
        for (unsigned int n = 0; n < OPMASK_COUNT; n++)
            state->opmask[n] = 0;
}

void pattern_fill(struct register_state *state, const struct pattern_key *key, uint32_t generation,
                  uint32_t init_components)
{
    uint64_t base = base_of(key->run, key->vcpu, generation);
    unsigned int lanes = form_lanes(key->form);
    for (unsigned int n = 0; n < form_vectors(key->form); n++) {
        uint64_t of_register = base | (uint64_t)n << REGISTER_SHIFT;
        for (unsigned int lane = 0; lane < lanes; lane++)
            state->vector[n][lane] = make_from_base(of_register | lane);
    }
    for (uint64_t n = 0; n < OPMASK_COUNT && key->form == FORM_ZMM; n++)
        state->opmask[n] = make_from_base(base | (PATTERN_OPMASK + n) << REGISTER_SHIFT);
    pattern_fill_general(state, key, generation);
    if (init_components)
        clear_components(state, key->form, init_components);
}
