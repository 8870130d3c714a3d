/* Compares two looks at the machine. */
#include "changes.h"
#include "tsc.h"
#include <string.h>

struct comparison {
    struct text *text;
    bool any;
};

static void separate(struct comparison *comparison)
{
    if (comparison->any)
        text_add(comparison->text, "; ");
    comparison->any = true;
}

static void compare_words(struct comparison *comparison, const char *what, const char *before,
                          const char *now)
{
    if (strcmp(before, now) == 0)
        return;
    separate(comparison);
    text_add(comparison->text, "%s \"%s\" is now \"%s\"", what, before, now);
}

static const char *confidential_word(const struct machine *machine)
{
    const char *name = confidential_name(machine->confidential);
    return name ? name : "none";
}

static void compare_numbers(struct comparison *comparison, const char *what, uint64_t before,
                            uint64_t now)
{
    if (before == now)
        return;
    separate(comparison);
    text_add(comparison->text, "%s %lu is now %lu", what, before, now);
}

static void compare_bits(struct comparison *comparison, const char *what, uint64_t before,
                         uint64_t now)
{
    if (before == now)
        return;
    separate(comparison);
    text_add(comparison->text, "%s 0x%lx is now 0x%lx", what, before, now);
}

bool machine_changes(const struct machine *before, const struct machine *now, struct text *text)
{
    struct comparison comparison = {.text = text};
    compare_words(&comparison, "processor", before->cpu.brand, now->cpu.brand);
    compare_numbers(&comparison, "family", before->cpu.family, now->cpu.family);
    compare_numbers(&comparison, "model", before->cpu.model, now->cpu.model);
    compare_numbers(&comparison, "stepping", before->cpu.stepping, now->cpu.stepping);
    compare_bits(&comparison, "microcode", before->cpu.microcode, now->cpu.microcode);
    compare_words(&comparison, "hypervisor", before->hypervisor.name, now->hypervisor.name);
    compare_words(&comparison, "signature", before->hypervisor.signature,
                  now->hypervisor.signature);
    compare_words(&comparison, "what tells of a hidden hypervisor", before->hidden, now->hidden);
    compare_words(&comparison, "kind of confidential VM", confidential_word(before),
                  confidential_word(now));
    compare_numbers(&comparison, "build", before->hypervisor.build, now->hypervisor.build);
    compare_bits(&comparison, "what CPUID allows in XCR0", before->xstate.offered,
                 now->xstate.offered);
    if (tsc_rates_differ(before->tsc_hz, now->tsc_hz))
        compare_numbers(&comparison, "TSC kHz", before->tsc_hz / 1000, now->tsc_hz / 1000);
    compare_numbers(&comparison, "what the hypervisor says of the TSC, kHz",
                    before->hypervisor.tsc_khz, now->hypervisor.tsc_khz);
    compare_numbers(&comparison, "bytes of an XSAVE area", before->xstate.area_bytes,
                    now->xstate.area_bytes);
    compare_numbers(&comparison, "vCPUs", before->vcpus, now->vcpus);
    return comparison.any;
}
