/* Reads vendor, brand, family, model, stepping and features (SDM vol. 2A, CPUID). */
#include "cpu.h"
#include "../../platform/instructions.h"
#include <stddef.h>
#include <string.h>

static void put_words(char *to, const uint32_t *words, unsigned int count)
{
    memcpy(to, words, count * sizeof(*words));
    to[count * sizeof(*words)] = '\0';
}

static void read_brand(struct cpu *cpu)
{
    memcpy(cpu->brand, cpu->vendor, sizeof(cpu->vendor));
    if (cpuid(0x80000000, 0).eax < 0x80000004)
        return;
    uint32_t words[12];
    for (uint32_t n = 0; n < 3; n++) {
        struct cpuid part = cpuid(0x80000002 + n, 0);
        memcpy(words + (size_t)4 * n, &part, sizeof(part));
    }
    char text[49];
    put_words(text, words, 12);
    const char *start = text;
    while (*start == ' ')
        start++;
    size_t length = strlen(start);
    while (length > 0 && start[length - 1] == ' ')
        length--;
    if (length == 0)
        return;
    memcpy(cpu->brand, start, length);
    cpu->brand[length] = '\0';
}

/* Leaf 0x80000006, ECX bits 31:16: KiB, on Intel as on AMD. */
static void read_l2(struct cpu *cpu)
{
    cpu->l2_bytes = UINT64_C(1) << 20;
    if (cpuid(0x80000000, 0).eax < 0x80000006)
        return;
    uint64_t kibibytes = cpuid(0x80000006, 0).ecx >> 16;
    if (kibibytes)
        cpu->l2_bytes = kibibytes << 10;
}

void cpu_identify(struct cpu *cpu)
{
    struct cpuid leaf = cpuid(0, 0);
    memset(cpu, 0, sizeof(*cpu));
    cpu->highest_leaf = leaf.eax;
    const uint32_t vendor[3] = {leaf.ebx, leaf.edx, leaf.ecx};
    put_words(cpu->vendor, vendor, 3);
    cpu->amd = strcmp(cpu->vendor, "AuthenticAMD") == 0 || strcmp(cpu->vendor, "HygonGenuine") == 0;

    leaf = cpuid(1, 0);
    cpu->stepping = leaf.eax & 15;
    cpu->model = leaf.eax >> 4 & 15;
    cpu->family = leaf.eax >> 8 & 15;
    if (cpu->family == 6 || cpu->family == 15)
        cpu->model |= (leaf.eax >> 16 & 15) << 4;
    if (cpu->family == 15)
        cpu->family += leaf.eax >> 20 & 255;
    cpu->monitor = leaf.ecx >> 3 & 1;
    cpu->x2apic = leaf.ecx >> 21 & 1;
    cpu->xsave = leaf.ecx >> 26 & 1;
    cpu->avx = leaf.ecx >> 28 & 1;
    cpu->hypervisor_bit = leaf.ecx >> 31 & 1;

    if (cpu->highest_leaf >= 7) {
        leaf = cpuid(7, 0);
        cpu->avx512f = leaf.ebx >> 16 & 1;
        cpu->avx512bw = leaf.ebx >> 30 & 1;
        cpu->protection_keys = leaf.ecx >> 3 & 1;
    }
    read_brand(cpu);
    read_l2(cpu);
}

const char *cpu_refused(uint64_t cr4)
{
    if (cr4 & CR4_FRED)
        return "the firmware has turned FRED on (CR4 bit 32): exceptions do not come by the IDT";
    if (cr4 & CR4_CET)
        return "the firmware has turned CET on (CR4 bit 23): exceptions cannot end a window";
    return NULL;
}
