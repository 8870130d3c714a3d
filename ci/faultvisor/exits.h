/* What happens at each VM exit, and which ports and MSRs exit. */
#ifndef ZMMTEST_FAULTVISOR_EXITS_H
#define ZMMTEST_FAULTVISOR_EXITS_H

#include "host_cpu.h"

/* What a guest asks for the end with, in RAX (faultvisor_leave). */
#define LEAVE_CALL UINT64_C(0x6661756c746f6666)

/* Called by launch.S with interrupts off; true: VMXOFF was done, go on natively. */
bool exits_handle(struct guest_registers *guest, struct host_cpu *cpu);

/* Two pages of I/O bitmap and one of MSR bitmap, 4 KiB aligned. */
const uint8_t *exits_io_bitmaps(void);
/* Whether ports 80h and 71h exit, and what is sent on COM1. */
void exits_intercept_ports(bool diagnostic, bool rtc, bool com1);
const uint8_t *exits_msr_bitmap(void);

#endif
