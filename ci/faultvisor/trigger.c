/* When the fault of the plan strikes: at which exits, or by the clock; and how often it did. */
#include "trigger.h"
#include "../../efi/platform/instructions.h"
#include "area.h"
#include "faults.h"
#include "plan.h"
#include "say.h"
#include "vmx.h"
#include <string.h>

#define VECTOR_COMPONENTS 0xe6u /* SSE, AVX, opmask, ZMM_Hi256, Hi16_ZMM */
#define X87_TOO           (VECTOR_COMPONENTS | XCR0_X87)

static bool strikes_here(struct host_cpu *cpu)
{
    const struct planted_fault *fault = plan.fault;
    return fault->on_init || (fault->looked_at ? fault->looked_at(cpu) : area_all_live(cpu->area));
}

static uint64_t components_of(const struct planted_fault *fault)
{
    return fault->of_x87 ? X87_TOO : VECTOR_COMPONENTS;
}

/* Runs the fault on the guest's state, which is in cpu->area; true if that changed anything. */
static bool apply(struct host_cpu *cpu)
{
    const struct planted_fault *fault = plan.fault;
    const uint64_t components = components_of(fault);
    if (fault->raises)
        return edit_raise(fault->raises, fault->instead);
    if (fault->change)
        return fault->change(cpu);
    if (fault->lost[0].place != PLACE_NONE)
        return edit_lose(cpu, fault->lost);
    memcpy(cpu->after, cpu->area, sizeof(cpu->after)); /* the state before, for now */
    if (fault->code)
        fault->code();
    else if (fault->code_with_scratch)
        fault->code_with_scratch(cpu->scratch);
    else if (!fault->edit(cpu))
        return false;
    else
        edit_xrstor(cpu->area, components);
    edit_xsave(cpu->area, components);
    return memcmp(cpu->area, cpu->after, sizeof(cpu->area)) != 0;
}

/* True if it struck here, and that changed anything. */
static bool strike(struct host_cpu *cpu)
{
    edit_xsave(cpu->area, components_of(plan.fault));
    return strikes_here(cpu) && apply(cpu);
}

/* The fault runs under the guest's XCR0: where that is without AVX-512, the guest has none. */
bool trigger_strike(struct host_cpu *cpu)
{
    if ((xgetbv0() & XCR0_AVX512) != XCR0_AVX512)
        return false;
    edit_xsave(cpu->area, components_of(plan.fault));
    return apply(cpu);
}

/* For a fault that puts such a state back. */
static void keep_as_earlier(struct host_cpu *cpu)
{
    edit_xsave(cpu->area, VECTOR_COMPONENTS);
    if (area_all_live(cpu->area))
        edit_keep_earlier(cpu);
}

void trigger_exit(struct host_cpu *cpu, enum exit_cause cause)
{
    const enum exit_kind kind = cpu->kind;
    if (kind == EXIT_KIND_NONE || !(exit_kinds[kind].causes & cause))
        return;
    uint64_t rsp = vmread(GUEST_RSP), number = cpu->seen[kind]++;
    /*
     * A round is struck once. RSP tells it from the next one, which uses another pattern; but one
     * of another exit may use the same again before anything else exits.
     */
    if (rsp != cpu->struck_rsp || kind != cpu->struck_kind)
        cpu->struck_rsp = 0;
    const struct planted_fault *fault = plan.fault;
    if (!fault || plan.every_ms || plan.mean_ms || (xgetbv0() & XCR0_AVX512) != XCR0_AVX512 ||
        !(plan.kinds >> kind & 1) || fault->not_kinds >> kind & 1 || number < plan.after ||
        cpu->struck_rsp)
        return;
    if (number % plan.every == plan.every / 2)
        keep_as_earlier(cpu);
    /* Where it finds nothing to change, it tries again at the next exit. */
    if (number < cpu->next_strike[kind] || !strike(cpu))
        return;
    cpu->strikes[kind]++;
    cpu->next_strike[kind] = number + (fault->on_init ? 1 : plan.every);
    cpu->struck_rsp = rsp;
    cpu->struck_kind = kind;
}

