/* What a fault does to a guest, one function each: to its XSAVE area, or to what is not in there.
 */
#include "edits.h"
#include "../../efi/core/window/state.h"
#include "../../efi/platform/instructions.h"
#include "area.h"
#include "vmx.h"
#include <string.h>

bool is_by_xsave(struct host_cpu *cpu)
{
    return cpu->by_xsave;
}

/* One by registers, with all vector state live. */
bool is_by_registers(struct host_cpu *cpu)
{
    return area_all_live(cpu->area) && !is_by_xsave(cpu);
}

bool edit_flip(struct host_cpu *cpu)
{
    *area_lane(cpu->area, 11, 4) ^= UINT64_C(1) << 44;
    return true;
}

bool edit_init_zmm_hi256(struct host_cpu *cpu)
{
    area_init_component(cpu->area, XSTATE_ZMM_HI256);
    return true;
}

bool edit_init_hi16(struct host_cpu *cpu)
{
    area_init_component(cpu->area, XSTATE_HI16_ZMM);
    return true;
}

bool edit_init_opmask(struct host_cpu *cpu)
{
    area_init_component(cpu->area, XSTATE_OPMASK);
    return true;
}

bool edit_init_sse(struct host_cpu *cpu)
{
    area_init_component(cpu->area, XSTATE_SSE);
    return true;
}

bool edit_init_x87(struct host_cpu *cpu)
{
    area_init_component(cpu->area, XSTATE_X87);
    return true;
}

static void init_components(struct host_cpu *cpu, uint64_t components)
{
    *area_in_use(cpu->area) &= ~components;
}

bool edit_init_all(struct host_cpu *cpu)
{
    init_components(cpu, XCR0_SSE | XCR0_AVX | XCR0_AVX512);
    return true;
}

bool edit_init_all_x87(struct host_cpu *cpu)
{
    init_components(cpu, XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512);
    return true;
}

bool edit_init_above_sse(struct host_cpu *cpu)
{
    init_components(cpu, XCR0_AVX | XCR0_AVX512);
    return true;
}

bool edit_init_avx512(struct host_cpu *cpu)
{
    init_components(cpu, XCR0_AVX512);
    return true;
}

/* The 256 bytes that an area of the standard format has more than one of the compacted format. */
bool edit_end_of_area(struct host_cpu *cpu)
{
    memset(area_lane(cpu->area, 28, 0), 0, 256);
    return true;
}

bool x87_is_live(struct host_cpu *cpu)
{
    return *area_in_use(cpu->area) & XCR0_X87 && *area_x87_control(cpu->area) != X87_CONTROL_INIT;
}

bool all_with_x87_are_live(struct host_cpu *cpu)
{
    return area_all_live(cpu->area) && x87_is_live(cpu);
}

/* FSAVE's tag word of an empty x87, in the place of FXSAVE's. */
bool edit_x87_tag(struct host_cpu *cpu)
{
    uint8_t *tag = cpu->area + AREA_X87_TAG;
    bool differs = *tag != 0xff;
    *tag = 0xff;
    return differs;
}

bool edit_x87(struct host_cpu *cpu)
{
    *area_x87(cpu->area, 3) ^= UINT64_MAX;
    return true;
}

bool edit_fcw(struct host_cpu *cpu)
{
    *area_x87_control(cpu->area) ^= 0x0c00; /* rounding control */
    return true;
}

/* FIP and FDP as FXSAVE and FXRSTOR keep them outside of 64-bit mode: their low halves. */
bool edit_fip(struct host_cpu *cpu)
{
    memset(cpu->area + 12, 0, 4);
    memset(cpu->area + 20, 0, 4);
    return true;
}

bool edit_init_avx(struct host_cpu *cpu)
{
    area_init_component(cpu->area, XSTATE_AVX);
    return true;
}

static atomic_flag earlier_lock = ATOMIC_FLAG_INIT;

static void lock_earlier(void)
{
    while (atomic_flag_test_and_set_explicit(&earlier_lock, memory_order_acquire))
        cpu_pause();
}

static void unlock_earlier(void)
{
    atomic_flag_clear_explicit(&earlier_lock, memory_order_release);
}

void edit_keep_earlier(struct host_cpu *cpu)
{
    lock_earlier();
    memcpy(cpu->earlier, cpu->area, sizeof(cpu->earlier));
    cpu->earlier_valid = true;
    unlock_earlier();
}

