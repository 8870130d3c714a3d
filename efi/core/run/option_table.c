/* The kinds of values, and the table of options. */
#include "option_table.h"
#include "../window/corruption.h"
#include "../window/exits.h"
#include <string.h>

struct value_kind {
    /* False: the value is not allowed, and *options is as it was. */
    bool (*read)(const struct option *option, struct word value, struct options *options);
    void (*allowed)(const struct option *option, struct text *text);
};

/* The low bytes of *value, where the member is smaller: x86 stores them first. */
static void store(const struct option *option, struct options *options, const uint64_t *value)
{
    memcpy((char *)options + option->at, value, option->size);
}

/* --- numbers --- */

static bool read_in_base(const struct option *option, struct word value, unsigned int base,
                         struct options *options)
{
    uint64_t number;
    if (!text_to_number(value.start, value.length, base, &number) || number < option->least ||
        number > option->most)
        return false;
    store(option, options, &number);
    return true;
}

static bool read_number(const struct option *option, struct word value, struct options *options)
{
    return read_in_base(option, value, 10, options);
}

static void allow_number(const struct option *option, struct text *text)
{
    text_add(text, "%s", option->unit);
    if (option->most < UINT64_MAX)
        text_add(text, " from %lu to %lu", option->least, option->most);
    if (option->zero)
        text_add(text, ", 0 %s", option->zero);
}

static bool read_hexadecimal(const struct option *option, struct word value,
                             struct options *options)
{
    return read_in_base(option, value, 16, options);
}

static void allow_hexadecimal(const struct option *option, struct text *text)
{
    (void)option;
    text_add(text, "up to 16 hexadecimal digits");
}

/* --- words --- */

static bool read_word(const struct option *option, struct word value, struct options *options)
{
    for (uint64_t n = 0; n < OPTION_WORDS_MAX && option->words[n]; n++) {
        if (word_is(value, option->words[n])) {
            store(option, options, &n);
            return true;
        }
    }
    return false;
}

static void allow_word(const struct option *option, struct text *text)
{
    for (uint32_t n = 0; n < OPTION_WORDS_MAX && option->words[n]; n++)
        text_add(text, "%s%s", n ? ", " : "", option->words[n]);
}

/* --- lists --- */

/* The next entry. A list that was wrapped goes on behind white space. */
static struct word cut_entry(struct word *list)
{
    struct word entry = word_cut(list, ',');
    while (list->length > 0 && word_is_between(*list->start)) {
        list->start++;
        list->length--;
    }
    return entry;
}

/* Adds each entry of a list with commas to a mask. An empty entry is none that can be added. */
static bool read_list(struct word list, bool (*add)(uint64_t *mask, struct word entry),
                      uint64_t *mask)
{
    if (word_ends_with(list, ','))
        return false;
    do {
        if (!add(mask, cut_entry(&list)))
            return false;
    } while (list.length > 0);
    return true;
}

static bool add_exit(uint64_t *mask, struct word name)
{
    for (uint32_t row = 0; row < exit_count; row++) {
        if (word_is(name, exits[row].name)) {
            *mask |= UINT64_C(1) << row;
            return true;
        }
    }
    return false;
}

static bool read_exits(const struct option *option, struct word value, struct options *options)
{
    bool all = word_is(value, "all");
    uint64_t mask = all ? (UINT64_C(1) << exit_count) - 1 : 0;
    if (!all && !read_list(value, add_exit, &mask))
        return false;
    store(option, options, &mask);
    return true;
}

static void allow_exits(const struct option *option, struct text *text)
{
    (void)option;
    text_add(text, "all, or a list of");
    for (uint32_t row = 0; row < exit_count; row++)
        text_add(text, "%s%s", row ? "," : " ", exits[row].name);
}

static bool add_cpus(uint64_t *mask, struct word range)
{
    uint64_t first, last;
    if (word_ends_with(range, '-'))
        return false;
    struct word low = word_cut(&range, '-');
    if (!text_to_number(low.start, low.length, 10, &first))
        return false;
    last = first;
    if (range.length > 0 && !text_to_number(range.start, range.length, 10, &last))
        return false;
    if (last < first || last >= CPU_MAX)
        return false;
    for (uint64_t n = first; n <= last; n++)
        mask[n / 64] |= UINT64_C(1) << n % 64;
    return true;
}

static bool read_cpus(const struct option *option, struct word value, struct options *options)
{
    uint64_t mask[CPU_MAX / 64];
    bool all = word_is(value, "all");
    memset(mask, all ? 0xff : 0, sizeof(mask));
    if (!all && !read_list(value, add_cpus, mask))
        return false;
    store(option, options, mask);
    return true;
}

static void allow_cpus(const struct option *option, struct text *text)
{
    (void)option;
    text_add(text, "all, or a list such as 0,2-3 of numbers below %u", CPU_MAX);
}

/* --- a class of corruption, and every how many rounds it is planted --- */

#define INJECT_EVERY 1000u /* where no /N says otherwise */

static bool read_class(const struct option *option, struct word value, struct options *options)
{
    if (word_ends_with(value, '/'))
        return false;
    struct word name = word_cut(&value, '/');
    uint64_t every = INJECT_EVERY;
    if (value.length > 0 && (!text_to_number(value.start, value.length, 10, &every) || every == 0))
        return false;
    uint64_t classes = word_is(name, "all") ? (1u << CLASS_COUNT) - 1 : 0;
    for (enum corruption_class corruption = 0; corruption < CLASS_COUNT; corruption++)
        if (word_is(name, class_name(corruption)))
            classes = 1u << corruption;
    if (!classes)
        return false;
    store(option, options, &classes);
    options->plan.inject_every = every;
    return true;
}

