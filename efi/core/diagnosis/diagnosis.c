/* Compares what a round found with what it expected, and says what the difference means. */
#include "diagnosis.h"
#include "../text.h"
#include "../window/step.h"
#include "../window/system_pattern.h"
#include <string.h>

/* A set bit for each byte in which want and got differ. */
static uint8_t bytes_differing(uint64_t difference)
{
    uint8_t bytes = 0;
    for (unsigned int n = 0; n < 8; n++)
        if (difference >> 8 * n & 0xff)
            bytes |= (uint8_t)(1u << n);
    return bytes;
}

/* True if each byte that differs is zero where a pattern byte, which never is zero, was wanted. */
static bool is_zeroed(const struct lane *lane)
{
    uint8_t bytes = bytes_differing(lane->want ^ lane->got);
    for (unsigned int n = 0; n < 8; n++)
        if (bytes >> n & 1 && lane->got >> 8 * n & 0xff)
            return false;
    return true;
}

/* Whose pattern the value is; only a pattern for this very register counts if it is of another run,
 * as a value that no zmmtest made may by chance look like one. */
static enum corruption_class class_of_pattern(const struct finding *finding,
                                              const struct lane *lane)
{
    const struct pattern_origin *from = &lane->from;
    bool same_place = from->reg == lane->reg && from->lane == lane->lane;
    if (from->run != finding->key.run)
        return same_place ? CLASS_OTHER_RUN : CLASS_FOREIGN;
    uint32_t vcpu_mask = (1u << PATTERN_VCPU_BITS) - 1;
    if (from->vcpu != (finding->key.vcpu & vcpu_mask))
        return CLASS_OTHER_VCPU;
    uint32_t generation_mask = (1u << PATTERN_GENERATION_BITS) - 1;
    return from->generation != (finding->generation & generation_mask) ? CLASS_STALE
                                                                       : CLASS_SWAPPED;
}

bool diagnosis_is_control(uint32_t component, uint32_t offset)
{
    return component >= AREA_HEADER || component == XSTATE_PKRU || component == XSTATE_BNDCSR ||
           component == XSTATE_TILECFG || (component == XSTATE_X87 && offset == 0);
}

static bool is_system(const struct lane *lane)
{
    return lane->reg == LANE_REST && lane->component >= AREA_SYSTEM && lane->component < AREA_STEP;
}

/*
 * A system register that held a pattern, which it says by what it should be. A single bit is not
 * called a flip: it may as well be a setting.
 */
static enum corruption_class class_of_system(const struct finding *finding, struct lane *lane)
{
    const enum system_register number = lane->component - AREA_SYSTEM;
    const uint64_t difference = lane->want ^ lane->got;
    struct pattern_origin wanted;
    if (!system_pattern_decode(lane->want, &finding->key, number, &wanted))
        return CLASS_ALTERED;
    if (lane->got == 0)
        return CLASS_ZEROED;
    lane->decoded = system_pattern_decode(lane->got, &finding->key, number, &lane->from);
    if (lane->decoded && lane->from.vcpu != wanted.vcpu)
        return CLASS_OTHER_VCPU;
    if (lane->decoded)
        return lane->from.generation != wanted.generation ? CLASS_STALE : CLASS_SWAPPED;
    return difference & (difference - 1) ? CLASS_FOREIGN : CLASS_ALTERED;
}

static enum corruption_class class_of_lane(const struct finding *finding, struct lane *lane)
{
    uint64_t difference = lane->want ^ lane->got;
    if (lane->reg == LANE_RFLAGS || lane->reg == LANE_MXCSR)
        return CLASS_ALTERED;
    lane->decoded = lane->got != 0 && pattern_decode(lane->got, &lane->from);
    if (lane->want == 0 && lane->reg < PATTERN_GENERAL)
        return CLASS_GHOST;
    if (is_system(lane)) {
        lane->decoded = false;
        return class_of_system(finding, lane);
    }
    if (lane->reg == LANE_REST && diagnosis_is_control(lane->component, 8 * lane->lane))
        return CLASS_ALTERED;
    if (is_zeroed(lane))
        return CLASS_ZEROED;
    if ((difference & (difference - 1)) == 0)
        return CLASS_BIT_FLIP;
    if (lane->decoded) {
        enum corruption_class corruption = class_of_pattern(finding, lane);
        if (corruption != CLASS_FOREIGN)
            return corruption;
        lane->decoded = false;
    }
    bool is_general = lane->reg >= PATTERN_GENERAL && lane->reg < PATTERN_END;
    return is_general ? CLASS_ALTERED : CLASS_FOREIGN;
}

