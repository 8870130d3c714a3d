/* What happens at each VM exit: a table by exit reason, each handler one exit, most of them alike.
 */
#include "exits.h"
#include "../../efi/core/machine/cpu.h"
#include "../../efi/core/window/state.h"
#include "../../efi/platform/apic.h"
#include "../../efi/platform/instructions.h"
#include "ept.h"
#include "moments.h"
#include "plan.h"
#include "say.h"
#include "trigger.h"
#include "vmware.h"
#include "vmx.h"
#include "windows.h"
#include <string.h>

static _Alignas(PAGE) uint8_t io_bitmaps[2 * PAGE];
static _Alignas(PAGE) uint8_t msr_bitmap[PAGE];

#define PORT_DIAGNOSTIC 0x80u
#define PORT_RTC_DATA   0x71u
#define PORT_PCI        0xcf8u /* to 0xcff */
#define PORT_COM1       0x3f8u
#define PORT_BACKDOOR   0x5658u

static void change_bit(uint8_t *bitmap, uint32_t bit, bool on)
{
    uint8_t mask = (uint8_t)(1u << bit % 8);
    bitmap[bit / 8] = (uint8_t)(on ? bitmap[bit / 8] | mask : bitmap[bit / 8] & ~mask);
}

static void set_bit(uint8_t *bitmap, uint32_t bit)
{
    change_bit(bitmap, bit, true);
}

void exits_intercept_ports(bool diagnostic, bool rtc, bool com1)
{
    change_bit(io_bitmaps, PORT_DIAGNOSTIC, diagnostic);
    change_bit(io_bitmaps, PORT_RTC_DATA, rtc);
    change_bit(io_bitmaps, PORT_COM1, com1);
}

const uint8_t *exits_io_bitmaps(void)
{
    set_bit(io_bitmaps, PORT_BACKDOOR);
    for (uint32_t port = PORT_PCI; port < PORT_PCI + 8; port++)
        set_bit(io_bitmaps, port);
    return io_bitmaps;
}

/* SDM vol. 3, 24.6.9: reads of low MSRs at 0, writes of high MSRs at 3072. */
const uint8_t *exits_msr_bitmap(void)
{
    set_bit(msr_bitmap, MSR_APIC_BASE);
    set_bit(msr_bitmap + 3072, MSR_EFER - 0xc0000000u);
    return msr_bitmap;
}

static void put_pair(struct guest_registers *guest, uint64_t value)
{
    guest->r[0] = (uint32_t)value;
    guest->r[2] = value >> 32;
}

static uint64_t get_pair(const struct guest_registers *guest)
{
    return guest->r[2] << 32 | (uint32_t)guest->r[0];
}

/*
 * As the processor ends an instruction: no shadow goes on, RF is over, and under TF a #DB is
 * pending, which only the end of an instruction in the guest would make by itself (SDM vol.
 * 3, 25.2, 27.3.4).
 */
static void skip_instruction(void)
{
    const uint64_t rflags = vmread(GUEST_RFLAGS);
    vmwrite(GUEST_RIP, vmread(GUEST_RIP) + vmread(EXIT_INSTRUCTION_LENGTH));
    vmwrite(GUEST_INTERRUPTIBILITY, vmread(GUEST_INTERRUPTIBILITY) & ~(uint64_t)BLOCKED);
    vmwrite(GUEST_RFLAGS, rflags & ~(uint64_t)RFLAGS_RESUME);
    vmwrite(GUEST_PENDING_DEBUG, rflags & RFLAGS_TRAP ? PENDING_STEP : 0);
}

static void inject(uint32_t vector, uint32_t type)
{
    vmwrite(ENTRY_INTERRUPTION, INTERRUPTION_VALID | type << 8 | vector);
}

#define VECTOR_INVALID_OPCODE   6u
#define VECTOR_PROTECTION       13u
#define TYPE_EXTERNAL           0u
#define TYPE_HARDWARE_EXCEPTION 3u

