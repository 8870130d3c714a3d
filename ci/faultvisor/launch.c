/* Turns VMX on, makes a VMCS in which the running vCPU is the guest, and undoes it again. */
#include "launch.h"
#include "../../efi/core/machine/cpu.h"
#include "../../efi/platform/instructions.h"
#include "ept.h"
#include "exits.h"
#include "say.h"
#include "vmx.h"
#include <string.h>

int launch_enter(void);
void launch_exit(void);
void launch_resume_failed(void);

static void store_tables(struct host_cpu *cpu)
{
    __asm__ volatile("sgdt %0" : "=m"(cpu->firmware_gdtr));
    __asm__ volatile("sidt %0" : "=m"(cpu->firmware_idtr));
}

const char *vmx_missing(void)
{
    if (!(cpuid(1, 0).ecx >> 5 & 1))
        return "this processor has no VMX, or it is hidden";
    uint64_t control = rdmsr(MSR_FEATURE_CONTROL);
    if (control & 1 && !(control & 4))
        return "the firmware has locked VMX off";
    if (!(rdmsr(MSR_VMX_BASIC) >> 55 & 1))
        return "this processor lacks the TRUE VMX control MSRs";
    return NULL;
}

/* Control bits that are wanted, as far as the processor allows, and those that it demands. */
static uint32_t allowed(uint32_t msr, uint32_t wanted)
{
    uint64_t capability = rdmsr(msr);
    return (wanted | (uint32_t)capability) & (uint32_t)(capability >> 32);
}

/* VMCS form of the access rights (24.4.1): bits 8 to 23 of the descriptor's high half; or unusable.
 */
static uint32_t access_of(const uint64_t *gdt, uint16_t selector)
{
    return selector ? (uint32_t)(gdt[selector / 8] >> 40) & 0xf0ff : 1u << 16;
}

static uint32_t limit_of(const uint64_t *gdt, uint16_t selector)
{
    uint64_t low = gdt[selector / 8];
    uint32_t limit = (uint32_t)((low & 0xffff) | (low >> 32 & 0xf0000));
    return low >> 55 & 1 ? limit << 12 | 0xfff : limit;
}

static uint16_t segment_selector(unsigned int segment)
{
    uint16_t value = 0;
    switch (segment) {
    case 0:
        __asm__("mov %%es, %0" : "=r"(value));
        break;
    case 1:
        __asm__("mov %%cs, %0" : "=r"(value));
        break;
    case 2:
        __asm__("mov %%ss, %0" : "=r"(value));
        break;
    case 3:
        __asm__("mov %%ds, %0" : "=r"(value));
        break;
    case 4:
        __asm__("mov %%fs, %0" : "=r"(value));
        break;
    case 5:
        __asm__("mov %%gs, %0" : "=r"(value));
        break;
    default:
        break; /* LDTR: the firmware has none */
    }
    return value;
}

/* ES to LDTR as they are; TR as a busy 64-bit TSS, since the firmware runs without one (TR = 0). */
static void set_guest_segments(const uint64_t *gdt)
{
    for (unsigned int n = 0; n < 7; n++) {
        uint16_t selector = n < 6 ? segment_selector(n) : 0;
        vmwrite(GUEST_ES_SELECTOR + 2 * n, selector);
        vmwrite(GUEST_ES_LIMIT + 2 * n, selector ? limit_of(gdt, selector) : 0);
        vmwrite(GUEST_ES_ACCESS + 2 * n, access_of(gdt, selector));
        vmwrite(GUEST_ES_BASE + 2 * n, 0);
    }
    vmwrite(GUEST_ES_BASE + 8, rdmsr(MSR_FS_BASE));
    vmwrite(GUEST_ES_BASE + 10, rdmsr(MSR_GS_BASE));
    vmwrite(GUEST_TR_SELECTOR, 0);
    vmwrite(GUEST_ES_LIMIT + 14, 0x67);
    vmwrite(GUEST_ES_ACCESS + 14, 0x8b);
    vmwrite(GUEST_ES_BASE + 14, 0);
}

