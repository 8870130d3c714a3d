/* Makes a vCPU as efi/core/run/vcpu.c does, but in a process and by hand. */
#include "rounds_fixture.h"
#include "../../efi/core/window/area_compare.h"
#include "../../efi/core/window/area_probe.h"
#include "../../efi/platform/instructions.h"
#include "../linux/process.h"
#include <string.h>

#define AREA_BYTES_MAX 16384u

struct machine machine;
struct plan plan;
struct rounds rounds;
struct traps traps;

static _Alignas(64) uint8_t memory[4][AREA_BYTES_MAX];

void rounds_anew(enum form form)
{
    memset(&rounds, 0, sizeof(rounds));
    memcpy(machine.system, "Linux", sizeof("Linux"));
    plan.options.hold_microseconds = 1;
    plan.options.findings_kept = 4;
    rounds.machine = &machine;
    rounds.plan = &plan;
    rounds.traps = &traps;
    rounds.cpu = 2;
    rounds.key = (struct pattern_key){.run = 0xcafe, .vcpu = 2, .form = form};
}

static bool give_memory(void)
{
    const struct xstate *xstate = &machine.xstate;
    if (xstate->area_bytes == 0 || xstate->area_bytes > AREA_BYTES_MAX)
        return false;
    memset(memory, 0, sizeof(memory));
    areas_give_memory(&rounds.areas, memory[0], xstate);
    areas_keep(&rounds.areas);
    return true;
}

bool rounds_areas_anew(void)
{
    areas_put_back(&rounds.areas);
    return give_memory();
}

bool rounds_with_areas(void)
{
    cpu_identify(&machine.cpu);
    xstate_identify(&machine.xstate, &machine.cpu);
    rounds.key.form = machine.xstate.form;
    rounds.areas.xcr0 = machine.xstate.wanted ? xgetbv0() : 0;
    if (!give_memory())
        return false;
    process_exceptions();
    traps_enter(&traps);
    return true;
}

void rounds_leave(void)
{
    if (rounds.areas.before) {
        areas_put_back(&rounds.areas);
        traps_leave(&traps);
    }
    rounds.areas.before = NULL;
}
