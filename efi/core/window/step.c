/* Has a #DB or an interrupt come right behind an event, and says where it did come. */
#include "step.h"
#include "../../platform/instructions.h"
#include "area_compare.h"
#include "counter.h"
#include "guard.h"
#include "interrupts.h"
#include "round.h"

/* DR6 and DR7 (SDM vol. 3, 17.2.3 and 17.2.4). */
#define DR6_BREAKPOINTS   UINT64_C(0xf)
#define DR6_BREAKPOINT_1  UINT64_C(0x2)
#define DR6_SINGLE_STEP   UINT64_C(0x4000)
#define DR6_CAUSES        (DR6_BREAKPOINTS | DR6_SINGLE_STEP)
#define DR7_ENABLE_0_1    UINT64_C(0xf)
#define DR7_CONDITION_0_1 UINT64_C(0xff0000) /* 0: at execution */

/*
 * exits_step.S. Where the ways through an event begin, and where what is to come has to: from the
 * event's end, the same in each form.
 */
struct step_ways {
    struct step_way {
        int32_t at, behind;
    } bare, shadow, sti;
};

extern const struct window window_cpuid_step, window_out80_step, window_xapic_step;
extern const struct step_ways step_ways_cpuid_step, step_ways_out80_step, step_ways_xapic_step;

/* The same without an exit. */
void step_probe_trap(const struct step_frame *frame);
void step_probe_shadow(const struct step_frame *frame);
void step_probe_breakpoint(const struct step_frame *frame);
void step_probe_interrupt(const struct step_frame *frame);
extern const char step_probe_trap_end[], step_probe_shadow_end[], step_probe_breakpoint_at[],
    step_probe_breakpoint_end[], step_probe_interrupt_end[];

/* Raises #DE; and a handler of it that raises #UD at once. */
void step_probe_divide(void *unused);
extern const char step_probe_handler[];

static const struct {
    enum step_fact fact;
    uint64_t flag;  /* of RFLAGS */
    uint64_t cause; /* in DR6 */
    void (*probe)(const struct step_frame *frame);
    const char *probe_at, *probe_end;
    const char *reason; /* where the probe does not come out right */
} kinds[STEP_KIND_COUNT] = {
    [STEP_OF_TRAP] = {STEP_SINGLE_STEP, RFLAGS_TRAP, DR6_SINGLE_STEP, step_probe_trap, NULL,
                      step_probe_trap_end,
                      "single steps do not come where they should, even without an exit"},
    [STEP_OF_SHADOW] = {STEP_SINGLE_STEP, RFLAGS_TRAP, DR6_SINGLE_STEP, step_probe_shadow, NULL,
                        step_probe_shadow_end,
                        "MOV to SS does not hold a single step off, even without an exit"},
    [STEP_OF_BREAKPOINT] = {STEP_BREAKPOINT, RFLAGS_RESUME, DR6_BREAKPOINT_1, step_probe_breakpoint,
                            step_probe_breakpoint_at, step_probe_breakpoint_end,
                            "breakpoints do not come where they should, even without an exit"},
    [STEP_OF_INTERRUPT] = {STEP_INTERRUPT, 0, 0, step_probe_interrupt, NULL,
                           step_probe_interrupt_end,
                           "STI does not hold an interrupt off, even without an exit"},
};

const char *step_fact_name(enum step_fact fact)
{
    static const char *const names[STEP_FACT_COUNT] = {"single-step", "breakpoint", "interrupt"};
    return names[fact];
}

static uint64_t interrupts_so_far(const struct rounds *rounds)
{
    return counter_read(&rounds->traps->interrupts[INTERRUPT_STEP]);
}

/* From now on the handler takes a #DB for one that was to come. */
static void expect(struct rounds *rounds, enum step_kind kind, struct step_frame *frame,
                   uint64_t flags)
{
    struct stepping *stepping = &rounds->stepping;
    struct step *step = &rounds->traps->step;
    const uint64_t status = RFLAGS_STATUS | RFLAGS_DIRECTION | RFLAGS_FIXED;
    stepping->kind = kind;
    stepping->nmis = rounds->traps->nmis;
    stepping->interrupts = interrupts_so_far(rounds);
    *step = (struct step){.dr6 = read_dr(6), .dr7 = read_dr(7)};
    write_dr(6, step->dr6 & ~DR6_CAUSES);
    frame->cs = read_cs();
    frame->ss = read_ss();
    frame->rflags = (read_rflags() & ~status) | flags | kinds[kind].flag;
    step->armed = true;
}

