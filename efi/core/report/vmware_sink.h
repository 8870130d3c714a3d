/* The host as a sink, where that is VMware. */
#ifndef ZMMTEST_CORE_REPORT_VMWARE_SINK_H
#define ZMMTEST_CORE_REPORT_VMWARE_SINK_H

#include "../machine/hypervisor.h"
#include "report.h"

/* vmware.log and guestinfo: log lines of a start, a finding, a verdict. NULL: this is no VMware. */
struct sink *vmware_sink(const struct hypervisor *hypervisor);

#endif
