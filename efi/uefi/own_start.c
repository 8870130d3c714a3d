/* Memory, time and reasons for ring0/startup.h. */
#include "own_start.h"
#include "../platform/pages.h"
#include "../ring0/startup.h"
#include "firmware.h"
#include "mp_services.h"
#include "platform.h"
#include <string.h>

/* A real-mode address of a page, below video memory: SIPI has eight bits for its number. */
#define LAST_ADDRESS 0x9ffffu
#define STACK_BYTES  32768u

/* SDM vol. 3, 8.4.4.1: between INIT, SIPI and the second SIPI. */
#define AFTER_INIT_MICROSECONDS 10000u
#define AFTER_SIPI_MICROSECONDS 200u

static struct {
    uint32_t count;             /* of slots, which go by number */
    struct startup_slot *slots; /* NULL: there is no memory for them */
    struct cpus asked;
} own;

/* Where ACPI lists none, those that the firmware's MP services know. */
static uint32_t list(const uint32_t **apic_ids)
{
    uint32_t count = platform_processors(apic_ids);
    return count ? count : mp_services_list(apic_ids);
}

const char *own_start_find(struct processors *processors)
{
    const uint32_t *apic_ids;
    uint32_t self = startup_apic_id(), count = list(&apic_ids);
    if (!count)
        return "ACPI lists no processors";
    for (uint32_t n = 0; n < count && n < CPU_MAX; n++) {
        if (apic_ids[n] != self)
            continue;
        processors->count = count;
        processors->boot = n;
        return NULL;
    }
    return "the list of processors does not have the processor that the firmware runs on";
}

/* They are never given back: vCPUs halt there. */
static void *reserve(size_t bytes)
{
    EFI_PHYSICAL_ADDRESS address = LAST_ADDRESS;
    UINTN pages = (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
    EFI_STATUS status = system_table->BootServices->AllocatePages(
        AllocateMaxAddress, EfiReservedMemoryType, pages, &address);
    if (EFI_ERROR(status))
        return NULL;
    memset((void *)address, 0, pages * PAGE_BYTES); // NOLINT(performance-no-int-to-ptr)
    return (void *)address;                         // NOLINT(performance-no-int-to-ptr)
}

void own_start_use(void)
{
    const uint32_t *apic_ids;
    uint32_t count = list(&apic_ids);
    own.count = count < CPU_MAX ? count : CPU_MAX;
    void *pages = reserve(startup_bytes(own.count));
    if (!pages)
        return;
    own.slots = startup_prepare(pages, own.count);
    for (uint32_t n = 0; n < own.count; n++)
        own.slots[n].apic_id = apic_ids[n];
}

static enum startup_state state_of(uint32_t number)
{
    return atomic_load_explicit(&own.slots[number].state, memory_order_acquire);
}

const char *own_start_unusable(uint32_t number)
{
    if (!own.slots)
        return "there is no memory below 640 KiB, where a vCPU starts";
    if (number >= own.count)
        return "ACPI lists no such processor";
    if (!startup_reaches(own.slots[number].apic_id))
        return "its APIC id is above 254, and the local APIC is not in x2APIC mode";
    return NULL;
}

const char *own_start_ask(uint32_t number, struct processor_call *call)
{
    struct startup_slot *slot = &own.slots[number];
    void *stack = pages_allocate(STACK_BYTES);
    if (!stack)
        return "not enough memory for its stack";
    slot->stack = (uint64_t)stack + STACK_BYTES;
    slot->call = call;
    call->finished = slot;
    cpus_add(&own.asked, number);
    return NULL;
}

/* Those that were asked to start have not been heard of yet. */
static struct cpus silent(void)
{
    struct cpus which = own.asked;
    for (uint32_t n = 0; n < own.count; n++)
        if (cpus_has(&which, n) && state_of(n) != STARTUP_ABSENT)
            cpus_remove(&which, n);
    return which;
}

static void fail(const char *reason)
{
    for (uint32_t n = 0; n < own.count; n++) {
        struct processor_call *call = own.slots[n].call;
        if (!cpus_has(&own.asked, n) || state_of(n) != STARTUP_ABSENT)
            continue;
        call->failed = reason;
        call->finished = NULL;
    }
}

/* A vCPU that has the first SIPI ignores the second (SDM vol. 3, 8.4.2): it goes to the silent. */
void own_start_start(void)
{
    EFI_BOOT_SERVICES *boot = system_table->BootServices;
    if (!startup_send(STARTUP_INIT, &own.asked)) {
        fail("what is beneath takes no INIT");
        return;
    }
    (void)boot->Stall(AFTER_INIT_MICROSECONDS);
    for (unsigned int n = 0; n < 2; n++) {
        struct cpus which = silent();
        if (!startup_send(STARTUP_SIPI, &which)) {
            fail("what is beneath takes no SIPI");
            return;
        }
        (void)boot->Stall(AFTER_SIPI_MICROSECONDS);
    }
}

/* One that is silent may wake up yet, when this program is gone: INIT makes it wait for a SIPI. */
bool own_start_returned(struct processor_call *call)
{
    struct startup_slot *slot = call->finished;
    if (!slot)
        return true;
    uint32_t number = (uint32_t)(slot - own.slots);
    enum startup_state state = state_of(number);
    if (state == STARTUP_ABSENT) {
        struct cpus which = {0};
        cpus_add(&which, number);
        return startup_send(STARTUP_INIT, &which);
    }
    if (state != STARTUP_PARKED)
        return false;
    pages_give_back((void *)(slot->stack - STACK_BYTES), STACK_BYTES); // NOLINT
    call->finished = NULL;
    return true;
}

const char *own_start_left(void)
{
    for (uint32_t n = 0; own.slots && n < own.count; n++)
        if (state_of(n) == STARTUP_PARKED)
            return "The vCPUs that zmmtest started are left halted, with interrupts off, in "
                   "reserved memory below 640 KiB. INIT and SIPI start them again.";
    return NULL;
}