/*
 * Each handler returns how its exit came about. It advances RIP itself where the instruction is
 * done.
 */
typedef enum exit_cause handler(struct host_cpu *cpu, struct guest_registers *guest);

static void inject_protection_fault(void)
{
    inject(VECTOR_PROTECTION, TYPE_HARDWARE_EXCEPTION);
    vmwrite(ENTRY_INTERRUPTION, vmread(ENTRY_INTERRUPTION) | INTERRUPTION_ERROR_CODE);
    vmwrite(ENTRY_ERROR_CODE, 0);
}

/* What the host that the guest was migrated to has not. */
static uint32_t missing_in_xcr0(void)
{
    return plan.migrate_xcr0 && atomic_load(&plan.migrated) ? ~plan.migrate_xcr0 : 0;
}

/* The vCPU gets no time; after hang_ms it does again. */
static void hang(void)
{
    uint64_t start = rdtsc();
    while (!plan.hang_ms || rdtsc() - start < plan.hang_ms * plan.tsc_khz)
        cpu_pause();
}

/*
 * What a guest meets once in a while, and not through its registers: a migration to another host,
 * a TSC that is set back, a vCPU that gets no time.
 */
static void disturb(struct host_cpu *cpu)
{
    uint64_t number = cpu->seen[EXIT_KIND_CPUID] + 1;
    if (number == plan.migrate && !atomic_exchange(&plan.migrated, true))
        atomic_fetch_add(&plan.tsc_offset, plan.migrate_ms * plan.tsc_khz);
    if (missing_in_xcr0())
        xsetbv0(xgetbv0() & plan.migrate_xcr0);
    if (number == plan.tsc_back && cpu->number == plan.tsc_back_cpu)
        cpu->tsc_offset -= plan.tsc_back_ms * plan.tsc_khz;
    else if (number == plan.tsc_back && plan.tsc_back_cpu == TSC_OF_ALL &&
             !atomic_exchange(&plan.went_back, true))
        atomic_fetch_sub(&plan.tsc_offset, plan.tsc_back_ms * plan.tsc_khz);
    uint64_t hangs = plan.hang_cpu == HANG_LAST ? cpu_count - 1 : plan.hang_cpu;
    if (number == plan.hang && cpu->number == hangs)
        hang();
}

static bool is_in_zmmtest(uint64_t rip)
{
    return rip >= plan.image_start && rip < plan.image_end;
}

/* To zmmtest alone: a firmware that believes it, of TDX for one, would go astray. */
static void lie(uint32_t leaf, uint32_t subleaf, struct cpuid *answer)
{
    uint32_t *const registers[] = {&answer->eax, &answer->ebx, &answer->ecx, &answer->edx};
    for (uint32_t n = 0; n < plan.lies && is_in_zmmtest(vmread(GUEST_RIP)); n++)
        if (plan.lie[n].leaf == leaf && plan.lie[n].subleaf == subleaf)
            *registers[plan.lie[n].reg] = plan.lie[n].value;
}

/* CPUID: the processor's, without VMX, with the guest's OSXSAVE, and a hypervisor's signature. */
static enum exit_cause handle_cpuid(struct host_cpu *cpu, struct guest_registers *guest)
{
    uint32_t leaf = (uint32_t)guest->r[0];
    struct cpuid answer = cpuid(leaf, (uint32_t)guest->r[1]);
    if (leaf == 1) {
        bool osxsave = vmread(GUEST_CR4) & CR4_OSXSAVE;
        answer.ecx = (answer.ecx & ~(1u << 5 | 1u << 27)) | (uint32_t)osxsave << 27 | 1u << 31;
    } else if (leaf == 0x40000000 && plan.pose_vmware) {
        answer = (struct cpuid){0x40000010, 0x61774d56, 0x4d566572, 0x65726177}; /* VMwareVMware */
    } else if (leaf == 0x40000000) {
        answer = (struct cpuid){0x40000000, 0x6c756166, 0x73697674, 0x0000726f}; /* faultvisor */
    } else if (leaf == 0x40000010 && plan.pose_vmware) {
        answer = (struct cpuid){(uint32_t)plan.tsc_khz, 0, 2, 0}; /* VMCALL is accepted */
    }
    if (leaf == 0xd && (uint32_t)guest->r[1] == 0)
        answer.eax &= ~missing_in_xcr0();
    lie(leaf, (uint32_t)guest->r[1], &answer);
    guest->r[0] = answer.eax;
    guest->r[3] = answer.ebx;
    guest->r[1] = answer.ecx;
    guest->r[2] = answer.edx;
    skip_instruction();
    if (cpu->kind == EXIT_KIND_CPUID)
        disturb(cpu);
    return CAUSE_INSTRUCTION;
}

