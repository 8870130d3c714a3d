/*
 * An exit: a window, whether it can run on the machine, and what has to be done around its rounds.
 * The table of them is exits.c.
 */
#ifndef ZMMTEST_CORE_WINDOW_EXIT_H
#define ZMMTEST_CORE_WINDOW_EXIT_H

#include "../../platform/scratch.h"
#include "../machine/machine.h"
#include "state.h"
#include <stdbool.h>
#include <stdint.h>

struct rounds;

#define EXIT_MAX 64u

/* Whether a round can begin. */
enum begun {
    BEGUN,
    NOT_NOW, /* not at this moment; maybe later */
    NO_MORE, /* never again on this vCPU */
};

/* What a register has to hold for the event. A list of them ends with NO_OPERAND: RSP is the
 * window's own. */
struct operand {
    enum general reg;
    uint64_t value;
};

/* Versions of clang-format put its braces in different places. */
// clang-format off
#define NO_OPERAND {RSP, 0}
// clang-format on

static inline enum begun no_more(const char **reason, const char *words)
{
    *reason = words;
    return NO_MORE;
}

enum holds {
    HOLDS_NOT,
    HOLDS,           /* its rounds take so long that the clock can be read around each */
    HOLDS_AND_FILLS, /* and registers are live for most of its slice: it has the turns that are
                        left (turns.h) */
};

struct exit {
    const char *name;
    const struct window *window;
    /*
     * The reason why this cannot run on the machine, or NULL; may choose another window. No
     * function: nothing is known to prevent it. A fault at run time is survived and is a reason
     * too.
     */
    const char *(*unsupported)(const struct machine *machine, const struct window **window);
    /* Operands that are the same everywhere. NULL: none. */
    const struct operand *operands;
    /* Puts others in their registers, on the vCPU that will run it. No function: none. */
    void (*set_operands)(const struct machine *machine, struct round *round);
    uint64_t flags_changed;  /* status flags, or none, that the event may change: not compared */
    uint64_t system_changed; /* system registers, or none, that it may change: SYSTEM_BIT each */
    uint32_t rounds;         /* in one slice: so many that a slice stays in the milliseconds */
    /* Called around a round; no function: nothing to do. */
    /* Before it. If the answer is NO_MORE, *reason says why. */
    enum begun (*begin)(struct rounds *rounds, struct round *round, const char **reason);
    /* After one that came to its end. False: the memory that it stored to is wrong, and found of
     * the round is what is there. */
    bool (*verify)(struct rounds *rounds, struct round *round);
    /* After each one. */
    void (*end)(struct rounds *rounds);
    bool unasked;   /* no instruction asks for what exits: a confidential VM is not told of it */
    bool process;   /* an operating system lets a process do this */
    bool must_work; /* no machine lacks it: a fault is a finding, even at the first round */
    bool all_live;  /* only rounds with every component live: register 0 holds data */
    enum holds holds;
    /* False: this vCPU has no part in it. No function: each has. */
    bool (*part)(const struct rounds *rounds);
    bool interrupts; /* takes interrupts */
    bool steps;  /* something has to come behind it (step.h): verify() finds it in rounds->areas */
    bool slow;   /* takes as long in the guest as an exit does: its cycles do not tell */
    bool port80; /* goes to the diagnostic port, which some hosts pass through */
    bool with_others;          /* needs a vCPU that the firmware does not use */
    bool with_disks;           /* needs disks that are being read */
    bool with_net;             /* needs a network adapter that sends */
    enum scratch_work scratch; /* needs scratch partitions with this at work; SCRATCH_NONE: none */
};

/* Whether the cycles of its rounds tell that they left the guest. */
static inline bool exit_is_judged(const struct exit *exit)
{
    return !exit->unasked && !exit->interrupts && !exit->steps && !exit->slow;
}

/* Puts a list of operands in their registers; NULL: none. */
void exit_put_operands(const struct operand *operand, struct round *round);

#endif
