/* Reads a few CPUID leaves, and of them what depends neither on the vCPU nor on CR4 and XCR0. */
#include "mark.h"
#include <string.h>

#define ALL UINT32_MAX

static const struct {
    uint32_t leaf, subleaf;
    struct cpuid kept; /* these bits */
    const char *words;
} leaves[MARK_LEAVES] = {
    {1, 0, {ALL, 0, 0, 0}, "what CPUID says of the model"},
    {0xd, 0, {ALL, 0, ALL, ALL}, "what CPUID leaf Dh says"},
    {0xd, 1, {ALL, 0, ALL, ALL}, "what CPUID leaf Dh says"},
    {0x15, 0, {ALL, ALL, ALL, ALL}, "what CPUID leaf 15h says of the TSC"},
    {0x16, 0, {ALL, ALL, ALL, ALL}, "what CPUID leaf 16h says of the frequencies"},
    {0x40000000, 0, {ALL, ALL, ALL, ALL}, "the hypervisor's signature"},
    {0x40000010, 0, {ALL, 0, 0, 0}, "what the hypervisor says of the TSC"},
    {0x80000002, 0, {ALL, ALL, ALL, ALL}, "the processor's name"},
    {0x80000003, 0, {ALL, ALL, ALL, ALL}, "the processor's name"},
    {0x80000004, 0, {ALL, ALL, ALL, ALL}, "the processor's name"},
};

/* Beyond the highest basic leaf that one answers, which may be a vCPU's own (SDM vol. 2, CPUID). */
static bool is_there(uint32_t leaf, const struct machine *machine)
{
    if (leaf >= 0x80000000)
        return true;
    if (leaf < 0x40000000)
        return leaf <= machine->cpu.highest_leaf;
    return machine->cpu.hypervisor_bit && (leaf == 0x40000000 || machine->hypervisor.tsc_khz != 0);
}

void mark_read(struct mark *mark, const struct machine *machine)
{
    memset(mark, 0, sizeof(*mark));
    for (unsigned int n = 0; n < MARK_LEAVES; n++) {
        if (!is_there(leaves[n].leaf, machine))
            continue;
        struct cpuid answer = cpuid(leaves[n].leaf, leaves[n].subleaf), kept = leaves[n].kept;
        mark->leaf[n] = (struct cpuid){answer.eax & kept.eax, answer.ebx & kept.ebx,
                                       answer.ecx & kept.ecx, answer.edx & kept.edx};
    }
    if (!machine->hypervisor.build)
        return;
    struct backdoor call = {.ecx = BACKDOOR_GETBUILDNUM};
    backdoor_call(&call);
    mark->build = call.eax;
}

const char *mark_differs(const struct mark *one, const struct mark *other)
{
    for (unsigned int n = 0; n < MARK_LEAVES; n++)
        if (memcmp(&one->leaf[n], &other->leaf[n], sizeof(one->leaf[n])) != 0)
            return leaves[n].words;
    if (one->build != other->build)
        return "the hypervisor's build";
    return one->microcode != other->microcode ? "the microcode" : NULL;
}
