/* Brings a vCPU into the state for rounds, runs them, and puts everything back. */
#include "vcpu.h"
#include "../../platform/instructions.h"
#include "../window/area_compare.h"
#include "../window/findings.h"
#include "../window/guard.h"
#include "../window/interrupts.h"
#include "../window/round.h"
#include "../window/slices.h"
#include "../window/system_state.h"
#include "../window/turns.h"
#include "../window/work.h"

struct vectors_work {
    struct vcpu *vcpu;
    void (*work)(void *argument);
    void *argument;
};

static void prepare(struct vcpu *vcpu)
{
    if (vcpu->prepared)
        return;
    vcpu->rounds.key.form = vcpu->saved.form;
    vcpu->rounds.key.vcpu = vcpu->rounds.cpu;
    slices_prepare(&vcpu->rounds);
    vcpu->prepared = true;
}

static void work_on(void *argument)
{
    struct vectors_work *on = argument;
    prepare(on->vcpu);
    on->work(on->argument);
}

/* An XCR0 that XSETBV took before and takes no longer raises #GP; blames_xcr0() finds it lost. */
static void turn_on(void *argument)
{
    struct vcpu *vcpu = argument;
    struct areas *areas = &vcpu->rounds.areas;
    xstate_turn_on(&vcpu->saved, &vcpu->rounds.machine->xstate);
    if (!vcpu->prepared)
        areas->xcr0 = vcpu->saved.xcr0_on;
    else if (vcpu->saved.xcr0_on != areas->xcr0)
        xsetbv0(areas->xcr0);
    areas_keep(areas);
}

/* Also after an exception: the firmware must not get an interrupt of ours. */
static void put_back(void *argument)
{
    struct vcpu *vcpu = argument;
    interrupts_give_back(&vcpu->rounds);
    system_put_back(&vcpu->rounds);
    areas_put_back(&vcpu->rounds.areas);
}

static void turn_off(void *argument)
{
    struct vcpu *vcpu = argument;
    xstate_turn_off(&vcpu->saved);
}

static void mend_xcr0(void *argument)
{
    struct vcpu *vcpu = argument;
    (void)areas_mend_xcr0(&vcpu->rounds);
}

/* After a fault: whether a lost XCR0 is what it came from. What follows needs it, too, but XSETBV
 * may refuse it. */
static bool blames_xcr0(struct vcpu *vcpu)
{
    bool *lost = &vcpu->rounds.areas.xcr0_lost, before = *lost;
    *lost = false;
    (void)traps_run(mend_xcr0, vcpu, NULL);
    bool lost_now = *lost;
    *lost |= before;
    vcpu->xcr0_lost |= lost_now;
    return lost_now;
}

/* Once more, if a lost XCR0 was why it raised an exception at first: false then, too. */
static bool restores(struct vcpu *vcpu, void (*function)(void *), struct fault *fault)
{
    if (traps_run(function, vcpu, fault))
        return true;
    if (blames_xcr0(vcpu))
        (void)traps_run(function, vcpu, NULL);
    return false;
}

bool vcpu_keep_lost_xcr0(struct vcpu *vcpu)
{
    struct rounds *rounds = &vcpu->rounds;
    bool runs = vcpu->prepared && rounds->plan->count;
    if (!rounds->areas.xcr0_lost)
        return false;
    areas_note_lost_xcr0(&rounds->areas);
    finding_keep_of_slice(rounds, runs ? atomic_load(&rounds->current) : PREPARE_ROW, &window_bare);
    return true;
}

bool vcpu_with_vectors(struct vcpu *vcpu, void (*work)(void *argument), void *argument)
{
    struct vectors_work on = {vcpu, work, argument};
    struct fault after;
    traps_enter(&vcpu->traps);
    bool on_now = traps_run(turn_on, vcpu, &vcpu->fault);
    bool ran = on_now && traps_run(work_on, &on, &vcpu->fault);
    if (!ran)
        (void)blames_xcr0(vcpu);
    if (on_now || vcpu->prepared) {
        bool restored = restores(vcpu, put_back, &after);
        restored &= restores(vcpu, turn_off, restored ? &after : NULL);
        if (ran && !restored)
            vcpu->fault = after;
        ran &= restored;
    }
    traps_leave(&vcpu->traps);
    return ran;
}

static void run_next_slice(struct vcpu *vcpu)
{
    struct rounds *rounds = &vcpu->rounds;
    uint64_t start = rdtsc();
    if (rounds->turns.turn == TURN_TO_FILL)
        slice_run_all_live(rounds, rounds->turns.entry);
    else
        slice_run(rounds, rounds->turns.entry);
    turns_next(&rounds->turns, rounds, start, rdtsc());
}

static void run_until_finished(void *argument)
{
    struct vcpu *vcpu = argument;
    interrupts_take(&vcpu->rounds);
    while (!work_finished(&vcpu->rounds)) {
        interrupts_rest(&vcpu->rounds);
        run_next_slice(vcpu);
    }
    interrupts_linger(&vcpu->rounds);
}

static void run_one_slice(void *argument)
{
    struct vcpu *vcpu = argument;
    if (!work_finished(&vcpu->rounds))
        run_next_slice(vcpu);
}

static void finish(struct vcpu *vcpu, bool ran)
{
    if (!ran && vcpu->xcr0_lost)
        (void)vcpu_keep_lost_xcr0(vcpu);
    atomic_store_explicit(&vcpu->state, ran ? VCPU_DONE : VCPU_BROKEN, memory_order_release);
}

void vcpu_run(struct vcpu *vcpu)
{
    atomic_store_explicit(&vcpu->state, VCPU_RUNNING, memory_order_release);
    finish(vcpu, vcpu_with_vectors(vcpu, run_until_finished, vcpu));
}

void vcpu_run_slice(struct vcpu *vcpu)
{
    bool ran = vcpu_with_vectors(vcpu, run_one_slice, vcpu);
    if (!ran || work_finished(&vcpu->rounds))
        finish(vcpu, ran);
}
