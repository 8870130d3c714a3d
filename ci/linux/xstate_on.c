/* The kernel has turned the vector state on: what it allows is what there is. */
#include "../../efi/platform/xstate_on.h"
#include "../../efi/core/machine/xstate.h"
#include "../../efi/core/window/vectors.h"
#include "../../efi/platform/instructions.h"

#define CPUID_OSXSAVE 27u

/* FXSAVE keeps MXCSR, which C may depend on. */
void xstate_turn_on(struct xstate_saved *saved, const struct xstate *xstate)
{
    bool on = cpuid(1, 0).ecx >> CPUID_OSXSAVE & 1;
    vectors_save_legacy(saved->legacy);
    saved->xcr0 = saved->xcr0_on = on ? xgetbv0() : 0;
    enum form allowed = xstate_form(saved->xcr0_on);
    saved->form = allowed < xstate->form ? allowed : xstate->form;
}

void xstate_turn_off(const struct xstate_saved *saved)
{
    vectors_clear(saved->form);
    vectors_restore_legacy(saved->legacy);
}
