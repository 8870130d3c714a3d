/* Finds out, before the rounds, which components and which instructions can be tested. */
#include "area_probe.h"
#include "../../platform/instructions.h"
#include "area_compare.h"
#include "area_fill.h"
#include "area_format.h"
#include "guard.h"
#include "vectors.h"

#define ATTEMPTS 3u /* a host that breaks registers now and then does not do it each time */

/*
 * What a processor has today, AMX included, takes 11008 bytes. So much room has each area at least:
 * a hypervisor may say less, and the processor stores what it has.
 */
#define AREA_ROOM 12288u

static size_t area_room(const struct xstate *xstate)
{
    return xstate->area_bytes > AREA_ROOM ? xstate->area_bytes : AREA_ROOM;
}

size_t areas_bytes(const struct xstate *xstate)
{
    return 4 * area_room(xstate);
}

void areas_give_memory(struct areas *areas, uint8_t *memory, const struct xstate *xstate)
{
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++)
        areas->sized |= (uint64_t)(xstate->size[bit] != 0) << bit;
    if (!memory || !xstate->wanted)
        return;
    areas->wanted = memory;
    areas->found = memory + area_room(xstate);
    areas->planted = memory + 2 * area_room(xstate);
    areas->before = memory + 3 * area_room(xstate);
}

static void try_area(void *argument)
{
    const struct areas *areas = argument;
    vectors_restore_area(areas->wanted, areas->live);
}

static void try_pkru(void *argument)
{
    struct areas *areas = argument;
    areas->pkru_before = read_pkru();
    areas->by_register = XCR0_PKRU;
}

/*
 * Without an event between, what XRSTOR put in must come back: or else it is not what the manual
 * says, and no exit is to blame.
 */
static bool gives_back(struct rounds *rounds, enum save_instruction save, uint32_t mix)
{
    for (unsigned int n = 0; n < ATTEMPTS; n++) {
        areas_fill(rounds, &rounds->area_round, mix);
        rounds->area_round.area_save = area_save_address(save);
        if (areas_intact(rounds, &rounds->area_round))
            return true;
    }
    return false;
}

static const char *why_not(struct rounds *rounds, uint32_t bit)
{
    struct areas *areas = &rounds->areas;
    const struct xstate *xstate = &rounds->machine->xstate;
    if (!(areas->xcr0 >> bit & 1))
        return "XCR0 did not take it";
    if (bit == XSTATE_PKRU && xstate->pkru_by_register)
        return traps_run(try_pkru, areas, NULL)
                   ? NULL
                   : "CPUID.0D gives it no size, and RDPKRU raises an exception";
    if (xstate->contradicts >> bit & 1)
        return "CPUID.0D describes it as it cannot be: its size, its place, or both";
    if (xstate->size[bit] == 0)
        return "CPUID.0D gives it no size";
    if (!area_fits_form(bit, rounds->key.form))
        return "XCR0 has it, but the feature flags of CPUID hide the instructions for it";
    areas->live = areas_with_companions(UINT64_C(1) << bit, areas->xcr0 & areas->sized);
    areas->mask = areas->live;
    areas_fill(rounds, &rounds->area_round, 0);
    if (!traps_run(try_area, areas, NULL))
        return "XRSTOR takes none of the values that are legal by the manual";
    return gives_back(rounds, SAVE_XSAVE, 0)
               ? NULL
               : "XSAVE does not give back what XRSTOR put in, even with nothing between";
}

static const char *why_not_save(const struct machine *machine, enum save_instruction save)
{
    const struct xstate *xstate = &machine->xstate;
    bool there[SAVE_COUNT] = {true, xstate->xsaveopt, xstate->xsavec, xstate->xsaves};
    if (!there[save])
        return "not on this processor";
    return save == SAVE_XSAVES && machine->system[0] ? "the operating system keeps it to itself"
                                                     : NULL;
}

void areas_count_anew(struct areas *areas)
{
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        atomic_store_explicit(&areas->component[bit].rounds, 0, memory_order_relaxed);
        atomic_store_explicit(&areas->component[bit].findings, 0, memory_order_relaxed);
    }
}

/*
 * Bochs 2.7 leaves no room in the compacted format for what is in its INIT state (SDM vol. 1,
 * 13.4.3: it goes by XCOMP_BV).
 */
static void try_save(struct rounds *rounds, enum save_instruction save)
{
    for (uint32_t mix = 0; mix < areas_mixes(&rounds->areas) && !rounds->areas.no_save[save]; mix++)
        if (!gives_back(rounds, save, mix))
            rounds->areas.no_save[save] =
                "it does not give back what XRSTOR put in, even with nothing between";
}

/*
 * AMD processors without CPUID 80000008H:EBX bit 2 save them only with an exception pending (APM
 * vol. 2, 11.4.4), and an emulator need not have them at all.
 */
static const char *why_no_pointers(struct rounds *rounds)
{
    /* All live, x87 alone, and all but x87, which is the first of them (area_fill.c). */
    const uint32_t mixes[] = {0, 1, 1 + areas_mixes(&rounds->areas) / 2};
    if (!(rounds->areas.mask & XCR0_X87))
        return "x87 is not tested";
    for (size_t n = 0; n < sizeof(mixes) / sizeof(mixes[0]); n++)
        if (!gives_back(rounds, SAVE_XSAVE, mixes[n]))
            return "XSAVE does not give FOP, FIP and FDP back, even with nothing between";
    return NULL;
}

void areas_prepare(struct rounds *rounds)
{
    struct areas *areas = &rounds->areas;
    areas->no_pointers = "there are no rounds by XSAVE";
    uint64_t mask = 0, offered = rounds->machine->xstate.offered;
    areas->stored = areas->xcr0 & (XCR0_X87 | XCR0_SSE);
    if (!areas->wanted || !areas->xcr0)
        return;
    for (enum save_instruction save = 0; save < SAVE_COUNT; save++)
        areas->no_save[save] = why_not_save(rounds->machine, save);
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        if (!(offered >> bit & 1))
            continue;
        areas->component[bit].reason = why_not(rounds, bit);
        if (!areas->component[bit].reason)
            mask |= UINT64_C(1) << bit;
    }
    areas->mask = mask;
    areas->stored |= mask & ~areas->by_register;
    areas->no_pointers = NULL; /* so that they are put in and compared */
    areas->no_pointers = why_no_pointers(rounds);
    for (enum save_instruction save = SAVE_XSAVEOPT; save < SAVE_COUNT; save++)
        if (!areas->no_save[save])
            try_save(rounds, save);
    areas_leave(rounds); /* what was tried is not to stay */
    areas_count_anew(areas);
}
