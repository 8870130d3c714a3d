/* Asks each module that knows a part of the machine. */
#include "../platform/identify.h"
#include "../core/machine/mark.h"
#include "../core/window/guard.h"
#include "../platform/instructions.h"
#include "../platform/processors.h"
#include "platform.h"

/* MSRs may be missing or hidden: read with our own exception handlers in place. */
static struct traps traps;

/* 0: it cannot be read. */
static uint32_t microcode(const struct cpu *cpu)
{
    uint64_t value;
    return traps_rdmsr(MSR_MICROCODE, &value) ? (uint32_t)(cpu->amd ? value : value >> 32) : 0;
}

static void read_msrs(struct machine *machine)
{
    traps_enter(&traps);
    machine->cpu.microcode = microcode(&machine->cpu);
    apic_find(&machine->apic);
    traps_leave(&traps);
}

void machine_identify(struct machine *machine, uint64_t tsc_hz)
{
    struct processors processors;
    machine->tsc_hz = tsc_hz;
    cpu_identify(&machine->cpu);
    xstate_identify(&machine->xstate, &machine->cpu);
    hypervisor_identify(&machine->hypervisor, &machine->cpu);
    hypervisor_ask_backdoor(&machine->hypervisor, &machine->cpu);
    platform_identify(machine);
    read_msrs(machine);
    processors_find(&processors, PROCESSORS_AUTO);
    machine->vcpus = processors.count;
}

void machine_mark(struct mark *mark, const struct machine *machine)
{
    mark_read(mark, machine);
    traps_enter(&traps);
    mark->microcode = microcode(&machine->cpu);
    traps_leave(&traps);
}
