/* Arms the timer, sends interrupts, and keeps a vCPU from getting one that it no longer expects. */
#include "interrupts.h"
#include "../../platform/instructions.h"
#include "counter.h"
#include "guard.h"
#include "work.h"

/* What firmware and an idle machine need to answer, in milliseconds; a busy host may be slow. */
#define ANSWER_MILLISECONDS  200u
#define MEASURE_MICROSECONDS 500u
#define LINGER_SECONDS       10u

static uint64_t cycles_of(const struct rounds *rounds, uint64_t microseconds)
{
    return rounds->machine->tsc_hz / 1000000 * microseconds;
}

/* Since `start`, a TSC value, an answer should have come. */
static bool too_late(const struct rounds *rounds, uint64_t start)
{
    return rdtsc() - start >= cycles_of(rounds, ANSWER_MILLISECONDS * UINT64_C(1000));
}

static uint64_t random_below(struct interrupts *interrupts, uint64_t limit)
{
    interrupts->random =
        interrupts->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (interrupts->random >> 33) % (limit ? limit : 1);
}

/* One instruction must stand between STI and CLI for a pending interrupt to be taken. */
void interrupts_let_in(void)
{
    __asm__ volatile("sti\n\tnop\n\tcli" ::: "memory");
}

/*
 * A hypervisor may have more than one to deliver, one after the other. Bounded: a device that
 * nobody serves raises its interrupt again and again.
 */
static void let_all_in(const struct rounds *rounds)
{
    for (unsigned int n = 0; n < VECTOR_COUNT_ALL; n++) {
        uint64_t before = traps_interrupts(rounds->traps);
        interrupts_let_in();
        if (traps_interrupts(rounds->traps) == before)
            return;
    }
}

/* From now on in so many ticks, once. */
static void arm_timer(const struct apic *apic, uint64_t ticks)
{
    apic_write(apic, APIC_TIMER_INITIAL, ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks + 1);
}

static uint64_t timer_interrupts(const struct rounds *rounds)
{
    return counter_read(&rounds->traps->interrupts[INTERRUPT_TIMER]);
}

/* Ticks in a hold, by counting down from the top for a while. */
static void measure_timer(struct rounds *rounds)
{
    const struct apic *apic = &rounds->traps->apic;
    uint64_t start = rdtsc(), passed;
    apic_write(apic, APIC_TIMER_INITIAL, UINT32_MAX);
    do
        passed = rdtsc() - start;
    while (passed < cycles_of(rounds, MEASURE_MICROSECONDS));
    uint64_t ticks = UINT32_MAX - apic_read(apic, APIC_TIMER_CURRENT);
    apic_write(apic, APIC_TIMER_INITIAL, 0);
    rounds->interrupts.timer_ticks =
        ticks * cycles_of(rounds, rounds->plan->options.hold_microseconds) / (passed ? passed : 1);
    if (ticks == 0)
        rounds->interrupts.no_timer = "the local APIC timer does not count";
}

/* A timer that counts need not interrupt: the vector may be another's, or a hypervisor lazy. */
static void try_timer(struct rounds *rounds)
{
    uint64_t before = timer_interrupts(rounds), start = rdtsc();
    arm_timer(&rounds->traps->apic, 1);
    while (timer_interrupts(rounds) == before) {
        interrupts_let_in();
        if (too_late(rounds, start)) {
            rounds->interrupts.no_timer = "the local APIC timer raises no interrupt";
            return;
        }
    }
}

/*
 * An interrupt that was pending when the local APIC was taken is the firmware's, and no stray. OVMF
 * unmasks its timer for a moment when it sets a vCPU up: in one of some twenty boots it was
 * pending.
 */
static void take_pending(struct rounds *rounds)
{
    let_all_in(rounds);
    atomic_store_explicit(&rounds->traps->interrupts[INTERRUPT_STRAY], 0, memory_order_relaxed);
    atomic_store_explicit(&rounds->traps->stray_vector, 0, memory_order_relaxed);
}

