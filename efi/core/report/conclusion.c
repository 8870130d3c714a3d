/* Chooses words by tables: one of meanings, one of steps. A new piece of advice is a row. */
#include "conclusion.h"
#include <stddef.h>

uint64_t conclusion_bound(uint64_t rounds, uint64_t findings)
{
    return findings ? 0 : rounds / 3;
}

uint64_t conclusion_bound_of_run(const struct outcome *outcome)
{
    if (outcome->verdict == VERDICT_ERROR)
        return 0;
    return conclusion_bound(outcome->rounds - outcome->planted - outcome->stayed,
                            outcome->findings - outcome->injected);
}

static bool found_for_real(const struct outcome *outcome)
{
    return outcome->findings > outcome->injected;
}

static bool only_planted(const struct outcome *outcome)
{
    return outcome->findings && !found_for_real(outcome) && !outcome->wrong_blocks;
}

static bool found_beneath(const struct outcome *outcome)
{
    return found_for_real(outcome) && !outcome->control_run;
}

/* A mask is no help where it is in place, nor against what hits other registers. */
static bool mask_helps(const struct outcome *outcome)
{
    return found_beneath(outcome) && outcome->avx512 && outcome->known->avx512;
}

static bool mask_helps_on_vmware(const struct outcome *outcome)
{
    return mask_helps(outcome) && outcome->hypervisor == HYPERVISOR_VMWARE;
}

static bool mask_helps_elsewhere(const struct outcome *outcome)
{
    return mask_helps(outcome) && outcome->hypervisor != HYPERVISOR_VMWARE;
}

static bool no_mask_helps(const struct outcome *outcome)
{
    return found_beneath(outcome) && outcome->known->beyond_avx512;
}

static bool bits_flipped(const struct outcome *outcome)
{
    return found_beneath(outcome) && outcome->known->bit_flips;
}

static bool found_on_bare_metal(const struct outcome *outcome)
{
    return found_for_real(outcome) && outcome->control_run;
}

static bool found_by_a_process(const struct outcome *outcome)
{
    return found_for_real(outcome) && outcome->system[0];
}

static bool storage_wrong(const struct outcome *outcome)
{
    return outcome->wrong_blocks;
}

static bool without_avx512(const struct outcome *outcome)
{
    return outcome->verdict == VERDICT_INCOMPLETE && !outcome->avx512;
}

static bool incomplete(const struct outcome *outcome)
{
    return outcome->verdict == VERDICT_INCOMPLETE;
}

static bool broke(const struct outcome *outcome)
{
    return outcome->verdict == VERDICT_ERROR;
}

static bool passed_beneath_something(const struct outcome *outcome)
{
    return outcome->verdict == VERDICT_PASS && !outcome->control_run;
}

static bool passed_alone(const struct outcome *outcome)
{
    return outcome->verdict == VERDICT_PASS && outcome->control_run;
}

const char *conclusion_meaning(const struct outcome *outcome)
{
    static const char *const meanings[] = {
        [VERDICT_PASS] =
            "In all of these exits every register came back as it was. That bounds how "
            "often it does not, and proves no more than that.",
        [VERDICT_INCOMPLETE] = "No register was seen to change, but something that was asked for "
                               "could not be tested: this is no pass.",
        [VERDICT_FAIL] = "Something beneath this machine changes registers of what runs on it: no "
                         "result computed here can be trusted.",
        [VERDICT_ERROR] =
            "The test itself could not be carried out or cannot be trusted: this says "
            "nothing about the machine.",
    };
    if (outcome->verdict == VERDICT_FAIL && only_planted(outcome))
        return "zmmtest found what it had planted itself, and nothing else.";
    if (outcome->verdict == VERDICT_FAIL && outcome->wrong_blocks && !found_for_real(outcome))
        return "No register was seen to change. But what was written to a disk came back as "
               "something else: storage or what carries it there is at fault.";
    if (outcome->verdict == VERDICT_ERROR && found_for_real(outcome))
        return "Registers did change, see the findings; and the test itself broke in this run.";
    return meanings[outcome->verdict];
}

static const struct {
    bool (*applies)(const struct outcome *outcome);
    const char *step;
} steps[] = {
    {broke, "Mend what the ERROR lines above say, and run it again."},
    {only_planted, "Run it without inject= for a verdict on this machine."},
    {mask_helps_on_vmware, "Until then hide AVX-512 from the guests: featMask.vm.cpuid.AVX512F = "
                           "\"Max:0\" in the .vmx file. Run zmmtest again to see that it helps."},
    {mask_helps_elsewhere, "Until it is mended hide AVX-512 from the guests (QEMU: -cpu "
                           "...,-avx512f), and run zmmtest again to see that it helps."},
    {no_mask_helps, "State was hit that is there without AVX-512, so that hiding AVX-512 does not "
                    "help. Keep guests that matter off this host until it is mended."},
    {bits_flipped, "A single bit flipped: test the memory of the host, update its firmware and "
                   "microcode, and run it again on another host of the same model."},
    {found_on_bare_metal, "No hypervisor was seen. Update firmware and microcode and run it again; "
                          "then on another machine of the same model. If that passes, suspect this "
                          "processor or its memory."},
    {found_by_a_process, "Boot the image on the same machine: it tells the operating system from "
                         "what is beneath it."},
    {storage_wrong, "Look at the host's storage: the findings of class storage say which blocks, "
                    "and whose data came back."},
    {found_for_real, "Send the vendor this log, the version of the host, its processor and "
                     "microcode; on VMware also vmware.log."},
    {without_avx512, "If AVX-512 was hidden as a workaround, it is. Else give the machine a "
                     "processor that has it, or take the mask away, and run it again."},
    {incomplete, "See above what was not tested, and why."},
    {passed_beneath_something, "For bugs that need a busy host run it for hours, time=0, while the "
                               "host's storage and processors have work to do."},
    {passed_alone, "This is the control. For a verdict on a hypervisor run it in a guest of it."},
};

/* Of a known bug that was found on its hypervisor: the n-th such; NULL: there are no more. */
static const char *cure(const struct outcome *outcome, uint32_t *n)
{
    const struct signature *signature;
    for (uint32_t row = 0; (signature = signature_of_number(row)) != NULL; row++)
        if (found_beneath(outcome) && outcome->known->real >> row & 1 && signature->cure &&
            signature->cure_on == outcome->hypervisor && (*n)-- == 0)
            return signature->cure;
    return NULL;
}

const char *conclusion_step(const struct outcome *outcome, uint32_t n)
{
    const char *first = cure(outcome, &n);
    if (first)
        return first;
    for (size_t row = 0; row < sizeof(steps) / sizeof(steps[0]); row++)
        if (steps[row].applies(outcome) && n-- == 0)
            return steps[row].step;
    return NULL;
}
