/*
 * A run as the boot vCPU sees it, as data: what takes part, how far it is, and what it came to. Its
 * parts are planning, watching, telling, the operator, counts and outcome; run.c conducts them.
 */
#ifndef ZMMTEST_CORE_RUN_RUN_STATE_H
#define ZMMTEST_CORE_RUN_RUN_STATE_H

#include "../../platform/processors.h"
#include "../machine/mark.h"
#include "../report/progress.h"
#include "../report/results.h"
#include "causes.h"
#include "gap.h"
#include "options.h"
#include "vcpu.h"

#define NO_ROW UINT32_MAX

/* What the boot vCPU keeps of each vCPU, itself included. */
struct watched {
    struct vcpu *vcpu; /* NULL: not taking part */
    struct processor_call call;
    const char *reason;      /* why it takes no part though it was asked for; NULL: it does */
    bool told;               /* its XCR0 has been reported, */
    uint64_t xcr0;           /* as this */
    bool lost;               /* does not answer, or stopped making progress, */
    uint32_t lost_in;        /* in this row of the tallies; NO_ROW: it never answered */
    uint64_t away;           /* milliseconds: when it was taken back, for so long it was lost */
    bool machine_check;      /* one has been told of it */
    bool broken;             /* ended by an exception in zmmtest's own code */
    uint64_t beats;          /* at the last look */
    uint64_t progressed_at;  /* milliseconds */
    int64_t skew, skew_told; /* milliseconds of its TSC: by the last answer; as told */
    uint64_t back, back_at;  /* ticks that its TSC went back, as far as told; and when it was */
};

/* What all vCPUs counted, added up. */
struct totals {
    uint64_t rounds, findings;
    uint64_t planted, injected; /* faults of our own, and findings of them */
    uint64_t wrong_blocks;      /* of scratch partitions: no findings of registers */
    uint64_t nmis, machine_checks, spurious, strays;
    uint32_t stray_vector;
    uint32_t vcpus;
};

/* What became of an exit. */
struct exit_counts {
    struct exit_result result;
    uint64_t timed, left; /* rounds, and of these those that left the guest */
    /* In 1,024 cycles, of which no sum overflows: slices in all, and those that each pass has. */
    uint64_t spent, whole_spent;
    uint64_t whole_slices;   /* the number of the latter */
    uint32_t without_rounds; /* vCPUs that took part and have none */
    uint32_t unavailable;    /* of them: the event raised an exception */
    uint32_t exception;      /* its vector */
    uint64_t address;        /* of a page fault */
    uint32_t over;           /* vCPUs on which it came to an end before the run did */
    const char *reason;      /* why it did there */
    bool waited;             /* on one of them it was NOT_NOW all the time */
};

/* What the operator asks for by a key. */
enum operator_command { COMMAND_NONE, COMMAND_STOP, COMMAND_PAUSE, COMMAND_POWER_OFF };

/* What goes by in a run: rounds, and bytes of disks and scratch partitions. */
struct amounts {
    uint64_t rounds, read, written;
};

#define RUN_NOTICES 5u
#define EXITS_TEXT  512u /* names of exits, in a list */

struct run {
    /* Set before the run. */
    const struct machine *machine;
    const struct options *options;
    /* boot and without_end, of the boot volume (report/sinks.h), are set before, or 0. */
    struct run_identity identity;
    const char *notice[RUN_NOTICES]; /* to be told at the start; the first NULL ends them */
    /* Where a screen says what the keys are; NULL: none does. */
    enum operator_command (*command)(char key);

    /* What takes part. */
    struct processors processors;
    struct plan plan;
    struct watched *watched; /* one for each vCPU of the machine */

    /* How far it is. In milliseconds, without those of pauses where nothing else is said. */
    uint64_t started_at, elapsed;
    uint64_t paused_at, toggled_at; /* the pause begun last; and begun or ended last */
    uint64_t shown_at, show_at;     /* the screen last and next */
    bool paused, power_off;
    uint64_t states_since;           /* milliseconds: an XCR0 waits to be told since; 0: none */
    bool disk_lost;                  /* a read or a write did not come back */
    struct gap gap;                  /* between the looks of the boot vCPU */
    const struct machine *last_seen; /* what it was at the last look */
    struct machine after_gap;
    struct mark mark;                   /* of last_seen */
    uint64_t marked_at;                 /* when that was compared */
    uint64_t rate_known, rate_measured; /* of the TSC, by the firmware's clock; the latest */
    bool went_back;                     /* the TSC of the boot vCPU, */
    uint64_t back_at;                   /* last */
    char changes[200];                  /* of the machine, in words; "": none */
    uint32_t gaps;
    const char *in_force;                   /* options, in words */
    char shown_left_out[EXITS_TEXT];        /* what progress says of exits that cannot run */
    struct exit_result shown[EXIT_MAX + 1]; /* what progress says of the exits */
    struct progress progress;
    uint64_t rates_at;                 /* what went by a second of late is measured from then, */
    struct amounts rates_since, rates; /* and from these */

    /* What it came to. */
    uint32_t causes;                           /* noted so far: bit n is the enum cause n */
    char error[400];                           /* what broke last, in words; "": nothing */
    uint64_t findings_told, wrong_blocks_told; /* the latter of the former */
    uint32_t heard;                            /* the vCPU whose finding was told last */
    struct known known;                        /* what the findings looked like */
    bool xcr0_told;                            /* in the report, */
    uint64_t xcr0;                             /* as this */
    uint64_t focus, focus_findings;            /* entries of the plan; by so many findings */
    struct exit_counts counted[EXIT_MAX + 1];
    char stayed_exits[EXITS_TEXT]; /* those of which nothing left the guest */
    char hit_exits[EXITS_TEXT];    /* those with findings, */
    char hit_vcpus[80];            /* and the vCPUs, */
    char again_options[768];       /* and the options of a run of just these */
    struct outcome outcome;        /* its reason is NULL until there is one */
};

/* Whether a vCPU takes part. */
static inline bool run_has(const struct run *run, uint32_t cpu)
{
    return run->watched[cpu].vcpu && atomic_load(&run->watched[cpu].vcpu->state) != VCPU_UNUSED;
}

/* The name of a row of the tallies: of an entry of the plan, or of the planted faults. */
static inline const char *run_row_name(const struct run *run, uint32_t row)
{
    if (row == PREPARE_ROW)
        return "preparation";
    return row == INJECT_ROW ? "inject" : run->plan.entry[row].exit->name;
}

#endif
