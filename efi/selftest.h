/*
 * The tester tested: at every start each class of fault is planted once, and a bit in every
 * quadword of every register, and each must be found and named right.
 */
#ifndef ZMMTEST_SELFTEST_H
#define ZMMTEST_SELFTEST_H

#include "vcpu.h"

struct selftest {
    uint32_t planted, named;
    uint32_t repeated; /* attempts beyond the first: something not planted came in between */
    char missed[96];   /* the first that was not named right; "" if all were */
};

/* On the boot vCPU; the vCPU's rounds are used, and are as good as new afterwards. */
void selftest_run(struct vcpu *vcpu, struct selftest *selftest);

#endif
