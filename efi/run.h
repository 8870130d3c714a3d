/*
 * A run as the boot vCPU sees it: choose what can run, start the other vCPUs, run slices itself,
 * look after the others and the keyboard in between, and add it all up at the end.
 */
#ifndef ZMMTEST_RUN_H
#define ZMMTEST_RUN_H

#include "gap.h"
#include "machine/machine.h"
#include "machine/processors.h"
#include "options.h"
#include "report/results.h"
#include "vcpu.h"

/* What the boot vCPU keeps of each vCPU, itself included. */
struct watched {
    struct vcpu *vcpu; /* NULL: not taking part */
    struct processor_call call;
    bool told;              /* its XCR0 has been reported, */
    uint64_t xcr0;          /* as this */
    bool lost;              /* does not answer, or stopped making progress */
    bool broken;            /* ended by an exception in zmmtest's own code */
    uint64_t beats;         /* at the last look */
    uint64_t progressed_at; /* milliseconds */
};

#define RUN_NOTICES 4u

/* What a key asks for. */
enum wish { WISH_NOTHING, WISH_STOP, WISH_PAUSE, WISH_POWER_OFF };

struct run {
    const struct machine *machine;
    const struct options *options;
    struct processors processors;
    struct plan plan;
    struct watched *watched; /* one for each vCPU of the machine */
    /* boot and without_end, of the boot volume (report/sinks.h), are set before, or 0. */
    struct run_identity identity;
    const char *notice[RUN_NOTICES]; /* to be told at the start; the first NULL ends them */
    enum wish (*wish)(char key);     /* where a screen says what the keys are; NULL: none does */

    enum verdict verdict;
    const char *reason;
    char error[400];        /* what broke last, in words; "": nothing */
    struct outcome outcome; /* its reason is NULL until there is one */
    uint64_t findings_reported;
    uint64_t started_at, elapsed; /* milliseconds, without those of pauses */
    uint64_t paused_at;
    bool paused, power_off;
    uint64_t toggled_at;             /* milliseconds: the pause begun or ended last */
    uint64_t shown_at, show_at;      /* milliseconds: the screen last and next */
    uint32_t left_out;               /* exits that were asked for and cannot run */
    bool disk_lost;                  /* a read did not come back */
    struct gap gap;                  /* between the looks of the boot vCPU */
    const struct machine *last_seen; /* what it was before a gap */
    struct machine after_gap;
};

/*
 * The whole of a run: tests zmmtest itself, decides what runs, runs it until the time is over, the
 * passes are done, a key is pressed or the first finding asks, and reports the counts and the
 * verdict. machine and options are set. `seed` is for the patterns where the options have none;
 * `wrong` is what is wrong with the options, for which nothing is tested; "": nothing.
 */
void run_everything(struct run *run, uint64_t seed, const char *wrong);

/* What there is to show of it, at once. */
void run_show(struct run *run);

/* How long it may take, in milliseconds; 0: no limit. */
uint64_t run_time_limit(const struct run *run);

/* A worse verdict, or the first of its kind, replaces the one there is. */
void run_verdict(struct run *run, enum verdict verdict, const char *reason);

/* Whether a vCPU takes part. */
bool run_has(const struct run *run, uint32_t cpu);

/* The name of a row of the tallies: of an entry of the plan, or of the planted faults. */
const char *run_row_name(const struct run *run, uint32_t row);

/*
 * Waits until the firmware regards all vCPUs as its own again. False if one is not, so that this
 * image must not be unloaded.
 */
bool run_give_back(struct run *run);

/* Gives all memory back to the firmware; after run_give_back(), for a return to it. */
void run_free(struct run *run);

#endif
