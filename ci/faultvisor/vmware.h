/* faultvisor's pose as VMware: its backdoor and what answers there. */
#ifndef ZMMTEST_FAULTVISOR_VMWARE_H
#define ZMMTEST_FAULTVISOR_VMWARE_H

#include "host_cpu.h"

/* True if this was a call of VMware's backdoor and has been answered. */
bool vmware_backdoor(struct guest_registers *guest);

/* Between runs: no channel is open, and no guest has set anything. */
void vmware_reset(void);

#endif
