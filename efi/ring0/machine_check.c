/*
 * Reads the banks of a machine check and clears them (SDM vol. 3, 15.10.1). Each MSR may be
 * missing: a hypervisor may inject a machine check and hide the rest.
 */
#include "machine_check.h"
#include "../core/window/guard.h"
#include "../platform/instructions.h"

#define MCG_CAP_COUNT      0xffu /* banks */
#define MCG_STATUS_RIPV    (UINT64_C(1) << 0)
#define MCI_STATUS_VALID   (UINT64_C(1) << 63)
#define MCI_STATUS_MISC    (UINT64_C(1) << 59) /* IA32_MCi_MISC is valid, */
#define MCI_STATUS_ADDRESS (UINT64_C(1) << 58) /* and IA32_MCi_ADDR */
#define BANKS_MOST         64u                 /* beyond them lie other MSRs */

/* 0 where it cannot be read. */
static uint64_t read_msr(uint32_t msr)
{
    uint64_t value = 0;
    (void)traps_rdmsr(msr, &value);
    return value;
}

/* Its status is cleared last: until then the bank takes nothing new. */
static void take_bank(struct machine_check *check, uint32_t bank)
{
    const uint32_t msr = MSR_MC0_STATUS + 4 * bank;
    uint64_t status = read_msr(msr);
    if (!(status & MCI_STATUS_VALID))
        return;
    if (!check->valid) {
        *check = (struct machine_check){.valid = true, .bank = bank, .status = status};
        check->address = status & MCI_STATUS_ADDRESS ? read_msr(msr + 1) : 0;
        check->miscellaneous = status & MCI_STATUS_MISC ? read_msr(msr + 2) : 0;
    }
    (void)traps_wrmsr(msr, 0);
}

/* MCIP is cleared at the end: a machine check while it is set shuts the processor down. */
bool machine_check_take(struct traps *traps)
{
    uint64_t count = atomic_load_explicit(&traps->machine_checks, memory_order_relaxed);
    uint64_t state = read_msr(MSR_MCG_STATUS);
    uint32_t banks = read_msr(MSR_MCG_CAP) & MCG_CAP_COUNT;
    struct machine_check check = {0};
    for (uint32_t bank = 0; bank < banks && bank < BANKS_MOST; bank++)
        take_bank(&check, bank);
    if (count == 0)
        traps->machine_check = check;
    atomic_store_explicit(&traps->machine_checks, count + 1, memory_order_release);
    (void)traps_wrmsr(MSR_MCG_STATUS, 0);
    return state & MCG_STATUS_RIPV;
}
