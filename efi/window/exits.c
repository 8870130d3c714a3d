/* One row per exit. A new exit is a window in one of the .S files and a row here. */
#include "exits.h"
#include "../machine/instructions.h"

extern const struct window window_cpuid, window_vmcall, window_vmmcall, window_vmware_vmcall,
    window_vmware_vmmcall, window_xsetbv, window_rdmsr, window_wrmsr, window_wbinvd, window_invlpg,
    window_mov_dr, window_mov_cr, window_rdpmc, window_rdtsc, window_pause, window_mwait,
    window_out80, window_rtc, window_pci, window_string_io, window_backdoor, window_xapic,
    window_x2apic, window_hpet, window_vga;

#define PORT_DIAGNOSTIC  0x80
#define PORT_RTC_DATA    0x71
#define PORT_PCI_ADDRESS 0xcf8

static void cpuid_operands(const struct machine *machine, struct round *round)
{
    (void)machine;
    round->expected.general[RAX] = 0;
    round->expected.general[RCX] = 0;
}

static const char *hypercall_unsupported(const struct machine *machine,
                                         const struct window **window)
{
    switch (machine->hypervisor.hypercall) {
    case HYPERCALL_VMCALL:
        *window = &window_vmcall;
        return NULL;
    case HYPERCALL_VMMCALL:
        *window = &window_vmmcall;
        return NULL;
    case HYPERCALL_VMWARE_VMCALL:
        *window = &window_vmware_vmcall;
        return NULL;
    case HYPERCALL_VMWARE_VMMCALL:
        *window = &window_vmware_vmmcall;
        return NULL;
    case HYPERCALL_NONE:
        break;
    }
    return machine->hypervisor.kind == HYPERVISOR_NONE ? "no hypervisor to call"
                                                       : "no harmless call known here";
}

static void backdoor_operands(const struct machine *machine, struct round *round)
{
    (void)machine;
    round->expected.general[RAX] = BACKDOOR_MAGIC;
    round->expected.general[RBX] = ~BACKDOOR_MAGIC;
    round->expected.general[RCX] = BACKDOOR_GETVERSION;
    round->expected.general[RDX] = BACKDOOR_PORT;
    round->expected.general[RSI] = 0;
    round->expected.general[RDI] = 0;
}

/*
 * KVM refuses a number that it does not know (-KVM_ENOSYS); Xen answers 17, xen_version, with
 * sub-command RDI = 0; VMware's call form takes the backdoor's registers, with DX = 0.
 */
static void hypercall_operands(const struct machine *machine, struct round *round)
{
    if (machine->hypervisor.kind == HYPERVISOR_VMWARE) {
        backdoor_operands(machine, round);
        round->expected.general[RDX] = 0;
        round->flags_kept = 0;
        return;
    }
    bool xen = machine->hypervisor.kind == HYPERVISOR_XEN;
    round->expected.general[RAX] = xen ? 17 : 0x7a6d6d74;
    round->expected.general[RDI] = 0;
    round->expected.general[RSI] = 0;
}

static const char *xsetbv_unsupported(const struct machine *machine, const struct window **window)
{
    (void)window;
    return machine->xstate.wanted ? NULL : "XSAVE is hidden or missing";
}

static void xsetbv_operands(const struct machine *machine, struct round *round)
{
    (void)machine;
    uint64_t xcr0 = xgetbv0();
    round->expected.general[RAX] = (uint32_t)xcr0;
    round->expected.general[RCX] = 0;
    round->expected.general[RDX] = xcr0 >> 32;
}

static void out80_operands(const struct machine *machine, struct round *round)
{
    (void)machine;
    round->expected.general[RDX] = PORT_DIAGNOSTIC;
}

static void rtc_operands(const struct machine *machine, struct round *round)
{
    (void)machine;
    round->expected.general[RDX] = PORT_RTC_DATA;
}

static void pci_operands(const struct machine *machine, struct round *round)
{
    (void)machine;
    round->expected.general[RDX] = PORT_PCI_ADDRESS;
}

/* The round's own stack serves as the buffer: nothing is on it between load and compare. */
static void string_io_operands(const struct machine *machine, struct round *round)
{
    (void)machine;
    round->expected.general[RCX] = 4;
    round->expected.general[RDX] = PORT_DIAGNOSTIC;
    round->expected.general[RSI] = (uint64_t)round->stack;
    round->expected.general[RDI] = (uint64_t)round->stack;
}

static const char *backdoor_unsupported(const struct machine *machine, const struct window **window)
{
    (void)window;
    return machine->hypervisor.backdoor ? NULL : "port 0x5658 does not answer";
}

static void rdmsr_operands(const struct machine *machine, struct round *round)
{
    (void)machine;
    round->expected.general[RCX] = MSR_APIC_BASE;
}

/* EFER with the value just read: hypervisors intercept it, and it changes nothing anywhere. */
static void wrmsr_operands(const struct machine *machine, struct round *round)
{
    (void)machine;
    uint64_t efer = rdmsr(MSR_EFER);
    round->expected.general[RAX] = (uint32_t)efer;
    round->expected.general[RCX] = MSR_EFER;
    round->expected.general[RDX] = efer >> 32;
}

