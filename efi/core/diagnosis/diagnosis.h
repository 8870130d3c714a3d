/* From a finding to its meaning: class, components, registers, bits, where wrong values came from.
 */
#ifndef ZMMTEST_CORE_DIAGNOSIS_DIAGNOSIS_H
#define ZMMTEST_CORE_DIAGNOSIS_DIAGNOSIS_H

#include "../window/component.h"
#include "../window/corruption.h"
#include "../window/finding.h"
#include <stdint.h>

#define LANES_KEPT 8u

/* One wrong quadword. `reg` is numbered as in patterns.h. */
struct lane {
    uint32_t reg, lane;
    uint32_t component; /* of LANE_REST: as in an area_difference; the lane counts from its start */
    uint64_t want, got;
    enum corruption_class corruption;
    bool decoded; /* `from` says whose value it is */
    struct pattern_origin from;
};

/* `reg` of the control registers. */
#define LANE_RFLAGS PATTERN_END
#define LANE_MXCSR  (PATTERN_END + 1)
#define LANE_REST   (PATTERN_END + 2) /* a component of XSAVE that is none of the registers */

/* What became of a vector register, as far as it is not as it was. */
struct vector_damage {
    uint64_t zeroed;            /* bytes that came back zero */
    uint8_t lanes[CLASS_COUNT]; /* quadwords, by class: bit n is lane n */
    uint8_t own; /* quadwords that hold what this vCPU had in this very place earlier */
};

/* What a known bug is told by, in full. */
struct evidence {
    /* Not looked at: components that were zero, and vector registers that held data of the event.
     */
    uint32_t init_components, operands;
    struct vector_damage vector[VECTOR_COUNT];
    uint64_t opmask_zeroed[OPMASK_COUNT]; /* bits; 0 where it holds anything else */
    uint32_t mxcsr;                       /* as found */
    /* Of the components of XSAVE beside the registers: those that held a pattern and were looked
     * at, those that came back in their INIT state, and a single quadword that differs. */
    uint64_t rest_live, rest_reset;
    bool alone; /* no other quadword of them differs but this one: */
    struct area_difference quadword;
};

struct diagnosis {
    enum form form;
    enum corruption_class corruption;
    uint32_t components; /* COMPONENT_BIT each; 0 for a fault */
    uint32_t vectors;    /* registers hit: bit n is register n */
    uint32_t opmasks;
    uint32_t general;
    bool rflags, mxcsr;
    uint64_t system; /* system registers: SYSTEM_BIT each */
    uint32_t steps;  /* what came at a wrong place: bit n is the enum step_fact */
    /* Components of XSAVE beside the registers: bit n is XCR0 bit n, or AREA_HEADER. */
    uint64_t rest;
    uint64_t vector_bytes; /* bytes hit in any vector register: bit n is bits 8n+7:8n */
    struct evidence evidence;
    uint64_t narrow_bits; /* bits hit in any opmask, general register or system register */
    uint32_t flipped_bit; /* for CLASS_BIT_FLIP: its number in the register */
    uint32_t lane_count;  /* wrong quadwords in all */
    uint32_t lanes_kept;
    struct lane lane[LANES_KEPT];
};

void diagnose(const struct finding *finding, struct diagnosis *diagnosis);

/* Whether all that was hit is state that a processor without AVX-512 does not have. */
bool diagnosis_is_avx512(const struct diagnosis *diagnosis);

/*
 * Whether what is at this offset, in bytes, of a component of an area holds settings, of which
 * each bit counts, and not data. Components are numbered as in an area_difference.
 */
bool diagnosis_is_control(uint32_t component, uint32_t offset);

/* The words of a log line. Each needs a buffer of DIAGNOSIS_TEXT bytes. */
#define DIAGNOSIS_TEXT 112u
void diagnosis_components(const struct diagnosis *diagnosis, char *buffer);
void diagnosis_registers(const struct diagnosis *diagnosis, char *buffer);
void diagnosis_bits(const struct diagnosis *diagnosis, char *buffer);

/* "zmm3", "k1", "rax", "rflags"; and "stale: vCPU 0, generation 17, zmm3 lane 2" or the class. */
void lane_register(const struct lane *lane, enum form form, char *buffer);
void lane_from(const struct lane *lane, enum form form, char *buffer);

#endif
