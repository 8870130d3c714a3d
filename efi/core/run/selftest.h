/*
 * The tester tested: at every start each class of fault is planted once, and a bit in every
 * quadword of every register, and each must be found and named right.
 */
#ifndef ZMMTEST_CORE_RUN_SELFTEST_H
#define ZMMTEST_CORE_RUN_SELFTEST_H

#include "../report/results.h"
#include "vcpu.h"

/* On the boot vCPU; the vCPU's rounds are used, and are as good as new afterwards. */
void selftest_run(struct vcpu *vcpu, struct selftest *selftest);

#endif