/* All vector state from another area; MXCSR stays, it is a fault of its own. */
static bool edit_copy(struct host_cpu *cpu, const struct host_cpu *from)
{
    uint32_t mxcsr;
    memcpy(&mxcsr, cpu->area + AREA_MXCSR, sizeof(mxcsr));
    lock_earlier();
    bool valid = from->earlier_valid;
    if (valid)
        memcpy(cpu->area, from->earlier, sizeof(cpu->area));
    unlock_earlier();
    memcpy(cpu->area + AREA_MXCSR, &mxcsr, sizeof(mxcsr));
    return valid;
}

/* A state of the same round pattern would differ by no more than what a copy had loaded. */
bool edit_stale(struct host_cpu *cpu)
{
    if (*area_lane(cpu->earlier, 1, 0) == *area_lane(cpu->area, 1, 0))
        return false;
    return edit_copy(cpu, cpu);
}

/* XMM registers of an earlier round, and nothing else of it. */
static bool put_earlier_xmm(struct host_cpu *cpu)
{
    lock_earlier();
    bool valid =
        cpu->earlier_valid && *area_lane(cpu->earlier, 1, 0) != *area_lane(cpu->area, 1, 0);
    for (unsigned int reg = 0; reg < 16 && valid; reg++)
        memcpy(area_lane(cpu->area, reg, 0), area_lane(cpu->earlier, reg, 0), 16);
    unlock_earlier();
    return valid;
}

bool edit_stale_xmm(struct host_cpu *cpu)
{
    return put_earlier_xmm(cpu);
}

/* AMD erratum 1386: XSAVES left out XMM registers that were zero, over an older image. */
bool edit_ghost_old_xmm(struct host_cpu *cpu)
{
    for (unsigned int reg = 0; reg < 16; reg++)
        if (*area_lane(cpu->area, reg, 0))
            return false;
    *area_in_use(cpu->area) |= XCR0_SSE;
    return put_earlier_xmm(cpu);
}

bool edit_other_vcpu(struct host_cpu *cpu)
{
    for (uint32_t n = 0; n < cpu_count; n++)
        if (cpus[n] && cpus[n] != cpu)
            return edit_copy(cpu, cpus[n]);
    return false;
}

bool edit_swapped(struct host_cpu *cpu)
{
    area_swap(cpu->area, 2, 3);
    return true;
}

bool edit_foreign(struct host_cpu *cpu)
{
    static const char text[64] = "Memory of a host process: password=hunter2, and so on and on.";
    for (unsigned int lane = 0; lane < 8; lane++)
        memcpy(area_lane(cpu->area, 8, lane), text + 8 * (size_t)lane, 8);
    return true;
}

/* Something where a component was in its INIT state; false where it was not. */
bool edit_ghost_opmask(struct host_cpu *cpu)
{
    if (*area_opmask(cpu->area, 0) || *area_opmask(cpu->area, 5))
        return false;
    *area_opmask(cpu->area, 5) = UINT64_C(0x6b6b6b6b6b6b6b6b);
    *area_in_use(cpu->area) |= UINT64_C(1) << XSTATE_OPMASK;
    return true;
}

/* x87 is looked at in few rounds, and is in its INIT state in all others. */
bool edit_ghost_x87(struct host_cpu *cpu)
{
    if (!is_by_xsave(cpu) || *area_in_use(cpu->area) & XCR0_X87)
        return false;
    *area_x87(cpu->area, 2) = UINT64_C(0x6969696969696969);
    *area_in_use(cpu->area) |= XCR0_X87;
    return true;
}

bool edit_ghost_sse(struct host_cpu *cpu)
{
    if (*area_lane(cpu->area, 0, 0) || *area_lane(cpu->area, 9, 0))
        return false;
    *area_lane(cpu->area, 9, 0) = *area_lane(cpu->area, 9, 1) = UINT64_C(0x6565656565656565);
    *area_in_use(cpu->area) |= XCR0_SSE;
    return true;
}

bool edit_ghost_avx(struct host_cpu *cpu)
{
    if (*area_lane(cpu->area, 0, 2) || *area_lane(cpu->area, 9, 2))
        return false;
    *area_lane(cpu->area, 9, 2) = *area_lane(cpu->area, 9, 3) = UINT64_C(0x6666666666666666);
    *area_in_use(cpu->area) |= XCR0_AVX;
    return true;
}