void trigger_time(struct host_cpu *cpu, uint64_t rip)
{
    uint64_t now = rdtsc();
    if (!plan.every_ms || !plan.fault || rip < plan.image_start || rip >= plan.image_end ||
        (xgetbv0() & XCR0_AVX512) != XCR0_AVX512)
        return;
    if (!cpu->next_by_time)
        cpu->next_by_time = now + plan.every_ms * plan.tsc_khz;
    if (now < cpu->next_by_time || !strike(cpu))
        return;
    cpu->next_by_time += plan.every_ms * plan.tsc_khz;
    cpu->strikes_by_time++;
}

void trigger_reset(void)
{
    atomic_store(&plan.tsc_offset, 0);
    atomic_store(&plan.migrated, false);
    atomic_store(&plan.went_back, false);
    for (uint32_t n = 0; n < cpu_count; n++) {
        if (!cpus[n])
            continue;
        memset(cpus[n]->seen, 0, sizeof(cpus[n]->seen));
        memset(cpus[n]->strikes, 0, sizeof(cpus[n]->strikes));
        memset(cpus[n]->next_strike, 0, sizeof(cpus[n]->next_strike));
        cpus[n]->earlier_valid = false;
        cpus[n]->tsc_offset = 0;
        memset(cpus[n]->lost, 0xff, sizeof(cpus[n]->lost));
        atomic_store(&cpus[n]->tsc_aux, 0);
        if (cpus[n]->number)
            cpus[n]->pending_count = 0; /* it has been through an INIT since */
        atomic_store(&cpus[n]->forget, true);
        cpus[n]->struck_rsp = 0;
        cpus[n]->loses_dr = false;
        cpus[n]->next_by_time = cpus[n]->strikes_by_time = 0;
    }
}

static const char *or_none(const char *said)
{
    return said ? said : "none";
}

void trigger_describe(void)
{
    const struct planted_fault *f = plan.fault;
    if (!f) {
        say("faultvisor ev=run fault=none");
        return;
    }
    say("faultvisor ev=run fault=%s class=%s component=%s registers=%s bits=%s signature=\"%s\"",
        f->name, or_none(f->corruption), or_none(f->component), or_none(f->registers),
        or_none(f->bits), or_none(f->signature));
}

/* Interrupts of its own zmmtest takes only on vCPUs other than the firmware's. */
static bool looked_at(enum exit_kind kind)
{
    const uint64_t of_interrupts = KIND_BIT(EXIT_KIND_TIMER) | KIND_BIT(EXIT_KIND_HLT) |
                                   KIND_BIT(EXIT_KIND_IPI) | KIND_BIT(EXIT_KIND_CPUID_STI) |
                                   KIND_BIT(EXIT_KIND_OUT80_STI) | KIND_BIT(EXIT_KIND_APIC_STI);
    bool interrupts = of_interrupts >> kind & 1;
    return !(plan.fault && plan.fault->not_kinds >> kind & 1) && !(interrupts && cpu_count == 1);
}

static void report_by_time(const char *name)
{
    uint64_t strikes = 0;
    for (uint32_t n = 0; n < cpu_count; n++)
        strikes += cpus[n] ? cpus[n]->strikes_by_time : 0;
    say("faultvisor ev=strikes-by-time fault=%s every_ms=%lu strikes=%lu", name, plan.every_ms,
        strikes);
}

void trigger_report(void)
{
    const char *name = plan.fault ? plan.fault->name : "none";
    if (plan.every_ms) {
        report_by_time(name);
        return;
    }
    for (enum exit_kind kind = 0; kind < EXIT_KIND_COUNT; kind++) {
        uint64_t seen = 0, strikes = 0;
        for (uint32_t n = 0; n < cpu_count; n++) {
            seen += cpus[n] ? cpus[n]->seen[kind] : 0;
            strikes += cpus[n] ? cpus[n]->strikes[kind] : 0;
        }
        say("faultvisor ev=strikes fault=%s exit=%s exits=%lu strikes=%lu looked_at=%s", name,
            exit_kinds[kind].name, seen, strikes, looked_at(kind) ? "yes" : "no");
    }
}
