/* Reads the plan of a run from its line of \faultvisor.conf, by a table of keys. */
#include "plan.h"
#include "../../efi/core/machine/xstate.h"
#include "../../efi/core/text.h"
#include "exit_kind.h"
#include "faults.h"
#include "say.h"
#include <string.h>

#define ALLOWED_MAX 300u

struct plan plan;

bool plan_next_word(const char **at, const char *end, struct word *word)
{
    bool quoted = false;
    while (*at < end && word_is_between(**at))
        (*at)++;
    word->start = *at;
    for (; *at < end && (quoted || !word_is_between(**at)); (*at)++)
        quoted ^= **at == '"';
    word->length = (size_t)(*at - word->start);
    return word->length > 0;
}

static bool set_fault(struct word value)
{
    plan.fault = fault_find(value.start, value.length);
    return plan.fault || word_is(value, "none");
}

static void list_faults(struct text *text)
{
    text_add(text, "none");
    for (uint32_t n = 0; n < fault_count; n++)
        text_add(text, ", %s", faults[n].name);
}

static bool set_kinds(struct word list)
{
    plan.kinds = 0;
    while (list.length > 0) {
        struct word name = word_cut(&list, ',');
        enum exit_kind kind = 0;
        while (kind < EXIT_KIND_COUNT && !word_is(name, exit_kinds[kind].name))
            kind++;
        if (kind == EXIT_KIND_COUNT)
            return false;
        plan.kinds |= KIND_BIT(kind);
    }
    return true;
}

static void list_kinds(struct text *text)
{
    for (enum exit_kind kind = 0; kind < EXIT_KIND_COUNT; kind++)
        text_add(text, "%s%s", kind ? ", " : "", exit_kinds[kind].name);
}

static bool set_every(struct word value)
{
    struct word unit = {value.start + value.length - 2, 2};
    bool by_time = value.length > 2 && word_is(unit, "ms");
    uint64_t *number = by_time ? &plan.every_ms : &plan.every;
    value.length -= by_time ? unit.length : 0;
    return text_to_number(value.start, value.length, 10, number) && *number;
}

static bool set_pose(struct word value)
{
    plan.pose_vmware = word_is(value, "vmware");
    return plan.pose_vmware || word_is(value, "none");
}

static const char *const rpci_names[] = {
    [POSE_ANSWERS] = "answer",  [POSE_REFUSES] = "refuse", [POSE_SILENT] = "silent",
    [POSE_ENDLESS] = "endless", [POSE_ABSENT] = "absent",  [POSE_CHECKPOINTS] = "checkpoints",
};

static bool set_rpci(struct word value)
{
    for (enum pose rpci = 0; rpci < POSE_COUNT; rpci++)
        plan.rpci = word_is(value, rpci_names[rpci]) ? rpci : plan.rpci;
    return word_is(value, rpci_names[plan.rpci]);
}

static void list_rpci(struct text *text)
{
    for (enum pose rpci = 0; rpci < POSE_COUNT; rpci++)
        text_add(text, "%s%s", rpci ? ", " : "", rpci_names[rpci]);
}

static bool set_guestinfo(struct word value)
{
    if (value.length < 2 || *value.start != '"' || value.start[value.length - 1] != '"')
        return false;
    plan.guestinfo = value.start + 1;
    plan.guestinfo_bytes = value.length - 2;
    return true;
}

static bool hexadecimal(struct word word, uint32_t *number)
{
    uint64_t value;
    if (!text_to_number(word.start, word.length, 16, &value) || value > UINT32_MAX)
        return false;
    *number = (uint32_t)value;
    return true;
}

/* LEAF.SUBLEAF:REGISTER=VALUE, numbers in hexadecimal. */
static bool add_cpuid_lie(struct word value)
{
    static const char *const registers[] = {"eax", "ebx", "ecx", "edx"};
    struct cpuid_lie lie = {0};
    struct word leaf = word_cut(&value, '.'), subleaf = word_cut(&value, ':');
    struct word name = word_cut(&value, '=');
    while (lie.reg < 4 && !word_is(name, registers[lie.reg]))
        lie.reg++;
    if (lie.reg == 4 || plan.lies == CPUID_LIES || !hexadecimal(leaf, &lie.leaf) ||
        !hexadecimal(subleaf, &lie.subleaf) || !hexadecimal(value, &lie.value))
        return false;
    plan.lie[plan.lies++] = lie;
    return true;
}

/* One that XSETBV takes, with AVX at least. */
static bool set_migrate_xcr0(struct word value)
{
    if (!hexadecimal(value, &plan.migrate_xcr0))
        return false;
    const uint64_t with_avx = XCR0_X87 | XCR0_SSE | XCR0_AVX;
    const uint64_t avx512 = plan.migrate_xcr0 & XCR0_AVX512;
    return (plan.migrate_xcr0 & with_avx) == with_avx && (!avx512 || avx512 == XCR0_AVX512);
}

static bool set_x2apic(struct word value)
{
    return plan.x2apic = word_is(value, "x2apic");
}

