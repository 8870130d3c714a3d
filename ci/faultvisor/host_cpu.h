/* What faultvisor keeps of each vCPU: its tables and stack, and what the faults do to its guest. */
#ifndef ZMMTEST_FAULTVISOR_HOST_CPU_H
#define ZMMTEST_FAULTVISOR_HOST_CPU_H

#include "exit_kind.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define PAGE              4096u
#define XSAVE_AREA        4096u
#define EPT_GIBIBYTES     16u
#define PENDING_INTERRUPT 8u
#define HOST_CPUS         64u
#define LOST_REGISTERS    4u /* of one fault */

/* General registers as the exit path stores them, by their number in the instruction set. */
struct guest_registers {
    uint64_t r[16]; /* r[4], RSP, is in the VMCS */
};

/* GDTR or IDTR, as LGDT and LIDT take them (SDM vol. 2). */
struct __attribute__((packed)) table_register {
    uint16_t limit;
    uint64_t base;
};

struct host_cpu {
    _Alignas(PAGE) uint8_t vmxon_region[PAGE];
    uint8_t vmcs[PAGE];
    uint64_t ept_pml4[512];
    uint64_t ept_pdpt[512];
    uint64_t ept_pd[EPT_GIBIBYTES][512];
    uint8_t stack[4 * PAGE];
    _Alignas(64) uint8_t area[XSAVE_AREA]; /* the guest's state at this strike */
    uint8_t after[XSAVE_AREA];             /* and after it */
    uint8_t earlier[XSAVE_AREA];           /* at an earlier exit, every component live */
    uint8_t scratch[512];                  /* where faulty code saves what it knows of */
    _Alignas(16) uint64_t host_gdt[64];
    uint8_t tss[104];

    uint32_t number;
    struct guest_registers *guest; /* during an exit */
    enum exit_kind kind;           /* of the event that it hit */
    bool by_xsave;                 /* in the form whose state XRSTOR puts in */
    uint64_t firmware_cr4;
    struct table_register firmware_gdtr, firmware_idtr;

    uint8_t pending[PENDING_INTERRUPT]; /* acknowledged, not yet delivered */
    uint32_t pending_count;
    uint64_t random;
    bool calm;           /* the preemption timer comes seldom: the firmware runs */
    _Atomic bool forget; /* at the next exit: no page was ever touched */

    uint64_t tsc_offset;           /* what the TSC of this guest is ahead of the others' */
    uint64_t lost[LOST_REGISTERS]; /* what was last written there, as the host's */
    _Atomic uint64_t tsc_aux;      /* the guest's, as last seen */
    bool loses_dr; /* what a handler in the round struck last writes to debug registers */

    bool earlier_valid;
    uint64_t struck_rsp;            /* of the round struck last, while it lasts; 0: none */
    enum exit_kind struck_kind;     /* in which that was */
    uint64_t seen[EXIT_KIND_COUNT]; /* exits in zmmtest's events */
    uint64_t strikes[EXIT_KIND_COUNT];
    uint64_t next_strike[EXIT_KIND_COUNT]; /* of seen[] */
    uint64_t next_by_time;                 /* TSC */
    uint64_t strikes_by_time;
    uint64_t next_moment; /* TSC of the next strike by the clock; 0: its rounds have not begun */
    uint64_t moments_random;
};

extern struct host_cpu *cpus[HOST_CPUS];
extern uint32_t cpu_count;

#endif
