/*
 * The table of known bugs, by the trace they leave. A new one is a row. A row has all of its facts
 * as data: what was hit, in which registers, which bits, what is there now, and that nothing else
 * was hit. It is given where all of them hold.
 */
#ifndef ZMMTEST_CORE_DIAGNOSIS_SIGNATURES_H
#define ZMMTEST_CORE_DIAGNOSIS_SIGNATURES_H

#include "../machine/hypervisor.h"
#include "diagnosis.h"

/* What is there now in a vector register that is hit: sets of bytes. The others are as they were.
 */
struct trace {
    uint64_t zeroed; /* zero, each of them */
    uint64_t data;   /* what the class says; of foreign data, whole quadwords may be zero */
};

enum mxcsr_fact { MXCSR_INTACT, MXCSR_CHANGED, MXCSR_INTACT_OR_INIT };

/* The one quadword that differs in a component of XSAVE beside the registers. */
struct quadword_fact {
    uint32_t component, offset;
    uint64_t bits; /* that may differ; 0: there is no such fact */
    uint64_t value;
    bool any; /* or any other */
};

struct signature {
    const char *name; /* short, for the log line */
    enum corruption_class corruption;
    enum form form; /* at least: what a narrower one sees does not tell */
    /* Components that must have held a pattern: of what was zero anyway nobody can say that it was
     * left alone. */
    uint32_t seen;
    uint32_t vectors;       /* the registers hit lie in this set; 0: none may be hit */
    enum form whole_from;   /* from this form on each of the set is hit; FORM_COUNT: one does */
    struct trace low, high; /* in zmm0-15, and in zmm16-31: as far as the form has it */
    bool in_part;           /* some quadwords of the data do */
    bool own;               /* the data are what this vCPU had in the same place earlier */
    uint64_t opmask_zeroed; /* exactly these bits of each opmask hit; 0: none may be hit */
    bool some_opmasks;      /* one does; else all eight are hit */
    enum mxcsr_fact mxcsr;
    bool rflags; /* they are hit; else they may not be */
    uint64_t
        rest; /* other components of XSAVE: those that held a pattern are in their INIT state */
    struct quadword_fact quadword;
    const char *meaning; /* a paragraph for a human */
    const char *reference;
    const char *cure; /* what to do about it on its hypervisor; NULL: nothing is known */
    enum hypervisor_kind cure_on;
};

/* The first row that fits, or NULL. */
const struct signature *signature_find(const struct diagnosis *diagnosis);

/* The row of one in the table; and the one of a row, NULL behind the last. */
#define SIGNATURES_MAX 64u
uint32_t signature_number(const struct signature *signature);
const struct signature *signature_of_number(uint32_t number);

/* What a finding of the class means where no signature fits. */
const char *class_meaning(enum corruption_class corruption);

#endif
