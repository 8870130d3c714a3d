/* The table of exits: what each is called, whether it can run here, and what operands it takes. */
#ifndef ZMMTEST_WINDOW_EXITS_H
#define ZMMTEST_WINDOW_EXITS_H

#include "../machine/machine.h"
#include "state.h"
#include <stdbool.h>
#include <stdint.h>

struct rounds;

struct exit {
    const char *name;
    const struct window *window;
    /*
     * The reason why this cannot run on the machine, or NULL; may choose another window. No
     * function: nothing is known to prevent it. A fault at run time is survived and is a reason
     * too.
     */
    const char *(*unsupported)(const struct machine *machine, const struct window **window);
    /* Puts the operands in their registers, on the vCPU that will run it. No function: none. */
    void (*operands)(const struct machine *machine, struct round *round);
    uint64_t flags_kept; /* RFLAGS bits that the event leaves alone */
    uint32_t rounds;     /* in one slice: so many that a slice stays in the milliseconds */
    /*
     * Before each round, NULL or the reason why there is none: for good, or `not_now`. After a
     * round that came to its end, false: what it stored is wrong, and found of the round is that
     * where it differs. After each round. No function: nothing to do.
     */
    const char *(*begin)(struct rounds *rounds, struct round *round);
    bool (*verify)(struct rounds *rounds, struct round *round);
    void (*end)(struct rounds *rounds);
    bool process;   /* an operating system lets a process do this */
    bool must_work; /* no machine lacks it: a fault is a finding, even at the first round */
    bool all_live;  /* only rounds with every component live: register 0 holds data */
    bool exposure;  /* measure the share of time for which the pattern is live */
    /* False: this vCPU has no part in it. No function: each has. */
    bool (*part)(const struct rounds *rounds);
    bool interrupts;  /* takes interrupts */
    bool with_others; /* needs a vCPU that the firmware does not use */
    bool with_disks;  /* needs disks that are being read */
};

#define EXIT_MAX 64u

/* What begin() says when there may be rounds later. */
extern const char not_now[];

extern const struct exit exits[];
extern const uint32_t exit_count;

/* The windows that are no exit: see exits_instruction.S and plant.S. */
extern const struct window window_bare, window_plant, window_plant_fault;

#endif
