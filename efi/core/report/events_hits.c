/* The map of what was hit, as log lines: it has findings too that are counted and not told. */
#include "../cpus.h"
#include "../window/hits.h"
#include "events.h"
#include "report.h"

#define DWORDS ((1u << VECTOR_DWORDS) - 1)

static uint32_t load(const _Atomic uint32_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

/*
 * "0-15:ff00:ff00": registers, their dwords that were hit, and those of them that came back zero.
 * Neighbours that are alike are one entry. Returns the register behind the last that had room.
 */
#define VECTORS_TEXT 72u /* what the rest of a line leaves at the worst */
#define ENTRY_TEXT   sizeof(",16-31:ffff:ffff")

static unsigned int put_vectors(char buffer[VECTORS_TEXT], const struct hits *hits,
                                unsigned int first)
{
    struct text text;
    text_start(&text, buffer, VECTORS_TEXT);
    while (first < VECTOR_COUNT && text.length + ENTRY_TEXT < VECTORS_TEXT) {
        uint32_t bits = load(&hits->vector[first]);
        unsigned int last = first;
        while (last + 1 < VECTOR_COUNT && load(&hits->vector[last + 1]) == bits)
            last++;
        if (bits && last > first)
            text_add(&text, "%s%u-%u:%x:%x", text.length ? "," : "", first, last, bits & DWORDS,
                     bits >> VECTOR_DWORDS);
        else if (bits)
            text_add(&text, "%s%u:%x:%x", text.length ? "," : "", first, bits & DWORDS,
                     bits >> VECTOR_DWORDS);
        first = last + 1;
    }
    if (!text.length)
        text_add(&text, "none");
    return first;
}

void event_hits(const char *cpus, const struct hits *hits, const struct hits *tested)
{
    static const char *const forms[FORM_COUNT] = {"xmm", "ymm", "zmm"};
    const uint32_t other = load(&hits->other);
    for (unsigned int next = 0; next < VECTOR_COUNT;) {
        char vectors[VECTORS_TEXT];
        struct log_line line;
        next = put_vectors(vectors, hits, next);
        log_start(&line, "hits");
        if (hits != tested)
            log_text(&line, "label", "INJECTED");
        log_text(&line, cpus_key(cpus), cpus);
        log_text(&line, "form", forms[load(&tested->form) % FORM_COUNT]);
        log_hex(&line, "compared", load(&tested->compared));
        log_text(&line, "vectors", vectors);
        log_hex(&line, "opmask", other >> HIT_OPMASK & ((1u << OPMASK_COUNT) - 1));
        log_hex(&line, "general", other >> HIT_GENERAL & ((1u << GENERAL_COUNT) - 1));
        log_number(&line, "rflags", other >> HIT_RFLAGS & 1);
        log_number(&line, "mxcsr", other >> HIT_MXCSR & 1);
        log_end(&line);
    }
}
