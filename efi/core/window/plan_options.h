/* What of the options each vCPU looks at while it runs. */
#ifndef ZMMTEST_CORE_WINDOW_PLAN_OPTIONS_H
#define ZMMTEST_CORE_WINDOW_PLAN_OPTIONS_H

#include <stdint.h>

struct plan_options {
    uint64_t passes;            /* 0: until told to stop */
    uint32_t inject_classes;    /* bit n is class n, planted in turn; 0: none */
    uint64_t inject_every;      /* rounds */
    uint64_t hold_microseconds; /* for which all registers are live in a hold */
    uint32_t findings_kept;     /* in full, of each exit and vCPU; all of them are counted */
};

#endif
