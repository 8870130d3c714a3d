/* faultvisor's pose as VMware: its backdoor and what answers there. */
#ifndef ZMMTEST_FAULTVISOR_VMWARE_H
#define ZMMTEST_FAULTVISOR_VMWARE_H

#include "host_cpu.h"

/* True if this was a call of VMware's backdoor and has been answered. */
bool vmware_backdoor(struct guest_registers *guest);

/* The largest request, and the largest reply. */
#define VMWARE_BYTES_MAX 65536u

/*
 * The same by the high-bandwidth port 5659h, where RCX bytes go at once: for a guest whose memory
 * the caller can reach, up to VMWARE_BYTES_MAX of them. out: `bytes` has what the guest sends, or
 * else gets what it receives. zmmtest does not use it, so faultvisor does not intercept that port.
 */
bool vmware_high_bandwidth(struct guest_registers *guest, bool out, char *bytes);

/* Between runs: no channel is open, and no guest has set anything. */
void vmware_reset(void);

#endif
