/* Finds the HPET and the processors in ACPI, a VGA frame buffer among the PCI devices, the
 * firmware's name, and what a hidden hypervisor calls itself. */
#include "platform.h"
#include "../core/machine/acpi.h"
#include "../core/machine/hidden.h"
#include "../core/machine/smbios.h"
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

/* 0: the firmware has none. */
static uint64_t configuration_table(const EFI_GUID *guid)
{
    for (UINTN n = 0; n < system_table->NumberOfTableEntries; n++) {
        const EFI_CONFIGURATION_TABLE *entry = &system_table->ConfigurationTable[n];
        if (guid_equal(&entry->VendorGuid, guid))
            return (uint64_t)entry->VendorTable;
    }
    return 0;
}

static uint64_t newer_or_older(const EFI_GUID *newer, const EFI_GUID *older)
{
    uint64_t address = configuration_table(newer);
    return address ? address : configuration_table(older);
}

static uint64_t find_rsdp(void)
{
    static const EFI_GUID acpi_2 = ACPI_20_TABLE_GUID, acpi_1 = ACPI_TABLE_GUID;
    return newer_or_older(&acpi_2, &acpi_1);
}

static uint64_t find_smbios(void)
{
    static const EFI_GUID smbios_3 = SMBIOS3_TABLE_GUID, smbios = SMBIOS_TABLE_GUID;
    return newer_or_older(&smbios_3, &smbios);
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

static void add_vendor(EFI_HANDLE handle, struct traces *traces)
{
    EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
    EFI_PCI_IO_PROTOCOL *pci;
    UINT16 vendor;
    EFI_STATUS status = system_table->BootServices->HandleProtocol(handle, &guid, (void **)&pci);
    if (!EFI_ERROR(status))
        status = pci->Pci.Read(pci, EfiPciIoWidthUint16, 0, 1, &vendor);
    if (!EFI_ERROR(status))
        hidden_add_pci(traces, vendor);
}

static void look_at_pci(struct machine *machine, struct traces *traces)
{
    EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
    EFI_HANDLE *handles;
    UINTN count;
    EFI_STATUS status =
        system_table->BootServices->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles);
    if (EFI_ERROR(status))
        return;
    for (UINTN n = 0; n < count; n++) {
        if (!machine->vga_address && decodes_vga_memory(handles[n]))
            machine->vga_address = VGA_MEMORY_ADDRESS;
        add_vendor(handles[n], traces);
    }
    (void)system_table->BootServices->FreePool(handles);
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
    struct traces traces = {0};
    ascii_from_ucs2(vendor, sizeof(vendor), system_table->FirmwareVendor);
    text_start(&text, machine->firmware, sizeof(machine->firmware));
    text_add(&text, "%s 0x%x", vendor[0] ? vendor : "unnamed", system_table->FirmwareRevision);
    read_memory_map();
    machine->hpet_address = find_hpet();
    acpi_oem(find_rsdp(), in_memory_map, traces.acpi_oem);
    smbios_read(&traces.smbios, find_smbios(), in_memory_map);
    forget_memory_map();
    machine->vga_address = 0;
    look_at_pci(machine, &traces);
    text_start(&text, machine->hidden, sizeof(machine->hidden));
    if (machine->hypervisor.kind == HYPERVISOR_NONE)
        (void)hidden_look(&traces, &text);
    const uint32_t *apic_ids;
    machine->vcpus_listed = platform_processors(&apic_ids);
}
