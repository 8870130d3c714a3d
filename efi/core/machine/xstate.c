/* Finds out which XSAVE components there are. */
#include "xstate.h"
#include "../text.h"
#include <string.h>

const char *xstate_component_name(unsigned int bit)
{
    static const char *const names[] = {
        "x87",      "SSE", "AVX",  "BNDREGS",     "BNDCSR",       "opmask", "ZMM_Hi256",
        "Hi16_ZMM", "PT",  "PKRU", "PASID",       "CET_U",        "CET_S",  "HDC",
        "UINTR",    "LBR", "HWP",  "AMX_TILECFG", "AMX_TILEDATA", "APX"};
    return bit < sizeof(names) / sizeof(names[0]) ? names[bit] : NULL;
}

void xstate_name(unsigned int bit, char name[XSTATE_NAME])
{
    const char *known = xstate_component_name(bit);
    struct text text;
    text_start(&text, name, XSTATE_NAME);
    if (known)
        text_add(&text, "%s", known);
    else
        text_add(&text, "component-%u", bit);
}

void xstate_log_name(unsigned int bit, char name[XSTATE_NAME])
{
    xstate_name(bit, name);
    for (char *letter = name; *letter; letter++)
        if (*letter >= 'A' && *letter <= 'Z')
            *letter = (char)(*letter - 'A' + 'a');
}

/* The sets of bits that XSETBV takes only together, and the bit each of them stands on. */
static uint64_t legal_combination(uint64_t offered)
{
    static const struct {
        uint64_t together, needs;
    } rules[] = {{XCR0_AVX, XCR0_SSE}, {XCR0_AVX512, XCR0_AVX}, {XCR0_MPX, 0}, {XCR0_AMX, 0}};
    uint64_t wanted = offered | XCR0_X87;
    for (size_t n = 0; n < sizeof(rules) / sizeof(rules[0]); n++) {
        bool whole = (wanted & rules[n].together) == rules[n].together;
        if (!whole || (wanted & rules[n].needs) != rules[n].needs)
            wanted &= ~rules[n].together;
    }
    return wanted;
}

/* Where the components behind the legacy area and the header begin (SDM vol. 1, 13.4.3). */
#define EXTENDED_BEGIN 576u

/* The sizes of components that no processor may choose (SDM vol. 1, 13.5); 0: it may. */
static uint32_t architectural_size(unsigned int bit)
{
    static const uint32_t sizes[] = {
        [XSTATE_AVX] = 256,   [XSTATE_BNDREGS] = 64,    [XSTATE_BNDCSR] = 64,
        [XSTATE_OPMASK] = 64, [XSTATE_ZMM_HI256] = 512, [XSTATE_HI16_ZMM] = 1024,
        [XSTATE_PKRU] = 8,    [XSTATE_TILECFG] = 64,    [XSTATE_TILEDATA] = 8192};
    return bit < sizeof(sizes) / sizeof(sizes[0]) ? sizes[bit] : 0;
}

static uint64_t end_of(const struct xstate *xstate, unsigned int bit)
{
    return (uint64_t)xstate->offset[bit] + xstate->size[bit];
}

/* Whether a component can be where CPUID.0D puts it, beside those of lower numbers. */
static bool is_plausible(const struct xstate *xstate, unsigned int bit)
{
    uint32_t size = architectural_size(bit);
    if (size && xstate->size[bit] != size)
        return false;
    if (xstate->offset[bit] < EXTENDED_BEGIN || end_of(xstate, bit) > AREA_MOST)
        return false;
    for (unsigned int other = 2; other < bit; other++)
        if (xstate->size[other] && xstate->offset[bit] < end_of(xstate, other) &&
            xstate->offset[other] < end_of(xstate, bit))
            return false;
    return true;
}

/* Tiles are no use without their configuration, nor that without them. */
static void reject_implausible(struct xstate *xstate)
{
    for (unsigned int bit = 2; bit < XCR0_BITS; bit++) {
        if (!xstate->size[bit] || is_plausible(xstate, bit))
            continue;
        xstate->contradicts |= UINT64_C(1) << bit;
        xstate->size[bit] = 0;
    }
    if (!(xstate->contradicts & XCR0_AMX))
        return;
    xstate->contradicts |= XCR0_AMX & xstate->offered;
    xstate->size[XSTATE_TILECFG] = xstate->size[XSTATE_TILEDATA] = 0;
}