/* At the instruction, which RF passes over, and behind it. */
static void set_breakpoints(struct rounds *rounds, uint64_t at, uint64_t behind)
{
    struct step *step = &rounds->traps->step;
    step->breakpoints = true;
    step->dr[0] = read_dr(0);
    step->dr[1] = read_dr(1);
    write_dr(0, at);
    write_dr(1, behind);
    write_dr(7, (step->dr7 & ~DR7_CONDITION_0_1) | DR7_ENABLE_0_1);
}

static void put_back(const struct step *step)
{
    write_dr(7, step->dr7);
    write_dr(6, step->dr6);
    if (!step->breakpoints)
        return;
    write_dr(0, step->dr[0]);
    write_dr(1, step->dr[1]);
}

/*
 * A second one is told by the count. There is no end where the hypervisor loses RF, and what is
 * written to debug registers as well: the breakpoint hits each time that its instruction is to run.
 */
bool step_came(struct step *step, uint64_t rip, uint64_t *rflags)
{
    if (step->count++ == 0) {
        step->rip = rip;
        step->cause = read_dr(6);
    }
    put_back(step);
    *rflags &= ~(uint64_t)RFLAGS_TRAP;
    return step->count <= STEP_TIMES_MOST;
}

/* Where one came, its handler has done so. Where more came, it did not stay. */
void step_settle(struct rounds *rounds)
{
    struct step *step = &rounds->traps->step;
    if (step->armed && step->count != 1)
        put_back(step);
}

bool step_without_end(const struct rounds *rounds, const struct round *round)
{
    return round->fault.vector == VECTOR_DEBUG && rounds->traps->step.count > STEP_TIMES_MOST;
}

/* Where it came; 0: it did not. */
static uint64_t came_at(const struct rounds *rounds)
{
    const struct traps *traps = rounds->traps;
    if (rounds->stepping.kind == STEP_OF_INTERRUPT)
        return interrupts_so_far(rounds) != rounds->stepping.interrupts ? traps->interrupted : 0;
    return traps->step.count ? traps->step.rip : 0;
}

void step_end(struct rounds *rounds)
{
    if (rounds->stepping.kind == STEP_OF_INTERRUPT)
        interrupts_let_in();
    rounds->traps->step.armed = false;
}

struct probe {
    enum step_kind kind;
    struct step_frame frame;
};

static void run_probe(void *argument)
{
    const struct probe *probe = argument;
    kinds[probe->kind].probe(&probe->frame);
}

/*
 * A breakpoint's handler has to get to its first instruction, or nothing here can end it. In Bochs
 * 3.0 with more than one processor and without its debugger it does not: there the processor still
 * is where the exception came, as long as the handler has done nothing (cpu_run_trace, prev_rip).
 * So the breakpoint hits again, and again. The same shows, and ends, where the handler's first
 * instruction raises an exception itself: it is told of the wrong place.
 */
static bool handlers_begin(struct rounds *rounds)
{
    struct idt_gate *gate = &rounds->traps->idt[VECTOR_DIVIDE_ERROR];
    const struct idt_gate before = *gate;
    struct fault fault = {0};
    idt_gate_lead(gate, (uint64_t)step_probe_handler);
    bool ran = traps_run(step_probe_divide, NULL, &fault);
    *gate = before;
    return !ran && fault.rip == (uint64_t)step_probe_handler;
}

/* Once on each vCPU: whether the processor does by itself what its exits are to keep. */
static const char *probe(struct rounds *rounds, enum step_kind kind)
{
    struct probe probe = {.kind = kind};
    const uint64_t end = (uint64_t)kinds[kind].probe_end;
    if (kind == STEP_OF_BREAKPOINT && !handlers_begin(rounds))
        return "an exception's handler does not begin where it should: a breakpoint would not end";
    if (kind == STEP_OF_INTERRUPT && !interrupts_send_to_self(rounds))
        return "an interrupt to itself does not come";
    expect(rounds, kind, &probe.frame, RFLAGS_FIXED);
    if (kind == STEP_OF_BREAKPOINT)
        set_breakpoints(rounds, (uint64_t)kinds[kind].probe_at, end);
    bool ran = traps_run(run_probe, &probe, NULL);
    step_settle(rounds);
    const struct step *step = &rounds->traps->step;
    bool right = ran && came_at(rounds) == end && (step->cause & DR6_CAUSES) == kinds[kind].cause &&
                 step->count == (kind != STEP_OF_INTERRUPT);
    step_end(rounds);
    return right ? NULL : kinds[kind].reason;
}

static const char *why_not(struct rounds *rounds, enum step_kind kind)
{
    struct stepping *stepping = &rounds->stepping;
    if (!stepping->probed[kind])
        stepping->reason[kind] = probe(rounds, kind);
    stepping->probed[kind] = true;
    return stepping->reason[kind];
}