void interrupts_take(struct rounds *rounds)
{
    struct interrupts *interrupts = &rounds->interrupts;
    struct apic *apic = &rounds->traps->apic;
    if (!rounds->machine->confidential) /* or else each access is told by an exception */
        apic_find(apic);
    if (apic->mode == APIC_OFF)
        return;
    interrupts->taken = true;
    interrupts->random = (uint64_t)rounds->key.run << 32 | rounds->cpu;
    interrupts->firmware.spurious = apic_read(apic, APIC_SPURIOUS);
    interrupts->firmware.lint0 = apic_read(apic, APIC_LINT0);
    interrupts->firmware.timer = apic_read(apic, APIC_TIMER);
    interrupts->firmware.divide = apic_read(apic, APIC_TIMER_DIVIDE);
    interrupts->firmware.initial = apic_read(apic, APIC_TIMER_INITIAL);
    apic_write(apic, APIC_SPURIOUS, APIC_SOFTWARE_ENABLED | VECTOR_SPURIOUS);
    apic_write(apic, APIC_TIMER, APIC_MASKED | VECTOR_TIMER);
    /* A PIC may be wired to LINT0, and no handler of ours acknowledges its interrupts. */
    apic_write(apic, APIC_LINT0, interrupts->firmware.lint0 | APIC_MASKED);
    take_pending(rounds);
    apic_write(apic, APIC_TIMER_DIVIDE, APIC_DIVIDE_BY_1);
    measure_timer(rounds);
    apic_write(apic, APIC_TIMER, VECTOR_TIMER);
    if (!interrupts->no_timer)
        try_timer(rounds);
    atomic_store_explicit(&interrupts->apic_id, apic_id(apic), memory_order_relaxed);
    atomic_store(&interrupts->accepts, true);
}

/* Until nobody who has seen `accepts` as true is still about to send. Bounded, as a vCPU may be
 * lost while it is. */
static void wait_for_senders(const struct rounds *rounds)
{
    uint64_t start = rdtsc();
    for (uint32_t n = 0; n < rounds->plan->peers; n++)
        while (atomic_load(&rounds->plan->peer[n].rounds->interrupts.sending) &&
               !too_late(rounds, start))
            cpu_pause();
}

/*
 * The timer is stopped while its mode is switched; then the firmware's count is written, which
 * starts it anew. The spurious register comes last: if the firmware had the local APIC
 * software-disabled, that masks all entries of the local vector table (SDM vol. 3, 10.4.7.2).
 */
void interrupts_give_back(struct rounds *rounds)
{
    struct interrupts *interrupts = &rounds->interrupts;
    struct apic *apic = &rounds->traps->apic;
    if (!interrupts->taken)
        return;
    interrupts->taken = false;
    atomic_store(&interrupts->accepts, false);
    atomic_store(&interrupts->sending, false);
    wait_for_senders(rounds);
    apic_write(apic, APIC_TIMER_INITIAL, 0);
    apic_write(apic, APIC_TIMER, APIC_MASKED | VECTOR_TIMER);
    let_all_in(rounds);
    apic_write(apic, APIC_TIMER_DIVIDE, interrupts->firmware.divide);
    apic_write(apic, APIC_TIMER, interrupts->firmware.timer);
    apic_write(apic, APIC_TIMER_INITIAL, interrupts->firmware.initial);
    apic_write(apic, APIC_LINT0, interrupts->firmware.lint0);
    apic_write(apic, APIC_SPURIOUS, interrupts->firmware.spurious);
    apic->mode = APIC_OFF;
}

/* None of the vCPUs sends anything any more. */
static bool peers_finished(const struct plan *plan)
{
    for (uint32_t n = 0; n < plan->peers; n++)
        if (!work_finished(plan->peer[n].rounds))
            return false;
    return true;
}

void interrupts_linger(struct rounds *rounds)
{
    uint64_t start = rdtsc();
    while (rounds->interrupts.taken && !peers_finished(rounds->plan) &&
           !atomic_load_explicit(&rounds->stop, memory_order_relaxed) &&
           rdtsc() - start < cycles_of(rounds, LINGER_SECONDS * UINT64_C(1000000))) {
        counter_add(&rounds->beats, 1);
        if (atomic_load_explicit(&rounds->pause, memory_order_relaxed))
            start = rdtsc(); /* the others are paused, too: the time counts anew */
        interrupts_let_in();
        cpu_pause();
    }
}

void interrupts_rest(struct rounds *rounds)
{
    while (atomic_load_explicit(&rounds->pause, memory_order_relaxed) &&
           !atomic_load_explicit(&rounds->stop, memory_order_relaxed)) {
        counter_add(&rounds->beats, 1);
        if (rounds->interrupts.taken)
            interrupts_let_in();
        cpu_pause();
    }
}

