/* The table of known bugs, by the trace they leave. A new one is a row. */
#ifndef ZMMTEST_CORE_DIAGNOSIS_SIGNATURES_H
#define ZMMTEST_CORE_DIAGNOSIS_SIGNATURES_H

#include "diagnosis.h"

struct signature {
    const char *name; /* short, for the log line */
    enum corruption_class corruption;
    uint32_t components;   /* exactly these */
    uint32_t vectors;      /* the registers hit lie in this set; 0: none may be hit */
    uint64_t vector_bytes; /* exactly these bytes; 0: any */
    uint64_t narrow_bits;  /* exactly these bits; 0: any */
    enum form form;        /* at least: what a narrower one sees does not tell */
    bool all_registers;    /* each register of the set is hit */
    const char *meaning;   /* a paragraph for a human */
    const char *reference;
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
