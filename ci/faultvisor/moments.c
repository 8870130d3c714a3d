/*
 * Strikes by the clock. The preemption timer (SDM vol. 3, 25.5.1) alone makes the guest exit for
 * them. A moment that comes while the host runs counts for the instruction that exited.
 */
#include "moments.h"
#include "../../efi/platform/instructions.h"
#include "distance.h"
#include "faults.h"
#include "plan.h"
#include "say.h"
#include "trigger.h"
#include "vmx.h"
#include "windows.h"
#include <stddef.h>
#include <string.h>

#define MOMENTS_MAX 4096u
#define SAID_MAX    (1u << 20)

/* A strike; or zmmtest says that it found something. */
struct moment {
    uint64_t tsc;
    uint64_t rip;
    uint32_t cpu;
    bool finding, changed;
};

static struct record {
    struct moment moment[MOMENTS_MAX];
    _Atomic uint32_t count; /* may be more than there is room for */
    _Atomic bool over;      /* zmmtest tells the results */
    char word[16];          /* of zmmtest's that is on its way */
    uint32_t length;
    uint32_t said;
    char text[SAID_MAX]; /* of zmmtest's */
} record;

static struct moment *note(void)
{
    uint32_t number = atomic_fetch_add(&record.count, 1);
    if (number >= MOMENTS_MAX)
        return NULL;
    record.moment[number].tsc = rdtsc();
    return &record.moment[number];
}

static uint64_t distance(struct host_cpu *cpu)
{
    return random_distance(&cpu->moments_random, plan.mean_ms * plan.tsc_khz);
}

/* While there is room in the log: a strike that is not told would be a wrong share. */
static void strike_now(struct host_cpu *cpu, uint64_t rip)
{
    struct moment *moment = atomic_load(&record.over) ? NULL : note();
    if (!moment)
        return;
    moment->cpu = cpu->number;
    moment->rip = rip;
    moment->changed = trigger_strike(cpu);
}

/* Its rate is the TSC's by a power of two (SDM vol. 3, A.6). */
static void arm_timer(uint64_t cycles)
{
    uint64_t ticks = cycles >> (rdmsr(MSR_VMX_MISC) & 31);
    vmwrite(PREEMPTION_TIMER, ticks < UINT32_MAX ? ticks : UINT32_MAX);
}

void moments_look(struct host_cpu *cpu, uint64_t rip)
{
    if (!plan.mean_ms || !plan.fault)
        return;
    uint64_t now = rdtsc();
    if (!cpu->next_moment && windows_exit_at(rip)) /* its rounds have begun */
        cpu->next_moment = now + distance(cpu);
    if (!cpu->next_moment)
        return;
    if (now >= cpu->next_moment) {
        strike_now(cpu, rip);
        cpu->next_moment += distance(cpu);
    }
    arm_timer(cpu->next_moment > now ? cpu->next_moment - now : 0);
}

static void hear_word(struct word word)
{
    struct moment *moment = word_is(word, "ev=finding") ? note() : NULL;
    if (moment)
        moment->finding = true;
    if (word_is(word, "ev=exit"))
        atomic_store(&record.over, true);
}

bool moments_hear(char c)
{
    if (c <= ' ') {
        hear_word((struct word){record.word, record.length});
        record.length = 0;
    } else if (record.length < sizeof(record.word)) {
        record.word[record.length++] = c;
    }
    if (record.said == SAID_MAX)
        return false;
    record.text[record.said++] = c;
    return true;
}

void moments_reset(void)
{
    memset(&record, 0, offsetof(struct record, text));
    for (uint32_t n = 0; n < cpu_count; n++) {
        if (!cpus[n])
            continue;
        cpus[n]->calm |= cpus[n]->next_moment != 0; /* the timer is set anew, as without this */
        cpus[n]->next_moment = 0;
        cpus[n]->moments_random = n + 1; /* each run has the same distances */
    }
}

/* Line by line. */
static void report_said(void)
{
    char *start = record.text;
    for (uint32_t n = 0; n < record.said; n++) {
        if (record.text[n] != '\r' && record.text[n] != '\n')
            continue;
        record.text[n] = '\0';
        if (*start)
            say("%s", start);
        start = &record.text[n + 1];
    }
}

static void report_strike(const struct moment *moment)
{
    bool inside = moment->rip >= plan.image_start && moment->rip < plan.image_end;
    say("faultvisor ev=moment tsc=%lu what=strike cpu=%u changed=%s %s=0x%lx", moment->tsc,
        moment->cpu, moment->changed ? "yes" : "no", inside ? "image" : "firmware",
        inside ? moment->rip - plan.image_start : moment->rip);
}

void moments_report(void)
{
    report_said();
    uint32_t count =
        atomic_load(&record.count) < MOMENTS_MAX ? atomic_load(&record.count) : MOMENTS_MAX;
    say("faultvisor ev=moments fault=%s mean_ms=%lu tsc_khz=%lu count=%u",
        plan.fault ? plan.fault->name : "none", plan.mean_ms, plan.tsc_khz, count);
    for (uint32_t n = 0; n < count; n++) {
        if (record.moment[n].finding)
            say("faultvisor ev=moment tsc=%lu what=finding", record.moment[n].tsc);
        else
            report_strike(&record.moment[n]);
    }
}
