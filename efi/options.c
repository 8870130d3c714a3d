/* Parses options. The table `keys` has a row for each. */
#include "options.h"
#include "window/exits.h"
#include <string.h>

/* A piece of the source: not terminated. */
struct word {
    const char *start;
    size_t length;
};

struct key {
    const char *name;
    const char *purpose;
    /* False if the value is not allowed. */
    bool (*set)(struct options *options, struct word value);
    /* Appends what is allowed. */
    void (*allowed)(struct text *text);
};

void options_default(struct options *options)
{
    memset(options, 0, sizeof(*options));
    options->seconds = 60;
    options->hold_microseconds = 1000;
    options->findings_kept = 4;
    options->exits = (UINT64_C(1) << exit_count) - 1;
    memset(options->cpus, 0xff, sizeof(options->cpus));
}

static bool equals(struct word word, const char *text)
{
    return strlen(text) == word.length && memcmp(word.start, text, word.length) == 0;
}

/* Cuts the part before the first separator off; the rest stays in *word. */
static struct word cut(struct word *word, char separator)
{
    struct word part = {word->start, 0};
    while (part.length < word->length && part.start[part.length] != separator)
        part.length++;
    size_t used = part.length < word->length ? part.length + 1 : part.length;
    word->start += used;
    word->length -= used;
    return part;
}

static bool ends_with(struct word word, char c)
{
    return word.length > 0 && word.start[word.length - 1] == c;
}

static bool set_time(struct options *options, struct word value)
{
    /* A century: so that no sum with it overflows. */
    options->seconds_given = true;
    return text_to_number(value.start, value.length, 10, &options->seconds) &&
           options->seconds <= UINT64_C(3153600000);
}

static bool set_passes(struct options *options, struct word value)
{
    return text_to_number(value.start, value.length, 10, &options->passes);
}

static bool add_exit(uint64_t *mask, struct word name)
{
    for (uint32_t row = 0; row < exit_count; row++) {
        if (equals(name, exits[row].name)) {
            *mask |= UINT64_C(1) << row;
            return true;
        }
    }
    return false;
}

static bool set_exits(struct options *options, struct word value)
{
    uint64_t mask = 0;
    if (equals(value, "all")) {
        options->exits = (UINT64_C(1) << exit_count) - 1;
        options->exits_named = false;
        return true;
    }
    if (ends_with(value, ','))
        return false;
    do {
        if (!add_exit(&mask, cut(&value, ',')))
            return false;
    } while (value.length > 0);
    options->exits = mask;
    options->exits_named = true;
    return true;
}

static void allow_exits(struct text *text)
{
    text_add(text, "all, or a list of");
    for (uint32_t row = 0; row < exit_count; row++)
        text_add(text, "%s%s", row ? "," : " ", exits[row].name);
}

