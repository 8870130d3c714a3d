/* All that is known of the machine, once, before anything runs. Read-only afterwards. */
#ifndef ZMMTEST_CORE_MACHINE_MACHINE_H
#define ZMMTEST_CORE_MACHINE_MACHINE_H

#include "../../platform/apic.h"
#include "confidential.h"
#include "cpu.h"
#include "hypervisor.h"
#include "leaving.h"
#include "xstate.h"
#include <stdint.h>

struct machine {
    struct cpu cpu;
    struct xstate xstate;
    struct hypervisor hypervisor;
    enum confidential confidential;
    /* What says that a hypervisor is there that CPUID hides, in words; "": nothing does. */
    char hidden[48];
    struct leaving leaving;
    const char *refused;   /* why nothing can be tested; NULL: nothing prevents it */
    struct apic apic;      /* the boot vCPU's */
    uint64_t hpet_address; /* physical, from ACPI; 0: none */
    uint64_t vga_address;  /* physical, of a decoded legacy frame buffer; 0: none */
    uint64_t tsc_hz;
    uint32_t vcpus;        /* that can be started, as far as is known beforehand */
    uint32_t vcpus_listed; /* that ACPI's MADT lists as enabled; 0: not known */
    char firmware[48];     /* vendor and revision */
    char system[64]; /* the operating system that this is a process of; "" as a UEFI program */
};

#endif