static const char *apic_unsupported(const struct machine *machine, const struct window **window)
{
    if (machine->apic_mode == APIC_OFF)
        return "the local APIC is disabled";
    *window = machine->apic_mode == APIC_X2APIC ? &window_x2apic : &window_xapic;
    return NULL;
}

static void apic_operands(const struct machine *machine, struct round *round)
{
    if (machine->apic_mode == APIC_X2APIC)
        round->expected.general[RCX] = MSR_X2APIC_CURRENT;
    else
        round->expected.general[RBX] = machine->apic_address;
}

static const char *hpet_unsupported(const struct machine *machine, const struct window **window)
{
    (void)window;
    return machine->hpet_address ? NULL : "ACPI has no HPET table";
}

static void hpet_operands(const struct machine *machine, struct round *round)
{
    round->expected.general[RBX] = machine->hpet_address;
}

static const char *vga_unsupported(const struct machine *machine, const struct window **window)
{
    (void)window;
    return machine->vga_address ? NULL : "no PCI device decodes legacy VGA memory";
}

static void vga_operands(const struct machine *machine, struct round *round)
{
    round->expected.general[RBX] = machine->vga_address;
}

static void rdpmc_operands(const struct machine *machine, struct round *round)
{
    (void)machine;
    round->expected.general[RCX] = 0;
}

/* More pauses in a row than the PAUSE-loop windows of KVM (4096 cycles) and ESXi count. */
static void pause_operands(const struct machine *machine, struct round *round)
{
    (void)machine;
    round->expected.general[RCX] = 256;
}

static const char *mwait_unsupported(const struct machine *machine, const struct window **window)
{
    (void)window;
    /* helper_mwait of QEMU 7.2: HLT where there is no other vCPU; with interrupts off, for ever. */
    if (machine->hypervisor.kind == HYPERVISOR_TCG && machine->vcpus == 1)
        return "QEMU TCG makes it a HLT on a single vCPU";
    return machine->cpu.monitor ? NULL : "MWAIT is hidden or missing (CPUID.1:ECX bit 3)";
}

static void mwait_operands(const struct machine *machine, struct round *round)
{
    (void)machine;
    round->expected.general[RAX] = 0;
    round->expected.general[RCX] = 0;
}

#define FLAGS_ALL (RFLAGS_STATUS | RFLAGS_DIRECTION)
/* MOV to and from control and debug registers leaves the status flags undefined (SDM vol. 2B). */
#define FLAGS_MOVE RFLAGS_DIRECTION

const struct exit exits[] = {
    {"cpuid", &window_cpuid, NULL, cpuid_operands, FLAGS_ALL, 256},
    {"hypercall", &window_vmcall, hypercall_unsupported, hypercall_operands, FLAGS_ALL, 256},
    {"xsetbv", &window_xsetbv, xsetbv_unsupported, xsetbv_operands, FLAGS_ALL, 256},
    {"out80", &window_out80, NULL, out80_operands, FLAGS_ALL, 256},
    {"rtc", &window_rtc, NULL, rtc_operands, FLAGS_ALL, 128},
    {"pci", &window_pci, NULL, pci_operands, FLAGS_ALL, 128},
    {"string-io", &window_string_io, NULL, string_io_operands, FLAGS_ALL, 128},
    {"backdoor", &window_backdoor, backdoor_unsupported, backdoor_operands, RFLAGS_DIRECTION, 128},
    {"rdmsr", &window_rdmsr, NULL, rdmsr_operands, FLAGS_ALL, 256},
    {"wrmsr", &window_wrmsr, NULL, wrmsr_operands, FLAGS_ALL, 256},
    {"apic", &window_xapic, apic_unsupported, apic_operands, FLAGS_ALL, 128},
    {"hpet", &window_hpet, hpet_unsupported, hpet_operands, FLAGS_ALL, 128},
    {"vga", &window_vga, vga_unsupported, vga_operands, FLAGS_ALL, 128},
    {"wbinvd", &window_wbinvd, NULL, NULL, FLAGS_ALL, 4},
    {"invlpg", &window_invlpg, NULL, NULL, FLAGS_ALL, 256},
    {"mov-dr", &window_mov_dr, NULL, NULL, FLAGS_MOVE, 256},
    {"mov-cr", &window_mov_cr, NULL, NULL, FLAGS_MOVE, 128},
    {"rdpmc", &window_rdpmc, NULL, rdpmc_operands, FLAGS_ALL, 256},
    {"rdtsc", &window_rdtsc, NULL, NULL, FLAGS_ALL, 256},
    {"pause", &window_pause, NULL, pause_operands, FLAGS_ALL, 32},
    {"mwait", &window_mwait, mwait_unsupported, mwait_operands, FLAGS_ALL, 256},
};

const uint32_t exit_count = sizeof(exits) / sizeof(exits[0]);
_Static_assert(sizeof(exits) / sizeof(exits[0]) <= EXIT_MAX, "room in the tallies");