/* What a walk over a finding's registers gathers besides the diagnosis itself. */
struct tallies {
    uint32_t by_class[CLASS_COUNT];
    uint32_t bits; /* differing bits in all, up to 2 */
};

/* Bytes for zeros, which are exact; whole dwords for values, of which some bytes agree by chance.
 */
static uint8_t bytes_hit(const struct lane *lane)
{
    uint8_t bytes = bytes_differing(lane->want ^ lane->got);
    if (lane->corruption == CLASS_ZEROED || lane->corruption == CLASS_BIT_FLIP)
        return bytes;
    return (uint8_t)((bytes & 0x0f ? 0x0f : 0) | (bytes & 0xf0 ? 0xf0 : 0));
}

static uint64_t bits_of_bytes(uint8_t bytes)
{
    uint64_t bits = 0;
    for (unsigned int n = 0; n < 8; n++)
        if (bytes >> n & 1)
            bits |= UINT64_C(0xff) << 8 * n;
    return bits;
}

/* What is gone as a whole, or is another's, is not told bit by bit: some agree by chance. */
static uint64_t bits_of_rest(const struct lane *lane)
{
    if (is_system(lane) && lane->corruption != CLASS_ALTERED)
        return system_rows[lane->component - AREA_SYSTEM].pattern_bits;
    bool whole = lane->corruption == CLASS_ZEROED || lane->corruption == CLASS_GHOST;
    return whole ? UINT64_MAX : lane->want ^ lane->got;
}

/* This vCPU's own, of the same place, of an earlier round. */
static bool is_own(const struct finding *finding, const struct lane *lane)
{
    return lane->decoded && lane->from.reg == lane->reg && lane->from.lane == lane->lane &&
           class_of_pattern(finding, lane) == CLASS_STALE;
}

static void note_vector(const struct finding *finding, struct vector_damage *damage,
                        const struct lane *lane)
{
    const uint8_t bit = (uint8_t)(1u << lane->lane);
    damage->lanes[lane->corruption] |= bit;
    if (lane->corruption == CLASS_ZEROED)
        damage->zeroed |= (uint64_t)bytes_differing(lane->want ^ lane->got) << 8 * lane->lane;
    if (is_own(finding, lane))
        damage->own |= bit;
}

static void mark_register(struct diagnosis *d, const struct lane *lane)
{
    if (lane->reg < PATTERN_OPMASK) {
        d->vectors |= 1u << lane->reg;
        d->vector_bytes |= (uint64_t)bytes_hit(lane) << 8 * lane->lane;
        d->components |= COMPONENT_BIT(component_of_vector(lane->reg, lane->lane));
        return;
    }
    if (lane->reg == LANE_REST) {
        if (lane->component >= AREA_STEP)
            d->steps |= 1u << (lane->component - AREA_STEP);
        else if (is_system(lane))
            d->system |= SYSTEM_BIT(lane->component - AREA_SYSTEM);
        else
            d->rest |= UINT64_C(1) << lane->component;
        d->narrow_bits |= bits_of_rest(lane);
        d->components |= COMPONENT_BIT(COMPONENT_REST);
        return;
    }
    d->narrow_bits |=
        lane->reg >= LANE_RFLAGS ? lane->want ^ lane->got : bits_of_bytes(bytes_hit(lane));
    if (lane->reg < PATTERN_GENERAL) {
        d->opmasks |= 1u << (lane->reg - PATTERN_OPMASK);
        if (lane->corruption == CLASS_ZEROED)
            d->evidence.opmask_zeroed[lane->reg - PATTERN_OPMASK] = bits_of_bytes(bytes_hit(lane));
        d->components |= COMPONENT_BIT(COMPONENT_OPMASK);
    } else if (lane->reg < PATTERN_END) {
        d->general |= 1u << (lane->reg - PATTERN_GENERAL);
        d->components |= COMPONENT_BIT(COMPONENT_GPR);
    } else if (lane->reg == LANE_RFLAGS) {
        d->rflags = true;
        d->components |= COMPONENT_BIT(COMPONENT_RFLAGS);
    } else {
        d->mxcsr = true;
        d->components |= COMPONENT_BIT(COMPONENT_MXCSR);
    }
}

