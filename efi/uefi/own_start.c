/* Memory, time and reasons for ring0/startup.h. */
#include "own_start.h"
#include "../core/machine/clock.h"
#include "../core/run/options.h"
#include "../platform/clock.h"
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

/* So long may nobody new answer. */
#define ANSWER_MILLISECONDS 1000u

#define WORDS (CPU_MAX / 64)

static struct {
    uint32_t count; /* of slots, which go by number */
    uint32_t boot;
    struct startup_slot *slots; /* NULL: */
    const char *unusable;       /* this is why */
    const char *unusable_for[CPU_MAX];
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

static void make_slots(const struct processors *processors)
{
    const uint32_t *apic_ids;
    uint32_t count = list(&apic_ids);
    own.count = count < CPU_MAX ? count : CPU_MAX;
    own.boot = processors->boot;
    void *pages = reserve(startup_bytes(own.count));
    if (!pages) {
        own.unusable = "there is no memory below 640 KiB, where a vCPU starts";
        return;
    }
    own.slots = startup_prepare(pages, own.count);
    for (uint32_t n = 0; n < own.count; n++)
        own.slots[n].apic_id = apic_ids[n];
}

static enum startup_state state_of(uint32_t number)
{
    return atomic_load_explicit(&own.slots[number].state, memory_order_acquire);
}

static bool has(const uint64_t *mask, uint32_t number)
{
    return mask[number / 64] >> number % 64 & 1;
}

/* NULL: it can be started now. */
static const char *make_ready(uint32_t number)
{
    struct startup_slot *slot = &own.slots[number];
    if (!startup_reaches(slot->apic_id))
        return "its APIC id is above 254, and the local APIC is not in x2APIC mode";
    if (!slot->stack) {
        void *stack = pages_allocate(STACK_BYTES);
        if (!stack)
            return "not enough memory for its stack";
        slot->stack = (uint64_t)stack + STACK_BYTES;
    }
    atomic_store(&slot->call, NULL);
    atomic_store(&slot->state, STARTUP_ABSENT);
    return NULL;
}

/* How many of them have not answered so far; their bits alone stay set. */
static uint32_t silent(uint64_t *which)
{
    uint32_t count = 0;
    for (uint32_t n = 0; n < own.count; n++) {
        if (has(which, n) && state_of(n) != STARTUP_ABSENT)
            which[n / 64] &= ~(UINT64_C(1) << n % 64);
        count += has(which, n);
    }
    return count;
}

/* A vCPU that has the first SIPI ignores the second (SDM vol. 3, 8.4.2): it goes to the silent. */
static const char *start_and_wait(uint64_t *which)
{
    EFI_BOOT_SERVICES *boot = system_table->BootServices;
    if (!startup_send(STARTUP_INIT, which))
        return "what is beneath takes no INIT";
    (void)boot->Stall(AFTER_INIT_MICROSECONDS);
    for (unsigned int n = 0; n < 2; n++) {
        if (!startup_send(STARTUP_SIPI, which))
            return "what is beneath takes no SIPI";
        (void)boot->Stall(AFTER_SIPI_MICROSECONDS);
        (void)silent(which);
    }
    uint32_t left = silent(which);
    for (uint64_t since = clock_milliseconds();
         left && clock_milliseconds() - since < ANSWER_MILLISECONDS; clock_wait(1)) {
        uint32_t before = left;
        left = silent(which);
        if (left < before)
            since = clock_milliseconds();
    }
    return left ? "it does not answer INIT and SIPI" : NULL;
}

/* The bits of *which are gone afterwards, but for those that did not start. */
static void start(uint64_t *which)
{
    for (uint32_t n = 0; n < own.count; n++) {
        if (!has(which, n))
            continue;
        own.unusable_for[n] = make_ready(n);
        if (own.unusable_for[n])
            which[n / 64] &= ~(UINT64_C(1) << n % 64);
    }
    const char *reason = start_and_wait(which);
    for (uint32_t n = 0; n < own.count; n++)
        if (has(which, n))
            own.unusable_for[n] = reason;
}

void own_start_wake(const struct processors *processors, const uint64_t *numbers, uint32_t words)
{
    uint64_t which[WORDS] = {0};
    make_slots(processors);
    if (!own.slots)
        return;
    for (uint32_t n = 0; n < own.count && n / 64 < words; n++)
        if (n != own.boot && has(numbers, n))
            which[n / 64] |= UINT64_C(1) << n % 64;
    start(which);
}

const char *own_start_unusable(uint32_t number)
{
    if (!own.slots || number >= own.count)
        return own.slots ? "ACPI lists no such processor" : own.unusable;
    return own.unusable_for[number];
}

/* One that has returned from its call before starts anew. */
const char *own_start_call(uint32_t number, struct processor_call *call)
{
    if (state_of(number) != STARTUP_WAITING) {
        uint64_t which[WORDS] = {0};
        which[number / 64] = UINT64_C(1) << number % 64;
        start(which);
    }
    if (own.unusable_for[number])
        return own.unusable_for[number];
    call->finished = &own.slots[number];
    atomic_store_explicit(&own.slots[number].call, call, memory_order_release);
    return NULL;
}

bool own_start_returned(struct processor_call *call)
{
    struct startup_slot *slot = call->finished;
    if (!slot)
        return true;
    if (atomic_load_explicit(&slot->state, memory_order_acquire) != STARTUP_PARKED)
        return false;
    pages_give_back((void *)(slot->stack - STACK_BYTES), STACK_BYTES); // NOLINT
    slot->stack = 0;
    call->finished = NULL;
    return true;
}

static void nothing(void *argument)
{
    (void)argument;
}

/* One that is silent may wake up yet, when this program is gone: INIT makes it wait for a SIPI. */
static bool leave(uint32_t number, uint64_t since)
{
    static struct processor_call no_call = {nothing, NULL, NULL};
    struct startup_slot *slot = &own.slots[number];
    if (state_of(number) == STARTUP_WAITING && !atomic_load(&slot->call))
        atomic_store_explicit(&slot->call, &no_call, memory_order_release);
    while (state_of(number) == STARTUP_WAITING) {
        if (clock_milliseconds() - since > ANSWER_MILLISECONDS)
            return false;
        clock_wait(1);
    }
    uint64_t which[WORDS] = {0};
    which[number / 64] = UINT64_C(1) << number % 64;
    return state_of(number) == STARTUP_PARKED || startup_send(STARTUP_INIT, which);
}

bool own_start_leave(const char **left)
{
    bool all = true;
    *left = NULL;
    if (!own.slots)
        return true;
    uint64_t since = clock_milliseconds();
    bool parked = false;
    for (uint32_t n = 0; n < own.count; n++) {
        if (own.slots[n].stack)
            all &= leave(n, since);
        parked |= state_of(n) == STARTUP_PARKED;
    }
    if (parked)
        *left = "The vCPUs that zmmtest started are left halted, with interrupts off, in reserved "
                "memory below 640 KiB. INIT and SIPI start them again.";
    return all;
}
