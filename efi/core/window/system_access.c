/* The instructions for each system register that is no MSR. */
#include "system_access.h"
#include "../../platform/instructions.h"
#include "../../platform/traps.h"

static uint64_t read_cr8(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr8, %0" : "=r"(value));
    return value;
}

static uint16_t read_selector(enum system_register number)
{
    uint16_t value;
    switch (number) {
    case SYSTEM_TR:
        __asm__ volatile("str %0" : "=r"(value));
        break;
    case SYSTEM_LDTR:
        __asm__ volatile("sldt %0" : "=r"(value));
        break;
    case SYSTEM_CS:
        __asm__ volatile("mov %%cs, %0" : "=r"(value));
        break;
    case SYSTEM_SS:
        __asm__ volatile("mov %%ss, %0" : "=r"(value));
        break;
    case SYSTEM_DS:
        __asm__ volatile("mov %%ds, %0" : "=r"(value));
        break;
    case SYSTEM_ES:
        __asm__ volatile("mov %%es, %0" : "=r"(value));
        break;
    case SYSTEM_FS:
        __asm__ volatile("mov %%fs, %0" : "=r"(value));
        break;
    default:
        __asm__ volatile("mov %%gs, %0" : "=r"(value));
        break;
    }
    return value;
}

/* The base of FS or GS is zero after that, and is a register of its own. */
static void write_selector(enum system_register number, uint16_t value)
{
    switch (number) {
    case SYSTEM_LDTR:
        __asm__ volatile("lldt %0" ::"r"(value));
        break;
    case SYSTEM_SS:
        __asm__ volatile("mov %0, %%ss" ::"r"(value));
        break;
    case SYSTEM_DS:
        __asm__ volatile("mov %0, %%ds" ::"r"(value));
        break;
    case SYSTEM_ES:
        __asm__ volatile("mov %0, %%es" ::"r"(value));
        break;
    case SYSTEM_FS: {
        uint64_t base = rdmsr(MSR_FS_BASE);
        __asm__ volatile("mov %0, %%fs" ::"r"(value));
        wrmsr(MSR_FS_BASE, base);
        break;
    }
    case SYSTEM_GS: {
        uint64_t base = rdmsr(MSR_GS_BASE);
        __asm__ volatile("mov %0, %%gs" ::"r"(value));
        wrmsr(MSR_GS_BASE, base);
        break;
    }
    default:
        break;
    }
}

/* Neither LAR nor LSL raises an exception: where there is no descriptor, ZF is clear. */
static struct system_value read_segment(enum system_register number)
{
    uint16_t selector = read_selector(number);
    uint32_t rights = 0, limit = 0;
    __asm__ volatile("lar %2, %0\n\tlsl %2, %1"
                     : "+&r"(rights), "+r"(limit)
                     : "r"((uint32_t)selector)
                     : "cc");
    return (struct system_value){{selector, (uint64_t)limit << 32 | rights}};
}

static struct system_value read_table(enum system_register number)
{
    struct descriptor_table table;
    if (number == SYSTEM_GDTR)
        __asm__ volatile("sgdt %0" : "=m"(table));
    else
        __asm__ volatile("sidt %0" : "=m"(table));
    return (struct system_value){{table.base, table.limit}};
}

static void write_table(enum system_register number, struct system_value value)
{
    struct descriptor_table table = {(uint16_t)value.quadword[1], value.quadword[0]};
    if (number == SYSTEM_GDTR)
        __asm__ volatile("lgdt %0" ::"m"(table) : "memory");
    else
        __asm__ volatile("lidt %0" ::"m"(table) : "memory");
}

static unsigned int debug_register(enum system_register number)
{
    return number == SYSTEM_DR6 ? 6 : number == SYSTEM_DR7 ? 7 : number - SYSTEM_DR0;
}

static inline struct system_value read_msr(enum system_register number)
{
    return (struct system_value){{rdmsr(system_rows[number].msr), 0}};
}

static inline __attribute__((always_inline)) struct system_value
read_any(enum system_register number)
{
    switch (number) {
    case SYSTEM_XCR0:
        return (struct system_value){{xgetbv0(), 0}};
    case SYSTEM_IDTR:
    case SYSTEM_GDTR:
        return read_table(number);
    case SYSTEM_CR0:
        return (struct system_value){{read_cr0(), 0}};
    case SYSTEM_CR2:
        return (struct system_value){{read_cr2(), 0}};
    case SYSTEM_CR3:
        return (struct system_value){{read_cr3(), 0}};
    case SYSTEM_CR4:
        return (struct system_value){{read_cr4(), 0}};
    case SYSTEM_CR8:
        return (struct system_value){{read_cr8(), 0}};
    default:
        break;
    }
    if (number < SYSTEM_WIDE)
        return read_segment(number);
    if (number >= SYSTEM_EFER)
        return read_msr(number);
    return (struct system_value){{read_dr(debug_register(number)), 0}};
}