static void take(struct diagnosis *d, struct tallies *tallies, const struct lane *lane)
{
    uint64_t difference = lane->want ^ lane->got;
    mark_register(d, lane);
    tallies->by_class[lane->corruption]++;
    bool single = (difference & (difference - 1)) == 0;
    tallies->bits += single ? 1 : 2;
    if (single)
        d->flipped_bit = 64 * lane->lane + (uint32_t)__builtin_ctzll(difference);
    d->lane_count++;
    if (d->lanes_kept < LANES_KEPT)
        d->lane[d->lanes_kept++] = *lane;
}

static void look_at(const struct finding *finding, struct diagnosis *d, struct tallies *tallies,
                    uint32_t reg, uint32_t lane_number, uint64_t want, uint64_t got)
{
    if (want == got) /* nearly all are: nothing is made of these */
        return;
    struct lane lane = {.reg = reg, .lane = lane_number, .want = want, .got = got};
    lane.corruption = class_of_lane(finding, &lane);
    if (reg < PATTERN_OPMASK)
        note_vector(finding, &d->evidence.vector[reg], &lane);
    take(d, tallies, &lane);
}

/* Of each component the first quadword: the rest of it is not kept. */
static void look_at_rest(const struct finding *finding, struct diagnosis *d,
                         struct tallies *tallies)
{
    for (uint32_t n = 0; n < finding->differences; n++) {
        const struct area_difference *difference = &finding->difference[n];
        struct lane lane = {.reg = LANE_REST,
                            .lane = difference->offset / 8,
                            .component = difference->component,
                            .want = difference->want,
                            .got = difference->got};
        lane.corruption = difference->init    ? CLASS_GHOST
                          : difference->reset ? CLASS_ZEROED
                                              : class_of_lane(finding, &lane);
        take(d, tallies, &lane);
        if (difference->reset && difference->component < AREA_HEADER)
            d->evidence.rest_reset |= UINT64_C(1) << difference->component;
        d->evidence.alone = finding->differences == 1 && difference->further == 0;
        d->evidence.quadword = *difference;
    }
}

/*
 * The class of most wrong quadwords. A single differing bit is a flip, even if it left a zero byte.
 * Data of somebody else weigh more than zeros, however many: what leaves data may well leave zeros
 * too, as each 256-bit write does above itself, and not the other way around.
 */
static enum corruption_class overall_class(const struct finding *finding, const struct diagnosis *d,
                                           const struct tallies *tallies)
{
    if (finding->result >= FAULTED)
        return CLASS_FAULT;
    if (d->lane_count == 0)
        return CLASS_ALTERED;
    bool pattern_bit =
        tallies->bits == 1 && !tallies->by_class[CLASS_GHOST] && !tallies->by_class[CLASS_ALTERED];
    if (pattern_bit)
        return CLASS_BIT_FLIP;
    enum corruption_class most = 0;
    for (enum corruption_class corruption = 0; corruption < CLASS_COUNT; corruption++)
        if (tallies->by_class[corruption] > tallies->by_class[most])
            most = corruption;
    return most == CLASS_ZEROED && tallies->by_class[CLASS_FOREIGN] ? CLASS_FOREIGN : most;
}

/* What the round looked at, beside what it found. */
static void note_looked_at(const struct finding *f, struct evidence *evidence)
{
    const uint64_t of_registers = XCR0_SSE | XCR0_AVX | XCR0_AVX512;
    evidence->init_components = f->init_components;
    evidence->operands = f->vector_operands;
    evidence->mxcsr = f->found.mxcsr;
    evidence->rest_live = f->live & ~of_registers;
}

/*
 * Without a difference in the registers kept, what differed was an opmask while it gathered the
 * result of the compare.
 */
