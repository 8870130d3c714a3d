/* Asks each module that knows a part of the machine. */
#include "../platform/identify.h"
#include "../core/machine/machine.h"
#include "../core/window/guard.h"
#include "../platform/instructions.h"
#include "../platform/processors.h"
#include "platform.h"

/*
 * MSRs may be missing or hidden: read with our own exception handlers in place. In a confidential
 * VM that is told of exits by an exception only the one is read that tells so.
 */
static void read_msrs(struct machine *machine)
{
    static struct traps traps;
    uint64_t value = 0;
    traps_enter(&traps);
    if (confidential_has_status(&machine->cpu))
        (void)traps_rdmsr(MSR_SEV_STATUS, &value);
    machine->confidential = confidential_identify(value, &machine->cpu);
    machine->apic.mode = APIC_OFF;
    if (!machine->confidential) {
        if (traps_rdmsr(MSR_MICROCODE, &value))
            machine->cpu.microcode = (uint32_t)(machine->cpu.amd ? value : value >> 32);
        apic_find(&machine->apic);
    }
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
    machine->refused = cpu_refused(read_cr4());
    if (!machine->refused)
        read_msrs(machine);
    processors_find(&processors);
    machine->vcpus = processors.count;
}
