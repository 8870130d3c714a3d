/*
 * Confidential VMs: what runs beneath cannot read their registers, so most exits reach the guest
 * first, as an exception that its operating system, here the firmware, has to answer.
 */
#ifndef ZMMTEST_CORE_MACHINE_CONFIDENTIAL_H
#define ZMMTEST_CORE_MACHINE_CONFIDENTIAL_H

#include "cpu.h"
#include <stdbool.h>
#include <stdint.h>

/* Those in which exits are told by an exception. SEV alone does not. */
enum confidential { CONFIDENTIAL_NO, CONFIDENTIAL_SEV_ES, CONFIDENTIAL_SEV_SNP, CONFIDENTIAL_TDX };

/*
 * Whether there is an MSR SEV_STATUS to be read. The hypervisor cannot intercept that (APM vol. 2,
 * 15.34.10), so it raises no #VC.
 */
bool confidential_has_status(const struct cpu *cpu);

/* By CPUID and the value of that MSR, 0 where there is none. */
enum confidential confidential_identify(uint64_t sev_status, const struct cpu *cpu);

/* "SEV-ES"; NULL for CONFIDENTIAL_NO. */
const char *confidential_name(enum confidential confidential);

/* Why an exit that an instruction asks for is not tested there; NULL for CONFIDENTIAL_NO. */
const char *confidential_reason(enum confidential confidential);

#endif
