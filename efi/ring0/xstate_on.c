/* Turns the vector state of the calling vCPU on and back off: CR0, CR4, XCR0. */
#include "../platform/xstate_on.h"
#include "../core/machine/xstate.h"
#include "../core/window/guard.h"
#include "../core/window/vectors.h"
#include "../platform/instructions.h"

static void try_xsetbv(void *value)
{
    xsetbv0(*(uint64_t *)value);
}

static void try_protection_keys(void *argument)
{
    (void)argument;
    write_cr4(read_cr4() | CR4_PROTECTION_KEYS);
}

static void try_machine_checks(void *argument)
{
    (void)argument;
    write_cr4(read_cr4() | CR4_MACHINE_CHECK);
}

void xstate_turn_on(struct xstate_saved *saved, const struct xstate *xstate)
{
    saved->cr0 = read_cr0();
    saved->cr4 = read_cr4();
    write_cr0(saved->cr0 & ~(CR0_TASK_SWITCHED | CR0_EMULATION));
    /* Firmware need not have given its other vCPUs the CR4 of the boot vCPU. */
    write_cr4(saved->cr4 | CR4_OSFXSR | CR4_OSXMMEXCPT);
    /* Without it a machine check resets the machine; a processor without it keeps it clear. */
    (void)traps_run(try_machine_checks, NULL, NULL);
    vectors_save_legacy(saved->legacy);
    saved->on = false;
    saved->form = FORM_XMM;
    saved->xcr0 = saved->xcr0_on = 0;
    if (!xstate->wanted)
        return;
    write_cr4(read_cr4() | CR4_OSXSAVE);
    saved->xcr0 = xgetbv0();
    saved->on = true;
    /* The whole set, or else only what the windows need, or else what was there. */
    uint64_t attempts[] = {xstate->wanted,
                           xstate->wanted & (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512),
                           xstate->wanted & (XCR0_X87 | XCR0_SSE | XCR0_AVX)};
    for (size_t n = 0; n < sizeof(attempts) / sizeof(attempts[0]); n++)
        if (traps_run(try_xsetbv, &attempts[n], NULL))
            break;
    saved->xcr0_on = xgetbv0();
    if (xstate->pkru_by_register) /* where that fails, areas_prepare() has the reason */
        (void)traps_run(try_protection_keys, NULL, NULL);
    enum form allowed = xstate_form(saved->xcr0_on);
    saved->form = allowed < xstate->form ? allowed : xstate->form;
}

void xstate_turn_off(const struct xstate_saved *saved)
{
    /* XCR0 may have been lost meanwhile. */
    enum form left = saved->on ? xstate_form(xgetbv0()) : saved->form;
    vectors_clear(left < saved->form ? left : saved->form);
    if (saved->on)
        xsetbv0(saved->xcr0);
    vectors_restore_legacy(saved->legacy);
    write_cr4(saved->cr4);
    write_cr0(saved->cr0);
}
