/* What a process can find out of the machine: CPUID, and what the kernel tells in its files. */
#include "../../efi/platform/identify.h"
#include "../../efi/core/machine/mark.h"
#include "../../efi/core/text.h"
#include "../../efi/core/window/guard.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The first line of a file, ""  where it cannot be read. */
static void read_line(const char *path, char *line, size_t size)
{
    FILE *file = fopen(path, "r");
    line[0] = '\0';
    if (!file)
        return;
    if (!fgets(line, (int)size, file))
        line[0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    (void)fclose(file);
}

static void read_firmware(struct machine *machine)
{
    char vendor[32], version[32];
    struct text text;
    read_line("/sys/class/dmi/id/bios_vendor", vendor, sizeof(vendor));
    read_line("/sys/class/dmi/id/bios_version", version, sizeof(version));
    text_start(&text, machine->firmware, sizeof(machine->firmware));
    if (vendor[0])
        text_add(&text, "%s %s", vendor, version);
    else
        text_add(&text, "unknown");
}

static void read_system(struct machine *machine)
{
    struct utsname name;
    struct text text;
    text_start(&text, machine->system, sizeof(machine->system));
    if (uname(&name) == 0)
        text_add(&text, "%s %s", name.sysname, name.release);
    else
        text_add(&text, "an operating system");
}

static uint32_t read_microcode(void)
{
    char line[32];
    read_line("/sys/devices/system/cpu/cpu0/microcode/version", line, sizeof(line));
    return (uint32_t)strtoul(line, NULL, 0);
}

static void ask_backdoor(void *argument)
{
    struct machine *machine = argument;
    hypervisor_ask_backdoor(&machine->hypervisor, &machine->cpu);
}

/* ESXi lets a process use the port, whatever the kernel's I/O permissions; elsewhere it faults. */
static void try_backdoor(struct machine *machine)
{
    static struct traps traps;
    traps_enter(&traps);
    (void)traps_run(ask_backdoor, machine, NULL);
    traps_leave(&traps);
}

void machine_identify(struct machine *machine, uint64_t tsc_hz)
{
    memset(machine, 0, sizeof(*machine));
    machine->tsc_hz = tsc_hz;
    cpu_identify(&machine->cpu);
    xstate_identify(&machine->xstate, &machine->cpu);
    hypervisor_identify(&machine->hypervisor, &machine->cpu);
    machine->vcpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN); /* never fails */
    try_backdoor(machine);
    read_firmware(machine);
    read_system(machine);
    machine->cpu.microcode = read_microcode();
    leaving_measure(machine);
}

struct marking {
    struct mark *mark;
    const struct machine *machine;
};

static void read_mark(void *argument)
{
    const struct marking *marking = argument;
    mark_read(marking->mark, marking->machine);
}

void machine_mark(struct mark *mark, const struct machine *machine)
{
    static struct traps traps;
    struct marking marking = {mark, machine};
    traps_enter(&traps);
    (void)traps_run(read_mark, &marking, NULL);
    traps_leave(&traps);
    mark->microcode = read_microcode();
}
