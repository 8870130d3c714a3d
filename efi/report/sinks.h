/* The sinks there are. Each says whether it exists on this machine. */
#ifndef ZMMTEST_REPORT_SINKS_H
#define ZMMTEST_REPORT_SINKS_H

#include "../machine/hypervisor.h"
#include "report.h"

/* COM1: log lines, whole and once. NULL: no serial port there. */
const struct sink *serial_sink(void);

/* The firmware's console: text. NULL: the firmware has none. */
const struct sink *console_sink(void);

/* vmware.log and guestinfo: log lines of a start, a finding, a verdict. NULL: this is no VMware. */
const struct sink *vmware_sink(const struct hypervisor *hypervisor);

/* Puts the console's mode back as it was found. */
void console_leave(void);

#endif