static void note_opmask_in_compare(const struct finding *finding, struct diagnosis *d)
{
    if (d->lane_count == 0 && finding->result == VECTOR_DIFFER)
        d->components = COMPONENT_BIT(COMPONENT_OPMASK);
}

void diagnose(const struct finding *f, struct diagnosis *d)
{
    struct tallies tallies = {0};
    memset(d, 0, sizeof(*d));
    d->form = f->key.form;
    note_looked_at(f, &d->evidence);
    if (f->result < FAULTED) {
        for (uint32_t n = 0; n < form_vectors(f->key.form); n++)
            for (uint32_t lane = 0; lane < form_lanes(f->key.form); lane++)
                look_at(f, d, &tallies, n, lane, f->expected.vector[n][lane],
                        f->found.vector[n][lane]);
        for (uint32_t n = 0; n < OPMASK_COUNT && f->key.form == FORM_ZMM; n++)
            look_at(f, d, &tallies, PATTERN_OPMASK + n, 0, f->expected.opmask[n],
                    f->found.opmask[n]);
        for (uint32_t n = 0; n < GENERAL_COUNT; n++)
            if (!(f->general_changed >> n & 1))
                look_at(f, d, &tallies, PATTERN_GENERAL + n, 0, f->expected.general[n],
                        f->found.general[n]);
        look_at(f, d, &tallies, LANE_RFLAGS, 0, f->expected.rflags & f->flags_kept,
                f->found.rflags & f->flags_kept);
        look_at(f, d, &tallies, LANE_MXCSR, 0, f->expected.mxcsr, f->found.mxcsr);
        look_at_rest(f, d, &tallies);
        note_opmask_in_compare(f, d);
    }
    d->corruption = overall_class(f, d, &tallies);
}

/* An empty list says so; one that did not fit ends behind a whole entry, with dots. */
static void end_list(struct text *text)
{
    if (text->length == 0)
        text_add(text, "none");
    if (!text->cut)
        return;
    while (text->length > 0 && (text->start[text->length] != ',' || text->length + 5 > text->size))
        text->length--;
    text_add(text, ",...");
}

static void add_component(struct text *text, uint32_t bit)
{
    char name[XSTATE_NAME];
    xstate_log_name(bit, name);
    text_add(text, "%s",
             bit >= AREA_STEP                    ? step_fact_name(bit - AREA_STEP)
             : bit >= AREA_SYSTEM + SYSTEM_COUNT ? "unknown"
             : bit >= AREA_SYSTEM                ? system_rows[bit - AREA_SYSTEM].name
             : bit == AREA_HEADER                ? "xsave-header"
                                                 : name);
}

static bool is_hit(const struct diagnosis *d, uint32_t component)
{
    if (component >= AREA_SYSTEM)
        return d->system >> (component - AREA_SYSTEM) & 1;
    return d->rest >> component & 1;
}

static void add_rest(struct text *text, const struct diagnosis *d)
{
    for (uint32_t bit = 0; bit < AREA_SYSTEM + SYSTEM_COUNT; bit++) {
        if (!is_hit(d, bit))
            continue;
        text_add(text, "%s", text->length ? "," : "");
        add_component(text, bit);
    }
    for (enum step_fact fact = 0; fact < STEP_FACT_COUNT; fact++)
        if (d->steps >> fact & 1)
            text_add(text, "%s%s", text->length ? "," : "", step_fact_name(fact));
}

bool diagnosis_is_avx512(const struct diagnosis *d)
{
    const uint32_t avx512 = COMPONENT_BIT(COMPONENT_OPMASK) | COMPONENT_BIT(COMPONENT_ZMM_HI256) |
                            COMPONENT_BIT(COMPONENT_HI16_ZMM);
    /* The header says which components are in use: it follows from them. */
    const bool only_header = d->rest == UINT64_C(1) << AREA_HEADER && !d->system && !d->steps;
    const uint32_t others = only_header ? COMPONENT_BIT(COMPONENT_REST) : 0;
    return d->components & avx512 && !(d->components & ~(avx512 | others));
}

