/* Asks each module that knows a part of the machine. */
#include "../platform/identify.h"
#include "../core/machine/mark.h"
#include "../core/window/guard.h"
#include "../platform/instructions.h"
#include "../platform/processors.h"
#include "platform.h"

static struct traps traps;

/* 0: it cannot be read. */
static uint32_t microcode(const struct cpu *cpu)
{
    uint64_t value;
    return traps_rdmsr(MSR_MICROCODE, &value) ? (uint32_t)(cpu->amd ? value : value >> 32) : 0;
}

/*
 * MSRs may be missing or hidden: read with our own exception handlers in place. In a confidential
 * VM that is told of exits by an exception only the one is read that tells so.
 */
static void read_msrs(struct machine *machine)
{
    uint64_t value = 0;
    traps_enter(&traps);
    if (confidential_has_status(&machine->cpu))
        (void)traps_rdmsr(MSR_SEV_STATUS, &value);
    machine->confidential = confidential_identify(value, &machine->cpu);
    machine->apic.mode = APIC_OFF;
    if (!machine->confidential) {
        machine->cpu.microcode = microcode(&machine->cpu);
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
    leaving_measure(machine);
    processors_find(&processors, PROCESSORS_AUTO);
    machine->vcpus = processors.count;
}

void machine_mark(struct mark *mark, const struct machine *machine)
{
    mark_read(mark, machine);
    if (machine->confidential || machine->refused)
        return;
    traps_enter(&traps);
    mark->microcode = microcode(&machine->cpu);
    traps_leave(&traps);
}
