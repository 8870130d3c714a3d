/* One row per exit. A new exit is a window in one of the .S files and a row here. */
#include "exits.h"
#include "../../platform/instructions.h"
#include "disk.h"
#include "flush.h"
#include "interrupts.h"
#include "memory.h"
#include "step.h"
#include <string.h>

extern const struct window window_cpuid, window_vmcall, window_vmmcall, window_vmware_vmcall,
    window_vmware_vmmcall, window_xen_vmcall, window_xen_vmmcall, window_xsetbv, window_rdmsr,
    window_wrmsr, window_wbinvd, window_invlpg, window_mov_dr, window_mov_cr, window_rdpmc,
    window_rdtsc, window_pause, window_mwait, window_out80, window_rtc, window_pci,
    window_string_io, window_backdoor, window_xapic, window_x2apic, window_hpet, window_vga,
    window_hold, window_copy, window_copy_ymm, window_copy_xmm, window_cold_page, window_cold_xsave,
    window_timer, window_hlt, window_xapic_ipi, window_x2apic_ipi, window_xapic_send,
    window_x2apic_send, window_string_in, window_cpuid_step, window_out80_step, window_xapic_step;

#define PORT_DIAGNOSTIC  0x80
#define PORT_RTC_DATA    0x71
#define PORT_PCI_ADDRESS 0xcf8

void exit_put_operands(const struct operand *operand, struct round *round)
{
    for (; operand && operand->reg != RSP; operand++)
        round->expected.general[operand->reg] = operand->value;
}

static const struct operand cpuid_operands[] = {{RAX, 0}, {RCX, 0}, NO_OPERAND};

