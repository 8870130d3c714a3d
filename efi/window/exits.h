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
    /* Before and after each round (memory.h), and false: used up; wrong. No function: nothing. */
    bool (*begin)(struct rounds *rounds, struct round *round);
    bool (*verify)(struct rounds *rounds, struct round *round);
    bool must_work; /* no machine lacks it: a fault is a finding, even at the first round */
    bool all_live;  /* only rounds with every component live: register 0 holds data */
    bool exposure;  /* measure the share of time for which the pattern is live */
};

#define EXIT_MAX 64u

extern const struct exit exits[];
extern const uint32_t exit_count;

/* The windows that are no exit: see exits_instruction.S and plant.S. */
extern const struct window window_bare, window_plant, window_plant_fault;

#endif
