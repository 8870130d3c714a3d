/* The names that hypervisors leave in SMBIOS, ACPI and PCI: a new one is a row. */
#include "hidden.h"
#include <stddef.h>
#include <string.h>

struct trace {
    const char *text, *name;
};

/* In vendor and product names, anywhere in them. Clouds whose bare metal calls itself alike are
 * not here. */
static const struct trace in_smbios[] = {
    {"VMware", "VMware"},
    {"VirtualBox", "VirtualBox"},
    {"innotek", "VirtualBox"},
    {"QEMU", "QEMU"},
    {"Bochs", "Bochs"},
    {"SeaBIOS", "SeaBIOS"},
    {"KVM", "KVM"},
    {"Xen", "Xen"},
    {"BHYVE", "bhyve"},
    {"Virtual Machine", "Hyper-V"},
    {"Parallels", "Parallels"},
    {"OpenStack", "OpenStack"},
    {"Cloud Hypervisor", "Cloud Hypervisor"},
    {"AHV", "Nutanix AHV"},
};

/* The OEM id of the root table, without the blanks behind it. */
static const struct trace in_acpi[] = {
    {"BOCHS", "QEMU or Bochs"},
    {"VMWARE", "VMware"},
    {"PTLTD", "VMware"},
    {"VBOX", "VirtualBox"},
    {"XEN", "Xen"},
    {"Xen", "Xen"},
    {"BHYVE", "bhyve"},
    {"VRTUAL", "Hyper-V"},
    {"PRLS", "Parallels"},
    {"CLOUDH", "Cloud Hypervisor"},
    {"ACRN", "ACRN"},
};

static const struct {
    uint16_t vendor;
    const char *name;
} in_pci[] = {
    {0x15ad, "VMware"},
    {0x5853, "Xen"},
    {0x1414, "Microsoft"},
    {0x1af4, "virtio"},
};

void hidden_add_pci(struct traces *traces, uint16_t vendor)
{
    for (size_t row = 0; row < sizeof(in_pci) / sizeof(in_pci[0]); row++)
        if (in_pci[row].vendor == vendor)
            traces->pci_found |= UINT64_C(1) << row;
}

static bool begins(const char *text, const char *with)
{
    return strlen(text) >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

static bool contains(const char *text, const char *part)
{
    for (; *text; text++)
        if (begins(text, part))
            return true;
    return false;
}

static const char *look_in_smbios(const struct smbios *smbios)
{
    for (size_t row = 0; row < sizeof(in_smbios) / sizeof(in_smbios[0]); row++)
        if (contains(smbios->manufacturer, in_smbios[row].text) ||
            contains(smbios->product, in_smbios[row].text) ||
            contains(smbios->firmware_vendor, in_smbios[row].text))
            return in_smbios[row].name;
    return NULL;
}

static const char *look_in_acpi(const char *oem)
{
    for (size_t row = 0; row < sizeof(in_acpi) / sizeof(in_acpi[0]); row++) {
        size_t length = strlen(in_acpi[row].text);
        if (begins(oem, in_acpi[row].text) && (oem[length] == '\0' || oem[length] == ' '))
            return in_acpi[row].name;
    }
    return NULL;
}

static const char *look_in_pci(uint64_t found)
{
    for (size_t row = 0; row < sizeof(in_pci) / sizeof(in_pci[0]); row++)
        if (found >> row & 1)
            return in_pci[row].name;
    return NULL;
}

bool hidden_look(const struct traces *traces, struct text *text)
{
    const char *name = look_in_smbios(&traces->smbios);
    if (name) {
        text_add(text, "SMBIOS says %s", name);
        return true;
    }
    name = look_in_acpi(traces->acpi_oem);
    if (name) {
        text_add(text, "ACPI says %s", name);
        return true;
    }
    name = look_in_pci(traces->pci_found);
    if (name)
        text_add(text, "there is a PCI device of %s", name);
    return name != NULL;
}