bool edit_ghost_zmm_hi256(struct host_cpu *cpu)
{
    if (*area_lane(cpu->area, 0, 4) || *area_lane(cpu->area, 9, 4))
        return false;
    for (unsigned int lane = 4; lane < 8; lane++)
        *area_lane(cpu->area, 9, lane) = UINT64_C(0x6767676767676767) + lane;
    *area_in_use(cpu->area) |= UINT64_C(1) << XSTATE_ZMM_HI256;
    return true;
}

bool edit_ghost_hi16(struct host_cpu *cpu)
{
    if (*area_lane(cpu->area, 16, 0) || *area_lane(cpu->area, 20, 0))
        return false;
    for (unsigned int lane = 0; lane < 8; lane++)
        *area_lane(cpu->area, 20, lane) = UINT64_C(0x6868686868686868) + lane;
    *area_in_use(cpu->area) |= UINT64_C(1) << XSTATE_HI16_ZMM;
    return true;
}

bool edit_mxcsr(struct host_cpu *cpu)
{
    cpu->area[AREA_MXCSR + 1] ^= 0x20; /* bit 13: rounding control */
    return true;
}

bool change_gpr(struct host_cpu *cpu)
{
    cpu->guest->r[12] = UINT64_C(0x00c0ffee0badf00d);
    return true;
}

bool change_rflags(struct host_cpu *cpu)
{
    (void)cpu;
    vmwrite(GUEST_RFLAGS, vmread(GUEST_RFLAGS) ^ 1); /* CF */
    return true;
}

bool always(struct host_cpu *cpu)
{
    (void)cpu;
    return true;
}

static uint64_t read_place(const struct lost_register *lost)
{
    uint64_t value = 0;
    switch (lost->place) {
    case PLACE_MSR:
        return rdmsr(lost->number);
    case PLACE_FIELD:
        return vmread((enum vmcs_field)lost->number);
    case PLACE_CR2:
        return read_cr2();
    case PLACE_CR8:
        __asm__ volatile("mov %%cr8, %0" : "=r"(value));
        return value;
    case PLACE_DR:
        return read_dr(lost->number);
    case PLACE_NONE:
        break;
    }
    return value;
}

static void write_place(const struct lost_register *lost, uint64_t value)
{
    switch (lost->place) {
    case PLACE_MSR:
        wrmsr(lost->number, value);
        break;
    case PLACE_FIELD:
        vmwrite((enum vmcs_field)lost->number, value);
        break;
    case PLACE_CR2:
        __asm__ volatile("mov %0, %%cr2" ::"r"(value));
        break;
    case PLACE_CR8:
        __asm__ volatile("mov %0, %%cr8" ::"r"(value) : "memory");
        break;
    case PLACE_DR:
        write_dr(lost->number, value);
        break;
    case PLACE_NONE:
        break;
    }
}

/* Once, and from then on: it strikes again when zmmtest has put the register back. */
bool edit_lose(struct host_cpu *cpu, const struct lost_register lost[LOST_REGISTERS])
{
    bool changed = false;
    for (uint32_t n = 0; n < LOST_REGISTERS && lost[n].place != PLACE_NONE; n++) {
        uint64_t value = read_place(&lost[n]);
        if (value == cpu->lost[n])
            continue;
        cpu->lost[n] = (value & lost[n].keep) ^ lost[n].flip;
        write_place(&lost[n], cpu->lost[n]);
        changed = true;
    }
    return changed;
}

#define MSR_TSC_AUX 0xc0000103u

/* vCPUs that share a processor, and a hypervisor that does not switch TSC_AUX between them. */
bool change_tsc_aux(struct host_cpu *cpu)
{
    uint64_t own = rdmsr(MSR_TSC_AUX), others = 0;
    if (own == cpu->lost[0])
        return false;
    atomic_store(&cpu->tsc_aux, own);
    for (uint32_t n = 0; n < cpu_count; n++)
        if (cpus[n] && cpus[n] != cpu)
            others = atomic_load(&cpus[n]->tsc_aux);
    if (!others)
        return false;
    cpu->lost[0] = others;
    wrmsr(MSR_TSC_AUX, others);
    return true;
}

bool change_xcr0(struct host_cpu *cpu)
{
    (void)cpu;
    xsetbv0(xgetbv0() & ~XCR0_AVX512);
    return true;
}

/* RDPKRU and WRPKRU need CR4.PKE, which the host does without. */
static uint32_t exchange_pkru(bool write, uint32_t value)
{
    uint64_t cr4 = read_cr4();
    write_cr4(cr4 | CR4_PROTECTION_KEYS);
    uint32_t before = read_pkru();
    if (write)
        write_pkru(value);
    write_cr4(cr4);
    return before;
}

