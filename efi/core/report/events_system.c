/* Words the system registers: a list of each kind, as there are too many for a line each. */
#include "events.h"
#include "report.h"

#define LIST_TEXT 400u /* room for all of them */
#define LIST_LINE 180u /* of a log line; the next one has the rest */

/* Names of a set, as many as `room` takes, with `between` between them. The rest of the set. */
static uint64_t list(char buffer[LIST_TEXT], uint64_t set, const char *between, size_t room)
{
    struct text text;
    text_start(&text, buffer, LIST_TEXT);
    for (; set && text.length < room; set &= set - 1)
        text_add(&text, "%s%s", text.length ? between : "", system_rows[__builtin_ctzll(set)].name);
    return set;
}

static void log_list(const char *key, uint64_t set, uint64_t comparisons)
{
    while (set) {
        char names[LIST_TEXT];
        struct log_line line;
        set = list(names, set, ",", LIST_LINE);
        log_start(&line, "registers");
        if (comparisons)
            log_number(&line, "comparisons", comparisons);
        log_text(&line, key, names);
        log_end(&line);
    }
}

static uint32_t count(uint64_t set)
{
    uint32_t result = 0;
    for (; set; set &= set - 1)
        result++;
    return result;
}

static void say_list(const char *head, uint64_t set, const char *what)
{
    char names[LIST_TEXT];
    if (!set)
        return;
    (void)list(names, set, ", ", LIST_TEXT);
    report_say("%-10s %u system registers %s", head, count(set), what);
    report_say_wrapped(11, names);
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
    if (!set)
        return;
    (void)list(names, set, ", ", LIST_TEXT);
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
