/*
 * What the operator looks at, and how each of it is drawn into a grid. Knows no UEFI.
 */
#ifndef ZMMTEST_CORE_SCREEN_VIEW_H
#define ZMMTEST_CORE_SCREEN_VIEW_H

#include "../report/progress.h"
#include "grid.h"
#include "keeper.h"

enum view_kind { VIEW_OVERVIEW, VIEW_FINDING, VIEW_TEXT };

enum question { QUESTION_NONE, QUESTION_STOP, QUESTION_POWER_OFF };

/* Not chosen: whichever comes last; or the first, once there is one. */
#define VIEW_LATEST UINT64_MAX
#define VIEW_FIRST  UINT64_MAX

struct view {
    enum view_kind kind;
    enum question question; /* asked in the last row; the next key answers it */
    bool one_cpu;           /* the map of one vCPU, `cpu`, and not of all */
    uint32_t cpu;
    uint32_t first_exit; /* the table is scrolled by so many rows */
    uint64_t first_at;   /* milliseconds of the run, when the first finding was there */
    uint64_t finding;    /* that is looked at, as kept_at() has it; or VIEW_FIRST */
    uint64_t last_line;  /* in sight, by its number in the keeper; or VIEW_LATEST */
};

/* Rows of the table of so many exits. */
uint32_t view_table_rows(const struct grid *grid, uint32_t exits);

/* The line in the span that is shown for a chosen one: the nearest there is. The span is not
 * empty. */
uint64_t view_number(uint64_t chosen, struct span span);

/* The run at a glance: machine, time, exits, the map of the registers, the first finding. */
void view_overview(struct grid *grid, const struct view *view, const struct progress *progress);

/* The map, from `row` on: 16 rows of dwords, one above and one below; 35 columns, and one to the
 * left. */
void view_map(struct grid *grid, uint32_t row, uint32_t column, const struct view *view,
              const struct progress *progress);

/* One finding in full: what was expected, what found, and where that came from. */
void view_finding(struct grid *grid, const struct view *view, const struct progress *progress);

/* What was said, from the start to now: the report. */
void view_text(struct grid *grid, const struct view *view);

#endif
