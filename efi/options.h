/* What the operator asked for: key=value words, from the sources that conf.h lists. */
#ifndef ZMMTEST_OPTIONS_H
#define ZMMTEST_OPTIONS_H

#include "diagnosis/corruption.h"
#include "text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPU_MAX 1024u /* vCPU numbers that cpus= takes */

/* How it shows what happens; auto: a screen where there is a display. */
enum ui { UI_AUTO, UI_SCREEN, UI_LINES };

enum end { END_MENU, END_SHUTDOWN, END_REBOOT, END_EXIT };

struct options {
    uint64_t seconds; /* 0: until a key is pressed, or the passes are done */
    bool seconds_given;
    uint64_t passes;  /* 0: no limit; otherwise, where no time was given, the only limit */
    uint64_t exits;   /* rows of the exit table: bit n is row n */
    bool exits_named; /* the operator named them: one that cannot run is then missing */
    uint64_t cpus[CPU_MAX / 64];
    bool cpus_named;
    uint64_t seed;
    bool seed_given;
    uint32_t inject_classes; /* bit n is class n; 0: inject nothing */
    uint64_t inject_every;   /* rounds */
    uint64_t hold_microseconds;
    uint32_t findings_kept; /* in full, of each exit and vCPU */
    bool disks_all;         /* read all disks, not only the one that zmmtest was booted from */
    bool stop_first;
    enum end end;
    enum ui ui;
    bool given; /* there was a word in some source, */
    bool known; /* and one with a key that there is */
};

/* The defaults: a minute, all exits, all vCPUs, the menu at the end. */
void options_default(struct options *options);

/*
 * The two kinds of sources. A configuration file, or what has its form, goes by its name in *error;
 * it is ASCII or UTF-8 text of at most CONF_MAX bytes, with any line ends, with or without a byte
 * order mark. Where size is more than that, bytes are not looked at. Load options are what started
 * the program put there: text in UCS-2, which may begin with the program's own name, or nothing, or
 * binary data of a boot manager, which is not for us and is passed over. Both report like
 * options_parse().
 */
#define CONF_MAX 16384u
bool options_parse_conf(struct options *options, const char *name, const char *bytes, size_t size,
                        struct text *error);
bool options_parse_load(struct options *options, const uint16_t *load_options, size_t bytes,
                        struct text *error);

/*
 * Reads words separated by blanks and line ends; # starts a comment. The first word that is wrong
 * does not stop the reading: what follows still counts (the power state that was asked for, above
 * all). False if any was wrong; *error then says of the first where it stands and what is allowed.
 */
bool options_parse(struct options *options, const char *source, const char *words, size_t length,
                   struct text *error);

#endif