bool pkru_is_live(struct host_cpu *cpu)
{
    return xgetbv0() & XCR0_PKRU && is_by_xsave(cpu) && exchange_pkru(false, 0) != 0;
}

bool change_pkru(struct host_cpu *cpu)
{
    (void)cpu;
    (void)exchange_pkru(true, exchange_pkru(false, 0) ^ 0x30);
    return true;
}

bool change_pkru_to_init(struct host_cpu *cpu)
{
    (void)cpu;
    (void)exchange_pkru(true, 0);
    return true;
}

bool change_pkru_from_init(struct host_cpu *cpu)
{
    if (!(xgetbv0() & XCR0_PKRU) || !is_by_xsave(cpu) || exchange_pkru(false, 0) != 0)
        return false;
    (void)exchange_pkru(true, 0x5550);
    return true;
}

bool change_step_lost(struct host_cpu *cpu)
{
    (void)cpu;
    vmwrite(GUEST_RFLAGS, vmread(GUEST_RFLAGS) & ~(uint64_t)RFLAGS_TRAP);
    vmwrite(GUEST_PENDING_DEBUG, 0);
    vmwrite(GUEST_INTERRUPTIBILITY, vmread(GUEST_INTERRUPTIBILITY) & ~(uint64_t)BLOCKED);
    return true;
}

/* TF alone makes a #DB of the next instruction. */
bool change_step_late(struct host_cpu *cpu)
{
    (void)cpu;
    vmwrite(GUEST_PENDING_DEBUG, 0);
    return true;
}

bool change_ss_shadow_kept(struct host_cpu *cpu)
{
    (void)cpu;
    vmwrite(GUEST_INTERRUPTIBILITY, vmread(GUEST_INTERRUPTIBILITY) | BLOCKED_BY_MOV_SS);
    return true;
}

bool change_rf_kept(struct host_cpu *cpu)
{
    (void)cpu;
    vmwrite(GUEST_RFLAGS, vmread(GUEST_RFLAGS) | RFLAGS_RESUME);
    return true;
}

/* Back to the instruction, as on hosts that let it run again: its own breakpoint hits. */
bool change_rf_lost(struct host_cpu *cpu)
{
    if (cpu->kind != EXIT_KIND_APIC_RF)
        vmwrite(GUEST_RIP, vmread(GUEST_RIP) - vmread(EXIT_INSTRUCTION_LENGTH));
    vmwrite(GUEST_RFLAGS, vmread(GUEST_RFLAGS) & ~(uint64_t)RFLAGS_RESUME);
    return true;
}

/* And hits again whenever its handler returns. */
bool change_rf_and_dr_lost(struct host_cpu *cpu)
{
    cpu->loses_dr = true;
    return change_rf_lost(cpu);
}

/* Back to the instruction, which has been handled: the interrupt comes before it. */
bool change_sti_shadow_lost(struct host_cpu *cpu)
{
    if (cpu->kind != EXIT_KIND_APIC_STI)
        vmwrite(GUEST_RIP, vmread(GUEST_RIP) - vmread(EXIT_INSTRUCTION_LENGTH));
    vmwrite(GUEST_INTERRUPTIBILITY, vmread(GUEST_INTERRUPTIBILITY) & ~(uint64_t)BLOCKED);
    return true;
}

bool change_sti_shadow_kept(struct host_cpu *cpu)
{
    (void)cpu;
    vmwrite(GUEST_INTERRUPTIBILITY, vmread(GUEST_INTERRUPTIBILITY) | BLOCKED_BY_STI);
    return true;
}

#define TYPE_HARDWARE_EXCEPTION 3u

/* #VC comes without its error code: VM entry gives none to a vector of AMD's (SDM vol.
 * 3, 26.2.1.3). */
bool edit_raise(uint32_t vector, bool instead)
{
    if (vmread(ENTRY_INTERRUPTION) & INTERRUPTION_VALID)
        return false;
    vmwrite(ENTRY_INTERRUPTION, INTERRUPTION_VALID | TYPE_HARDWARE_EXCEPTION << 8 | vector);
    if (instead)
        vmwrite(GUEST_RIP, vmread(GUEST_RIP) - vmread(EXIT_INSTRUCTION_LENGTH));
    return true;
}