static const char *hypercall_unsupported(const struct machine *machine,
                                         const struct window **window)
{
    bool xen = machine->hypervisor.kind == HYPERVISOR_XEN;
    switch (machine->hypervisor.hypercall) {
    case HYPERCALL_VMCALL:
        *window = xen ? &window_xen_vmcall : &window_vmcall;
        return NULL;
    case HYPERCALL_VMMCALL:
        *window = xen ? &window_xen_vmmcall : &window_vmmcall;
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

static const struct operand backdoor_operands[] = {{RAX, BACKDOOR_MAGIC},
                                                   {RBX, ~BACKDOOR_MAGIC},
                                                   {RCX, BACKDOOR_GETVERSION},
                                                   {RDX, BACKDOOR_PORT},
                                                   {RSI, 0},
                                                   {RDI, 0},
                                                   NO_OPERAND};

/*
 * KVM refuses a number that it does not know (-KVM_ENOSYS); Xen answers 17, xen_version, with
 * sub-command RDI = 0; VMware's call form takes the backdoor's registers, with DX = 0.
 */
static void hypercall_set_operands(const struct machine *machine, struct round *round)
{
    if (machine->hypervisor.kind == HYPERVISOR_VMWARE) {
        exit_put_operands(backdoor_operands, round);
        round->expected.general[RDX] = 0;
        round->flags_kept = 0;
        return;
    }
    bool xen = machine->hypervisor.kind == HYPERVISOR_XEN;
    round->expected.general[RAX] = xen ? 17 : 0x7a6d6d74;
    round->expected.general[RDI] = 0;
    round->expected.general[RSI] = 0;
}

static const char *xsave_unsupported(const struct machine *machine, const struct window **window)
{
    (void)window;
    return machine->xstate.wanted ? NULL : "XSAVE is hidden or missing";
}

static void xsetbv_set_operands(const struct machine *machine, struct round *round)
{
    (void)machine;
    uint64_t xcr0 = xgetbv0();
    round->expected.general[RAX] = (uint32_t)xcr0;
    round->expected.general[RCX] = 0;
    round->expected.general[RDX] = xcr0 >> 32;
}

static const struct operand out80_operands[] = {{RDX, PORT_DIAGNOSTIC}, NO_OPERAND};

static const struct operand rtc_operands[] = {{RDX, PORT_RTC_DATA}, NO_OPERAND};

static const struct operand pci_operands[] = {{RDX, PORT_PCI_ADDRESS}, NO_OPERAND};

/* Always can; but for the window that exits here. */
static const char *string_io_unsupported(const struct machine *machine,
                                         const struct window **window)
{
    if (machine->leaving.string_port != STRING_PORT_DIAGNOSTIC)
        *window = &window_string_in;
    return NULL;
}

/* The round's own stack serves as the buffer: nothing is on it between load and compare. */
static void string_io_set_operands(const struct machine *machine, struct round *round)
{
    static const uint16_t ports[] = {
        [STRING_PORT_DIAGNOSTIC] = PORT_DIAGNOSTIC,
        [STRING_PORT_RTC] = PORT_RTC_DATA,
        [STRING_PORT_PCI] = PORT_PCI_ADDRESS,
    };
    round->expected.general[RCX] = 4;
    round->expected.general[RDX] = ports[machine->leaving.string_port];
    round->expected.general[RSI] = (uint64_t)round->stack;
    round->expected.general[RDI] = (uint64_t)round->stack;
}

static const char *backdoor_unsupported(const struct machine *machine, const struct window **window)
{
    (void)window;
    return machine->hypervisor.backdoor ? NULL : "port 0x5658 does not answer";
}

static const struct operand rdmsr_operands[] = {{RCX, MSR_APIC_BASE}, NO_OPERAND};

/* EFER with the value just read: hypervisors intercept it, and it changes nothing anywhere. */
static void wrmsr_set_operands(const struct machine *machine, struct round *round)
{
    (void)machine;
    uint64_t efer = rdmsr(MSR_EFER);
    round->expected.general[RAX] = (uint32_t)efer;
    round->expected.general[RCX] = MSR_EFER;
    round->expected.general[RDX] = efer >> 32;
}

static const char *apic_unsupported(const struct machine *machine, const struct window **window)
{
    if (machine->apic.mode == APIC_OFF)
        return "the local APIC is disabled";
    *window = machine->apic.mode == APIC_X2APIC ? &window_x2apic : &window_xapic;
    return NULL;
}

/* In memory: by MSR it is another kind of exit. */
static const char *xapic_unsupported(const struct machine *machine, const struct window **window)
{
    (void)window;
    if (machine->apic.mode == APIC_OFF)
        return "the local APIC is disabled";
    return machine->apic.mode == APIC_X2APIC ? "the local APIC is not in memory (x2APIC)" : NULL;
}

static void apic_set_operands(const struct machine *machine, struct round *round)
{
    if (machine->apic.mode == APIC_X2APIC)
        round->expected.general[RCX] = MSR_X2APIC_CURRENT;
    else
        round->expected.general[RBX] = machine->apic.address;
}

static const char *hpet_unsupported(const struct machine *machine, const struct window **window)
{
    (void)window;
    return machine->hpet_address ? NULL : "ACPI has no HPET table";
}

static void hpet_set_operands(const struct machine *machine, struct round *round)
{
    round->expected.general[RBX] = machine->hpet_address;
}

static const char *vga_unsupported(const struct machine *machine, const struct window **window)
{
    (void)window;
    return machine->vga_address ? NULL : "no PCI device decodes legacy VGA memory";
}

static void vga_set_operands(const struct machine *machine, struct round *round)
{
    round->expected.general[RBX] = machine->vga_address;
}

static const struct operand rdpmc_operands[] = {{RCX, 0}, NO_OPERAND};

/* More pauses in a row than the PAUSE-loop windows of KVM (4096 cycles) and ESXi count. */
static const struct operand pause_operands[] = {{RCX, 256}, NO_OPERAND};

static const char *mwait_unsupported(const struct machine *machine, const struct window **window)
{
    (void)window;
    /* Firmware may have left a MONITOR armed, and nothing would wake the vCPU again. */
    if (machine->hypervisor.kind == HYPERVISOR_NONE)
        return "without a hypervisor it could sleep for ever";
    /* helper_mwait of QEMU 7.2: HLT where there is no other vCPU; with interrupts off, for ever. */
    if (machine->hypervisor.kind == HYPERVISOR_TCG && machine->vcpus == 1)
        return "QEMU TCG makes it a HLT on a single vCPU";
    return machine->cpu.monitor ? NULL : "MWAIT is hidden or missing (CPUID.1:ECX bit 3)";
}

static const struct operand mwait_operands[] = {{RAX, 0}, {RCX, 0}, NO_OPERAND};

static const char *interrupts_unsupported(const struct machine *machine,
                                          const struct window **window)
{
    (void)window;
    return machine->apic.mode == APIC_OFF ? "the local APIC is disabled" : NULL;
}

static const char *ipi_unsupported(const struct machine *machine, const struct window **window)
{
    *window = machine->apic.mode == APIC_X2APIC ? &window_x2apic_ipi : &window_xapic_ipi;
    return interrupts_unsupported(machine, window);
}

static const char *ipi_send_unsupported(const struct machine *machine, const struct window **window)
{
    *window = machine->apic.mode == APIC_X2APIC ? &window_x2apic_send : &window_xapic_send;
    return interrupts_unsupported(machine, window);
}

/* MOV to and from control and debug registers leaves the status flags undefined (SDM vol. 2B). */
#define FLAGS_OF_MOVE RFLAGS_STATUS

/* More than 2 MiB: where the hypervisor maps large pages, one of them at least is new. */
#define COLD_PAGES 520

const struct exit exits[] = {
    {.name = "cpuid",
     .window = &window_cpuid,
     .process = true,
     .operands = cpuid_operands,
     .must_work = true,
     .rounds = 256},
    {.name = "hypercall",
     .window = &window_vmcall,
     .process = true,
     .unsupported = hypercall_unsupported,
     .set_operands = hypercall_set_operands,
     .rounds = 256},
    {.name = "xsetbv",
     .window = &window_xsetbv,
     .unsupported = xsave_unsupported,
     .set_operands = xsetbv_set_operands,
     .rounds = 256},
    {.name = "out80",
     .window = &window_out80,
     .operands = out80_operands,
     .port80 = true,
     .rounds = 256},
    {.name = "rtc", .window = &window_rtc, .operands = rtc_operands, .rounds = 128},
    {.name = "pci", .window = &window_pci, .operands = pci_operands, .rounds = 128},
    {.name = "string-io",
     .window = &window_string_io,
     .unsupported = string_io_unsupported,
     .set_operands = string_io_set_operands,
     .rounds = 128},
    {.name = "backdoor",
     .window = &window_backdoor,
     .process = true,
     .unsupported = backdoor_unsupported,
     .operands = backdoor_operands,
     .flags_changed = RFLAGS_STATUS,
     .rounds = 128},
    {.name = "rdmsr", .window = &window_rdmsr, .operands = rdmsr_operands, .rounds = 256},
    {.name = "wrmsr", .window = &window_wrmsr, .set_operands = wrmsr_set_operands, .rounds = 256},
    {.name = "apic",
     .window = &window_xapic,
     .unsupported = apic_unsupported,
     .set_operands = apic_set_operands,
     .rounds = 128},
    {.name = "hpet",
     .window = &window_hpet,
     .unsupported = hpet_unsupported,
     .set_operands = hpet_set_operands,
     .rounds = 128},
    {.name = "vga",
     .window = &window_vga,
     .unsupported = vga_unsupported,
     .set_operands = vga_set_operands,
     .rounds = 128},
    {.name = "wbinvd",
     .window = &window_wbinvd,
     .slow = true, /* the caches take it */
     .rounds = 1,
     .begin = flush_begin,
     .end = flush_end},
    {.name = "invlpg", .window = &window_invlpg, .rounds = 256},
    {.name = "mov-dr", .window = &window_mov_dr, .flags_changed = FLAGS_OF_MOVE, .rounds = 256},
    {.name = "mov-cr",
     .window = &window_mov_cr,
     .flags_changed = FLAGS_OF_MOVE,
     .slow = true, /* CR3 takes the TLB along */
     .rounds = 128},
    {.name = "rdpmc",
     .window = &window_rdpmc,
     .process = true,
     .operands = rdpmc_operands,
     .rounds = 256},
    {.name = "rdtsc", .window = &window_rdtsc, .process = true, .must_work = true, .rounds = 256},
    {.name = "pause",
     .window = &window_pause,
     .unasked = true,
     .process = true,
     .operands = pause_operands,
     .must_work = true,
     .rounds = 64},
    {.name = "mwait",
     .window = &window_mwait,
     .unsupported = mwait_unsupported,
     .operands = mwait_operands,
     .rounds = 256},
    {.name = "hold",
     .window = &window_hold,
     .unasked = true,
     .process = true,
     .must_work = true,
     .rounds = 16,
     .begin = hold_begin,
     .holds = HOLDS_AND_FILLS},
    {.name = "copy",
     .window = &window_copy,
     .unasked = true,
     .process = true,
     .must_work = true,
     .rounds = 8,
     .begin = copy_begin,
     .verify = copy_verify,
     .all_live = true,
     .holds = HOLDS},
    {.name = "copy-ymm",
     .window = &window_copy_ymm,
     .unasked = true,
     .process = true,
     .must_work = true,
     .rounds = 2,
     .begin = copy_ymm_begin,
     .verify = copy_verify,
     .all_live = true,
     .holds = HOLDS},
    {.name = "copy-xmm",
     .window = &window_copy_xmm,
     .unasked = true,
     .process = true,
     .must_work = true,
     .rounds = 2,
     .begin = copy_xmm_begin,
     .verify = copy_verify,
     .all_live = true,
     .holds = HOLDS},
    {.name = "cold-page",
     .window = &window_cold_page,
     .unasked = true,
     .process = true,
     .must_work = true,
     .rounds = COLD_PAGES,
     .begin = cold_page_begin,
     .verify = cold_page_verify},
    {.name = "cold-xsave",
     .window = &window_cold_xsave,
     .unasked = true,
     .process = true,
     .unsupported = xsave_unsupported,
     .must_work = true,
     .rounds = COLD_PAGES / 2,
     .begin = cold_xsave_begin,
     .verify = cold_xsave_verify},
    {.name = "timer",
     .window = &window_timer,
     .unsupported = interrupts_unsupported,
     .must_work = true,
     .rounds = 16,
     .begin = timer_begin,
     .end = timer_end,
     .part = interrupts_part,
     .interrupts = true,
     .with_others = true,
     .holds = HOLDS},
    {.name = "hlt",
     .window = &window_hlt,
     .unsupported = interrupts_unsupported,
     .must_work = true,
     .rounds = 16,
     .begin = timer_begin,
     .end = timer_end,
     .part = interrupts_part,
     .interrupts = true,
     .with_others = true,
     .holds = HOLDS},
    {.name = "ipi",
     .window = &window_xapic_ipi,
     .unsupported = ipi_unsupported,
     .must_work = true,
     .rounds = 16,
     .begin = ipi_begin,
     .end = ipi_end,
     .part = interrupts_part,
     .interrupts = true,
     .with_others = true,
     .holds = HOLDS},
    {.name = "ipi-send",
     .window = &window_xapic_send,
     .unsupported = ipi_send_unsupported,
     .must_work = true,
     .rounds = 128,
     .begin = ipi_send_begin,
     .end = ipi_end,
     .with_others = true},
    {.name = "cpuid-tf",
     .window = &window_cpuid_step,
     .operands = cpuid_operands,
     .rounds = 32,
     .begin = step_trap_begin,
     .verify = step_verify,
     .end = step_end,
     .steps = true},
    {.name = "out80-tf",
     .window = &window_out80_step,
     .port80 = true,
     .operands = out80_operands,
     .rounds = 32,
     .begin = step_trap_begin,
     .verify = step_verify,
     .end = step_end,
     .steps = true},
    {.name = "apic-tf",
     .window = &window_xapic_step,
     .unsupported = xapic_unsupported,
     .set_operands = apic_set_operands,
     .rounds = 32,
     .begin = step_trap_begin,
     .verify = step_verify,
     .end = step_end,
     .steps = true},
    {.name = "cpuid-rf",
     .window = &window_cpuid_step,
     .operands = cpuid_operands,
     .rounds = 32,
     .begin = step_breakpoint_begin,
     .verify = step_verify,
     .end = step_end,
     .steps = true},
    {.name = "out80-rf",
     .window = &window_out80_step,
     .port80 = true,
     .operands = out80_operands,
     .rounds = 32,
     .begin = step_breakpoint_begin,
     .verify = step_verify,
     .end = step_end,
     .steps = true},
    {.name = "apic-rf",
     .window = &window_xapic_step,
     .unsupported = xapic_unsupported,
     .set_operands = apic_set_operands,
     .rounds = 32,
     .begin = step_breakpoint_begin,
     .verify = step_verify,
     .end = step_end,
     .steps = true},
    {.name = "cpuid-ss",
     .window = &window_cpuid_step,
     .operands = cpuid_operands,
     .rounds = 32,
     .begin = step_shadow_begin,
     .verify = step_verify,
     .end = step_end,
     .steps = true},
    {.name = "out80-ss",
     .window = &window_out80_step,
     .port80 = true,
     .operands = out80_operands,
     .rounds = 32,
     .begin = step_shadow_begin,
     .verify = step_verify,
     .end = step_end,
     .steps = true},
    {.name = "apic-ss",
     .window = &window_xapic_step,
     .unsupported = xapic_unsupported,
     .set_operands = apic_set_operands,
     .rounds = 32,
     .begin = step_shadow_begin,
     .verify = step_verify,
     .end = step_end,
     .steps = true},
    {.name = "cpuid-sti",
     .window = &window_cpuid_step,
     .operands = cpuid_operands,
     .unsupported = interrupts_unsupported,
     .rounds = 32,
     .begin = step_interrupt_begin,
     .verify = step_verify,
     .end = step_end,
     .steps = true,
     .part = interrupts_part,
     .interrupts = true,
     .with_others = true},
    {.name = "out80-sti",
     .window = &window_out80_step,
     .port80 = true,
     .operands = out80_operands,
     .unsupported = interrupts_unsupported,
     .rounds = 32,
     .begin = step_interrupt_begin,
     .verify = step_verify,
     .end = step_end,
     .steps = true,
     .part = interrupts_part,
     .interrupts = true,
     .with_others = true},
    {.name = "apic-sti",
     .window = &window_xapic_step,
     .unsupported = xapic_unsupported,
     .set_operands = apic_set_operands,
     .rounds = 32,
     .begin = step_interrupt_begin,
     .verify = step_verify,
     .end = step_end,
     .steps = true,
     .part = interrupts_part,
     .interrupts = true,
     .with_others = true},
    {.name = "disk",
     .window = &window_hold,
     .unasked = true,
     .process = true,
     .must_work = true,
     .rounds = 16,
     .begin = disk_begin,
     .part = disk_part,
     .with_disks = true,
     .holds = HOLDS_AND_FILLS},
    {.name = "disk-write",
     .window = &window_hold,
     .unasked = true,
     .must_work = true,
     .rounds = 16,
     .begin = disk_write_begin,
     .part = disk_write_part,
     .scratch = SCRATCH_WRITES,
     .holds = HOLDS_AND_FILLS},
    {.name = "disk-copy",
     .window = &window_copy,
     .unasked = true,
     .must_work = true,
     .rounds = 8,
     .begin = disk_copy_begin,
     .verify = copy_verify,
     .part = disk_write_part,
     .scratch = SCRATCH_WRITES,
     .all_live = true,
     .holds = HOLDS},
    {.name = "disk-mixed",
     .window = &window_hold,
     .unasked = true,
     .must_work = true,
     .rounds = 16,
     .begin = disk_mixed_begin,
     .part = disk_write_part,
     .scratch = SCRATCH_MIXED,
     .holds = HOLDS_AND_FILLS},
    {.name = "net",
     .window = &window_hold,
     .unasked = true,
     .must_work = true,
     .rounds = 4, /* frames end soon, and are sent between slices */
     .begin = net_begin,
     .with_net = true,
     .holds = HOLDS_AND_FILLS},
};

const uint32_t exit_count = sizeof(exits) / sizeof(exits[0]);
/* A set of exits is a mask of 64 bits, and all of them are (1 << exit_count) - 1. */
_Static_assert(sizeof(exits) / sizeof(exits[0]) < EXIT_MAX, "a bit for each row, and one more");

const struct exit *exit_named(const char *name)
{
    for (uint32_t row = 0; row < exit_count; row++)
        if (strcmp(exits[row].name, name) == 0)
            return &exits[row];
    return NULL;
}