static void set_guest(const struct host_cpu *cpu, const uint64_t *gdt)
{
    struct table_register gdtr = cpu->firmware_gdtr;
    struct table_register idtr = cpu->firmware_idtr;
    uint64_t cr3, dr7;
    __asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
    __asm__ volatile("mov %%dr7, %0" : "=r"(dr7));
    set_guest_segments(gdt);
    vmwrite(GUEST_CR0, read_cr0());
    vmwrite(GUEST_CR3, cr3);
    vmwrite(GUEST_CR4, read_cr4());
    vmwrite(GUEST_DR7, dr7);
    vmwrite(GUEST_RFLAGS, 2);
    vmwrite(GUEST_GDTR_BASE, gdtr.base);
    vmwrite(GUEST_GDTR_LIMIT, gdtr.limit);
    vmwrite(GUEST_IDTR_BASE, idtr.base);
    vmwrite(GUEST_IDTR_LIMIT, idtr.limit);
    vmwrite(GUEST_DEBUGCTL, 0);
    vmwrite(GUEST_SYSENTER_CS, rdmsr(MSR_SYSENTER_CS));
    vmwrite(GUEST_SYSENTER_ESP, rdmsr(MSR_SYSENTER_ESP));
    vmwrite(GUEST_SYSENTER_EIP, rdmsr(MSR_SYSENTER_EIP));
    vmwrite(GUEST_INTERRUPTIBILITY, 0);
    vmwrite(GUEST_ACTIVITY, 0);
    vmwrite(GUEST_PENDING_DEBUG, 0);
    vmwrite(VMCS_LINK_POINTER, UINT64_MAX);
    vmwrite(CR0_MASK, 0);
    vmwrite(CR0_SHADOW, read_cr0());
    /* The guest sees CR4 without VMXE, and writes it back so without an exit. */
    vmwrite(CR4_MASK, CR4_VMXE);
    vmwrite(CR4_SHADOW, 0);
}

/* The host runs on the firmware's page tables and IDT, with a GDT of its own that has a TSS. */
static void set_host(struct host_cpu *cpu, uint16_t tss_selector)
{
    uint64_t cr3;
    struct table_register idtr = cpu->firmware_idtr;
    __asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
    for (unsigned int n = 0; n < 6; n++)
        vmwrite(HOST_ES_SELECTOR + 2 * n, segment_selector(n) & 0xfff8u);
    vmwrite(HOST_TR_SELECTOR, tss_selector);
    vmwrite(HOST_CR0, read_cr0() & ~CR0_TASK_SWITCHED);
    vmwrite(HOST_CR3, cr3);
    vmwrite(HOST_CR4, read_cr4() | CR4_OSXSAVE);
    vmwrite(HOST_FS_BASE, rdmsr(MSR_FS_BASE));
    vmwrite(HOST_GS_BASE, rdmsr(MSR_GS_BASE));
    vmwrite(HOST_TR_BASE, (uint64_t)cpu->tss);
    vmwrite(HOST_GDTR_BASE, (uint64_t)cpu->host_gdt);
    vmwrite(HOST_IDTR_BASE, idtr.base);
    vmwrite(HOST_SYSENTER_CS, 0);
    vmwrite(HOST_SYSENTER_ESP, 0);
    vmwrite(HOST_SYSENTER_EIP, 0);
    uint64_t *top = (uint64_t *)(cpu->stack + sizeof(cpu->stack) - 16);
    *top = (uint64_t)cpu;
    vmwrite(HOST_RSP, (uint64_t)top);
    vmwrite(HOST_RIP, (uint64_t)launch_exit);
}

static void set_controls(const struct host_cpu *cpu)
{
    vmwrite(PIN_CONTROLS, allowed(MSR_VMX_TRUE_PIN, PIN_EXTERNAL_INTERRUPT | PIN_PREEMPTION_TIMER));
    vmwrite(PRIMARY_CONTROLS,
            allowed(MSR_VMX_TRUE_PRIMARY, PRIMARY_HLT | PRIMARY_INVLPG | PRIMARY_MWAIT |
                                              PRIMARY_RDTSC | PRIMARY_CR3_LOAD | PRIMARY_CR3_STORE |
                                              PRIMARY_MOV_DR | PRIMARY_IO_BITMAPS |
                                              PRIMARY_MSR_BITMAPS | PRIMARY_SECONDARY));
    vmwrite(SECONDARY_CONTROLS,
            allowed(MSR_VMX_SECONDARY, SECONDARY_EPT | SECONDARY_RDTSCP | SECONDARY_WBINVD |
                                           SECONDARY_INVPCID | SECONDARY_XSAVES));
    vmwrite(EXIT_CONTROLS,
            allowed(MSR_VMX_TRUE_EXIT, EXIT_HOST_64 | EXIT_ACKNOWLEDGE | EXIT_SAVE_DEBUG));
    vmwrite(ENTRY_CONTROLS, allowed(MSR_VMX_TRUE_ENTRY, ENTRY_GUEST_64 | ENTRY_LOAD_DEBUG));
    vmwrite(EXCEPTION_BITMAP, 0);
    vmwrite(CR3_TARGET_COUNT, 0);
    vmwrite(EXIT_MSR_STORE_COUNT, 0);
    vmwrite(EXIT_MSR_LOAD_COUNT, 0);
    vmwrite(ENTRY_MSR_LOAD_COUNT, 0);
    vmwrite(ENTRY_INTERRUPTION, 0);
    vmwrite(IO_BITMAP_A, (uint64_t)exits_io_bitmaps());
    vmwrite(IO_BITMAP_B, (uint64_t)exits_io_bitmaps() + PAGE);
    vmwrite(MSR_BITMAP, (uint64_t)exits_msr_bitmap());
    vmwrite(EPT_POINTER, ept_pointer(cpu));
    vmwrite(PREEMPTION_TIMER, 1000);
}

