/* Makes page tables and parameters for startup.S, and sends what starts a vCPU. */
#include "startup.h"
#include "../core/machine/cpu.h"
#include "../core/machine/exception.h"
#include "../core/window/guard.h"
#include "../platform/instructions.h"
#include "../platform/pages.h"
#include "memory_types.h"
#include <string.h>

/* SDM vol. 3, 3.4.5: flat segments of ring 0, present and accessed. */
#define GDT_CODE32 UINT64_C(0x00cf9b000000ffff)
#define GDT_DATA   UINT64_C(0x00cf93000000ffff)
#define GDT_CODE64 UINT64_C(0x00af9b000000ffff)

enum selector { SELECTOR_CODE32 = 0x08, SELECTOR_CODE64 = 0x18 };

/* startup.S knows this layout. */
struct __attribute__((packed)) far_pointer {
    uint32_t offset;
    uint16_t selector;
};

struct __attribute__((packed)) parameters {
    uint64_t gdt[4];
    uint16_t gdt_limit;
    uint32_t gdt_base;
    struct far_pointer protected_mode, long_mode;
    uint16_t reserved;
    uint32_t cr0, cr4, efer;
    uint64_t root; /* of the tables in the reserved pages */
    uint64_t boot_cr3, entry, slots, park;
    uint32_t slot_count;
    uint32_t cr4_parked; /* bits that are set there */
    struct descriptor_table idt;
};

_Static_assert(offsetof(struct parameters, cr0) == 52, "as in startup.S");
_Static_assert(offsetof(struct parameters, slot_count) == 104, "as in startup.S");
_Static_assert(offsetof(struct parameters, idt) == 112, "as in startup.S");
_Static_assert(sizeof(struct startup_slot) == 32, "as in startup.S");

extern const char startup_page[];
extern const uint32_t startup_page_bytes, startup_parameters_at; /* from its start */
extern const uint32_t startup_protected_at, startup_long_at, startup_park_at;
extern const uint32_t startup_idt_at, startup_nmi_at, startup_machine_check_at;
void startup_entry(void);
void startup_main(struct startup_slot *slot);

/* The root; for two places of 2 MiB each, at most three tables below it. */
#define TABLE_PAGES 7u
#define TABLE_AT    PAGE_BYTES
#define SLOTS_AT    ((size_t)(1 + TABLE_PAGES) * PAGE_BYTES)

#define ENTRY_TABLE 0x3u  /* present, writable */
#define ENTRY_2_MIB 0x83u /* and a page by itself */

static struct {
    struct startup_slot *slots;
    uint32_t count;
    uint32_t page; /* the number of the first reserved page, below 640 KiB */
    struct apic apic;
    struct memory_types memory_types; /* the boot vCPU's */
} started;

static uint64_t *at(uint64_t address)
{
    return (uint64_t *)address; // NOLINT(performance-no-int-to-ptr)
}

/* Maps the 2 MiB around an address to themselves. *next: the first page that is no table yet. */
static void map(uint64_t root, uint64_t address, uint64_t *next)
{
    uint64_t *table = at(root);
    for (unsigned int shift = read_cr4() & CR4_LA57 ? 48 : 39; shift > 21; shift -= 9) {
        uint64_t *entry = &table[address >> shift & 511];
        if (!*entry) {
            *entry = *next | ENTRY_TABLE;
            *next += PAGE_BYTES;
        }
        table = at(*entry & ~UINT64_C(0xfff));
    }
    table[address >> 21 & 511] = address >> 21 << 21 | ENTRY_2_MIB;
}

size_t startup_bytes(uint32_t slots)
{
    return SLOTS_AT + slots * sizeof(struct startup_slot);
}

static void look_at_boot_vcpu(void)
{
    static struct traps traps;
    traps_enter(&traps);
    apic_find(&started.apic);
    memory_types_read(&started.memory_types);
    traps_leave(&traps);
}

#define PARKED_GATES 19u /* startup.S has room for so many */
#define VECTOR_NMI   2u

static void set_gate(struct idt_gate *idt, unsigned int vector, uint64_t entry)
{
    idt[vector] = (struct idt_gate){.offset_low = (uint16_t)entry,
                                    .selector = SELECTOR_CODE64,
                                    .type = GATE_INTERRUPT,
                                    .offset_middle = (uint16_t)(entry >> 16)};
}

/* CPUID.1:EDX bit 7: machine checks. Where CR4 does not let them in they shut the processor down.
 */
static uint32_t cr4_parked(void)
{
    return cpuid(1, 0).edx >> 7 & 1 ? CR4_MACHINE_CHECK : 0;
}

