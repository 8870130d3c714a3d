/* Reads and writes the local APIC in the mode that it is in. */
#include "../platform/apic.h"
#include "../core/window/guard.h"
#include "../platform/instructions.h"

#define MSR_X2APIC_FIRST 0x800u

void apic_find(struct apic *apic)
{
    uint64_t base;
    *apic = (struct apic){.mode = APIC_OFF};
    if (!traps_rdmsr(MSR_APIC_BASE, &base) || !(base & APIC_BASE_ENABLED))
        return;
    apic->mode = base & APIC_BASE_X2APIC ? APIC_X2APIC : APIC_XAPIC;
    apic->address = base & APIC_BASE_ADDRESS;
}

static volatile uint32_t *in_memory(const struct apic *apic, enum apic_register offset)
{
    return (volatile uint32_t *)(apic->address + offset); // NOLINT(performance-no-int-to-ptr)
}

uint32_t apic_read(const struct apic *apic, enum apic_register offset)
{
    if (apic->mode == APIC_X2APIC)
        return (uint32_t)rdmsr(MSR_X2APIC_FIRST + offset / 16);
    return *in_memory(apic, offset);
}

void apic_write(const struct apic *apic, enum apic_register offset, uint32_t value)
{
    if (apic->mode == APIC_X2APIC)
        wrmsr(MSR_X2APIC_FIRST + offset / 16, value);
    else
        *in_memory(apic, offset) = value;
}

#define LOOKS_MOST 100000u

void apic_send(const struct apic *apic, uint32_t to, uint32_t command)
{
    if (apic->mode == APIC_X2APIC) {
        wrmsr(MSR_X2APIC_COMMAND, (uint64_t)to << 32 | command);
        return;
    }
    apic_write(apic, APIC_COMMAND_HIGH, to << 24);
    apic_write(apic, APIC_COMMAND, command);
    for (uint32_t n = 0; n < LOOKS_MOST && apic_read(apic, APIC_COMMAND) & APIC_COMMAND_PENDING;
         n++)
        cpu_pause();
}

uint32_t apic_id(const struct apic *apic)
{
    uint32_t id = apic_read(apic, APIC_ID);
    return apic->mode == APIC_X2APIC ? id : id >> 24;
}

bool apic_in_service(const struct apic *apic)
{
    uint32_t served = 0;
    for (uint32_t n = 0; n < 8; n++)
        served |= apic_read(apic, APIC_IN_SERVICE + 16 * n);
    return served != 0;
}