static void allow_class(const struct option *option, struct text *text)
{
    (void)option;
    text_add(text, "all");
    for (enum corruption_class corruption = 0; corruption < CLASS_COUNT; corruption++)
        text_add(text, ", %s", class_name(corruption));
    text_add(text, "; with /N: every Nth round, N from 1");
}

static const struct value_kind number = {read_number, allow_number};
static const struct value_kind hexadecimal = {read_hexadecimal, allow_hexadecimal};
static const struct value_kind one_word = {read_word, allow_word};
static const struct value_kind exit_list = {read_exits, allow_exits};
static const struct value_kind cpu_list = {read_cpus, allow_cpus};
static const struct value_kind class_and_rate = {read_class, allow_class};

/* --- the table --- */

#define GOES_TO(member)                                                                            \
    .at = offsetof(struct options, member), .size = sizeof(((struct options *)0)->member)

const struct option option_table[OPTION_COUNT] = {
    {.name = "time",
     .purpose = "how long it runs",
     .kind = &number,
     GOES_TO(seconds),
     .chosen_at = offsetof(struct options, seconds_given),
     .value = "60",
     .unit = "seconds",
     .most = UINT64_C(3153600000), /* a century: no sum with it overflows */
     .zero = "until a key is pressed"},
    {.name = "passes",
     .purpose = "how many times through all exits",
     .kind = &number,
     GOES_TO(plan.passes),
     .value = "0",
     .unit = "a number",
     .most = UINT64_MAX,
     .zero = "for no limit"},
    {.name = "exits",
     .purpose = "what takes the CPU away",
     .kind = &exit_list,
     GOES_TO(exits),
     .chosen_at = offsetof(struct options, exits_named),
     .value = "all"},
    {.name = "cpus",
     .purpose = "which vCPUs take part",
     .kind = &cpu_list,
     GOES_TO(cpus),
     .chosen_at = offsetof(struct options, cpus_named),
     .value = "all"},
    {.name = "hold",
     .purpose = "how long all registers are live in a hold",
     .kind = &number,
     GOES_TO(plan.hold_microseconds),
     .value = "1000",
     .unit = "microseconds",
     .least = 1,
     .most = 1000000}, /* with interrupts off: firmware and operators bear no more */
    {.name = "seed",
     .purpose = "repeats the patterns of an earlier run",
     .kind = &hexadecimal,
     GOES_TO(seed),
     .chosen_at = offsetof(struct options, seed_given),
     .unset = "by clock",
     .most = UINT64_MAX},
    {.name = "inject",
     .purpose = "plants faults of a class",
     .kind = &class_and_rate,
     GOES_TO(plan.inject_classes),
     .unset = "none"},
    {.name = "stop",
     .purpose = "whether the first finding ends it",
     .kind = &one_word,
     GOES_TO(stop_first),
     .value = "never",
     .words = {[false] = "never", [true] = "first"}},
    {.name = "focus",
     .purpose = "whether exits with findings run more often, unless passes= or exits= are set",
     .kind = &one_word,
     GOES_TO(focus),
     .chosen_at = offsetof(struct options, focus_given),
     .value = "auto",
     .words = {[false] = "off", [true] = "auto"}},
    {.name = "end",
     .purpose = "what comes after the verdict",
     .kind = &one_word,
     GOES_TO(end),
     .value = "menu",
     .words = {[END_MENU] = "menu",
               [END_SHUTDOWN] = "shutdown",
               [END_REBOOT] = "reboot",
               [END_EXIT] = "exit"}},
    {.name = "ui",
     .purpose = "how it shows what happens",
     .kind = &one_word,
     GOES_TO(ui),
     .value = "auto",
     .words = {[UI_AUTO] = "auto", [UI_SCREEN] = "screen", [UI_LINES] = "lines"}},
    {.name = "disks",
     .purpose = "which disks are read meanwhile",
     .kind = &one_word,
     GOES_TO(disks_all),
     .value = "boot",
     .words = {[false] = "boot", [true] = "all"}},
    {.name = "net",
     .purpose = "whether network adapters send frames to themselves meanwhile",
     .kind = &one_word,
     GOES_TO(net),
     .value = "off",
     .words = {[false] = "off", [true] = "on"}},
    {.name = "findings",
     .purpose = "how many of each exit and vCPU are shown in full",
     .kind = &number,
     GOES_TO(plan.findings_kept),
     .value = "4",
     .unit = "a number",
     .least = 1,
     .most = 1000},
    {.name = "findings_total",
     .purpose = "how many are shown in full in all",
     .kind = &number,
     GOES_TO(findings_total),
     .chosen_at = offsetof(struct options, findings_total_given),
     .value = "64",
     .unit = "a number",
     .least = 1,
     .most = 1000000},
    {.name = "processors",
     .purpose = "who starts the other vCPUs",
     .kind = &one_word,
     GOES_TO(processors),
     .value = "auto",
     .words = {[PROCESSORS_AUTO] = "auto",
               [PROCESSORS_FIRMWARE] = "firmware",
               [PROCESSORS_OWN] = "own"}},
};

bool option_read(const struct option *option, struct word value, struct options *options)
{
    return option->kind->read(option, value, options);
}

void option_allowed(const struct option *option, struct text *text)
{
    option->kind->allowed(option, text);
}

const char *option_default(const struct option *option)
{
    return option->value ? option->value : option->unset;
}
