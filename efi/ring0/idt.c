/* The IDT of a vCPU: puts it in and back, and takes what it delivers: exceptions and interrupts. */
#include "../core/machine/exception.h"
#include "../core/report/report.h"
#include "../core/window/counter.h"
#include "../core/window/guard.h"
#include "../core/window/step.h"
#include "../platform/instructions.h"
#include "machine_check.h"
#include "serial.h"
#include <stddef.h>

#define TRAP_ENTRY_SIZE 16u
#define VECTOR_NMI      2u

/* What trap_entry.S leaves on the stack, lowest address first. */
struct trap_frame {
    uint64_t r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax;
    uint64_t vector, error_code;
    uint64_t rip, cs, rflags, rsp, ss;
};

extern const char trap_entries[];
extern const char ImageBase[]; /* linker/zmmtest.lds */
void trap_handle(struct trap_frame *frame);

static struct descriptor_table current_idt(void)
{
    struct descriptor_table table;
    __asm__ volatile("sidt %0" : "=m"(table));
    return table;
}

static void load_idt(const struct descriptor_table *table)
{
    __asm__ volatile("lidt %0" ::"m"(*table) : "memory");
}

/* This vCPU's own: its IDT is the first thing in it. */
struct traps *traps_current(void)
{
    return (struct traps *)current_idt().base; // NOLINT(performance-no-int-to-ptr)
}

static enum interrupt kind_of(uint64_t vector)
{
    switch (vector) {
    case VECTOR_TIMER:
        return INTERRUPT_TIMER;
    case VECTOR_IPI:
        return INTERRUPT_IPI;
    case VECTOR_STEP:
        return INTERRUPT_STEP;
    case VECTOR_SPURIOUS:
        return INTERRUPT_SPURIOUS;
    default:
        return INTERRUPT_STRAY;
    }
}

static void fill_idt(struct traps *traps)
{
    uint16_t selector = read_cs();
    for (unsigned int vector = 0; vector < VECTOR_COUNT_ALL; vector++) {
        traps->idt[vector] = (struct idt_gate){.selector = selector, .type = GATE_INTERRUPT};
        idt_gate_lead(&traps->idt[vector],
                      (uint64_t)(trap_entries + (size_t)vector * TRAP_ENTRY_SIZE));
    }
    traps->filled = true;
}

uint64_t image_offset(uint64_t address)
{
    return address - (uint64_t)ImageBase;
}

void traps_enter(struct traps *traps)
{
    traps->rflags = read_rflags();
    interrupts_off();
    traps->firmware_idt = current_idt();
    if (!traps->filled)
        fill_idt(traps);
    struct descriptor_table ours = {sizeof(traps->idt) - 1, (uint64_t)traps->idt};
    load_idt(&ours);
}

void traps_leave(struct traps *traps)
{
    load_idt(&traps->firmware_idt);
    if (traps->rflags & RFLAGS_INTERRUPTS_ON)
        interrupts_on();
}

/*
 * What nobody asked for may not be acknowledged unless the local APIC says that it is being served:
 * not a spurious interrupt (SDM vol. 3, 10.9), nor one that a PIC delivered. Of a vector of our own
 * that is known without asking.
 */
static void interrupt_arrived(struct traps *traps, uint64_t vector, uint64_t rip)
{
    enum interrupt kind = kind_of(vector);
    counter_add(&traps->interrupts[kind], 1);
    if (kind == INTERRUPT_STEP)
        traps->interrupted = rip;
    if (kind == INTERRUPT_STRAY)
        atomic_store_explicit(&traps->stray_vector, (uint32_t)vector, memory_order_relaxed);
    if (traps->apic.mode == APIC_OFF)
        return;
    bool ours = kind == INTERRUPT_TIMER || kind == INTERRUPT_IPI || kind == INTERRUPT_STEP;
    if (ours || apic_in_service(&traps->apic))
        apic_write(&traps->apic, APIC_END_OF_INTERRUPT, 0);
}

/*
 * Before the first guarded function there is nowhere to go on: without this the vCPU would raise
 * exceptions for ever, and be silent.
 */
static _Noreturn void halt_unguarded(const struct fault *fault)
{
    char line[LOG_LINE_MAX];
    struct text text;
    text_start(&text, line, sizeof(line));
    text_add(&text,
             "zmmtest halted: %s (error code 0x%lx) at image+0x%lx, before it could be survived",
             exception_name(fault->vector), fault->error_code, image_offset(fault->rip));
    struct sink *sink = serial_sink();
    if (sink)
        sink->log(line);
    for (;;)
        cpu_halt();
}

void trap_handle(struct trap_frame *frame)
{
    struct traps *traps = traps_current();
    if (frame->vector >= EXCEPTION_COUNT) {
        interrupt_arrived(traps, frame->vector, frame->rip);
        return;
    }
    if (frame->vector == VECTOR_NMI) {
        traps->nmis++;
        return;
    }
    if (frame->vector == VECTOR_DEBUG && traps->step.armed &&
        step_came(&traps->step, frame->rip, &frame->rflags))
        return;
    if (frame->vector == VECTOR_MACHINE_CHECK && machine_check_take(traps))
        return;
    struct fault fault = {frame->vector, frame->error_code, frame->rip, read_cr2()};
    struct trap_point point = {frame->rip, frame->rsp, frame->rflags};
    if (!traps_guarded(traps, frame->rip))
        halt_unguarded(&fault);
    traps_exception(traps, &fault, &point);
    frame->rip = point.rip;
    frame->rsp = point.rsp;
}
