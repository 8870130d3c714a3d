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
    return conclusion_bound(outcome->rounds - outcome->planted,
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

static bool found_on_vmware(const struct outcome *outcome)
{
    return found_for_real(outcome) && outcome->hypervisor == HYPERVISOR_VMWARE;
}

static bool found_beneath_another(const struct outcome *outcome)
{
    return found_for_real(outcome) && outcome->hypervisor != HYPERVISOR_VMWARE &&
           !outcome->control_run;
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
    {found_on_vmware,
     "Compare the build of the host with 24022510 (ESXi 8.0.3), which is not known "
     "to do this, and patch the host if it is older."},
    {found_on_vmware, "Until then hide AVX-512 from the guests: featMask.vm.cpuid.AVX512F = "
                      "\"Max:0\" in the .vmx file. Run zmmtest again to see that it helps."},
    {found_beneath_another, "Until it is mended hide AVX-512 from the guests (QEMU: -cpu "
                            "...,-avx512f), and run zmmtest again to see that it helps."},
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

const char *conclusion_step(const struct outcome *outcome, uint32_t n)
{
    for (size_t row = 0; row < sizeof(steps) / sizeof(steps[0]); row++)
        if (steps[row].applies(outcome) && n-- == 0)
            return steps[row].step;
    return NULL;
}
