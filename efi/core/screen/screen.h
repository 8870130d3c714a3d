/*
 * The screen: a sink that shows the run at a glance, and the keys that choose what of it. Knows no
 * UEFI; the console is reached by a function.
 */
#ifndef ZMMTEST_CORE_SCREEN_SCREEN_H
#define ZMMTEST_CORE_SCREEN_SCREEN_H

#include "../report/report.h"
#include "../run/run_state.h"
#include "grid.h"

/*
 * Begins a screen of at least GRID_ROWS rows, which write() puts on the console (see grid_show());
 * the sink of it. `shared`: log lines run across it, as where the console is the log's port.
 */
struct sink *screen_start(uint32_t rows, bool shared,
                          bool (*write)(uint32_t row, uint32_t column, uint8_t attribute,
                                        const char *text));

/* Whether a console of this size has room for it; *why says so if it has not. */
bool screen_fits(uint32_t rows, uint32_t columns, struct text *why);

/* What is asked in the last row, and waits for Y; NULL: nothing. */
const char *screen_question(void);

/* Whether the last row offers what there is at the end. */
bool screen_offers_end(void);

/* What a key asks for of the run; what it asks for of the screen is done. */
enum operator_command screen_key(char key);

/* From now on the last row offers what there is at the end. */
void screen_offer_end(void);

/* The last lines of the report, one after the other, as many as it has rows. */
void screen_repeat(void (*say)(const char *line));

#endif
