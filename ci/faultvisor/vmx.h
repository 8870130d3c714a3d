/* VMX as the manual numbers it (SDM vol. 3, chapters 24 to 28, appendices B and C), and its
 * instructions. */
#ifndef ZMMTEST_FAULTVISOR_VMX_H
#define ZMMTEST_FAULTVISOR_VMX_H

#include <stdbool.h>
#include <stdint.h>

/* VMCS fields (appendix B). */
enum vmcs_field {
    GUEST_ES_SELECTOR = 0x0800, /* CS, SS, DS, FS, GS, LDTR, TR follow in steps of 2 */
    GUEST_TR_SELECTOR = 0x080e,
    HOST_ES_SELECTOR = 0x0c00, /* CS, SS, DS, FS, GS follow */
    HOST_TR_SELECTOR = 0x0c0c,
    IO_BITMAP_A = 0x2000,
    IO_BITMAP_B = 0x2002,
    MSR_BITMAP = 0x2004,
    EPT_POINTER = 0x201a,
    GUEST_PHYSICAL_ADDRESS = 0x2400,
    VMCS_LINK_POINTER = 0x2800,
    GUEST_DEBUGCTL = 0x2802,
    PIN_CONTROLS = 0x4000,
    PRIMARY_CONTROLS = 0x4002,
    EXCEPTION_BITMAP = 0x4004,
    CR3_TARGET_COUNT = 0x400a,
    EXIT_CONTROLS = 0x400c,
    EXIT_MSR_STORE_COUNT = 0x400e,
    EXIT_MSR_LOAD_COUNT = 0x4010,
    ENTRY_CONTROLS = 0x4012,
    ENTRY_MSR_LOAD_COUNT = 0x4014,
    ENTRY_INTERRUPTION = 0x4016,
    ENTRY_ERROR_CODE = 0x4018,
    ENTRY_INSTRUCTION_LENGTH = 0x401a,
    SECONDARY_CONTROLS = 0x401e,
    INSTRUCTION_ERROR = 0x4400,
    EXIT_REASON = 0x4402,
    EXIT_INTERRUPTION = 0x4404,
    IDT_VECTORING = 0x4408,
    IDT_VECTORING_ERROR = 0x440a,
    EXIT_INSTRUCTION_LENGTH = 0x440c,
    GUEST_ES_LIMIT = 0x4800, /* CS, SS, DS, FS, GS, LDTR, TR follow */
    GUEST_GDTR_LIMIT = 0x4810,
    GUEST_IDTR_LIMIT = 0x4812,
    GUEST_ES_ACCESS = 0x4814, /* CS, SS, DS, FS, GS, LDTR, TR follow */
    GUEST_INTERRUPTIBILITY = 0x4824,
    GUEST_ACTIVITY = 0x4826,
    GUEST_SYSENTER_CS = 0x482a,
    PREEMPTION_TIMER = 0x482e,
    HOST_SYSENTER_CS = 0x4c00,
    CR0_MASK = 0x6000,
    CR4_MASK = 0x6002,
    CR0_SHADOW = 0x6004,
    CR4_SHADOW = 0x6006,
    EXIT_QUALIFICATION = 0x6400,
    GUEST_CR0 = 0x6800,
    GUEST_CR3 = 0x6802,
    GUEST_CR4 = 0x6804,
    GUEST_ES_BASE = 0x6806, /* CS, SS, DS, FS, GS, LDTR, TR follow */
    GUEST_GDTR_BASE = 0x6816,
    GUEST_IDTR_BASE = 0x6818,
    GUEST_DR7 = 0x681a,
    GUEST_RSP = 0x681c,
    GUEST_RIP = 0x681e,
    GUEST_RFLAGS = 0x6820,
    GUEST_PENDING_DEBUG = 0x6822,
    GUEST_SYSENTER_ESP = 0x6824,
    GUEST_SYSENTER_EIP = 0x6826,
    HOST_CR0 = 0x6c00,
    HOST_CR3 = 0x6c02,
    HOST_CR4 = 0x6c04,
    HOST_FS_BASE = 0x6c06,
    HOST_GS_BASE = 0x6c08,
    HOST_TR_BASE = 0x6c0a,
    HOST_GDTR_BASE = 0x6c0c,
    HOST_IDTR_BASE = 0x6c0e,
    HOST_SYSENTER_ESP = 0x6c10,
    HOST_SYSENTER_EIP = 0x6c12,
    HOST_RSP = 0x6c14,
    HOST_RIP = 0x6c16,
};

/* Exit reasons (appendix C). */
enum exit_reason {
    EXIT_EXTERNAL_INTERRUPT = 1,
    EXIT_INTERRUPT_WINDOW = 7,
    EXIT_CPUID = 10,
    EXIT_HLT = 12,
    EXIT_INVLPG = 14,
    EXIT_RDTSC = 16,
    EXIT_VMCALL = 18,
    EXIT_CONTROL_REGISTER = 28,
    EXIT_DEBUG_REGISTER = 29,
    EXIT_IO = 30,
    EXIT_RDMSR = 31,
    EXIT_WRMSR = 32,
    EXIT_MWAIT = 36,
    EXIT_EPT_VIOLATION = 48,
    EXIT_PREEMPTION_TIMER = 52,
    EXIT_WBINVD = 54,
    EXIT_XSETBV = 55,
    EXIT_REASONS = 70,
};

