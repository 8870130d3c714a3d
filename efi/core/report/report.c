/* Makes log lines and text lines and hands them to the sinks. */
#include "report.h"
#include <stdarg.h>
#include <string.h>

#define TEXT_LINE_MAX 160u
#define TEXT_COLUMNS  79u

static struct {
    struct sink *first;
    uint64_t (*milliseconds)(void);
} report;

void report_add_sink(struct sink *sink)
{
    struct sink **end = &report.first;
    if (!sink)
        return;
    while (*end)
        end = &(*end)->next;
    *end = sink;
}

void report_set_clock(uint64_t (*milliseconds)(void))
{
    report.milliseconds = milliseconds;
}

const char *report_trouble(void)
{
    const char *trouble = NULL;
    for (struct sink *sink = report.first; sink && !trouble; sink = sink->next)
        if (sink->trouble)
            trouble = sink->trouble();
    return trouble;
}

/*
 * What firmware, hypervisor and operator say is in the lines, and must not pass for something else:
 * a control character would start a line or steer a terminal, and the head of a log line is the
 * log's alone.
 */
static void make_harmless(char *words)
{
    static const char head[] = "zmmtest ts=";
    for (char *c = words; *c; c++) {
        *c = text_printable(*c);
        size_t length = (size_t)(c - words) + 1;
        if (length >= strlen(head) && memcmp(c + 1 - strlen(head), head, strlen(head)) == 0)
            *(c - strlen("ts=")) = '?';
    }
}

static void say_line(char *line)
{
    make_harmless(line);
    for (struct sink *sink = report.first; sink; sink = sink->next)
        if (sink->text)
            sink->text(line);
}

void report_flush(void)
{
    for (struct sink *sink = report.first; sink; sink = sink->next)
        if (sink->flush)
            sink->flush();
}

bool report_shows_progress(void)
{
    for (struct sink *sink = report.first; sink; sink = sink->next)
        if (sink->progress)
            return true;
    return false;
}

void report_progress(const struct progress *progress)
{
    for (struct sink *sink = report.first; sink; sink = sink->next)
        if (sink->progress)
            sink->progress(progress);
}

void report_found(const struct found *found)
{
    for (struct sink *sink = report.first; sink; sink = sink->next)
        if (sink->found)
            sink->found(found);
}

void report_found_block(const struct found_block *found)
{
    for (struct sink *sink = report.first; sink; sink = sink->next)
        if (sink->found_block)
            sink->found_block(found);
}

void report_say(const char *format, ...)
{
    char buffer[TEXT_LINE_MAX];
    struct text text;
    va_list arguments;
    text_start(&text, buffer, sizeof(buffer));
    va_start(arguments, format);
    text_add_list(&text, format, arguments);
    va_end(arguments);
    say_line(buffer);
}

void report_say_wrapped(unsigned int indent, const char *text)
{
    while (*text) {
        char buffer[TEXT_COLUMNS + 1];
        size_t length = text_break(text, TEXT_COLUMNS - indent);
        memset(buffer, ' ', indent);
        memcpy(buffer + indent, text, length);
        buffer[indent + length] = '\0';
        say_line(buffer);
        text += length;
        while (*text == ' ')
            text++;
    }
}

void log_start(struct log_line *line, const char *event)
{
    uint64_t ms = report.milliseconds ? report.milliseconds() : 0;
    text_start(&line->text, line->buffer, sizeof(line->buffer));
    text_add(&line->text, "zmmtest ts=%lu.%03lu ev=%s", ms / 1000, ms % 1000, event);
}

static bool needs_quotes(const char *value)
{
    if (*value == '\0')
        return true;
    for (; *value; value++)
        if (*value == ' ' || *value == '"' || *value == '=')
            return true;
    return false;
}

/* A quote would end the value, and readers of logfmt take a backslash for the start of an escape.
 */
static char in_value(char c)
{
    return (char)(c == '"' ? '\'' : c == '\\' ? '/' : c);
}

void log_text(struct log_line *line, const char *key, const char *value)
{
    size_t left = line->text.size - 1 - line->text.length;
    size_t overhead = 2 + strlen(key) + (needs_quotes(value) ? 2 : 0);
    if (left <= overhead)
        return;
    size_t room = left - overhead, start = line->text.length;
    const char *quote = needs_quotes(value) ? "\"" : "";
    text_add(&line->text, " %s=%s", key, quote);
    for (; *value && room > 0; value++, room--)
        text_add(&line->text, "%c", in_value(*value));
    text_add(&line->text, "%s", quote);
    make_harmless(line->text.start + start);
}

/* A number that is cut would be another number: all of it or none. */
static void log_digits(struct log_line *line, const char *key, const char *digits)
{
    if (strlen(key) + strlen(digits) + 2 <= line->text.size - 1 - line->text.length)
        text_add(&line->text, " %s=%s", key, digits);
}

void log_number(struct log_line *line, const char *key, uint64_t value)
{
    char buffer[24];
    struct text digits;
    text_start(&digits, buffer, sizeof(buffer));
    text_add(&digits, "%lu", value);
    log_digits(line, key, buffer);
}

void log_hex(struct log_line *line, const char *key, uint64_t value)
{
    char buffer[24];
    struct text digits;
    text_start(&digits, buffer, sizeof(buffer));
    text_add(&digits, "0x%lx", value);
    log_digits(line, key, buffer);
}

void log_end(const struct log_line *line)
{
    for (struct sink *sink = report.first; sink; sink = sink->next)
        if (sink->log)
            sink->log(line->buffer);
}

void log_all(const char *event, uint64_t number, const char *text)
{
    for (const char *rest = text; *rest;) {
        char buffer[LOG_LINE_MAX];
        struct log_line line;
        log_start(&line, event);
        if (number)
            log_number(&line, "n", number);
        size_t length = text_break(rest, LOG_LINE_MAX - line.text.length - strlen(" text=\"\""));
        memcpy(buffer, rest, length);
        buffer[length] = '\0';
        log_text(&line, "text", buffer);
        log_end(&line);
        for (rest += length; *rest == ' ';)
            rest++;
    }
}