static bool add_cpus(uint64_t *mask, struct word range)
{
    uint64_t first, last;
    if (ends_with(range, '-'))
        return false;
    struct word low = cut(&range, '-');
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

static bool set_cpus(struct options *options, struct word value)
{
    uint64_t mask[CPU_MAX / 64] = {0};
    if (equals(value, "all")) {
        memset(options->cpus, 0xff, sizeof(options->cpus));
        options->cpus_named = false;
        return true;
    }
    if (ends_with(value, ','))
        return false;
    do {
        if (!add_cpus(mask, cut(&value, ',')))
            return false;
    } while (value.length > 0);
    memcpy(options->cpus, mask, sizeof(mask));
    options->cpus_named = true;
    return true;
}

static bool set_seed(struct options *options, struct word value)
{
    options->seed_given = text_to_number(value.start, value.length, 16, &options->seed);
    return options->seed_given;
}

static bool set_inject(struct options *options, struct word value)
{
    if (ends_with(value, '/'))
        return false;
    struct word name = cut(&value, '/');
    uint64_t every = 1000;
    if (value.length > 0 && (!text_to_number(value.start, value.length, 10, &every) || every == 0))
        return false;
    uint32_t classes = equals(name, "all") ? (1u << CLASS_COUNT) - 1 : 0;
    for (enum corruption corruption = 0; corruption < CLASS_COUNT; corruption++)
        if (equals(name, class_name(corruption)))
            classes = 1u << corruption;
    options->inject_classes = classes;
    options->inject_every = every;
    return classes != 0;
}

static void allow_inject(struct text *text)
{
    text_add(text, "all");
    for (enum corruption corruption = 0; corruption < CLASS_COUNT; corruption++)
        text_add(text, ", %s", class_name(corruption));
    text_add(text, "; with /N: every Nth round, N from 1");
}

/* A second with interrupts off is as much as firmware and operators bear. */
static bool set_hold(struct options *options, struct word value)
{
    return text_to_number(value.start, value.length, 10, &options->hold_microseconds) &&
           options->hold_microseconds >= 1 && options->hold_microseconds <= 1000000;
}

static void allow_hold(struct text *text)
{
    text_add(text, "microseconds from 1 to 1000000");
}

static bool set_findings(struct options *options, struct word value)
{
    uint64_t count;
    if (!text_to_number(value.start, value.length, 10, &count) || count < 1 || count > 1000)
        return false;
    options->findings_kept = (uint32_t)count;
    return true;
}

static void allow_findings(struct text *text)
{
    text_add(text, "a number from 1 to 1000");
}

static bool set_disks(struct options *options, struct word value)
{
    options->disks_all = equals(value, "all");
    return options->disks_all || equals(value, "boot");
}

static void allow_disks(struct text *text)
{
    text_add(text, "boot, all");
}

static bool set_stop(struct options *options, struct word value)
{
    options->stop_first = equals(value, "first");
    return options->stop_first || equals(value, "never");
}

static bool set_end(struct options *options, struct word value)
{
    static const char *const names[] = {[END_MENU] = "menu",
                                        [END_SHUTDOWN] = "shutdown",
                                        [END_REBOOT] = "reboot",
                                        [END_EXIT] = "exit"};
    for (enum end end = END_MENU; end <= END_EXIT; end++) {
        if (equals(value, names[end])) {
            options->end = end;
            return true;
        }
    }
    return false;
}

static bool set_ui(struct options *options, struct word value)
{
    options->ui = equals(value, "screen") ? UI_SCREEN : equals(value, "lines") ? UI_LINES : UI_AUTO;
    return options->ui != UI_AUTO || equals(value, "auto");
}

static void allow_time(struct text *text)
{
    text_add(text, "seconds, 0 until a key is pressed");
}

static void allow_passes(struct text *text)
{
    text_add(text, "a number, 0 for no limit");
}

static void allow_cpus(struct text *text)
{
    text_add(text, "all, or a list such as 0,2-3 of numbers below %u", CPU_MAX);
}

static void allow_seed(struct text *text)
{
    text_add(text, "up to 16 hexadecimal digits");
}

static void allow_stop(struct text *text)
{
    text_add(text, "first, never");
}

static void allow_end(struct text *text)
{
    text_add(text, "menu, shutdown, reboot, exit");
}

static void allow_ui(struct text *text)
{
    text_add(text, "auto, screen, lines");
}

static const struct key keys[] = {
    {"time", "how long it runs", set_time, allow_time},
    {"passes", "how many times through all exits", set_passes, allow_passes},
    {"exits", "what takes the CPU away", set_exits, allow_exits},
    {"cpus", "which vCPUs take part", set_cpus, allow_cpus},
    {"hold", "how long all registers are live in a hold", set_hold, allow_hold},
    {"seed", "repeats the patterns of an earlier run", set_seed, allow_seed},
    {"inject", "plants faults of a class", set_inject, allow_inject},
    {"stop", "whether the first finding ends it", set_stop, allow_stop},
    {"end", "what comes after the verdict", set_end, allow_end},
    {"ui", "how it shows what happens", set_ui, allow_ui},
    {"disks", "which disks are read meanwhile", set_disks, allow_disks},
    {"findings", "how many of each exit and vCPU are shown in full", set_findings, allow_findings},
};

_Static_assert(sizeof(keys) / sizeof(keys[0]) == OPTION_COUNT, "a word in force for each key");

const char *options_name(uint32_t number)
{
    return keys[number].name;
}

const char *options_purpose(uint32_t number, struct text *allowed)
{
    keys[number].allowed(allowed);
    return keys[number].purpose;
}

/* Words of a source may be anything: only what is printable goes into a message, and not too much.
 */
static void add_printable(struct text *text, struct word word, size_t most)
{
    for (size_t n = 0; n < word.length && n < most; n++) {
        char c = word.start[n];
        text_add(text, "%c", c >= ' ' && c <= '~' ? c : '?');
    }
    if (word.length > most)
        text_add(text, "...");
}

#define WORD_IN_ERROR 40u

/* A shell takes quotes away; a file, a boot menu, and a shell within another one keep them. */
static bool in_quotes(struct word word)
{
    return word.length > 0 && (*word.start == '"' || *word.start == '\'' || ends_with(word, '"') ||
                               ends_with(word, '\''));
}

static void take_note(struct options *options, uint32_t number, const char *source,
                      struct word word)
{
    struct option_word *note = &options->word[number];
    struct text text;
    bool fits = word.length < sizeof(note->typed);
    note->source = source;
    note->turn = ++options->turns;
    text_start(&text, note->typed, sizeof(note->typed));
    add_printable(&text, word, fits ? word.length : sizeof(note->typed) - sizeof("..."));
}

static void refuse_value(uint32_t number, struct word word, struct word value, struct text *error)
{
    add_printable(error, word, WORD_IN_ERROR);
    text_add(error, ": value not allowed%s. Allowed for %s: ",
             in_quotes(value) ? ", write it without the quotes" : "", keys[number].name);
    keys[number].allowed(error);
}

static bool parse_word(struct options *options, const char *source, struct word word,
                       struct text *error)
{
    struct word value = word;
    struct word name = cut(&value, '=');
    for (uint32_t n = 0; n < OPTION_COUNT; n++) {
        if (!equals(name, keys[n].name))
            continue;
        options->known = true;
        /* A setter that refuses may have begun to set: keep what was there. */
        struct options before = *options;
        if (keys[n].set(options, value)) {
            take_note(options, n, source, word);
            return true;
        }
        *options = before;
        refuse_value(n, word, value, error);
        return false;
    }
    add_printable(error, word, WORD_IN_ERROR);
    text_add(error, ": no such option%s. Allowed:",
             in_quotes(word) ? ", write it without the quotes" : "");
    for (uint32_t n = 0; n < OPTION_COUNT; n++)
        text_add(error, "%s %s=", n ? "," : "", keys[n].name);
    return false;
}

/* The word that was taken next after the turn; NULL: none was. */
static const struct option_word *next_word(const struct options *options, uint32_t turn)
{
    const struct option_word *next = NULL;
    for (uint32_t n = 0; n < OPTION_COUNT; n++) {
        const struct option_word *word = &options->word[n];
        if (word->turn > turn && (!next || word->turn < next->turn))
            next = word;
    }
    return next;
}

void options_in_force(const struct options *options, struct text *text)
{
    const struct option_word *word = next_word(options, 0), *before = NULL;
    if (!word)
        text_add(text, "defaults");
    for (; word; before = word, word = next_word(options, word->turn)) {
        if (!before || strcmp(before->source, word->source) != 0)
            text_add(text, "%s%s:", before ? "; " : "", word->source);
        text_add(text, " %s", word->typed);
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* LF, CR or CR LF: one line end. */
static bool ends_line(const char *words, size_t at, size_t length)
{
    return words[at] == '\n' || (words[at] == '\r' && (at + 1 == length || words[at + 1] != '\n'));
}

/* The next word, and on which line it stands; of no length at the end. */
static struct word next_typed(const char *words, size_t length, size_t *at, unsigned int *line)
{
    bool comment = false;
    for (; *at < length; (*at)++) {
        char c = words[*at];
        if (ends_line(words, *at, length)) {
            ++*line;
            comment = false;
        }
        comment |= c == '#';
        if (!comment && !is_blank(c))
            break;
    }
    struct word word = {words + *at, 0};
    while (*at < length && !is_blank(words[*at])) {
        ++*at;
        word.length++;
    }
    return word;
}

/* Where the words have lines, an error tells the one. */
static bool parse_words(struct options *options, const char *source, bool lines, struct word words,
                        struct text *error)
{
    bool good = true;
    unsigned int line = 1;
    size_t at = 0;
    struct word word;
    while ((word = next_typed(words.start, words.length, &at, &line)).length > 0) {
        options->given = true;
        char buffer[512];
        struct text message;
        text_start(&message, buffer, sizeof(buffer));
        if (parse_word(options, source, word, &message) || !good)
            continue;
        good = false;
        text_add(error, "%s", source);
        if (lines)
            text_add(error, " line %u", line);
        text_add(error, ": %s", buffer);
    }
    return good;
}

bool options_parse(struct options *options, const char *source, const char *words, size_t length,
                   struct text *error)
{
    return parse_words(options, source, true, (struct word){words, length}, error);
}

bool options_parse_typed(struct options *options, const char *source, const char *words,
                         struct text *error)
{
    return parse_words(options, source, false, (struct word){words, strlen(words)}, error);
}

/* A folder of that name, a program, UTF-16 without a mark: all of them have control characters. */
static bool is_text(char c)
{
    return is_blank(c) || (unsigned char)c >= ' ';
}

bool options_parse_conf(struct options *options, const char *name, const char *bytes, size_t size,
                        struct text *error)
{
    if (size > CONF_MAX) {
        text_add(error, "%s: larger than the %u bytes allowed", name, CONF_MAX);
        return false;
    }
    if (size >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0)) {
        text_add(error, "%s line 1: this is UTF-16. Allowed: ASCII or UTF-8 text", name);
        return false;
    }
    for (size_t n = 0, line = 1; n < size; n++) {
        line += ends_line(bytes, n, size);
        if (is_text(bytes[n]))
            continue;
        text_add(error, "%s line %lu: this is no text. Allowed: ASCII or UTF-8", name, line);
        return false;
    }
    if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
        bytes += 3;
        size -= 3;
    }
    return options_parse(options, name, bytes, size, error);
}

#define LOAD_OPTIONS_MAX 4096u

static bool ends_with_any_case(struct word word, const char *suffix)
{
    size_t length = strlen(suffix);
    if (word.length < length)
        return false;
    for (size_t n = 0; n < length; n++)
        if ((word.start[word.length - length + n] | 0x20) != (suffix[n] | 0x20))
            return false;
    return true;
}

/* What a shell passes begins with the command as it was typed: "fs0:\\zmmtest.efi", "zmmtest". */
static size_t program_name_end(const char *words, size_t length)
{
    struct word first = {words, 0};
    while (length > 0 && is_blank(*first.start)) {
        first.start++;
        length--;
    }
    /* A path with blanks stands in quotes. */
    bool quoted = length > 0 && *first.start == '"';
    while (first.length < length && (quoted || !is_blank(first.start[first.length]))) {
        first.length++;
        quoted = quoted && (first.length == 1 || first.start[first.length - 1] != '"');
    }
    struct word rest = first;
    if (cut(&rest, '=').length < first.length)
        return 0;
    size_t end = (size_t)(first.start - words) + first.length;
    if (ends_with(first, '"'))
        first.length--;
    bool is_name = ends_with_any_case(first, ".efi") || ends_with_any_case(first, "zmmtest");
    return is_name ? end : 0;
}

bool options_parse_load(struct options *options, const uint16_t *load_options, size_t bytes,
                        struct text *error)
{
    static char words[LOAD_OPTIONS_MAX];
    size_t length = 0, count = bytes / sizeof(*load_options);
    if (!load_options || bytes % sizeof(*load_options) || count > sizeof(words))
        return true;
    for (; length < count && load_options[length]; length++) {
        uint16_t c = load_options[length];
        if (c > '~' || (c < ' ' && c != '\t' && c != '\r' && c != '\n'))
            return true;
        words[length] = (char)c;
    }
    size_t name = program_name_end(words, length);
    return options_parse(options, "load options", words + name, length - name, error);
}