/* The firmware's descriptors, so that its selectors stay good, and a TSS behind them. */
static uint16_t make_host_gdt(struct host_cpu *cpu)
{
    struct table_register gdtr = cpu->firmware_gdtr;
    const size_t room = sizeof(cpu->host_gdt) - 16;
    size_t size = (size_t)gdtr.limit + 1 < room ? (size_t)gdtr.limit + 1 : room;
    size = (size + 7) / 8 * 8;
    memcpy(cpu->host_gdt, (const void *)gdtr.base, size); // NOLINT(performance-no-int-to-ptr)
    uint64_t tss = (uint64_t)cpu->tss;
    cpu->host_gdt[size / 8] = (sizeof(cpu->tss) - 1) | (tss & 0xffffff) << 16 |
                              UINT64_C(0x89) << 40 | (tss >> 24 & 0xff) << 56;
    cpu->host_gdt[size / 8 + 1] = tss >> 32;
    return (uint16_t)size;
}

static bool turn_vmx_on(struct host_cpu *cpu, const char **reason)
{
    uint32_t revision = (uint32_t)rdmsr(MSR_VMX_BASIC) & 0x7fffffff;
    memcpy(cpu->vmxon_region, &revision, sizeof(revision));
    memcpy(cpu->vmcs, &revision, sizeof(revision));
    uint64_t control = rdmsr(MSR_FEATURE_CONTROL);
    if (!(control & 1))
        wrmsr(MSR_FEATURE_CONTROL, control | 5); /* locked, VMX outside SMX */
    cpu->firmware_cr4 = read_cr4();
    write_cr0((read_cr0() | rdmsr(MSR_VMX_CR0_FIXED0)) & rdmsr(MSR_VMX_CR0_FIXED1));
    write_cr4((read_cr4() | CR4_VMXE | rdmsr(MSR_VMX_CR4_FIXED0)) & rdmsr(MSR_VMX_CR4_FIXED1));
    uint64_t vmxon_address = (uint64_t)cpu->vmxon_region, vmcs_address = (uint64_t)cpu->vmcs;
    if (!vmxon(&vmxon_address)) {
        *reason = "VMXON was refused";
        write_cr4(cpu->firmware_cr4);
        return false;
    }
    if (vmclear(&vmcs_address) && vmptrld(&vmcs_address))
        return true;
    *reason = "the VMCS was refused";
    vmxoff();
    write_cr4(cpu->firmware_cr4);
    return false;
}

bool faultvisor_launch(struct host_cpu *cpu, const char **reason)
{
    uint64_t rflags = read_rflags();
    *reason = vmx_missing();
    if (*reason)
        return false;
    interrupts_off();
    store_tables(cpu);
    bool launched = turn_vmx_on(cpu, reason);
    if (launched) {
        uint16_t tss_selector = make_host_gdt(cpu);
        ept_prepare(cpu);
        set_guest(cpu, (const uint64_t *)cpu->host_gdt);
        set_host(cpu, tss_selector);
        set_controls(cpu);
        launched = launch_enter() == 0;
        if (!launched) {
            static char words[] = "VMLAUNCH failed";
            say("faultvisor ev=notice text=\"VMLAUNCH error %lu\"", vmread(INSTRUCTION_ERROR));
            *reason = words;
            vmxoff();
            write_cr4(cpu->firmware_cr4);
        }
    }
    if (rflags & RFLAGS_INTERRUPTS_ON)
        interrupts_on();
    return launched;
}

void launch_resume_failed(void)
{
    give_up("VMRESUME error %lu, exit reason %lu", vmread(INSTRUCTION_ERROR), vmread(EXIT_REASON));
}