void diagnosis_components(const struct diagnosis *d, char *buffer)
{
    struct text text;
    text_start(&text, buffer, DIAGNOSIS_TEXT);
    for (enum component c = 0; c < COMPONENT_REST; c++)
        if (d->components & COMPONENT_BIT(c))
            text_add(&text, "%s%s", text.length ? "," : "", component_name(c));
    add_rest(&text, d);
    end_list(&text);
}

static const char *vector_prefix(enum form form)
{
    static const char *const prefixes[FORM_COUNT] = {"xmm", "ymm", "zmm"};
    return prefixes[form];
}

static const char *general_name(unsigned int number)
{
    static const char *const names[GENERAL_COUNT] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp",
                                                     "rsi", "rdi", "r8",  "r9",  "r10", "r11",
                                                     "r12", "r13", "r14", "r15"};
    return names[number];
}

void diagnosis_registers(const struct diagnosis *d, char *buffer)
{
    struct text text;
    text_start(&text, buffer, DIAGNOSIS_TEXT);
    text_add_ranges(&text, vector_prefix(d->form), d->vectors);
    if (d->opmasks) {
        text_add(&text, "%s", text.length ? "," : "");
        text_add_ranges(&text, "k", d->opmasks);
    }
    for (unsigned int n = 0; n < GENERAL_COUNT; n++)
        if (d->general >> n & 1)
            text_add(&text, "%s%s", text.length ? "," : "", general_name(n));
    if (d->rflags)
        text_add(&text, "%srflags", text.length ? "," : "");
    if (d->mxcsr)
        text_add(&text, "%smxcsr", text.length ? "," : "");
    add_rest(&text, d);
    end_list(&text);
}

/* "511:256,127:0" for the bits set in a mask, each of which stands for `width` bits. */
static void add_bits(struct text *text, uint64_t mask, unsigned int width)
{
    for (int high = 63; high >= 0; high--) {
        if (!(mask >> high & 1))
            continue;
        int low = high;
        while (low > 0 && mask >> (low - 1) & 1)
            low--;
        unsigned int top = (unsigned int)(high + 1) * width - 1, bottom = (unsigned int)low * width;
        text_add(text, "%s%u", text->length ? "," : "", top);
        if (top != bottom)
            text_add(text, ":%u", bottom);
        high = low;
    }
}

void diagnosis_bits(const struct diagnosis *d, char *buffer)
{
    struct text text;
    text_start(&text, buffer, DIAGNOSIS_TEXT);
    if (d->corruption == CLASS_BIT_FLIP && d->lane_count == 1) {
        text_add(&text, "%u", d->flipped_bit);
        return;
    }
    add_bits(&text, d->vector_bytes, 8);
    add_bits(&text, d->narrow_bits, 1);
    end_list(&text);
}

static void add_register(struct text *text, uint32_t reg, enum form form)
{
    if (reg < PATTERN_OPMASK)
        text_add(text, "%s%u", vector_prefix(form), reg);
    else if (reg < PATTERN_GENERAL)
        text_add(text, "k%u", reg - PATTERN_OPMASK);
    else if (reg < PATTERN_END)
        text_add(text, "%s", general_name(reg - PATTERN_GENERAL));
    else
        text_add(text, "%s", reg == LANE_RFLAGS ? "rflags" : "mxcsr");
}

void lane_register(const struct lane *lane, enum form form, char *buffer)
{
    struct text text;
    text_start(&text, buffer, DIAGNOSIS_TEXT);
    if (lane->reg == LANE_REST)
        add_component(&text, lane->component);
    else
        add_register(&text, lane->reg, form);
}

void lane_from(const struct lane *lane, enum form form, char *buffer)
{
    struct text text;
    text_start(&text, buffer, DIAGNOSIS_TEXT);
    text_add(&text, "%s", class_name(lane->corruption));
    if (!lane->decoded)
        return;
    text_add(&text, ": run %04x, vCPU %u, generation %u, ", lane->from.run, lane->from.vcpu,
             lane->from.generation);
    if (lane->reg == LANE_REST) {
        text_add(&text, "%s", system_rows[lane->from.reg].name);
        return;
    }
    add_register(&text, lane->from.reg, form);
    if (lane->from.reg < PATTERN_OPMASK)
        text_add(&text, " lane %u", lane->from.lane);
}