/* What acknowledges it at once, as a hypervisor may, has it in service. */
bool interrupts_send_to_self(const struct rounds *rounds)
{
    const struct apic *apic = &rounds->traps->apic;
    const uint32_t at = VECTOR_STEP / 32 * 16, bit = 1u << VECTOR_STEP % 32;
    uint64_t start = rdtsc();
    apic_send(apic, apic_id(apic), APIC_COMMAND_ASSERT | VECTOR_STEP);
    while (!((apic_read(apic, APIC_REQUESTED + at) | apic_read(apic, APIC_IN_SERVICE + at)) & bit))
        if (too_late(rounds, start))
            return false;
    return true;
}

bool interrupts_part(const struct rounds *rounds)
{
    return !rounds->runs_firmware;
}

static const char *no_timer(const struct rounds *rounds)
{
    return rounds->interrupts.taken ? rounds->interrupts.no_timer
                                    : "the local APIC of this vCPU is disabled";
}

/* At a random moment of a hold. */
enum begun timer_begin(struct rounds *rounds, struct round *round, const char **reason)
{
    struct interrupts *interrupts = &rounds->interrupts;
    const char *none = no_timer(rounds);
    if (none)
        return no_more(reason, none);
    round->expected.general[RCX] = rounds->hold_loops;
    arm_timer(&rounds->traps->apic, random_below(interrupts, interrupts->timer_ticks));
    return BEGUN;
}

/* A timer that has not fired yet must not fire in a round of another exit. */
void timer_end(struct rounds *rounds)
{
    apic_write(&rounds->traps->apic, APIC_TIMER_INITIAL, 0);
    interrupts_let_in();
}

/* The next vCPU that takes interrupts, this one last; NULL if none does. */
static const struct rounds *next_accepting(const struct rounds *rounds)
{
    const struct plan *plan = rounds->plan;
    uint32_t self = 0;
    while (self < plan->peers && plan->peer[self].rounds != rounds)
        self++;
    for (uint32_t n = 1; n <= plan->peers; n++) {
        const struct rounds *other = plan->peer[(self + n) % plan->peers].rounds;
        if (atomic_load(&other->interrupts.accepts))
            return other;
    }
    return NULL;
}

/* Waits a little: at the start of a run the others are not there yet. */
static const struct rounds *await_accepting(const struct rounds *rounds)
{
    uint64_t start = rdtsc();
    const struct rounds *other = next_accepting(rounds);
    while (!other && !too_late(rounds, start))
        other = next_accepting(rounds);
    return other;
}

enum begun ipi_send_begin(struct rounds *rounds, struct round *round, const char **reason)
{
    const struct apic *apic = &rounds->machine->apic;
    (void)reason;
    atomic_store(&rounds->interrupts.sending, true);
    const struct rounds *to = await_accepting(rounds);
    if (!to) {
        atomic_store(&rounds->interrupts.sending, false);
        return NOT_NOW;
    }
    uint32_t id = atomic_load_explicit(&to->interrupts.apic_id, memory_order_relaxed);
    round->expected.general[RAX] = APIC_COMMAND_ASSERT | VECTOR_IPI;
    round->expected.general[RDX] = apic->mode == APIC_X2APIC ? id : (uint64_t)id << 24;
    if (apic->mode == APIC_X2APIC)
        round->expected.general[RCX] = MSR_X2APIC_COMMAND;
    else
        round->expected.general[RBX] = apic->address;
    return BEGUN;
}

enum begun ipi_begin(struct rounds *rounds, struct round *round, const char **reason)
{
    if (!rounds->interrupts.taken)
        return no_more(reason, "the local APIC of this vCPU is disabled");
    enum begun begun = ipi_send_begin(rounds, round, reason);
    if (rounds->machine->apic.mode == APIC_X2APIC)
        round->expected.general[R8] = rounds->hold_loops;
    else
        round->expected.general[RCX] = rounds->hold_loops;
    return begun;
}

/* The xAPIC has taken the command once it is no longer pending; an x2APIC has at once. */
void ipi_end(struct rounds *rounds)
{
    const struct apic *apic = &rounds->machine->apic;
    uint64_t start = rdtsc();
    while (apic->mode == APIC_XAPIC && apic_read(apic, APIC_COMMAND) & APIC_COMMAND_PENDING &&
           !too_late(rounds, start))
        cpu_pause();
    atomic_store(&rounds->interrupts.sending, false);
}
