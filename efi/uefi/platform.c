/* Finds the HPET and the processors in ACPI, a VGA frame buffer among the PCI devices, and the
 * firmware's name. */
#include "platform.h"
#include "../core/machine/acpi.h"
#include "../core/run/options.h"
#include "../core/text.h"
#include "../platform/pages.h"
#include "firmware.h"
#include <efipciio.h>
#include <string.h>

static bool guid_equal(const EFI_GUID *left, const EFI_GUID *right)
{
    return memcmp(left, right, sizeof(*left)) == 0;
}

static uint64_t find_rsdp(void)
{
    static const EFI_GUID acpi_2 = ACPI_20_TABLE_GUID, acpi_1 = ACPI_TABLE_GUID;
    const void *found = NULL;
    for (UINTN n = 0; n < system_table->NumberOfTableEntries; n++) {
        const EFI_CONFIGURATION_TABLE *entry = &system_table->ConfigurationTable[n];
        if (guid_equal(&entry->VendorGuid, &acpi_2))
            return (uint64_t)entry->VendorTable;
        if (guid_equal(&entry->VendorGuid, &acpi_1))
            found = entry->VendorTable;
    }
    return (uint64_t)found;
}

static struct {
    EFI_MEMORY_DESCRIPTOR *start; /* NULL: not known */
    UINTN bytes, each;
} memory_map;

static void read_memory_map(void)
{
    EFI_BOOT_SERVICES *boot = system_table->BootServices;
    UINTN key;
    UINT32 version;
    UINTN bytes = 0;
    memory_map.start = NULL;
    (void)boot->GetMemoryMap(&bytes, NULL, &key, &memory_map.each, &version);
    /* The room for it may itself be one more descriptor, or two. */
    bytes += 4 * memory_map.each;
    if (EFI_ERROR(boot->AllocatePool(EfiLoaderData, bytes, (void **)&memory_map.start)))
        return;
    memory_map.bytes = bytes;
    if (!EFI_ERROR(boot->GetMemoryMap(&memory_map.bytes, memory_map.start, &key, &memory_map.each,
                                      &version)))
        return;
    (void)boot->FreePool(memory_map.start);
    memory_map.start = NULL;
}

static void forget_memory_map(void)
{
    if (memory_map.start)
        (void)system_table->BootServices->FreePool(memory_map.start);
    memory_map.start = NULL;
}

/* What the firmware has in its map is mapped while boot services last (UEFI 2.10, 2.3.4). */
static bool in_memory_map(uint64_t address, uint64_t bytes)
{
    for (UINTN at = 0; memory_map.start && at < memory_map.bytes; at += memory_map.each) {
        const EFI_MEMORY_DESCRIPTOR *range = (const void *)((const uint8_t *)memory_map.start + at);
        uint64_t size = range->NumberOfPages * PAGE_BYTES, offset = address - range->PhysicalStart;
        if (address >= range->PhysicalStart && offset < size && bytes <= size - offset)
            return true;
    }
    return false;
}

static uint64_t find_hpet(void)
{
    const struct acpi_header *table = acpi_find(find_rsdp(), "HPET", in_memory_map);
    return table ? acpi_hpet_address(table) : 0;
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

uint32_t platform_processors(const uint32_t **apic_ids)
{
    static uint32_t ids[CPU_MAX];
    *apic_ids = ids;
    read_memory_map();
    const struct acpi_header *table = acpi_find(find_rsdp(), "APIC", in_memory_map);
    uint32_t count = table ? acpi_processors(table, ids, CPU_MAX) : 0;
    forget_memory_map();
    return count;
}

void platform_identify(struct machine *machine)
{
    char vendor[32];
    struct text text;
    ascii_from_ucs2(vendor, sizeof(vendor), system_table->FirmwareVendor);
    text_start(&text, machine->firmware, sizeof(machine->firmware));
    text_add(&text, "%s 0x%x", vendor[0] ? vendor : "unnamed", system_table->FirmwareRevision);
    read_memory_map();
    machine->hpet_address = find_hpet();
    forget_memory_map();
    machine->vga_address = find_vga();
    const uint32_t *apic_ids;
    machine->vcpus_listed = platform_processors(&apic_ids);
}
