/* Reads control state, and gives a pattern to what may have any value. */
#include "control.h"
#include "../../platform/instructions.h"

const char *control_name(enum control control)
{
    static const char *const names[CONTROL_COUNT] = {"xcr0",    "cr0",     "cr4", "efer",
                                                     "fs_base", "gs_base", "dr0", "dr1",
                                                     "dr2",     "dr3",     "dr6", "dr7"};
    return names[control];
}

static uint64_t read_control(enum control control)
{
    switch (control) {
    case CONTROL_CR0:
        return read_cr0();
    case CONTROL_CR4:
        return read_cr4();
    case CONTROL_EFER:
        return rdmsr(MSR_EFER);
    case CONTROL_FS_BASE:
        return rdmsr(MSR_FS_BASE);
    case CONTROL_GS_BASE:
        return rdmsr(MSR_GS_BASE);
    case CONTROL_DR6:
        return read_dr(6);
    case CONTROL_DR7:
        return read_dr(7);
    default:
        return read_dr(control - CONTROL_DR0);
    }
}

static bool takes_pattern(enum control control)
{
    return control >= CONTROL_DR0 && control <= CONTROL_DR3;
}

void controls_begin(struct controls *controls, uint64_t pattern)
{
    for (enum control n = CONTROL_XCR0 + 1; n < CONTROL_COUNT; n++) {
        if (takes_pattern(n)) {
            controls->kept[n] = controls->begun ? controls->kept[n] : read_control(n);
            write_dr(n - CONTROL_DR0, pattern ^ n);
        }
        controls->want[n] = read_control(n);
    }
    controls->begun = true;
}

uint32_t controls_end(struct controls *controls)
{
    uint32_t changed = 0;
    if (!controls->begun)
        return 0;
    controls->begun = false;
    for (enum control n = CONTROL_XCR0 + 1; n < CONTROL_COUNT; n++) {
        controls->got[n] = read_control(n);
        changed |= (uint32_t)(controls->got[n] != controls->want[n]) << n;
        if (takes_pattern(n))
            write_dr(n - CONTROL_DR0, controls->kept[n]);
    }
    return changed;
}
