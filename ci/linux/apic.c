/* A process has no local APIC: what it does with interrupts is the kernel's. */
#include "../../efi/platform/apic.h"

void apic_find(struct apic *apic)
{
    *apic = (struct apic){.mode = APIC_OFF};
}

uint32_t apic_read(const struct apic *apic, enum apic_register offset)
{
    (void)apic;
    (void)offset;
    return 0;
}

void apic_write(const struct apic *apic, enum apic_register offset, uint32_t value)
{
    (void)apic;
    (void)offset;
    (void)value;
}

void apic_send(const struct apic *apic, uint32_t to, uint32_t command)
{
    (void)apic;
    (void)to;
    (void)command;
}

uint32_t apic_id(const struct apic *apic)
{
    (void)apic;
    return 0;
}

bool apic_in_service(const struct apic *apic)
{
    (void)apic;
    return false;
}
