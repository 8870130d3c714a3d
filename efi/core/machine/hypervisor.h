/* What runs beneath: told by CPUID signature, asked for its build where it has a way to say it. */
#ifndef ZMMTEST_CORE_MACHINE_HYPERVISOR_H
#define ZMMTEST_CORE_MACHINE_HYPERVISOR_H

#include "cpu.h"
#include <stdbool.h>
#include <stdint.h>

enum hypervisor_kind {
    HYPERVISOR_NONE,
    HYPERVISOR_VMWARE,
    HYPERVISOR_KVM,
    HYPERVISOR_HYPERV,
    HYPERVISOR_XEN,
    HYPERVISOR_BHYVE,
    HYPERVISOR_VIRTUALBOX,
    HYPERVISOR_TCG,
    HYPERVISOR_UNKNOWN,
};

/*
 * The hypercall that does nothing here. The wrong instruction is patched by KVM
 * (kvm_emulate_hypercall()) or raises #UD; a wrong number is refused.
 */
enum hypercall {
    HYPERCALL_NONE,
    HYPERCALL_VMCALL,
    HYPERCALL_VMMCALL,
    HYPERCALL_VMWARE_VMCALL,
    HYPERCALL_VMWARE_VMMCALL,
};

struct hypervisor {
    enum hypervisor_kind kind;
    const char *name;
    char signature[13]; /* of leaf 0x40000000 (or 0x40000100 ...); "" if none */
    enum hypercall hypercall;
    bool backdoor;  /* port 0x5658 answers GETVERSION */
    uint32_t build; /* VMware's build number; 0: unknown */
    uint32_t tsc_khz;
};

/* Reads the CPUID signatures only. */
void hypervisor_identify(struct hypervisor *hypervisor, const struct cpu *cpu);

/* VMware's backdoor (open-vm-tools, backdoor_def.h). */
#define BACKDOOR_MAGIC       0x564d5868u
#define BACKDOOR_PORT        0x5658u
#define BACKDOOR_GETVERSION  10u
#define BACKDOOR_GETBUILDNUM 100u
#define BACKDOOR_MESSAGE     30u

struct backdoor {
    uint32_t eax, ebx, ecx, edx, esi, edi;
};

/*
 * One call; in: ebx, ecx, edx (channel << 16), esi, edi; out: all of them, and no other register or
 * memory. At CPL 0 it cannot fault: where nothing answers EAX is FFFFFFFF and the others are kept.
 */
void backdoor_call(struct backdoor *registers);

/* Finds out whether the backdoor answers, and asks VMware for its build. */
void hypervisor_ask_backdoor(struct hypervisor *hypervisor, const struct cpu *cpu);

#endif