/*
 * Sizes come from CPUID.0D, but for x87 and SSE, whose legacy area has no leaf (SDM vol. 1,
 * 13.4.1). PT and the other supervisor components never show in XCR0.
 */
static void read_sizes(struct xstate *xstate)
{
    xstate->size[0] = 160;
    xstate->size[1] = 256;
    xstate->offset[1] = 160;
    for (unsigned int bit = 2; bit < XCR0_BITS; bit++) {
        if (!(xstate->offered >> bit & 1))
            continue;
        struct cpuid leaf = cpuid(0xd, bit);
        xstate->size[bit] = leaf.eax;
        xstate->offset[bit] = leaf.ebx;
        xstate->aligned |= (uint64_t)(leaf.ecx >> 1 & 1) << bit;
    }
}

/*
 * CPUID.0D.0:ECX is for all that XCR0 may have; what is aligned in the compacted format fits too.
 * It may say less than the components need, or more than can be.
 */
static void read_area(struct xstate *xstate)
{
    struct cpuid leaf = cpuid(0xd, 1);
    uint64_t bytes = cpuid(0xd, 0).ecx;
    bytes = bytes > AREA_MOST || bytes < EXTENDED_BEGIN ? EXTENDED_BEGIN : bytes;
    for (unsigned int bit = 2; bit < XCR0_BITS; bit++)
        bytes = xstate->size[bit] && end_of(xstate, bit) > bytes ? end_of(xstate, bit) : bytes;
    xstate->area_bytes = (uint32_t)((bytes + 63) / 64 * 64);
    xstate->xsaveopt = leaf.eax & 1;
    xstate->xsavec = leaf.eax >> 1 & 1;
    xstate->xgetbv1 = leaf.eax >> 2 & 1;
    xstate->xsaves = leaf.eax >> 3 & 1;
    xstate->supervisor = (uint64_t)leaf.edx << 32 | leaf.ecx;
}

enum form xstate_form(uint64_t xcr0)
{
    if ((xcr0 & XCR0_AVX512) == XCR0_AVX512)
        return FORM_ZMM;
    return xcr0 & XCR0_AVX ? FORM_YMM : FORM_XMM;
}

/* The feature flags and CPUID.0D are set separately by hypervisors, and do contradict each other.
 */
static const char *why_no_avx512(const struct cpu *cpu, const struct xstate *xstate)
{
    if (!cpu->xsave)
        return "XSAVE is hidden or missing (CPUID.1:ECX bit 26)";
    if (cpu->highest_leaf < 0xd)
        return "CPUID has no leaf 0DH, so no XSAVE component can be enabled";
    if (!cpu->avx)
        return "AVX is hidden or missing (CPUID.1:ECX bit 28)";
    if (!cpu->avx512f)
        return "AVX-512 is hidden or missing (CPUID.7:EBX bit 16)";
    if (!cpu->avx512bw)
        return "AVX512BW is hidden or missing (CPUID.7:EBX bit 30): 64-bit opmasks need it";
    if ((xstate->wanted & XCR0_AVX512) != XCR0_AVX512)
        return "CPUID.7 offers AVX-512, but CPUID.0D does not allow its state in XCR0";
    return NULL;
}

void xstate_identify(struct xstate *xstate, const struct cpu *cpu)
{
    memset(xstate, 0, sizeof(*xstate));
    if (cpu->xsave && cpu->highest_leaf >= 0xd) {
        struct cpuid leaf = cpuid(0xd, 0);
        xstate->offered = (uint64_t)leaf.edx << 32 | leaf.eax;
        xstate->wanted = legal_combination(xstate->offered);
        read_sizes(xstate);
        xstate->pkru_by_register =
            cpu->protection_keys && xstate->offered & XCR0_PKRU && !xstate->size[XSTATE_PKRU];
        reject_implausible(xstate);
        read_area(xstate);
    }
    xstate->no_avx512 = why_no_avx512(cpu, xstate);
    xstate->form = xstate_form(xstate->wanted);
    if (xstate->no_avx512 && xstate->form == FORM_ZMM)
        xstate->form = FORM_YMM;
    if (!cpu->avx && xstate->form == FORM_YMM)
        xstate->form = FORM_XMM;
}
