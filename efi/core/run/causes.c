/* The table of causes: in the order of the enum, the worst first. */
#include "causes.h"

static const struct {
    enum verdict verdict;
    const char *reason;
} table[CAUSE_COUNT] = {
    [CAUSE_WRONG_OPTIONS] = {VERDICT_ERROR, "the options are wrong, nothing was tested"},
    [CAUSE_NO_MEMORY] = {VERDICT_ERROR, "not enough memory"},
    [CAUSE_MACHINE_CHECK] = {VERDICT_ERROR,
                             "a machine check came: suspect the memory or the processor"},
    [CAUSE_SELFTEST_FAILED] = {VERDICT_ERROR, "the self-test failed: do not trust this run"},
    [CAUSE_VCPU_LOST] = {VERDICT_ERROR, "a vCPU was lost"},
    [CAUSE_OWN_EXCEPTION] = {VERDICT_ERROR, "zmmtest's own code raised an exception"},
    [CAUSE_MEMORY_CHANGED] = {VERDICT_ERROR, "a pattern in memory changed: suspect the memory"},
    [CAUSE_PLANTED_NOT_FOUND] = {VERDICT_ERROR,
                                 "a planted fault was not found: do not trust this run"},

    [CAUSE_CHANGED_BENEATH_GUEST] = {VERDICT_FAIL, "registers changed beneath this guest"},
    [CAUSE_CHANGED_BENEATH_PROCESS] = {VERDICT_FAIL, "registers changed beneath this process"},
    [CAUSE_STORAGE_CHANGED] = {VERDICT_FAIL,
                               "storage, not registers, gave back what was not written"},
    [CAUSE_CHANGED_BY_INJECTION] = {VERDICT_FAIL,
                                    "registers changed, but only where zmmtest INJECTED it"},

    [CAUSE_REFUSED] = {VERDICT_INCOMPLETE,
                       "the firmware left the processor in a mode that zmmtest does not know"},
    [CAUSE_CONFIDENTIAL] = {VERDICT_INCOMPLETE,
                            "a confidential VM is told of most exits by an exception"},
    [CAUSE_NO_AVX512] = {VERDICT_INCOMPLETE, "AVX-512 could not be tested on this machine"},
    [CAUSE_STATE_REFUSED] = {VERDICT_INCOMPLETE, "a vCPU could not turn its vector state on"},
    [CAUSE_TOO_MANY_VCPUS] = {VERDICT_INCOMPLETE, "the machine has more vCPUs than zmmtest knows"},
    [CAUSE_VCPU_NO_PART] = {VERDICT_INCOMPLETE, "a vCPU could not take part"},
    [CAUSE_VCPU_NOT_THERE] = {VERDICT_INCOMPLETE, "a vCPU that was asked for is not there"},
    [CAUSE_EXIT_CANNOT_RUN] = {VERDICT_INCOMPLETE, "an exit that was asked for cannot run here"},
    [CAUSE_VCPU_NOT_STARTED] = {VERDICT_INCOMPLETE, "a vCPU could not be started"},
    [CAUSE_DISK_FAILED] = {VERDICT_INCOMPLETE, "a disk could not be read to the end of the run"},
    [CAUSE_SCRATCH_FAILED] = {VERDICT_INCOMPLETE,
                              "a scratch partition could not be used to the end of the run"},
    [CAUSE_NET_FAILED] = {VERDICT_INCOMPLETE,
                          "a network adapter could not send to the end of the run"},
    [CAUSE_VCPU_UNKNOWN] = {VERDICT_INCOMPLETE,
                            "the firmware's ACPI tables list more processors than took part"},
    [CAUSE_KEY] = {VERDICT_INCOMPLETE, "a key ended the run before its time"},
    [CAUSE_EXIT_WITHOUT_TURN] = {VERDICT_INCOMPLETE,
                                 "the run ended before every exit had its turn"},
    [CAUSE_PASSES_NOT_DONE] = {VERDICT_INCOMPLETE, "the run ended before all its passes"},
    [CAUSE_NOTHING_RAN] = {VERDICT_INCOMPLETE, "nothing ran"},
    [CAUSE_NOTHING_LEFT] = {VERDICT_INCOMPLETE, "nothing that ran left the guest here"},
};

_Static_assert(CAUSE_COUNT <= 32, "a bit for each cause");

enum verdict causes_verdict(uint32_t causes, const char **reason)
{
    enum verdict worst = VERDICT_PASS;
    *reason = "all that was asked ran, and every register came back as it was";
    for (enum cause cause = 0; cause < CAUSE_COUNT; cause++) {
        if (!(causes >> cause & 1) || table[cause].verdict <= worst)
            continue;
        worst = table[cause].verdict;
        *reason = table[cause].reason;
    }
    return worst;
}
