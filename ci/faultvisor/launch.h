/* VMX on, the running vCPU as its guest; and off again. */
#ifndef ZMMTEST_FAULTVISOR_LAUNCH_H
#define ZMMTEST_FAULTVISOR_LAUNCH_H

#include "host_cpu.h"

/* NULL: this processor has VMX and lets us use it. */
const char *vmx_missing(void);

/* On the calling vCPU; false: VMX is missing or refused, *reason says which. */
bool faultvisor_launch(struct host_cpu *cpu, const char **reason);

/* In the guest: leaves VMX on this vCPU, which goes on as it was. */
void faultvisor_leave(void);

#endif
