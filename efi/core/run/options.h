/* What the operator asked for, as data. option_table.h has a row for each option. */
#ifndef ZMMTEST_CORE_RUN_OPTIONS_H
#define ZMMTEST_CORE_RUN_OPTIONS_H

#include "../../platform/processors.h"
#include "../cpus.h"
#include "../window/plan_options.h"
#include <stdbool.h>
#include <stdint.h>

/* How it shows what happens; auto: a screen where there is a display. */
enum ui { UI_AUTO, UI_SCREEN, UI_LINES };

enum end { END_MENU, END_SHUTDOWN, END_REBOOT, END_EXIT };

/* A word that is in force, as it was typed; a longer one is kept with "..." as its end. */
#define OPTION_COUNT     16u
#define OPTION_TYPED_MAX 256u
struct option_word {
    const char *source;
    uint32_t turn; /* of the words taken, from 1; 0: its default is in force */
    char typed[OPTION_TYPED_MAX];
};

struct options {
    uint64_t seconds; /* 0: until a key is pressed, or the passes are done */
    bool seconds_given;
    struct plan_options plan; /* with passes and no time given, they are the only limit */
    uint64_t exits;           /* rows of the exit table: bit n is row n */
    bool exits_named;         /* the operator named them: one that cannot run is then missing */
    struct cpus cpus;
    bool cpus_named;
    enum processors_by processors;
    uint64_t seed;
    bool seed_given;
    uint64_t findings_total; /* told in full; where not given, findings= may ask for more */
    bool findings_total_given;
    bool disks_all; /* read all disks, not only the one that zmmtest was booted from */
    bool net;       /* send frames */
    bool stop_first;
    bool focus; /* exits in which something was found run more often, where the plan is weighed */
    bool focus_given;
    enum end end;
    enum ui ui;
    bool given;                            /* there was a word in some source, */
    bool known;                            /* and one with a key that there is */
    struct option_word word[OPTION_COUNT]; /* what is in force, one for each key */
    uint32_t turns;
};

#endif
