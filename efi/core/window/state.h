/*
 * The register state of a vCPU as the windows load, compare and keep it, the round that a window
 * runs on, and the window itself. The assembly side of the same layout is layout.h.
 */
#ifndef ZMMTEST_CORE_WINDOW_STATE_H
#define ZMMTEST_CORE_WINDOW_STATE_H

#include "../../platform/fault.h"
#include "../../platform/form.h"
#include "layout.h"
#include <stddef.h>
#include <stdint.h>

#define VECTOR_COUNT  32u
#define VECTOR_LANES  8u /* quadwords of a zmm register */
#define OPMASK_COUNT  8u
#define GENERAL_COUNT 16u

/* General registers by their number in the instruction set. */
enum general { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

/* The fourth form of a window: the state is put in by XRSTOR and read back by XSAVE. */
#define FORM_XSAVE FORM_COUNT

/* Quadwords of a vector register, and vector registers, that a form covers. */
static inline unsigned int form_lanes(enum form form)
{
    return 2u << form;
}

static inline unsigned int form_vectors(enum form form)
{
    return form == FORM_ZMM ? VECTOR_COUNT : 16u;
}

/* RFLAGS bits (SDM vol. 1, 3.4.3). */
#define RFLAGS_FIXED     0x002u
#define RFLAGS_STATUS    0x8d5u /* CF PF AF ZF SF OF */
#define RFLAGS_OVERFLOW  0x800u
#define RFLAGS_DIRECTION 0x400u
#define RFLAGS_TRAP      0x100u
#define RFLAGS_RESUME    0x10000u

/*
 * MXCSR (SDM vol. 1, 10.2.3): what a pattern may vary - the sticky exception flags, rounding
 * control and flush-to-zero. All exceptions stay masked; DAZ is left alone, as not every processor
 * has it.
 */
#define MXCSR_MASKS  0x1f80u
#define MXCSR_VARIED 0xe03fu

struct register_state {
    uint64_t vector[VECTOR_COUNT][VECTOR_LANES];
    uint64_t opmask[OPMASK_COUNT];
    uint64_t general[GENERAL_COUNT];
    uint64_t rflags;
    uint64_t flags_source;
    uint32_t mxcsr;
    uint32_t unused[11];
};

enum window_result {
    INTACT = WINDOW_INTACT,
    GENERAL_DIFFER = WINDOW_GENERAL_DIFFER, /* whole state kept */
    OPMASK_DIFFER = WINDOW_OPMASK_DIFFER,   /* flags, opmasks and vectors kept, the rest intact */
    VECTOR_DIFFER = WINDOW_VECTOR_DIFFER,   /* vectors kept, the rest intact */
    AREA_DIFFER = WINDOW_AREA_DIFFER,       /* general registers intact, an XSAVE area is not */
    FAULTED = WINDOW_FAULT,                 /* whole state kept, as it was at the fault */
    FAULTED_TWICE = WINDOW_FAULT_TWICE,     /* nothing kept */
};

/* What IRETQ takes from the stack, and POPFQ and MOV SS of a single step. */
struct step_frame {
    uint64_t rip, cs, rflags, rsp, ss;
};

/*
 * Everything that one pass of a window works on. 64-byte aligned, for the aligned vector loads.
 * on_fault is where the exception handler (guard.c) resumes after a fault in the window.
 */
struct round {
    _Alignas(64) uint8_t stack[ROUND_STACK_SIZE];
    struct register_state expected;
    struct register_state found;
    struct register_state planted;
    uint64_t flags_kept;
    uint64_t caller_rsp;
    uint8_t *area; /* of a round whose state XRSTOR puts in: see areas.h */
    uint8_t *area_found, *area_planted;
    uint64_t area_mask;                /* components, as in XCR0; 0: the registers are loaded */
    uint64_t area_save;                /* how they are saved: address of code in compare.S */
    uint64_t area_xgetbv, area_in_use; /* XGETBV(1): whether it is there; what it said */
    struct step_frame step;            /* of a window in step.S */
    uint64_t on_fault;
    struct fault fault;
    uint32_t generation;
    uint32_t init_components; /* components that hold zeros, as in INIT state: a set of bits */
    uint32_t vector_operands; /* vector registers that hold data of the event, not a pattern */
};

_Static_assert(offsetof(struct register_state, vector) == STATE_VECTOR, "layout.h");
_Static_assert(offsetof(struct register_state, opmask) == STATE_OPMASK, "layout.h");
_Static_assert(offsetof(struct register_state, general) == STATE_GENERAL, "layout.h");
_Static_assert(offsetof(struct register_state, rflags) == STATE_RFLAGS, "layout.h");
_Static_assert(offsetof(struct register_state, flags_source) == STATE_FLAGS_SOURCE, "layout.h");
_Static_assert(offsetof(struct register_state, mxcsr) == STATE_MXCSR, "layout.h");
_Static_assert(sizeof(struct register_state) == STATE_SIZE, "layout.h");
_Static_assert(sizeof(struct round) % 64 == 0, "an array of rounds stays aligned");
_Static_assert(offsetof(struct round, expected) == ROUND_STACK_SIZE, "layout.h");
_Static_assert(offsetof(struct round, found) == ROUND_STACK_SIZE + ROUND_FOUND, "layout.h");
_Static_assert(offsetof(struct round, planted) == ROUND_STACK_SIZE + ROUND_PLANTED, "layout.h");
_Static_assert(offsetof(struct round, flags_kept) == ROUND_STACK_SIZE + ROUND_FLAGS_KEPT,
               "layout.h");
_Static_assert(offsetof(struct round, caller_rsp) == ROUND_STACK_SIZE + ROUND_CALLER_RSP,
               "layout.h");
_Static_assert(offsetof(struct round, area) == ROUND_STACK_SIZE + ROUND_AREA, "layout.h");
_Static_assert(offsetof(struct round, area_found) == ROUND_STACK_SIZE + ROUND_AREA_FOUND,
               "layout.h");
_Static_assert(offsetof(struct round, area_planted) == ROUND_STACK_SIZE + ROUND_AREA_PLANTED,
               "layout.h");
_Static_assert(offsetof(struct round, area_mask) == ROUND_STACK_SIZE + ROUND_AREA_MASK, "layout.h");
_Static_assert(offsetof(struct round, area_save) == ROUND_STACK_SIZE + ROUND_AREA_SAVE, "layout.h");
_Static_assert(offsetof(struct round, area_xgetbv) == ROUND_STACK_SIZE + ROUND_AREA_XGETBV,
               "layout.h");
_Static_assert(offsetof(struct round, area_in_use) == ROUND_STACK_SIZE + ROUND_AREA_IN_USE,
               "layout.h");

_Static_assert(offsetof(struct round, step.rip) == ROUND_STACK_SIZE + ROUND_STEP_RIP, "layout.h");
_Static_assert(offsetof(struct round, step.ss) == ROUND_STACK_SIZE + ROUND_STEP_SS, "layout.h");

/*
 * A window, as the macro in window.h emits it. enter() runs one round with interrupts off on a vCPU
 * whose XCR0 allows the form; it changes MXCSR and every vector, opmask and caller-saved register.
 */
struct window {
    struct {
        enum window_result (*enter)(struct round *);
        uint64_t event;     /* address of the event's first instruction */
        uint64_t event_end; /* address behind its last one */
    } form[FORM_COUNT + 1];
    uint64_t changes; /* general registers that the event writes: bit n is register n */
    char name[WINDOW_SIZE - WINDOW_NAME]; /* for ci/faultvisor, which reads the loaded image */
};

_Static_assert(offsetof(struct window, name) == WINDOW_NAME, "layout.h");
_Static_assert(sizeof(struct window) == WINDOW_SIZE, "layout.h");

/* Where windows stand, and where the exception handler resumes one that faulted (compare.S). */
extern const char window_text_start[], window_text_end[];
extern const char on_fault_xmm[], on_fault_ymm[], on_fault_zmm[], on_fault_xsave[],
    on_second_fault[];

/* Values of area_save: by which instruction. */
extern const char save_by_xsave[], save_by_xsaveopt[], save_by_xsavec[], save_by_xsaves[];

#endif