/* Controls (24.6 to 24.8). */
#define PIN_EXTERNAL_INTERRUPT   (1u << 0)
#define PIN_PREEMPTION_TIMER     (1u << 6)
#define PRIMARY_INTERRUPT_WINDOW (1u << 2)
#define PRIMARY_HLT              (1u << 7)
#define PRIMARY_INVLPG           (1u << 9)
#define PRIMARY_MWAIT            (1u << 10)
#define PRIMARY_RDTSC            (1u << 12)
#define PRIMARY_CR3_LOAD         (1u << 15)
#define PRIMARY_CR3_STORE        (1u << 16)
#define PRIMARY_MOV_DR           (1u << 23)
#define PRIMARY_IO_BITMAPS       (1u << 25)
#define PRIMARY_MSR_BITMAPS      (1u << 28)
#define PRIMARY_SECONDARY        (1u << 31)
#define SECONDARY_EPT            (1u << 1)
#define SECONDARY_RDTSCP         (1u << 3)
#define SECONDARY_WBINVD         (1u << 6)
#define SECONDARY_INVPCID        (1u << 12)
#define SECONDARY_XSAVES         (1u << 20)
#define EXIT_HOST_64             (1u << 9)
#define EXIT_ACKNOWLEDGE         (1u << 15)
#define ENTRY_GUEST_64           (1u << 9)
#define EXIT_SAVE_DEBUG          (1u << 2)
#define ENTRY_LOAD_DEBUG         (1u << 2)

/* Of GUEST_INTERRUPTIBILITY and GUEST_PENDING_DEBUG (tables 24-3 and 24-4). */
#define BLOCKED_BY_STI    (1u << 0)
#define BLOCKED_BY_MOV_SS (1u << 1)
#define BLOCKED           (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS)
#define PENDING_STEP      (1u << 14)

#define MSR_FEATURE_CONTROL  0x3au
#define MSR_SYSENTER_CS      0x174u
#define MSR_SYSENTER_ESP     0x175u
#define MSR_SYSENTER_EIP     0x176u
#define MSR_DEBUGCTL         0x1d9u
#define MSR_VMX_BASIC        0x480u
#define MSR_VMX_MISC         0x485u
#define MSR_VMX_CR0_FIXED0   0x486u
#define MSR_VMX_CR0_FIXED1   0x487u
#define MSR_VMX_CR4_FIXED0   0x488u
#define MSR_VMX_CR4_FIXED1   0x489u
#define MSR_VMX_SECONDARY    0x48bu
#define MSR_VMX_TRUE_PIN     0x48du
#define MSR_VMX_TRUE_PRIMARY 0x48eu
#define MSR_VMX_TRUE_EXIT    0x48fu
#define MSR_VMX_TRUE_ENTRY   0x490u
#define MSR_FS_BASE          0xc0000100u
#define MSR_GS_BASE          0xc0000101u

#define CR4_VMXE (UINT64_C(1) << 13)

#define INTERRUPTION_VALID      (1u << 31)
#define INTERRUPTION_ERROR_CODE (1u << 11)

static inline uint64_t vmread(enum vmcs_field field)
{
    uint64_t value;
    __asm__ volatile("vmread %1, %0" : "=rm"(value) : "r"((uint64_t)field) : "cc");
    return value;
}

/* A field that the processor does not have would be a fault of this program: see launch.c. */
static inline void vmwrite(enum vmcs_field field, uint64_t value)
{
    __asm__ volatile("vmwrite %1, %0" ::"r"((uint64_t)field), "rm"(value) : "cc");
}

/* False: the processor refused. */
static inline bool vmxon(const uint64_t *region)
{
    bool refused;
    __asm__ volatile("vmxon %1\n\tsetna %0" : "=qm"(refused) : "m"(*region) : "cc", "memory");
    return !refused;
}

static inline bool vmclear(const uint64_t *region)
{
    bool refused;
    __asm__ volatile("vmclear %1\n\tsetna %0" : "=qm"(refused) : "m"(*region) : "cc", "memory");
    return !refused;
}

static inline bool vmptrld(const uint64_t *region)
{
    bool refused;
    __asm__ volatile("vmptrld %1\n\tsetna %0" : "=qm"(refused) : "m"(*region) : "cc", "memory");
    return !refused;
}

static inline void vmxoff(void)
{
    __asm__ volatile("vmxoff" ::: "cc", "memory");
}

/* All translations of one EPT hierarchy (single context). */
static inline void invept(uint64_t ept_pointer)
{
    const struct {
        uint64_t pointer, reserved;
    } descriptor = {ept_pointer, 0};
    __asm__ volatile("invept %0, %1" ::"m"(descriptor), "r"(UINT64_C(1)) : "cc", "memory");
}

#endif
