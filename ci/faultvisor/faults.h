/* The table of faults: what each does to the guest, and what zmmtest must say of it. */
#ifndef ZMMTEST_FAULTVISOR_FAULTS_H
#define ZMMTEST_FAULTVISOR_FAULTS_H

#include "edits.h"
#include <stddef.h>

/* A fault is one of: code that runs, an edit of the saved state, a change outside of it, system
 * registers that are lost, an exception. */
struct planted_fault {
    const char *name;
    void (*code)(void);
    void (*code_with_scratch)(void *scratch);
    edit *edit;
    edit *change;
    struct lost_register lost[LOST_REGISTERS]; /* it is these that it changes */
    uint8_t raises;                            /* this vector */
    bool instead; /* and the instruction that exited never was, as in a confidential VM */
    /* Whether zmmtest looks at it in this round. No function: where all vector state is live. */
    edit_condition *looked_at;
    bool of_x87;  /* which is left alone otherwise */
    bool on_init; /* strikes where a component is in its INIT state: edit or change says where */
    uint64_t not_kinds; /* there zmmtest does not look: the event may change it itself */
    /* What zmmtest must say; NULL: none. Bits "any": it depends on what was there. */
    const char *corruption, *component, *registers, *bits, *signature;
};

extern const struct planted_fault faults[];
extern const uint32_t fault_count;

/* NULL: there is none of this name. */
const struct planted_fault *fault_find(const char *name, size_t length);

/* Whether it is a system register that it loses. */
bool fault_loses_register(const struct planted_fault *fault);

#endif