static const struct step_ways *ways_of(const struct window *window)
{
    return window == &window_cpuid_step   ? &step_ways_cpuid_step
           : window == &window_out80_step ? &step_ways_out80_step
                                          : &step_ways_xapic_step;
}

static const struct step_way *way_of(const struct window *window, enum step_kind kind)
{
    const struct step_ways *ways = ways_of(window);
    return kind == STEP_OF_SHADOW      ? &ways->shadow
           : kind == STEP_OF_INTERRUPT ? &ways->sti
                                       : &ways->bare;
}

/* Where the way of the round at hand begins, and where what is to come has to. */
static struct step_place {
    uint64_t at, behind;
} place(const struct rounds *rounds, const struct round *round, enum step_kind kind)
{
    const uint32_t entry = atomic_load_explicit(&rounds->current, memory_order_relaxed);
    const struct window *window = rounds->plan->entry[entry].window;
    const struct step_way *way = way_of(window, kind);
    const uint64_t end = window->form[round_form(rounds, round)].event_end;
    return (struct step_place){end + (uint64_t)(int64_t)way->at,
                               end + (uint64_t)(int64_t)way->behind};
}

static enum begun begin(struct rounds *rounds, struct round *round, enum step_kind kind,
                        const char **reason)
{
    const char *none = why_not(rounds, kind);
    if (none)
        return no_more(reason, none);
    struct step_place way = place(rounds, round, kind);
    expect(rounds, kind, &round->step, round->expected.rflags);
    round->step.rip = way.at;
    round->step.rsp = (uint64_t)&round->expected;
    if (kind == STEP_OF_BREAKPOINT)
        set_breakpoints(rounds, way.at, way.behind);
    return BEGUN;
}

enum begun step_trap_begin(struct rounds *rounds, struct round *round, const char **reason)
{
    return begin(rounds, round, STEP_OF_TRAP, reason);
}

enum begun step_shadow_begin(struct rounds *rounds, struct round *round, const char **reason)
{
    return begin(rounds, round, STEP_OF_SHADOW, reason);
}

/*
 * Seen beneath kvm_amd of Linux 6.1: behind an instruction that it skips by the next RIP that the
 * exit tells, RF stays set (svm_skip_emulated_instruction), and a breakpoint there is lost. It is a
 * fault, and a known one, of what a debugger in the guest sees: no register is changed by it.
 */
static bool host_keeps_rf(const struct machine *machine)
{
    return machine->hypervisor.kind == HYPERVISOR_KVM && machine->cpu.amd;
}

enum begun step_breakpoint_begin(struct rounds *rounds, struct round *round, const char **reason)
{
    if (host_keeps_rf(rounds->machine))
        return no_more(reason, "KVM on AMD is known to lose breakpoints behind its exits");
    return begin(rounds, round, STEP_OF_BREAKPOINT, reason);
}

enum begun step_interrupt_begin(struct rounds *rounds, struct round *round, const char **reason)
{
    if (!rounds->interrupts.taken)
        return no_more(reason, "the local APIC of this vCPU is disabled");
    const char *none = why_not(rounds, STEP_OF_INTERRUPT);
    if (none)
        return no_more(reason, none);
    if (!interrupts_send_to_self(rounds))
        return NOT_NOW;
    return begin(rounds, round, STEP_OF_INTERRUPT, reason);
}

static bool note(struct rounds *rounds, uint32_t component, uint32_t offset, uint64_t want,
                 uint64_t got)
{
    struct area_difference difference = {
        .component = component, .offset = offset, .want = want, .got = got};
    if (want == got)
        return true;
    areas_note(&rounds->areas, &difference);
    return false;
}

/*
 * The place first: what came elsewhere may have another cause. A non-maskable interrupt in between
 * may end a shadow.
 */
bool step_verify(struct rounds *rounds, struct round *round)
{
    const enum step_kind kind = rounds->stepping.kind;
    const struct step *step = &rounds->traps->step;
    const uint32_t component = AREA_STEP + kinds[kind].fact;
    if (!round->area_mask)
        rounds->areas.differences = 0;
    if (rounds->traps->nmis != rounds->stepping.nmis)
        return true;
    if (!note(rounds, component, STEP_PLACE, place(rounds, round, kind).behind, came_at(rounds)))
        return false;
    if (kind == STEP_OF_INTERRUPT)
        return true;
    return note(rounds, component, STEP_CAUSE, kinds[kind].cause, step->cause & DR6_CAUSES) &&
           note(rounds, component, STEP_TIMES, 1, step->count);
}
