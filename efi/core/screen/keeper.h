/* What was found and said so far, as far as the screen has a place for it. Knows no UEFI. */
#ifndef ZMMTEST_CORE_SCREEN_KEEPER_H
#define ZMMTEST_CORE_SCREEN_KEEPER_H

#include "../report/results.h"
#include <stdint.h>

/* A finding that can be looked at again. */
struct kept_finding {
    uint64_t number, round;
    uint32_t cpu, generation;
    const char *exit_name;
    bool injected, memory_changed;
    struct fault fault;
    struct diagnosis diagnosis;
    const struct signature *signature; /* NULL: none known */
};

/* Forgets all, at the start of a screen. */
void keep_nothing(void);

/* The latest ones. */
#define FINDINGS_KEPT 512u

void keep_found(const struct found *found);

/* Which of them, or of the lines, are there: from `first` to before `end`, as they came. */
struct span {
    uint64_t first, end;
};

struct span kept_findings(void);
const struct kept_finding *kept_finding(uint64_t number);

/* The first that was not planted; or else the first; NULL: there is none. */
const struct kept_finding *kept_first(void);

/* "zmm0-15, bits 511:256 zeroed", or the exception; for a buffer of DIAGNOSIS_TEXT bytes. */
void kept_finding_hit(const struct kept_finding *kept, char *buffer);

/* The latest lines of text; one that is too long for a row goes on in the next. */
#define LINES_KEPT 512u
#define LINE_KEPT  80u

void keep_line(const char *line);
struct span kept_lines(void);
const char *kept_line(uint64_t number);

#endif
