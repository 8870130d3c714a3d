/* Recognises the hypervisor, and picks the hypercall that is harmless under it. */
#include "hypervisor.h"
#include <string.h>

#define LEAF_FIRST 0x40000000u
#define LEAF_LAST  0x4000ff00u
#define LEAF_STEP  0x100u

struct signature {
    const char *text;
    enum hypervisor_kind kind;
    const char *name;
};

static const struct signature signatures[] = {
    {"VMwareVMware", HYPERVISOR_VMWARE, "VMware"},
    {"KVMKVMKVM", HYPERVISOR_KVM, "KVM"},
    {"Microsoft Hv", HYPERVISOR_HYPERV, "Hyper-V"},
    {"XenVMMXenVMM", HYPERVISOR_XEN, "Xen"},
    {"bhyve bhyve ", HYPERVISOR_BHYVE, "bhyve"},
    {"VBoxVBoxVBox", HYPERVISOR_VIRTUALBOX, "VirtualBox"},
    {"TCGTCGTCGTCG", HYPERVISOR_TCG, "QEMU TCG"},
};

static const struct signature *find_signature(const char *text)
{
    for (size_t n = 0; n < sizeof(signatures) / sizeof(signatures[0]); n++)
        if (strcmp(signatures[n].text, text) == 0)
            return &signatures[n];
    return NULL;
}

static void read_signature(char text[13], uint32_t base)
{
    struct cpuid leaf = cpuid(base, 0);
    const uint32_t words[3] = {leaf.ebx, leaf.ecx, leaf.edx};
    memcpy(text, words, sizeof(words));
    text[12] = '\0';
}

/*
 * KVM and Xen move their own leaves up by 0x100 when they offer Hyper-V's at 0x40000000 as well, so
 * a Hyper-V signature alone does not say who is there: a KVM or Xen one further up wins.
 */
static const struct signature *look_further(const struct signature *first)
{
    for (uint32_t base = LEAF_FIRST + LEAF_STEP; base <= LEAF_LAST; base += LEAF_STEP) {
        char text[13];
        read_signature(text, base);
        const struct signature *found = find_signature(text);
        if (found && (found->kind == HYPERVISOR_KVM || found->kind == HYPERVISOR_XEN))
            return found;
    }
    return first;
}

/*
 * Under VMware the call form of the backdoor has to be offered (leaf 0x40000010, Linux vmware.c).
 * Hyper-V's hypercalls want MSRs set up first; bhyve, VirtualBox and TCG have none: #UD.
 */
static enum hypercall choose_hypercall(const struct hypervisor *hypervisor, const struct cpu *cpu)
{
    switch (hypervisor->kind) {
    case HYPERVISOR_KVM:
    case HYPERVISOR_XEN:
        return cpu->amd ? HYPERCALL_VMMCALL : HYPERCALL_VMCALL;
    case HYPERVISOR_VMWARE: {
        if (cpuid(LEAF_FIRST, 0).eax < LEAF_FIRST + 0x10)
            return HYPERCALL_NONE;
        uint32_t offered = cpuid(LEAF_FIRST + 0x10, 0).ecx;
        if (offered & 1)
            return HYPERCALL_VMWARE_VMMCALL;
        return offered & 2 ? HYPERCALL_VMWARE_VMCALL : HYPERCALL_NONE;
    }
    default:
        return HYPERCALL_NONE;
    }
}

void hypervisor_identify(struct hypervisor *hypervisor, const struct cpu *cpu)
{
    memset(hypervisor, 0, sizeof(*hypervisor));
    hypervisor->name = "none";
    if (!cpu->hypervisor_bit)
        return;
    read_signature(hypervisor->signature, LEAF_FIRST);
    const struct signature *found = find_signature(hypervisor->signature);
    if (!found || found->kind == HYPERVISOR_HYPERV)
        found = look_further(found);
    hypervisor->kind = found ? found->kind : HYPERVISOR_UNKNOWN;
    hypervisor->name = found ? found->name : "unknown";
    hypervisor->hypercall = choose_hypercall(hypervisor, cpu);
    bool has_timing = hypervisor->kind == HYPERVISOR_VMWARE || hypervisor->kind == HYPERVISOR_KVM;
    if (has_timing && cpuid(LEAF_FIRST, 0).eax >= LEAF_FIRST + 0x10)
        hypervisor->tsc_khz = cpuid(LEAF_FIRST + 0x10, 0).eax;
}

/*
 * Only where something says that a hypervisor is there: on bare metal the port may be a device's.
 * EBX comes back as the magic number where the backdoor is real; it starts as its complement.
 */
void hypervisor_ask_backdoor(struct hypervisor *hypervisor, const struct cpu *cpu)
{
    if (!cpu->hypervisor_bit)
        return;
    struct backdoor call = {.ebx = ~BACKDOOR_MAGIC, .ecx = BACKDOOR_GETVERSION};
    backdoor_call(&call);
    hypervisor->backdoor = call.ebx == BACKDOOR_MAGIC && call.eax != UINT32_MAX;
    if (!hypervisor->backdoor || hypervisor->kind != HYPERVISOR_VMWARE)
        return;
    call = (struct backdoor){.ecx = BACKDOOR_GETBUILDNUM};
    backdoor_call(&call);
    if (call.eax != UINT32_MAX)
        hypervisor->build = call.eax;
}
