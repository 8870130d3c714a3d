/* Words the system registers: a list of each kind, as there are too many for a line each. */
#include "events.h"
#include "report.h"
#include <string.h>

#define LIST_TEXT 224u

/* Names with `between` between them; their number. */
static uint32_t list(char buffer[LIST_TEXT], uint64_t set, const char *between)
{
    struct text text;
    uint32_t count = 0;
    text_start(&text, buffer, LIST_TEXT);
    for (enum system_register number = 0; number < SYSTEM_COUNT; number++)
        if (set >> number & 1)
            text_add(&text, "%s%s", count++ ? between : "", system_rows[number].name);
    return count;
}

static void log_list(const char *key, uint64_t set, uint64_t comparisons)
{
    char names[LIST_TEXT];
    struct log_line line;
    if (!list(names, set, ","))
        return;
    log_start(&line, "registers");
    if (comparisons)
        log_number(&line, "comparisons", comparisons);
    log_text(&line, key, names);
    log_end(&line);
}

static void say_list(const char *head, uint64_t set, const char *what)
{
    char names[LIST_TEXT], buffer[LIST_TEXT + 64];
    struct text text;
    uint32_t count = list(names, set, ", ");
    if (!count)
        return;
    report_say("%-10s %u system registers %s", head, count, what);
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "%s", names);
    report_say_wrapped(11, buffer);
}

static uint64_t absent_of(const struct system_result *result)
{
    uint64_t absent = 0;
    for (enum system_register number = 0; number < SYSTEM_COUNT; number++)
        if (result->reason[number] == system_absent)
            absent |= SYSTEM_BIT(number);
    return absent & ~result->compared;
}

/* What firmware changes between two slices is its own affair, but what is compared is to be known.
 */
static void tell_changed_outside(uint64_t set)
{
    char names[LIST_TEXT], buffer[LIST_TEXT + 96];
    struct text text;
    if (!list(names, set, ", "))
        return;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text,
             "While the firmware ran, these system registers changed: %s. They are compared "
             "with what they were since.",
             names);
    event_notice(buffer);
}

void event_system(const struct system_result *result)
{
    const uint64_t absent = absent_of(result), same = result->compared & ~result->patterned;
    log_list("pattern", result->patterned, result->comparisons);
    log_list("same", same, 0);
    log_list("absent", absent, 0);
    say_list("Registers", result->patterned, "had a pattern in each slice:");
    say_list("", same, "were to stay as they were:");
    for (enum system_register number = 0; number < SYSTEM_COUNT; number++)
        if (result->reason[number] && !((result->compared | absent) >> number & 1))
            event_skip(system_rows[number].name, NULL, result->reason[number]);
    tell_changed_outside(result->changed_outside);
}
