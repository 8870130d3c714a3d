/* Finds the HPET in ACPI, a VGA frame buffer among the PCI devices, and the firmware's name. */
#include "platform.h"
#include "../core/text.h"
#include "firmware.h"
#include <efipciio.h>
#include <string.h>

/* ACPI 6.5, 5.2.5.3: Root System Description Pointer. */
struct __attribute__((packed)) rsdp {
    char signature[8];
    uint8_t checksum;
    char oem[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length;
    uint64_t xsdt;
};

/* ACPI 6.5, 5.2.6: the header that every table starts with. */
struct __attribute__((packed)) acpi_header {
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem[6], oem_table[8];
    uint32_t oem_revision, creator, creator_revision;
};

/* IA-PC HPET specification 1.0a, 3.2.4. */
struct __attribute__((packed)) acpi_hpet {
    struct acpi_header header;
    uint32_t event_timer_block;
    uint8_t address_space; /* 0: memory */
    uint8_t register_bits, register_offset, reserved;
    uint64_t address;
};

#define TABLE_LENGTH_MAX 65536u

static bool checksum_right(const struct acpi_header *table)
{
    const uint8_t *bytes = (const uint8_t *)table;
    uint8_t sum = 0;
    if (table->length < sizeof(*table) || table->length > TABLE_LENGTH_MAX)
        return false;
    for (uint32_t n = 0; n < table->length; n++)
        sum = (uint8_t)(sum + bytes[n]);
    return sum == 0;
}

static bool guid_equal(const EFI_GUID *left, const EFI_GUID *right)
{
    return memcmp(left, right, sizeof(*left)) == 0;
}

static const struct rsdp *find_rsdp(void)
{
    static const EFI_GUID acpi_2 = ACPI_20_TABLE_GUID, acpi_1 = ACPI_TABLE_GUID;
    const struct rsdp *found = NULL;
    for (UINTN n = 0; n < system_table->NumberOfTableEntries; n++) {
        const EFI_CONFIGURATION_TABLE *entry = &system_table->ConfigurationTable[n];
        if (guid_equal(&entry->VendorGuid, &acpi_2))
            return entry->VendorTable;
        if (guid_equal(&entry->VendorGuid, &acpi_1))
            found = entry->VendorTable;
    }
    return found;
}

/* Entry n of the RSDT (32-bit) or the XSDT (64-bit, and not aligned). */
static const struct acpi_header *root_entry(const struct acpi_header *root, size_t width, size_t n)
{
    uint64_t address = 0;
    memcpy(&address, (const uint8_t *)root + sizeof(*root) + n * width, width);
    return (const struct acpi_header *)address; // NOLINT(performance-no-int-to-ptr)
}

static const struct acpi_header *find_table(const char *signature)
{
    const struct rsdp *rsdp = find_rsdp();
    if (!rsdp)
        return NULL;
    bool extended = rsdp->revision >= 2 && rsdp->xsdt;
    size_t width = extended ? 8 : 4;
    uint64_t address = extended ? rsdp->xsdt : rsdp->rsdt;
    const struct acpi_header *root = (const void *)address; // NOLINT(performance-no-int-to-ptr)
    if (!root || !checksum_right(root))
        return NULL;
    for (size_t n = 0; n < (root->length - sizeof(*root)) / width; n++) {
        const struct acpi_header *table = root_entry(root, width, n);
        if (table && memcmp(table->signature, signature, 4) == 0 && checksum_right(table))
            return table;
    }
    return NULL;
}

static uint64_t find_hpet(void)
{
    const struct acpi_hpet *hpet = (const void *)find_table("HPET");
    if (!hpet || hpet->header.length < sizeof(*hpet) || hpet->address_space != 0)
        return 0;
    return hpet->address;
}

/* The range that a device with the attribute VGA_MEMORY decodes (UEFI 2.10, 14.4). */
#define VGA_MEMORY_ADDRESS 0xa0000u

static bool decodes_vga_memory(EFI_HANDLE handle)
{
    EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
    EFI_PCI_IO_PROTOCOL *pci;
    UINT64 attributes = 0;
    const UINT64 needed = EFI_PCI_IO_ATTRIBUTE_VGA_MEMORY | EFI_PCI_IO_ATTRIBUTE_MEMORY;
    EFI_STATUS status = system_table->BootServices->HandleProtocol(handle, &guid, (void **)&pci);
    if (EFI_ERROR(status))
        return false;
    status = pci->Attributes(pci, EfiPciIoAttributeOperationGet, 0, &attributes);
    return !EFI_ERROR(status) && (attributes & needed) == needed;
}

static uint64_t find_vga(void)
{
    EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
    EFI_HANDLE *handles;
    UINTN count;
    uint64_t address = 0;
    EFI_STATUS status =
        system_table->BootServices->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles);
    if (EFI_ERROR(status))
        return 0;
    for (UINTN n = 0; n < count && !address; n++)
        if (decodes_vga_memory(handles[n]))
            address = VGA_MEMORY_ADDRESS;
    (void)system_table->BootServices->FreePool(handles);
    return address;
}

void platform_identify(struct machine *machine)
{
    char vendor[32];
    struct text text;
    ascii_from_ucs2(vendor, sizeof(vendor), system_table->FirmwareVendor);
    text_start(&text, machine->firmware, sizeof(machine->firmware));
    text_add(&text, "%s 0x%x", vendor[0] ? vendor : "unnamed", system_table->FirmwareRevision);
    machine->hpet_address = find_hpet();
    machine->vga_address = find_vga();
}
