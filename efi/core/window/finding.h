/* A finding: one round that found something wrong, with the whole register state it found. */
#ifndef ZMMTEST_CORE_WINDOW_FINDING_H
#define ZMMTEST_CORE_WINDOW_FINDING_H

#include "areas.h"
#include "patterns.h"
#include "state.h"
#include <stdbool.h>
#include <stdint.h>

struct finding {
    struct pattern_key key; /* of the patterns that this vCPU used */
    uint32_t cpu;
    uint32_t exit; /* entry of the plan, INJECT_ROW or PREPARE_ROW */
    uint64_t round;
    uint32_t generation;
    /* What the round did not look at: components that were zero, registers that held data of the
     * event. */
    uint32_t init_components;
    uint32_t vector_operands;
    uint64_t live; /* of an XSAVE area: components not in their INIT state; 0: there was none */
    enum window_result result;
    struct fault fault;       /* for FAULTED and FAULTED_TWICE */
    bool injected;            /* planted by zmmtest itself */
    bool of_slice;            /* seen at the end of a slice, `round` being the last of it */
    bool memory_changed;      /* the pattern in memory differs: not a register's fault */
    uint64_t general_changed; /* general registers that the event may write: not compared */
    uint64_t flags_kept;
    struct register_state expected;
    struct register_state found;
    /* Of an XSAVE area, what no register state holds. */
    struct area_difference difference[AREA_DIFFERENCES];
    uint32_t differences;
};

#endif
