/*
 * One stream of what happens, to several sinks. The stream has two kinds of line: log lines, which
 * programs read (key=value, see log_start), and text, which people read. A sink takes one kind or
 * both; a new one is one file that fills in a struct sink.
 */
#ifndef ZMMTEST_CORE_REPORT_REPORT_H
#define ZMMTEST_CORE_REPORT_REPORT_H

#include "../text.h"
#include <stdbool.h>
#include <stdint.h>

#define LOG_LINE_MAX 256u /* bytes, without the line end */

struct progress;
struct found;
struct found_block;

struct sink {
    void (*log)(const char *line);  /* NULL: takes no log lines */
    void (*text)(const char *line); /* NULL: takes no text */
    void (*flush)(void);            /* NULL: what it took is out at once */
    /* What kept lines from where they should go, in words, once; it or its answer NULL: nothing. */
    const char *(*trouble)(void);
    /* How far the run is, some times a second; and a finding in full, after the lines of it: of
     * registers, or of a scratch partition. */
    void (*progress)(const struct progress *progress);
    void (*found)(const struct found *found);
    void (*found_block)(const struct found_block *found);
    struct sink *next; /* report.c's */
};

/* Adds a sink, NULL being none; lines go to sinks in the order in which they were added. */
void report_add_sink(struct sink *sink);

/* Whether a sink takes progress at all; hands it, and findings, to those that do. */
bool report_shows_progress(void);
void report_progress(const struct progress *progress);
void report_found(const struct found *found);
void report_found_block(const struct found_block *found);

/* What was said so far outlasts the machine, as far as a sink can see to that. */
void report_flush(void);

/*
 * The trouble of a sink, which says it once; NULL: none. A sink cannot report by itself, in the
 * middle of another line: who calls log_end() asks between lines.
 */
const char *report_trouble(void);

/* The clock of the log: milliseconds since the start. */
void report_set_clock(uint64_t (*milliseconds)(void));

/* A line of text. report_say_wrapped breaks long text into lines of 79 columns, each indented. */
__attribute__((format(printf, 1, 2))) void report_say(const char *format, ...);
void report_say_wrapped(unsigned int indent, const char *text);

/*
 * A log line: log_start, then keys in order, then log_end, which hands it to the sinks. A value
 * that does not fit into LOG_LINE_MAX is shortened, a key that does not is left out.
 */
struct log_line {
    struct text text;
    char buffer[LOG_LINE_MAX + 1];
};

void log_start(struct log_line *line, const char *event);
void log_text(struct log_line *line, const char *key, const char *value);
void log_number(struct log_line *line, const char *key, uint64_t value);
void log_hex(struct log_line *line, const char *key, uint64_t value);
void log_end(const struct log_line *line);

/*
 * All of a text, as key `text` of as many lines as that takes: a list that were cut would be
 * another list. `number`, of what it belongs to, is key `n`; 0: it belongs to nothing.
 */
void log_all(const char *event, uint64_t number, const char *text);

#endif