struct startup_slot *startup_prepare(void *pages, uint32_t slots)
{
    uint64_t page = (uint64_t)pages, root = page + TABLE_AT, next = root + PAGE_BYTES;
    uint64_t parameters_at = page + startup_parameters_at;
    struct parameters parameters = {
        .gdt = {0, GDT_CODE32, GDT_DATA, GDT_CODE64},
        .gdt_limit = sizeof(parameters.gdt) - 1,
        .gdt_base = (uint32_t)parameters_at,
        .protected_mode = {(uint32_t)page + startup_protected_at, SELECTOR_CODE32},
        .long_mode = {(uint32_t)page + startup_long_at, SELECTOR_CODE64},
        .cr0 = (uint32_t)(read_cr0() & ~(CR0_TASK_SWITCHED | CR0_EMULATION)),
        /* Process-context ids are for IA-32e mode only (SDM vol. 3, 4.10.1). */
        .cr4 = (uint32_t)(read_cr4() & ~CR4_PCIDE),
        .efer = (uint32_t)(rdmsr(MSR_EFER) & EFER_KEPT),
        .root = root,
        .boot_cr3 = read_cr3(),
        .entry = (uint64_t)startup_entry,
        .slots = page + SLOTS_AT,
        .park = page + startup_park_at,
        .slot_count = slots,
        .cr4_parked = cr4_parked(),
        .idt = {PARKED_GATES * sizeof(struct idt_gate) - 1, page + startup_idt_at},
    };
    struct idt_gate *idt = (struct idt_gate *)at(page + startup_idt_at);
    memcpy(pages, startup_page, startup_page_bytes);
    memcpy(at(parameters_at), &parameters, sizeof(parameters));
    set_gate(idt, VECTOR_NMI, page + startup_nmi_at);
    set_gate(idt, VECTOR_MACHINE_CHECK, page + startup_machine_check_at);
    map(root, page, &next);
    map(root, parameters.entry, &next);
    started.slots = (struct startup_slot *)((uint8_t *)pages + SLOTS_AT);
    started.count = slots;
    started.page = (uint32_t)(page / PAGE_BYTES);
    look_at_boot_vcpu();
    return started.slots;
}

struct sending {
    uint32_t command;
    const struct cpus *which;
};

static void send_all(void *argument)
{
    const struct sending *sending = argument;
    for (uint32_t n = 0; n < started.count; n++)
        if (cpus_has(sending->which, n))
            apic_send(&started.apic, started.slots[n].apic_id, sending->command);
}

/* Guarded: what is beneath may refuse the command. traps_enter() serializes, as an x2APIC needs it
 * for others to see what was written before (SDM vol. 3, 10.12.3). */
bool startup_send(enum startup_command command, const struct cpus *which)
{
    static struct traps traps;
    struct sending sending = {
        command == STARTUP_INIT ? APIC_COMMAND_INIT : APIC_COMMAND_STARTUP | started.page, which};
    atomic_thread_fence(memory_order_seq_cst);
    traps_enter(&traps);
    bool sent = traps_run(send_all, &sending, NULL);
    traps_leave(&traps);
    return sent;
}

bool startup_reaches(uint32_t apic_id)
{
    return started.apic.mode == APIC_X2APIC || (started.apic.mode == APIC_XAPIC && apic_id < 0xff);
}

uint32_t startup_apic_id(void)
{
    if (cpuid(0, 0).eax >= 0xb) {
        struct cpuid topology = cpuid(0xb, 0);
        if (topology.ebx)
            return topology.edx;
    }
    return cpuid(1, 0).ebx >> 24;
}

/* A firmware that knows one vCPU has set up the memory types of that one alone. */
static const char *take_memory_types(void)
{
    struct traps traps;
    memset(&traps, 0, sizeof(traps));
    traps_enter(&traps);
    enum memory_types_taken taken = memory_types_take(&started.memory_types);
    traps_leave(&traps);
    switch (taken) {
    case MEMORY_TYPES_SET:
        return "the memory types (MTRRs, PAT) were not the boot vCPU's, and are now";
    case MEMORY_TYPES_DIFFER:
        return "the memory types (MTRRs, PAT) are not the boot vCPU's, and cannot be set: memory "
               "may be slow";
    default:
        return NULL;
    }
}

/* On the other vCPU. INIT leaves the mode of its local APIC as it was (SDM vol. 3, 10.12.5.1). */
void startup_main(struct startup_slot *slot)
{
    if (started.apic.mode == APIC_X2APIC)
        wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLED | APIC_BASE_X2APIC);
    slot->call->remark = take_memory_types();
    atomic_store_explicit(&slot->state, STARTUP_ANSWERED, memory_order_release);
    slot->call->procedure(slot->call->argument);
}
