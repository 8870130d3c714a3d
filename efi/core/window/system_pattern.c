/* Makes and decodes patterns of system registers: an invertible mix of as many bits as there are.
 */
#include "system_pattern.h"

/* The fields of an unmixed pattern, from bit 0: register 6, generation, vCPU, and a check. */
struct width {
    uint32_t bits, generation, vcpu;
};

#define REGISTER_BITS 6u

static const struct width address = {47, 18, 10}, word = {32, 12, 6};

/* Odd multipliers, and their inverses modulo 2^64, which do for less as well. */
#define MULTIPLIER_1 UINT64_C(0x9fb21c651e98df25)
#define INVERSE_1    UINT64_C(0x02ab9c720d1024ad)
#define MULTIPLIER_2 UINT64_C(0xd6e8feb86659fd93)
#define INVERSE_2    UINT64_C(0xcfee444d8b59a89b)
#define CHECK        UINT64_C(0x15a5)

static uint64_t low_bits(uint32_t count)
{
    return (UINT64_C(1) << count) - 1;
}

/* Its own inverse, as it shifts by half of the bits at least. */
static uint64_t fold(uint64_t x, uint32_t bits)
{
    return x ^ x >> (bits + 1) / 2;
}

static uint64_t mix(uint64_t x, uint32_t bits)
{
    x = fold(x, bits) * MULTIPLIER_1 & low_bits(bits);
    x = fold(x, bits) * MULTIPLIER_2 & low_bits(bits);
    return fold(x, bits);
}

static uint64_t unmix(uint64_t x, uint32_t bits)
{
    x = fold(x, bits) * INVERSE_2 & low_bits(bits);
    x = fold(x, bits) * INVERSE_1 & low_bits(bits);
    return fold(x, bits);
}

/* There is no room for the run: what is of another one is not known for a pattern. */
static uint64_t of_run(const struct pattern_key *key, uint32_t bits)
{
    return (key->run + UINT64_C(1)) * MULTIPLIER_1 & low_bits(bits);
}

static uint64_t check_of(const struct width *width, uint32_t *shift)
{
    *shift = REGISTER_BITS + width->generation + width->vcpu;
    return CHECK & low_bits(width->bits - *shift);
}

/* Inlined, so that the widths are constants. */
static inline __attribute__((always_inline)) uint64_t make(const struct width *width,
                                                           const struct pattern_key *key,
                                                           enum system_register number,
                                                           uint32_t generation)
{
    uint32_t shift;
    uint64_t base = check_of(width, &shift) << shift;
    base |= (key->vcpu & low_bits(width->vcpu)) << (REGISTER_BITS + width->generation);
    base |= (generation & low_bits(width->generation)) << REGISTER_BITS;
    return mix(base | number, width->bits) ^ of_run(key, width->bits);
}

static uint64_t extend_sign(uint64_t x)
{
    return x | (x >> (address.bits - 1) & 1 ? ~low_bits(address.bits) : 0);
}

/* A few bits count the generations, from another one on each vCPU, and are never all zero. */
static uint64_t count(const struct pattern_key *key, uint32_t generation, uint64_t free)
{
    const bool lowest = (free & (free + 1)) == 0;
    uint64_t result = 0, highest = lowest ? free : 0;
    for (uint64_t left = lowest ? 0 : free; left; left &= left - 1)
        highest = 2 * highest + 1;
    uint64_t number = 1 + ((uint64_t)key->vcpu * 5 + generation) % highest;
    if (lowest)
        return number;
    for (uint64_t left = free; left; left &= left - 1, number >>= 1)
        if (number & 1)
            result |= left & -left;
    return result;
}

uint64_t system_pattern(const struct pattern_key *key, enum system_register number,
                        uint32_t generation, uint64_t free)
{
    if (free == SYSTEM_CANONICAL)
        return extend_sign(make(&address, key, number, generation));
    return free == UINT32_MAX ? make(&word, key, number, generation) : count(key, generation, free);
}

bool system_pattern_decode(uint64_t value, const struct pattern_key *key,
                           enum system_register number, struct pattern_origin *origin)
{
    const uint64_t bits = system_rows[number].pattern_bits;
    const struct width *width = bits == SYSTEM_CANONICAL ? &address : &word;
    if (bits != SYSTEM_CANONICAL && bits != UINT32_MAX)
        return false;
    if (width == &address ? extend_sign(value & low_bits(width->bits)) != value : value > bits)
        return false;
    uint64_t x = unmix((value & low_bits(width->bits)) ^ of_run(key, width->bits), width->bits);
    uint32_t shift;
    if (check_of(width, &shift) != x >> shift || (x & low_bits(REGISTER_BITS)) >= SYSTEM_COUNT)
        return false;
    origin->run = key->run;
    origin->reg = (uint32_t)(x & low_bits(REGISTER_BITS));
    origin->generation = (uint32_t)(x >> REGISTER_BITS & low_bits(width->generation));
    origin->vcpu = (uint32_t)(x >> (REGISTER_BITS + width->generation) & low_bits(width->vcpu));
    origin->lane = 0;
    return true;
}