/* VMware's call form of the backdoor; unknown calls do not exist, as on a processor without VMX. */
static enum exit_cause handle_vmcall(struct host_cpu *cpu, struct guest_registers *guest)
{
    (void)cpu;
    if (!plan.pose_vmware || !vmware_backdoor(guest)) {
        inject(VECTOR_INVALID_OPCODE, TYPE_HARDWARE_EXCEPTION);
        return CAUSE_OTHER;
    }
    skip_instruction();
    return CAUSE_INSTRUCTION;
}

static enum exit_cause handle_xsetbv(struct host_cpu *cpu, struct guest_registers *guest)
{
    (void)cpu;
    if (get_pair(guest) & missing_in_xcr0()) {
        inject_protection_fault();
        return CAUSE_OTHER;
    }
    xsetbv0(get_pair(guest));
    skip_instruction();
    return CAUSE_INSTRUCTION;
}

static uint32_t port_in(uint16_t port, unsigned int bytes)
{
    uint32_t value = 0;
    if (bytes == 1)
        __asm__ volatile("inb %w1, %b0" : "+a"(value) : "Nd"(port));
    else if (bytes == 2)
        __asm__ volatile("inw %w1, %w0" : "+a"(value) : "Nd"(port));
    else
        __asm__ volatile("inl %w1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static void port_out(uint16_t port, unsigned int bytes, uint32_t value)
{
    if (bytes == 1)
        __asm__ volatile("outb %b0, %w1" ::"a"(value), "Nd"(port));
    else if (bytes == 2)
        __asm__ volatile("outw %w0, %w1" ::"a"(value), "Nd"(port));
    else
        __asm__ volatile("outl %0, %w1" ::"a"(value), "Nd"(port));
}

/* One byte of INSB or OUTSB, with or without REP; what is left exits again. */
static void string_step(struct guest_registers *guest, uint16_t port, bool is_in, bool is_rep)
{
    if (is_rep && (uint32_t)guest->r[1] == 0) {
        skip_instruction();
        return;
    }
    uint64_t *pointer = is_in ? &guest->r[7] : &guest->r[6];
    uint8_t *memory = (uint8_t *)*pointer; // NOLINT(performance-no-int-to-ptr)
    if (is_in)
        *memory = (uint8_t)port_in(port, 1);
    else
        port_out(port, 1, *memory);
    (*pointer)++;
    if (!is_rep || --guest->r[1] == 0)
        skip_instruction();
}

/* Qualification (27.2.1): bits 2:0 bytes less one, 3 IN, 4 string, 5 REP, 31:16 port. */
static enum exit_cause handle_io(struct host_cpu *cpu, struct guest_registers *guest)
{
    (void)cpu;
    uint64_t how = vmread(EXIT_QUALIFICATION);
    unsigned int bytes = (how & 7) + 1;
    uint16_t port = (uint16_t)(how >> 16);
    bool is_in = how >> 3 & 1;
    if (how >> 4 & 1) {
        if (bytes != 1)
            give_up("string I/O of %u bytes on port 0x%x", bytes, port);
        string_step(guest, port, is_in, how >> 5 & 1);
        return CAUSE_INSTRUCTION;
    }
    if (port == PORT_BACKDOOR && plan.pose_vmware && is_in && vmware_backdoor(guest)) {
        skip_instruction();
        return CAUSE_INSTRUCTION;
    }
    if (is_in) {
        uint64_t mask = bytes == 1 ? 0xff : bytes == 2 ? 0xffff : UINT64_MAX;
        guest->r[0] = (guest->r[0] & ~mask) | (port_in(port, bytes) & mask);
    } else if (port != PORT_COM1 || !is_in_zmmtest(vmread(GUEST_RIP)) ||
               !moments_hear((char)guest->r[0])) {
        port_out(port, bytes, (uint32_t)guest->r[0]);
    }
    skip_instruction();
    return CAUSE_INSTRUCTION;
}

static enum exit_cause handle_rdmsr(struct host_cpu *cpu, struct guest_registers *guest)
{
    (void)cpu;
    put_pair(guest, rdmsr((uint32_t)guest->r[1]));
    skip_instruction();
    return CAUSE_INSTRUCTION;
}

static enum exit_cause handle_wrmsr(struct host_cpu *cpu, struct guest_registers *guest)
{
    (void)cpu;
    wrmsr((uint32_t)guest->r[1], get_pair(guest));
    skip_instruction();
    return CAUSE_INSTRUCTION;
}

static enum exit_cause handle_wbinvd(struct host_cpu *cpu, struct guest_registers *guest)
{
    (void)cpu;
    (void)guest;
    __asm__ volatile("wbinvd" ::: "memory");
    skip_instruction();
    return CAUSE_INSTRUCTION;
}

static enum exit_cause handle_invlpg(struct host_cpu *cpu, struct guest_registers *guest)
{
    (void)cpu;
    (void)guest;
    const void *address = (const void *)vmread(EXIT_QUALIFICATION); // NOLINT
    __asm__ volatile("invlpg (%0)" ::"r"(address) : "memory");
    skip_instruction();
    return CAUSE_INSTRUCTION;
}

static uint64_t *guest_register(struct guest_registers *guest, uint64_t number)
{
    if (number == 4)
        give_up("RSP as the operand of a MOV to or from a control or debug register");
    return &guest->r[number];
}

/* DR7, which is DR5 too: the guest's own. The others are the processor's, and the host uses none.
 */
static bool is_dr7(unsigned int number)
{
    return (number | 2) == 7;
}

/* A handler of an exception in a window runs on the stack of its round. */
static bool in_struck_round(const struct host_cpu *cpu)
{
    return cpu->struck_rsp - vmread(GUEST_RSP) < ROUND_STACK_SIZE;
}

static void write_debug_register(const struct host_cpu *cpu, unsigned int number, uint64_t value)
{
    if (cpu->loses_dr && in_struck_round(cpu))
        return;
    if (is_dr7(number))
        vmwrite(GUEST_DR7, value);
    else
        write_dr(number, value);
}

static void unmap_apic(struct host_cpu *cpu)
{
    ept_unmap(cpu, rdmsr(MSR_APIC_BASE) & APIC_BASE_ADDRESS);
    invept(ept_pointer(cpu));
}

/* Qualification (27.2.1): bits 2:0 debug register, 4 read, 11:8 general register. */
static enum exit_cause handle_debug_register(struct host_cpu *cpu, struct guest_registers *guest)
{
    uint64_t how = vmread(EXIT_QUALIFICATION);
    uint64_t *value = guest_register(guest, how >> 8 & 15);
    const unsigned int number = how & 7;
    const bool reads = how >> 4 & 1;
    if (reads)
        *value = is_dr7(number) ? vmread(GUEST_DR7) : read_dr(number);
    else
        write_debug_register(cpu, number, *value);
    if (!reads && number == 6) /* zmmtest is about to step: its next access to the APIC exits */
        unmap_apic(cpu);
    skip_instruction();
    return CAUSE_INSTRUCTION;
}

/* Qualification: bits 3:0 control register, 5:4 0 write 1 read, 11:8 general register. */
static enum exit_cause handle_control_register(struct host_cpu *cpu, struct guest_registers *guest)
{
    (void)cpu;
    uint64_t how = vmread(EXIT_QUALIFICATION);
    uint64_t *value = guest_register(guest, how >> 8 & 15);
    if ((how & 15) != 3 || (how >> 4 & 3) > 1)
        give_up("access to CR%lu, qualification 0x%lx", how & 15, how);
    if (how >> 4 & 1)
        *value = vmread(GUEST_CR3);
    else
        vmwrite(GUEST_CR3, *value & ~(UINT64_C(1) << 63));
    skip_instruction();
    return CAUSE_INSTRUCTION;
}

static enum exit_cause handle_rdtsc(struct host_cpu *cpu, struct guest_registers *guest)
{
    put_pair(guest, rdtsc() + atomic_load(&plan.tsc_offset) + cpu->tsc_offset);
    skip_instruction();
    return CAUSE_INSTRUCTION;
}

static enum exit_cause handle_mwait(struct host_cpu *cpu, struct guest_registers *guest)
{
    (void)cpu;
    (void)guest;
    skip_instruction();
    return CAUSE_INSTRUCTION;
}

/* The vCPU halts for good, and the next interrupt exits and wakes it. */
static enum exit_cause handle_hlt(struct host_cpu *cpu, struct guest_registers *guest)
{
    (void)cpu;
    (void)guest;
    skip_instruction();
    vmwrite(GUEST_ACTIVITY, 1);
    return CAUSE_INSTRUCTION;
}

static void deliver_pending(struct host_cpu *cpu)
{
    bool open = vmread(GUEST_RFLAGS) & RFLAGS_INTERRUPTS_ON &&
                !(vmread(GUEST_INTERRUPTIBILITY) & 3) &&
                !(vmread(ENTRY_INTERRUPTION) & INTERRUPTION_VALID);
    if (cpu->pending_count && open) {
        inject(cpu->pending[0], TYPE_EXTERNAL);
        vmwrite(GUEST_ACTIVITY, 0);
        cpu->pending_count--;
        memmove(cpu->pending, cpu->pending + 1, cpu->pending_count);
    }
    uint64_t controls = vmread(PRIMARY_CONTROLS) & ~(uint64_t)PRIMARY_INTERRUPT_WINDOW;
    vmwrite(PRIMARY_CONTROLS, cpu->pending_count ? controls | PRIMARY_INTERRUPT_WINDOW : controls);
}

/*
 * What the local APIC answers where the guest's task priority (a pattern in CR8, with interrupts
 * off) masks the interrupt that the exit acknowledges. It stays pending there (SDM vol. 3, 10.9); a
 * host that gives each guest a task priority of its own never meets it.
 */
static bool is_spurious(uint8_t vector)
{
    const uint64_t base = rdmsr(MSR_APIC_BASE);
    const struct apic apic = {base & APIC_BASE_X2APIC ? APIC_X2APIC : APIC_XAPIC,
                              base & APIC_BASE_ADDRESS};
    return vector == (uint8_t)apic_read(&apic, APIC_SPURIOUS);
}

/* Acknowledged by the exit itself; delivered as soon as the guest lets it in. */
static enum exit_cause handle_external_interrupt(struct host_cpu *cpu,
                                                 struct guest_registers *guest)
{
    (void)guest;
    const uint8_t vector = (uint8_t)vmread(EXIT_INTERRUPTION);
    vmwrite(GUEST_ACTIVITY, 0);
    if (is_spurious(vector))
        return CAUSE_ASYNCHRONOUS;
    if (cpu->pending_count == PENDING_INTERRUPT)
        give_up("more than %u interrupts pending", PENDING_INTERRUPT);
    cpu->pending[cpu->pending_count++] = vector;
    return CAUSE_ASYNCHRONOUS;
}

static enum exit_cause handle_interrupt_window(struct host_cpu *cpu, struct guest_registers *guest)
{
    (void)cpu;
    (void)guest;
    return CAUSE_OTHER;
}

/* No register is under test while the firmware runs: there the timer may come less often. */
#define FIRMWARE_CALM 32

static void arm_preemption_timer(struct host_cpu *cpu, bool calm)
{
    cpu->random = cpu->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    uint64_t ticks = 100 + (cpu->random >> 33) % 1000;
    vmwrite(PREEMPTION_TIMER, calm ? ticks * FIRMWARE_CALM : ticks);
    cpu->calm = calm;
}

/*
 * At a random instruction, as far as the processor allows (Bochs looks at the timer between basic
 * blocks only). The local APIC's page goes back to "never touched", so that the next access to it
 * exits again, as it does on hypervisors that emulate the APIC; and a copy's next store will exit,
 * with zmm0 live, as it does where the hypervisor shares or swaps the guest's memory.
 */
static enum exit_cause handle_preemption_timer(struct host_cpu *cpu, struct guest_registers *guest)
{
    arm_preemption_timer(cpu, !is_in_zmmtest(vmread(GUEST_RIP)));
    if (cpu->next_moment) /* it is for these alone */
        return CAUSE_ASYNCHRONOUS;
    if (cpu->kind == EXIT_KIND_COPY)
        ept_protect(cpu, guest->r[7]);
    unmap_apic(cpu);
    trigger_time(cpu, vmread(GUEST_RIP));
    return CAUSE_ASYNCHRONOUS;
}

/*
 * First touch of a page: map it, and let the guest try again. Qualification (27.2.1, table 27-7):
 * bit 0 read, 1 write, both where an instruction does both.
 */
static enum exit_cause handle_ept_violation(struct host_cpu *cpu, struct guest_registers *guest)
{
    (void)guest;
    uint64_t address = vmread(GUEST_PHYSICAL_ADDRESS), how = vmread(EXIT_QUALIFICATION);
    /*
     * The instruction will run again: no step of it is pending, and its own breakpoint stays passed
     * over (SDM vol. 3, 27.3.3). Bochs 2.7 says otherwise (its issues 132 and 215).
     */
    if (!(vmread(GUEST_INTERRUPTIBILITY) & BLOCKED))
        vmwrite(GUEST_PENDING_DEBUG, 0);
    if (!(vmread(IDT_VECTORING) & INTERRUPTION_VALID))
        vmwrite(GUEST_RFLAGS, vmread(GUEST_RFLAGS) | RFLAGS_RESUME);
    if (!ept_map(cpu, address))
        give_up("guest-physical address 0x%lx is beyond %u GiB", address, EPT_GIBIBYTES);
    if (how >> 1 & 1)
        return CAUSE_WRITE;
    return how & 1 ? CAUSE_READ : CAUSE_OTHER;
}

static handler *const handlers[EXIT_REASONS] = {
    [EXIT_EXTERNAL_INTERRUPT] = handle_external_interrupt,
    [EXIT_INTERRUPT_WINDOW] = handle_interrupt_window,
    [EXIT_CPUID] = handle_cpuid,
    [EXIT_HLT] = handle_hlt,
    [EXIT_INVLPG] = handle_invlpg,
    [EXIT_RDTSC] = handle_rdtsc,
    [EXIT_VMCALL] = handle_vmcall,
    [EXIT_CONTROL_REGISTER] = handle_control_register,
    [EXIT_DEBUG_REGISTER] = handle_debug_register,
    [EXIT_IO] = handle_io,
    [EXIT_RDMSR] = handle_rdmsr,
    [EXIT_WRMSR] = handle_wrmsr,
    [EXIT_MWAIT] = handle_mwait,
    [EXIT_EPT_VIOLATION] = handle_ept_violation,
    [EXIT_PREEMPTION_TIMER] = handle_preemption_timer,
    [EXIT_WBINVD] = handle_wbinvd,
    [EXIT_XSETBV] = handle_xsetbv,
};

/* An exit may come while an event was being delivered: deliver it again (27.2.4). */
static void deliver_again(void)
{
    uint64_t vectoring = vmread(IDT_VECTORING);
    if (!(vectoring & INTERRUPTION_VALID) || vmread(ENTRY_INTERRUPTION) & INTERRUPTION_VALID)
        return;
    vmwrite(ENTRY_INTERRUPTION, vectoring & ~UINT64_C(0x1000));
    vmwrite(ENTRY_INSTRUCTION_LENGTH, vmread(EXIT_INSTRUCTION_LENGTH));
    if (vectoring & INTERRUPTION_ERROR_CODE)
        vmwrite(ENTRY_ERROR_CODE, vmread(IDT_VECTORING_ERROR));
}

/*
 * VMXOFF, and the vCPU goes on natively behind the call that asked for it: launch.S takes RSP from
 * its place among the registers, and RFLAGS and RIP from that stack.
 */
static void leave(struct guest_registers *guest)
{
    uint64_t rip = vmread(GUEST_RIP) + vmread(EXIT_INSTRUCTION_LENGTH);
    uint64_t *stack = (uint64_t *)vmread(GUEST_RSP); // NOLINT(performance-no-int-to-ptr)
    uint64_t rflags = vmread(GUEST_RFLAGS), cr4 = vmread(GUEST_CR4) & ~CR4_VMXE;
    struct table_register gdtr = {(uint16_t)vmread(GUEST_GDTR_LIMIT), vmread(GUEST_GDTR_BASE)};
    struct table_register idtr = {(uint16_t)vmread(GUEST_IDTR_LIMIT), vmread(GUEST_IDTR_BASE)};
    *--stack = rip;
    *--stack = rflags;
    guest->r[4] = (uint64_t)stack;
    vmxoff();
    write_cr4(cr4);
    __asm__ volatile("lgdt %0" ::"m"(gdtr));
    __asm__ volatile("lidt %0" ::"m"(idtr));
}

/* Of the four that share a window, by what the guest's flags say. */
static enum exit_kind kind_at(uint64_t rip)
{
    enum exit_kind kind = windows_kind_at(rip);
    if (kind != EXIT_KIND_CPUID_TF && kind != EXIT_KIND_OUT80_TF && kind != EXIT_KIND_APIC_TF)
        return kind;
    const uint64_t rflags = vmread(GUEST_RFLAGS);
    if (rflags & RFLAGS_TRAP)
        return vmread(GUEST_INTERRUPTIBILITY) & BLOCKED_BY_MOV_SS ? kind + 2 : kind;
    return rflags & RFLAGS_INTERRUPTS_ON ? kind + 3 : kind + 1;
}

bool exits_handle(struct guest_registers *guest, struct host_cpu *cpu)
{
    uint64_t reason = vmread(EXIT_REASON);
    cpu->guest = guest;
    if (reason == EXIT_VMCALL && guest->r[0] == LEAVE_CALL) {
        leave(guest);
        return true;
    }
    handler *handle = reason < EXIT_REASONS ? handlers[reason] : NULL;
    if (!handle)
        give_up("exit reason 0x%lx is not handled: qualification 0x%lx, RIP 0x%lx", reason,
                vmread(EXIT_QUALIFICATION), vmread(GUEST_RIP));
    if (atomic_exchange(&cpu->forget, false)) {
        ept_prepare(cpu);
        invept(ept_pointer(cpu));
    }
    uint64_t rip = vmread(GUEST_RIP);
    cpu->kind = kind_at(rip);
    cpu->by_xsave = windows_by_xsave_at(rip);
    if (cpu->calm && is_in_zmmtest(rip))
        arm_preemption_timer(cpu, false);
    enum exit_cause cause = handle(cpu, guest);
    trigger_exit(cpu, cause);
    moments_look(cpu, rip);
    deliver_again();
    deliver_pending(cpu);
    return false;
}
