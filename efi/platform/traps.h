/*
 * Exceptions and interrupts, per vCPU, while zmmtest runs its own code there: a fault in a window
 * ends the round, a fault in a guarded function ends that function, and neither ends the run. An
 * interrupt is counted and acknowledged. Everything about it lies in one IDT that each vCPU loads
 * and puts back; TSS, GDT and stacks stay the firmware's.
 */
#ifndef ZMMTEST_PLATFORM_TRAPS_H
#define ZMMTEST_PLATFORM_TRAPS_H

#include "apic.h"
#include "fault.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define EXCEPTION_COUNT  32u
#define VECTOR_COUNT_ALL 256u

/* The vectors of our own interrupts, of the highest priority class (SDM vol. 3, 10.8.3). */
#define VECTOR_TIMER    0xf0u
#define VECTOR_IPI      0xf1u
#define VECTOR_STEP     0xf2u /* one to itself, for what is to come at an exact instruction */
#define VECTOR_SPURIOUS 0xffu /* firmware was seen to use 15, which is an exception's */

/*
 * What an interrupt is to us. Spurious: the local APIC had one to deliver, and when asked for it no
 * longer did, which it may (SDM vol. 3, 10.9). Stray: any other that nobody asked for.
 */
enum interrupt {
    INTERRUPT_TIMER,
    INTERRUPT_IPI,
    INTERRUPT_STEP,
    INTERRUPT_SPURIOUS,
    INTERRUPT_STRAY,
    INTERRUPT_COUNT
};

struct __attribute__((packed)) descriptor_table {
    uint16_t limit;
    uint64_t base;
};

#define GATE_INTERRUPT 0x8e /* present, DPL 0, 64-bit interrupt gate (SDM vol. 3, 6.14.1) */

struct idt_gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t stack_table;
    uint8_t type;
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t zero;
};

/* To this address. */
static inline void idt_gate_lead(struct idt_gate *gate, uint64_t entry)
{
    gate->offset_low = (uint16_t)entry;
    gate->offset_middle = (uint16_t)(entry >> 16);
    gate->offset_high = (uint32_t)(entry >> 32);
}

/* Where a guarded function returns to when it faults. trap_call.S knows this layout. */
struct trap_guard {
    uint64_t rsp;
    uint64_t resume;
};

/*
 * A #DB that is expected, where the handler says what came: of a single step or a breakpoint. The
 * handler puts the debug registers back and ends the stepping.
 */
struct step {
    bool armed;
    bool breakpoints;         /* DR0 and DR1 hold some */
    uint64_t dr[2], dr6, dr7; /* to put back */
    uint64_t rip;             /* where the first came */
    uint64_t cause;           /* DR6 of it */
    uint32_t count;
};

/* One vCPU's. The IDT comes first: SIDT then tells the handler which vCPU it is on. */
struct traps {
    _Alignas(16) struct idt_gate idt[VECTOR_COUNT_ALL];
    bool filled;
    struct descriptor_table firmware_idt;
    uint64_t rflags;
    /* Where interrupts are acknowledged; mode APIC_OFF as long as none can come. */
    struct apic apic;
    _Atomic uint64_t interrupts[INTERRUPT_COUNT]; /* that came by */
    _Atomic uint32_t stray_vector;                /* of the latest stray */
    uint64_t interrupted;                         /* where the latest INTERRUPT_STEP came */
    struct step step;
    struct trap_guard guard;
    struct fault fault;                 /* the latest one outside a window */
    uint64_t nmis;                      /* non-maskable interrupts that came by */
    struct machine_check machine_check; /* the first; written before it is counted */
    _Atomic uint64_t machine_checks;
};

/* Interrupts off and our IDT in; traps_leave() puts both back. The pair may be repeated. */
void traps_enter(struct traps *traps);
void traps_leave(struct traps *traps);

/* What traps_enter() was called with on this vCPU. */
struct traps *traps_current(void);

#endif
