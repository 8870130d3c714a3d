/* Gathers what findings have in common: where they hit. */
#include "hits.h"
#include "counter.h"

/* As in hits.vector: the two dwords of a quadword that begins at bit 0. */
static uint32_t dwords_hit(uint64_t expected, uint64_t found)
{
    uint32_t bits = 0;
    for (unsigned int half = 0; half < 2; half++) {
        uint32_t want = (uint32_t)(expected >> 32 * half), got = (uint32_t)(found >> 32 * half);
        if (want != got)
            bits |= (got ? 1u : 1u | 1u << VECTOR_DWORDS) << half;
    }
    return bits;
}

void hits_compare(struct hits *hits, enum form form, uint64_t compared)
{
    bits_add(&hits->compared, (uint32_t)compared & ((1u << GENERAL_COUNT) - 1));
    atomic_store_explicit(&hits->form, form, memory_order_relaxed);
}

void hits_add(struct hits *hits, const struct round *round, enum form form, uint64_t compared)
{
    const struct register_state *want = &round->expected, *got = &round->found;
    uint32_t other = 0;
    for (unsigned int n = 0; n < form_vectors(form); n++) {
        uint32_t bits = 0;
        for (unsigned int lane = 0; lane < form_lanes(form); lane++)
            bits |= dwords_hit(want->vector[n][lane], got->vector[n][lane]) << 2 * lane;
        if (bits)
            bits_add(&hits->vector[n], bits);
    }
    for (unsigned int n = 0; n < OPMASK_COUNT && form == FORM_ZMM; n++)
        other |= (uint32_t)(want->opmask[n] != got->opmask[n]) << (HIT_OPMASK + n);
    for (unsigned int n = 0; n < GENERAL_COUNT; n++)
        if (compared >> n & 1)
            other |= (uint32_t)(want->general[n] != got->general[n]) << (HIT_GENERAL + n);
    if ((want->rflags ^ got->rflags) & round->flags_kept)
        other |= 1u << HIT_RFLAGS;
    if (want->mxcsr != got->mxcsr)
        other |= 1u << HIT_MXCSR;
    if (other)
        bits_add(&hits->other, other);
}
