/* Asks each module that knows a part of the machine. */
#include "../platform/identify.h"
#include "../core/machine/machine.h"
#include "../core/window/guard.h"
#include "../platform/instructions.h"
#include "../platform/processors.h"
#include "platform.h"

/* MSRs may be missing or hidden: read with our own exception handlers in place. */
static void read_msrs(struct machine *machine)
{
    static struct traps traps;
    uint64_t value;
    traps_enter(&traps);
    if (traps_rdmsr(MSR_MICROCODE, &value))
        machine->cpu.microcode = (uint32_t)(machine->cpu.amd ? value : value >> 32);
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
