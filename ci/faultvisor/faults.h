/* The table of faults: what each does to the guest, and what zmmtest must say of it. */
#ifndef ZMMTEST_FAULTVISOR_FAULTS_H
#define ZMMTEST_FAULTVISOR_FAULTS_H

#include "edits.h"
#include <stddef.h>

/* A fault is one of: code that runs, an edit of the saved state, a change outside of it. */
struct planted_fault {
    const char *name;
    void (*code)(void);
    void (*code_with_scratch)(void *scratch);
    edit *edit;
    edit *change;
    /* Whether zmmtest looks at it in this round. No function: where all vector state is live. */
    edit_condition *looked_at;
    bool of_x87;  /* which is left alone otherwise */
    bool on_init; /* strikes where a component is in its INIT state: edit or change says where */
    uint32_t not_kinds; /* there zmmtest does not look: the event may change it itself */
    const char *corruption, *component, *registers, *bits, *signature; /* what zmmtest must say */
};

extern const struct planted_fault faults[];
extern const uint32_t fault_count;

/* NULL: there is none of this name. */
const struct planted_fault *fault_find(const char *name, size_t length);

#endif