struct system_value system_read(enum system_register number)
{
    return read_any(number);
}

/* 0: it is what is wanted. */
static inline __attribute__((always_inline)) uint64_t
take(struct system_values *got, const struct system_values *want, enum system_register number)
{
    const struct system_value value = read_any(number);
    system_value_put(got, number, value);
    const uint64_t second = number < SYSTEM_WIDE ? value.quadword[1] ^ want->second[number] : 0;
    return (value.quadword[0] ^ want->first[number]) | second;
}

/* One by one, as the way to each by a loop would cost more than the reading. */
static uint64_t take_by_instruction(struct system_values *got, const struct system_values *want)
{
    uint64_t difference = 0;
    difference |= take(got, want, SYSTEM_IDTR);
    difference |= take(got, want, SYSTEM_GDTR);
    difference |= take(got, want, SYSTEM_TR);
    difference |= take(got, want, SYSTEM_LDTR);
    difference |= take(got, want, SYSTEM_CS);
    difference |= take(got, want, SYSTEM_SS);
    difference |= take(got, want, SYSTEM_DS);
    difference |= take(got, want, SYSTEM_ES);
    difference |= take(got, want, SYSTEM_FS);
    difference |= take(got, want, SYSTEM_GS);
    difference |= take(got, want, SYSTEM_CR0);
    difference |= take(got, want, SYSTEM_CR2);
    difference |= take(got, want, SYSTEM_CR3);
    difference |= take(got, want, SYSTEM_CR4);
    difference |= take(got, want, SYSTEM_CR8);
    difference |= take(got, want, SYSTEM_DR7);
    difference |= take(got, want, SYSTEM_DR6);
    difference |= take(got, want, SYSTEM_DR0);
    difference |= take(got, want, SYSTEM_DR1);
    difference |= take(got, want, SYSTEM_DR2);
    difference |= take(got, want, SYSTEM_DR3);
    return difference;
}

bool system_read_all(uint64_t set, struct system_values *got, const struct system_values *want)
{
    const uint64_t by_instruction = SYSTEM_BIT(SYSTEM_EFER) - SYSTEM_BIT(SYSTEM_IDTR);
    uint64_t difference = 0;
    for (uint64_t left = set & -SYSTEM_BIT(SYSTEM_EFER); left; left &= left - 1) {
        const enum system_register number = (enum system_register)__builtin_ctzll(left);
        got->first[number] = read_msr(number).quadword[0];
        difference |= got->first[number] ^ want->first[number];
    }
    if ((set & by_instruction) == by_instruction)
        return (difference | take_by_instruction(got, want)) == 0;
    for (uint64_t left = set & by_instruction; left; left &= left - 1)
        difference |= take(got, want, (enum system_register)__builtin_ctzll(left));
    return difference == 0;
}

static void write_one(enum system_register number, uint64_t value)
{
    switch (number) {
    case SYSTEM_XCR0:
        xsetbv0(value);
        break;
    case SYSTEM_CR0:
        write_cr0(value);
        break;
    case SYSTEM_CR2:
        __asm__ volatile("mov %0, %%cr2" ::"r"(value));
        break;
    case SYSTEM_CR3:
        __asm__ volatile("mov %0, %%cr3" ::"r"(value) : "memory");
        break;
    case SYSTEM_CR4:
        write_cr4(value);
        break;
    case SYSTEM_CR8:
        __asm__ volatile("mov %0, %%cr8" ::"r"(value) : "memory");
        break;
    default:
        write_dr(debug_register(number), value);
        break;
    }
}

void system_write(enum system_register number, struct system_value value)
{
    const struct system_row *row = &system_rows[number];
    if (row->msr)
        wrmsr(row->msr, value.quadword[0]);
    else if (number == SYSTEM_GDTR || number == SYSTEM_IDTR)
        write_table(number, value);
    else if (number > SYSTEM_GDTR && number < SYSTEM_WIDE)
        write_selector(number, (uint16_t)value.quadword[0]);
    else
        write_one(number, value.quadword[0]);
}