static bool set_through(struct word value)
{
    plan.through_rtc = word_is(value, "80,71");
    plan.through_diagnostic = plan.through_rtc || word_is(value, "80");
    return plan.through_diagnostic;
}

static bool set_no_console(struct word value)
{
    return plan.no_console = word_is(value, "none");
}

/* A key takes a number, or what set() does; list() or `takes` says what that is. */
static const struct key {
    const char *name;
    uint64_t *number;
    bool (*set)(struct word value);
    void (*list)(struct text *text);
    const char *takes;
} keys[] = {
    {.name = "fault=", .set = set_fault, .list = list_faults},
    {.name = "on=", .set = set_kinds, .list = list_kinds},
    {.name = "every=", .set = set_every, .takes = "N or Nms, from 1"},
    {.name = "after=", .number = &plan.after},
    {.name = "mean-ms=", .number = &plan.mean_ms},
    {.name = "pose=", .set = set_pose, .takes = "vmware, none"},
    {.name = "rpci=", .set = set_rpci, .list = list_rpci},
    {.name = "guestinfo=", .set = set_guestinfo, .takes = "zmmtest's options in double quotes"},
    {.name = "migrate=", .number = &plan.migrate},
    {.name = "migrate-ms=", .number = &plan.migrate_ms},
    {.name = "migrate-xcr0=", .set = set_migrate_xcr0, .takes = "XCR0 in hexadecimal, 7 at least"},
    {.name = "tsc-back=", .number = &plan.tsc_back},
    {.name = "tsc-back-ms=", .number = &plan.tsc_back_ms},
    {.name = "tsc-back-cpu=", .number = &plan.tsc_back_cpu},
    {.name = "hang=", .number = &plan.hang},
    {.name = "hang-ms=", .number = &plan.hang_ms},
    {.name = "hang-cpu=", .number = &plan.hang_cpu},
    {.name = "apic=", .set = set_x2apic, .takes = "x2apic"},
    {.name = "through=", .set = set_through, .takes = "80 or 80,71"},
    {.name = "console=", .set = set_no_console, .takes = "none"},
    {.name = "cpuid=",
     .set = add_cpuid_lie,
     .takes = "LEAF.SUBLEAF:REGISTER=VALUE, up to eight of them"},
};

static const struct key *key_of(struct word word)
{
    for (size_t n = 0; n < sizeof(keys) / sizeof(keys[0]); n++) {
        size_t length = strlen(keys[n].name);
        if (word.length > length && memcmp(word.start, keys[n].name, length) == 0)
            return &keys[n];
    }
    return NULL;
}

static bool set(const struct key *key, struct word word)
{
    size_t length = strlen(key->name);
    struct word value = {word.start + length, word.length - length};
    return key->number ? text_to_number(value.start, value.length, 10, key->number)
                       : key->set(value);
}

static void list_allowed(const struct key *key, struct text *text)
{
    for (size_t n = 0; !key && n < sizeof(keys) / sizeof(keys[0]); n++)
        text_add(text, "%s%s", n ? ", " : "options are ", keys[n].name);
    if (!key)
        return;
    text_add(text, "%s takes ", key->name);
    if (key->list)
        key->list(text);
    else
        text_add(text, "%s", key->takes ? key->takes : "a number");
}

static void refuse(const struct key *key, struct word word)
{
    char allowed[ALLOWED_MAX], name[41];
    struct text text;
    text_start(&text, name, sizeof(name));
    for (size_t n = 0; n < word.length; n++)
        text_add(&text, "%c", word.start[n]);
    text_start(&text, allowed, sizeof(allowed));
    list_allowed(key, &text);
    say("faultvisor ev=error reason=\"%s is not allowed: %s\"", name, allowed);
}

/* What stays from run to run is the machine's: the rate of its TSC. */
static void set_defaults(void)
{
    plan.fault = NULL;
    plan.kinds = KIND_BIT(EXIT_KIND_COUNT) - 1;
    plan.every = 5;
    plan.after = plan.every_ms = plan.mean_ms = plan.migrate = plan.tsc_back = plan.hang =
        plan.hang_ms = 0;
    plan.hang_cpu = HANG_LAST;
    plan.migrate_ms = 5000;
    plan.migrate_xcr0 = 0;
    plan.tsc_back_ms = 131;
    plan.tsc_back_cpu = TSC_OF_ALL;
    plan.x2apic = plan.no_console = plan.through_diagnostic = plan.through_rtc = false;
    plan.lies = 0;
    plan.pose_vmware = false;
    plan.rpci = POSE_ANSWERS;
    plan.guestinfo = NULL;
}

bool plan_read(const char *line, const char *end, struct word *rest)
{
    struct word word;
    bool good = true;
    set_defaults();
    while (plan_next_word(&line, end, &word) && !word_is(word, "--")) {
        const struct key *key = key_of(word);
        if (key && set(key, word))
            continue;
        refuse(key, word);
        good = false;
    }
    *rest = (struct word){line, (size_t)(end - line)};
    return good;
}
