/* Words what was found for whoever has to see it again. */
#include "../cpus.h"
#include "events.h"
#include "rate.h"
#include "report.h"
#include <string.h>

#define RATE_TEXT 24u

static const char *rate_text(char buffer[RATE_TEXT], uint64_t thousandths)
{
    struct text text;
    text_start(&text, buffer, RATE_TEXT);
    rate_put(&text, thousandths);
    return buffer;
}

/* A list that is cut in a name would have another one. */
static void log_names(struct log_line *line, const char *key, const char *list)
{
    char buffer[LOG_LINE_MAX];
    struct text text;
    size_t left = line->text.size - 1 - line->text.length;
    size_t overhead = strlen(" =\"\"") + strlen(key);
    text_start(&text, buffer, sizeof(buffer));
    text_add_names(&text, list, left > overhead ? left - overhead : 0);
    log_text(line, key, buffer);
}

static void log_rate(const struct again *again, const struct rate *rate)
{
    char buffer[RATE_TEXT];
    struct log_line line;
    log_start(&line, "rate");
    log_number(&line, "findings", again->findings);
    log_text(&line, "per_hour", rate_text(buffer, rate->measured));
    log_text(&line, "low", rate_text(buffer, rate->low));
    log_text(&line, "high", rate_text(buffer, rate->high));
    log_number(&line, "again_within", again->seconds);
    if (again->vcpus)
        log_text(&line, "cpus", again->vcpus);
    if (again->exits)
        log_names(&line, "exits", again->exits);
    log_end(&line);
}

static void say_rate(const struct again *again, const struct rate *rate)
{
    char measured[RATE_TEXT], low[RATE_TEXT], high[RATE_TEXT], places[640];
    struct text text;
    report_say("Rate       %s an hour, %s to %s with 95 %% confidence",
               rate_text(measured, rate->measured), rate_text(low, rate->low),
               rate_text(high, rate->high));
    text_start(&text, places, sizeof(places));
    if (again->vcpus)
        text_add(&text, "on %s %s", cpus_noun(again->vcpus), again->vcpus);
    if (again->exits)
        text_add(&text, "%sin %s", text.length ? ", " : "", again->exits);
    report_say_wrapped(11, places);
}

void event_again(const struct outcome *outcome)
{
    const struct again *again = &outcome->again;
    if (!again->findings || outcome->verdict != VERDICT_FAIL || !outcome->milliseconds)
        return;
    const struct rate rate = rate_of(again->findings, outcome->milliseconds);
    log_rate(again, &rate);
    log_all("again", 0, again->options);
    report_say(" ");
    say_rate(again, &rate);
    report_say("Again      19 of 20 such runs show it within %lu s, at the rates of this one:",
               again->seconds);
    report_say_wrapped(11, again->options);
}
