/* Recognises confidential VMs by CPUID and SEV_STATUS. */
#include "confidential.h"
#include <string.h>

#define LEAF_TDX        0x21u
#define LEAF_EXTENDED   0x80000000u
#define LEAF_ENCRYPTION 0x8000001fu
#define EAX_SEV         (1u << 1)

/* SEV_STATUS (APM vol. 2, 15.34.10 and 15.36.21). */
#define STATUS_SEV_ES     (UINT64_C(1) << 1)
#define STATUS_SEV_SNP    (UINT64_C(1) << 2)
#define STATUS_REFLECT_VC (UINT64_C(1) << 4) /* #VC goes to a paravisor, the guest sees none */

bool confidential_has_status(const struct cpu *cpu)
{
    return cpu->amd && cpuid(LEAF_EXTENDED, 0).eax >= LEAF_ENCRYPTION &&
           cpuid(LEAF_ENCRYPTION, 0).eax & EAX_SEV;
}

/* Intel TDX Module ABI, CPUID leaf 21H. */
static bool is_tdx(const struct cpu *cpu)
{
    if (cpu->highest_leaf < LEAF_TDX)
        return false;
    struct cpuid leaf = cpuid(LEAF_TDX, 0);
    const uint32_t words[3] = {leaf.ebx, leaf.edx, leaf.ecx};
    return memcmp(words, "IntelTDX    ", sizeof(words)) == 0;
}

enum confidential confidential_identify(uint64_t sev_status, const struct cpu *cpu)
{
    if (is_tdx(cpu))
        return CONFIDENTIAL_TDX;
    if (sev_status & STATUS_REFLECT_VC)
        return CONFIDENTIAL_NO;
    if (sev_status & STATUS_SEV_SNP)
        return CONFIDENTIAL_SEV_SNP;
    return sev_status & STATUS_SEV_ES ? CONFIDENTIAL_SEV_ES : CONFIDENTIAL_NO;
}

static const struct {
    const char *name, *reason;
} table[] = {
    [CONFIDENTIAL_NO] = {NULL, NULL},
    [CONFIDENTIAL_SEV_ES] = {"SEV-ES",
                             "this confidential VM (SEV-ES) is told of the exit by #VC, which the "
                             "firmware's handler takes"},
    [CONFIDENTIAL_SEV_SNP] = {"SEV-SNP",
                              "this confidential VM (SEV-SNP) is told of the exit by #VC, which "
                              "the firmware's handler takes"},
    [CONFIDENTIAL_TDX] = {"TDX", "this confidential VM (TDX) is told of the exit by #VE, which the "
                                 "firmware's handler takes"},
};

const char *confidential_name(enum confidential confidential)
{
    return table[confidential].name;
}

const char *confidential_reason(enum confidential confidential)
{
    return table[confidential].reason;
}
