/* What the operator asked for: key=value words from \zmmtest.conf and from the load options. */
#ifndef ZMMTEST_OPTIONS_H
#define ZMMTEST_OPTIONS_H

#include "diagnosis/class.h"
#include "text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPU_MAX 1024u /* vCPU numbers that cpus= takes */

enum end { END_MENU, END_SHUTDOWN, END_REBOOT, END_EXIT };

struct options {
    uint64_t seconds; /* 0: until a key is pressed, or the passes are done */
    uint64_t passes;  /* 0: no limit */
    uint64_t exits;   /* rows of the exit table: bit n is row n */
    bool exits_named; /* the operator named them: one that cannot run is then missing */
    uint64_t cpus[CPU_MAX / 64];
    bool cpus_named;
    uint64_t seed;
    bool seed_given;
    bool inject;
    enum class inject_class;
    uint64_t inject_every; /* rounds */
    bool stop_first;
    enum end end;
};

/* The defaults: a minute, all exits, all vCPUs, the menu at the end. */
void options_default(struct options *options);

/*
 * Reads words separated by blanks and line ends; # starts a comment. The first word that is wrong
 * does not stop the reading: what follows still counts (the power state that was asked for, above
 * all). False if any was wrong; *error then says of the first where it stands and what is allowed.
 */
bool options_parse(struct options *options, const char *source, const char *words, size_t length,
                   struct text *error);

#endif
