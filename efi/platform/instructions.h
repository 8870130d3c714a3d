/* The instructions that C has no words for. None of them touches a vector register. */
#ifndef ZMMTEST_PLATFORM_INSTRUCTIONS_H
#define ZMMTEST_PLATFORM_INSTRUCTIONS_H

#include <stdint.h>

#define MSR_APIC_BASE        0x1bu
#define MSR_MCG_CAP          0x179u /* machine checks: SDM vol. 3, 15.3 */
#define MSR_MCG_STATUS       0x17au
#define MSR_MC0_STATUS       0x401u /* of bank n: 4 n further; ADDR and MISC follow */
#define MSR_MICROCODE        0x8bu  /* IA32_BIOS_SIGN_ID; PATCH_LEVEL on AMD */
#define MSR_X2APIC_COMMAND   0x830u
#define MSR_X2APIC_CURRENT   0x839u
#define MSR_SEV_STATUS       0xc0010131u
#define MSR_EFER             0xc0000080u
#define MSR_FS_BASE          0xc0000100u
#define MSR_GS_BASE          0xc0000101u
#define APIC_BASE_X2APIC     (UINT64_C(1) << 10)
#define APIC_BASE_ENABLED    (UINT64_C(1) << 11)
#define APIC_BASE_ADDRESS    UINT64_C(0x000ffffffffff000)
#define EFER_KEPT            UINT64_C(0x901) /* SCE, LME, NXE: what page tables and code rest on */
#define CR0_TASK_SWITCHED    (UINT64_C(1) << 3)
#define CR0_EMULATION        (UINT64_C(1) << 2)
#define CR4_MACHINE_CHECK    (UINT64_C(1) << 6)
#define CR4_OSFXSR           (UINT64_C(1) << 9)
#define CR4_OSXMMEXCPT       (UINT64_C(1) << 10)
#define CR4_LA57             (UINT64_C(1) << 12)
#define CR4_PCIDE            (UINT64_C(1) << 17)
#define CR4_OSXSAVE          (UINT64_C(1) << 18)
#define CR4_PROTECTION_KEYS  (UINT64_C(1) << 22)
#define CR4_CET              (UINT64_C(1) << 23)
#define CR4_FRED             (UINT64_C(1) << 32)
#define RFLAGS_INTERRUPTS_ON (UINT64_C(1) << 9)

static inline uint64_t rdtsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

static inline uint64_t xgetbv0(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static inline void xsetbv0(uint64_t value)
{
    __asm__ volatile("xsetbv" ::"a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(0)
                     : "memory");
}

/* PKRU; #UD unless CR4.PKE is set. */
static inline uint32_t read_pkru(void)
{
    uint32_t low, high;
    __asm__ volatile("rdpkru" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static inline void write_pkru(uint32_t value)
{
    __asm__ volatile("wrpkru" ::"a"(value), "d"(0), "c"(0) : "memory");
}

static inline uint64_t read_cr0(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr0, %0" : "=r"(value));
    return value;
}

static inline void write_cr0(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr0" ::"r"(value) : "memory");
}

static inline uint64_t read_cr2(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}

static inline uint64_t read_cr3(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}

static inline uint64_t read_cr4(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static inline void write_cr4(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr4" ::"r"(value) : "memory");
}

/* DR0 to DR3, DR6 and DR7; 4 and 5 are other names of the last two (SDM vol. 3, 17.2.2). */
static inline uint64_t read_dr(unsigned int number)
{
    uint64_t value;
    switch (number) {
    case 0:
        __asm__ volatile("mov %%dr0, %0" : "=r"(value));
        break;
    case 1:
        __asm__ volatile("mov %%dr1, %0" : "=r"(value));
        break;
    case 2:
        __asm__ volatile("mov %%dr2, %0" : "=r"(value));
        break;
    case 3:
        __asm__ volatile("mov %%dr3, %0" : "=r"(value));
        break;
    case 4:
    case 6:
        __asm__ volatile("mov %%dr6, %0" : "=r"(value));
        break;
    default:
        __asm__ volatile("mov %%dr7, %0" : "=r"(value));
        break;
    }
    return value;
}

static inline void write_dr(unsigned int number, uint64_t value)
{
    switch (number) {
    case 0:
        __asm__ volatile("mov %0, %%dr0" ::"r"(value));
        break;
    case 1:
        __asm__ volatile("mov %0, %%dr1" ::"r"(value));
        break;
    case 2:
        __asm__ volatile("mov %0, %%dr2" ::"r"(value));
        break;
    case 3:
        __asm__ volatile("mov %0, %%dr3" ::"r"(value));
        break;
    case 4:
    case 6:
        __asm__ volatile("mov %0, %%dr6" ::"r"(value));
        break;
    default:
        __asm__ volatile("mov %0, %%dr7" ::"r"(value));
        break;
    }
}

static inline uint64_t read_rflags(void)
{
    uint64_t value;
    __asm__ volatile("pushfq\n\tpop %0" : "=r"(value)::"memory");
    return value;
}

static inline uint16_t read_cs(void)
{
    uint16_t value;
    __asm__ volatile("mov %%cs, %0" : "=r"(value));
    return value;
}

static inline uint16_t read_ss(void)
{
    uint16_t value;
    __asm__ volatile("mov %%ss, %0" : "=r"(value));
    return value;
}

static inline void interrupts_off(void)
{
    __asm__ volatile("cli" ::: "memory");
}

static inline void interrupts_on(void)
{
    __asm__ volatile("sti" ::: "memory");
}

/* With interrupts off: for good. */
static inline void cpu_halt(void)
{
    __asm__ volatile("hlt" ::: "memory");
}

static inline void cpu_pause(void)
{
    __asm__ volatile("pause" ::: "memory");
}

static inline uint8_t inb(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void outb(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static inline void outw(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port));
}

#endif
