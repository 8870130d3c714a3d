/*
 * What zmmtest asks of VMware by RPCI: a line in vmware.log, and values of guestinfo, which the
 * host's tools read and write. A host may forbid any of it, and that is never a failure. The boot
 * vCPU only.
 */
#ifndef ZMMTEST_CORE_MACHINE_VMWARE_H
#define ZMMTEST_CORE_MACHINE_VMWARE_H

#include "hypervisor.h"
#include <stddef.h>

/* First. Whether this is VMware; only then do the others do anything. */
bool vmware_start(const struct hypervisor *hypervisor);

/*
 * The value of a key; false: it has none, or none that can be had. *length is that of the value,
 * which may be more than the buffer holds.
 */
bool vmware_read(const char *key, char *value, size_t size, size_t *length);

void vmware_write(const char *key, const char *value);

void vmware_log(const char *line);

/* Whether requests are still made: the last one was answered. */
bool vmware_works(void);

/* What went wrong, and what the operator can do, once; NULL: nothing that was not said. */
const char *vmware_trouble(void);

#endif
