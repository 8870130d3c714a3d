/* Tables are what firmware and hypervisor made up: no address and no length is trusted. */
#include "acpi.h"
#include <string.h>

/* 5.2.5.3: Root System Description Pointer. */
struct __attribute__((packed)) rsdp {
    char signature[8];
    uint8_t checksum;
    char oem[6];
    uint8_t revision;
    uint32_t rsdt;
    /* Since revision 2: */
    uint32_t length;
    uint64_t xsdt;
};

#define RSDP_BYTES_FIRST 20u /* of revision 0 */

/* IA-PC HPET specification 1.0a, 3.2.4. */
struct __attribute__((packed)) acpi_hpet {
    struct acpi_header header;
    uint32_t event_timer_block;
    uint8_t address_space; /* 0: memory */
    uint8_t register_bits, register_offset, reserved;
    uint64_t address;
};

#define TABLE_LENGTH_MAX 65536u

static const void *at(uint64_t address)
{
    return (const void *)address; // NOLINT(performance-no-int-to-ptr)
}

/* NULL: there is none that is whole. */
static const struct acpi_header *table_at(uint64_t address, acpi_readable *readable)
{
    const struct acpi_header *table = at(address);
    uint8_t sum = 0;
    if (!address || !readable(address, sizeof(*table)) || table->length < sizeof(*table) ||
        table->length > TABLE_LENGTH_MAX || !readable(address, table->length))
        return NULL;
    for (uint32_t n = 0; n < table->length; n++)
        sum = (uint8_t)(sum + ((const uint8_t *)table)[n]);
    return sum == 0 ? table : NULL;
}

/* The RSDT, whose entries have 4 bytes, or the XSDT, whose have 8. */
static const struct acpi_header *root_table(uint64_t address, uint64_t *width,
                                            acpi_readable *readable)
{
    const struct rsdp *rsdp = at(address);
    if (!address || !readable(address, RSDP_BYTES_FIRST))
        return NULL;
    bool extended = rsdp->revision >= 2 && readable(address, sizeof(*rsdp)) && rsdp->xsdt;
    *width = extended ? 8 : 4;
    return table_at(extended ? rsdp->xsdt : rsdp->rsdt, readable);
}

const struct acpi_header *acpi_find(uint64_t rsdp, const char signature[4], acpi_readable *readable)
{
    uint64_t width;
    const struct acpi_header *root = root_table(rsdp, &width, readable);
    if (!root)
        return NULL;
    for (uint64_t entry = sizeof(*root); entry + width <= root->length; entry += width) {
        uint64_t address = 0;
        memcpy(&address, (const uint8_t *)root + entry, width);
        const struct acpi_header *table = table_at(address, readable);
        if (table && memcmp(table->signature, signature, sizeof(table->signature)) == 0)
            return table;
    }
    return NULL;
}

void acpi_oem(uint64_t rsdp, acpi_readable *readable, char oem[7])
{
    uint64_t width;
    const struct acpi_header *root = root_table(rsdp, &width, readable);
    memset(oem, 0, 7);
    if (root)
        memcpy(oem, root->oem, sizeof(root->oem));
}

uint64_t acpi_hpet_address(const struct acpi_header *table)
{
    struct acpi_hpet hpet;
    if (table->length < sizeof(hpet))
        return 0;
    memcpy(&hpet, table, sizeof(hpet));
    return hpet.address_space == 0 ? hpet.address : 0;
}

/* 5.2.12: Multiple APIC Description Table. Its entries follow the flags. */
struct __attribute__((packed)) acpi_madt {
    struct acpi_header header;
    uint32_t apic_address, flags;
};

enum madt_type { MADT_LOCAL_APIC = 0, MADT_LOCAL_X2APIC = 9 };

/* 5.2.12.2 and 5.2.12.12. Of the flags, bit 0 says enabled; bit 1, online capable, does not. */
struct __attribute__((packed)) madt_local_apic {
    uint8_t type, length, uid, apic_id;
    uint32_t flags;
};

struct __attribute__((packed)) madt_local_x2apic {
    uint8_t type, length;
    uint16_t reserved;
    uint32_t apic_id, flags, uid;
};

#define MADT_ENABLED 1u

/* False: the entry is no enabled processor. The ids that address all are nobody's. */
static bool enabled_processor(const uint8_t *entry, uint8_t length, uint32_t *apic_id)
{
    struct madt_local_apic local;
    struct madt_local_x2apic x2apic;
    if (entry[0] == MADT_LOCAL_APIC && length >= sizeof(local)) {
        memcpy(&local, entry, sizeof(local));
        *apic_id = local.apic_id;
        return local.flags & MADT_ENABLED && local.apic_id != 0xff;
    }
    if (entry[0] == MADT_LOCAL_X2APIC && length >= sizeof(x2apic)) {
        memcpy(&x2apic, entry, sizeof(x2apic));
        *apic_id = x2apic.apic_id;
        return x2apic.flags & MADT_ENABLED && x2apic.apic_id != UINT32_MAX;
    }
    return false;
}

static bool among(uint32_t id, const uint32_t *ids, uint32_t count)
{
    for (uint32_t n = 0; n < count; n++)
        if (ids[n] == id)
            return true;
    return false;
}

uint32_t acpi_processors(const struct acpi_header *madt, uint32_t *apic_id, uint32_t room)
{
    uint32_t count = 0, id;
    uint8_t length;
    /* An entry has two bytes at the least, or else there would be no end. */
    for (uint32_t at = sizeof(struct acpi_madt); at + 2 <= madt->length; at += length) {
        const uint8_t *entry = (const uint8_t *)madt + at;
        length = entry[1];
        if (length < 2 || length > madt->length - at)
            break;
        if (!enabled_processor(entry, length, &id) ||
            among(id, apic_id, count < room ? count : room))
            continue;
        if (count < room)
            apic_id[count] = id;
        count++;
    }
    return count;
}
