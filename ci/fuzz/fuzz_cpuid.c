/*
 * CPUID that says anything: the input is a table of leaf, subleaf, EAX, EBX, ECX, EDX, of 4 bytes
 * each; zeros for what is not in it.
 */
#include "../../efi/core/machine/changes.h"
#include "../../efi/core/report/events.h"
#include "../../efi/core/window/area_format.h"
#include "fuzz.h"
#include <string.h>

#define ENTRY_BYTES 24u

static struct fuzz_input table;

struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid answer = {0};
    for (size_t at = 0; at + ENTRY_BYTES <= table.size; at += ENTRY_BYTES) {
        uint32_t entry[2];
        memcpy(entry, table.data + at, sizeof(entry));
        if (entry[0] != leaf || entry[1] != subleaf)
            continue;
        memcpy(&answer, table.data + at + sizeof(entry), sizeof(answer));
        break;
    }
    return answer;
}

static void look_at_area(const struct xstate *xstate)
{
    uint64_t sized = 0;
    fuzz_expect(xstate->area_bytes <= AREA_MOST && xstate->area_bytes % 64 == 0,
                "an area has its bounds");
    fuzz_expect((xstate->wanted & ~(xstate->offered | XCR0_X87 | XCR0_SSE)) == 0,
                "nothing is wanted that is not offered, but what each processor has");
    for (uint32_t bit = 0; bit < XCR0_BITS; bit++) {
        if (!xstate->size[bit])
            continue;
        sized |= UINT64_C(1) << bit;
        fuzz_expect((uint64_t)xstate->offset[bit] + xstate->size[bit] <= xstate->area_bytes,
                    "a component lies within its area");
    }
    for (uint32_t bit = 2; bit < XCR0_BITS; bit++)
        fuzz_expect(!xstate->size[bit] ||
                        area_compacted_offset(xstate, sized, bit) + (uint64_t)xstate->size[bit] <=
                            xstate->area_bytes,
                    "and within one of the compacted format");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct machine machine, before = {.hypervisor.name = "none"};
    char buffer[200];
    struct text changed;
    fuzz_watch_report();
    table = (struct fuzz_input){data, size};
    memset(&machine, 0, sizeof(machine));
    cpu_identify(&machine.cpu);
    xstate_identify(&machine.xstate, &machine.cpu);
    hypervisor_identify(&machine.hypervisor, &machine.cpu);
    look_at_area(&machine.xstate);
    event_machine(&machine);
    text_start(&changed, buffer, sizeof(buffer));
    if (machine_changes(&before, &machine, &changed))
        event_gap(GAP_STOOD, 1000, &machine, buffer);
    before = machine;
    return 0;
}
