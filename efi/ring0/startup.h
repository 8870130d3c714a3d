/*
 * Starts other vCPUs by INIT and SIPI (SDM vol. 3, 8.4): from real mode to the page tables of the
 * boot vCPU, and at the end to a halt in pages that stay reserved. Memory and time are the
 * caller's.
 */
#ifndef ZMMTEST_RING0_STARTUP_H
#define ZMMTEST_RING0_STARTUP_H

#include "../core/cpus.h"
#include "../platform/processors.h"
#include <stdatomic.h>
#include <stddef.h>

enum startup_state {
    STARTUP_ABSENT,   /* not asked to start, or has not answered */
    STARTUP_ANSWERED, /* is in its call */
    STARTUP_PARKED,   /* has left our code: halts, interrupts off */
};

/* One vCPU's, in the reserved pages. startup.S knows this layout. */
struct startup_slot {
    uint32_t apic_id;
    _Atomic uint32_t state; /* enum startup_state: the vCPU's own */
    uint64_t stack;         /* its end, 16-byte aligned */
    struct processor_call *call;
    uint64_t reserved;
};

/* How many bytes the pages for `slots` vCPUs have; they begin below 640 KiB, at a page's start. */
size_t startup_bytes(uint32_t slots);

/*
 * On the boot vCPU: makes what the others need to start with its own CR0, CR3, CR4, EFER and mode
 * of the local APIC. The pages are zero. Returns the slots, which the caller fills.
 */
struct startup_slot *startup_prepare(void *pages, uint32_t slots);

/* To the vCPUs of these slots. False: they could not be sent. */
enum startup_command { STARTUP_INIT, STARTUP_SIPI };
bool startup_send(enum startup_command command, const struct cpus *which);

/* Whether a vCPU of that APIC id can be reached in the mode that the local APIC is in. */
bool startup_reaches(uint32_t apic_id);

/* The APIC id of the calling vCPU, as CPUID has it. */
uint32_t startup_apic_id(void);

#endif
