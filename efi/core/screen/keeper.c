/* Keeps the latest findings and lines, each in a ring, and the first finding beside it. */
#include "keeper.h"
#include "../machine/exception.h"
#include "../storage/wrong_block.h"
#include "../text.h"

static struct kept_finding findings[FINDINGS_KEPT];
static struct kept_finding first_finding;
static uint64_t found_in_all, first_at; /* which of them the first is */

static char lines[LINES_KEPT][LINE_KEPT];
static uint64_t said_in_all;

void keep_nothing(void)
{
    found_in_all = first_at = said_in_all = 0;
}

static void keep(const struct kept_finding *kept)
{
    if (!found_in_all || (first_finding.injected && !kept->injected)) {
        first_finding = *kept;
        first_at = found_in_all;
    }
    findings[found_in_all++ % FINDINGS_KEPT] = *kept;
}

void keep_found(const struct found *found)
{
    static struct kept_finding kept; /* too large for a stack of the firmware's */
    kept = (struct kept_finding){
        .number = found->number,
        .round = found->finding->round,
        .cpu = found->finding->cpu,
        .generation = found->finding->generation,
        .exit_name = found->exit_name,
        .injected = found->finding->injected,
        .memory_changed = found->finding->memory_changed,
        .fault = found->finding->fault,
        .diagnosis = *found->diagnosis,
        .signature = found->signature,
    };
    keep(&kept);
}

void keep_found_block(const struct found_block *found)
{
    static struct kept_finding kept;
    kept = (struct kept_finding){.number = found->number,
                                 .exit_name = found->exit_name,
                                 .storage = true,
                                 .wrong = *found->wrong};
    keep(&kept);
}

const struct kept_finding *kept_first(void)
{
    return found_in_all ? &first_finding : NULL;
}

static struct span latest(uint64_t in_all, uint64_t places)
{
    return (struct span){.first = in_all < places ? 0 : in_all - places, .end = in_all};
}

/* 1 if the first is not among the latest: it has a place of its own before them. */
static uint64_t places_before(const struct span *kept)
{
    return kept->first < kept->end && first_at < kept->first;
}

uint64_t kept_count(void)
{
    struct span kept = latest(found_in_all, FINDINGS_KEPT);
    return kept.end - kept.first + places_before(&kept);
}

uint64_t kept_at(uint64_t place)
{
    struct span kept = latest(found_in_all, FINDINGS_KEPT);
    uint64_t before = places_before(&kept);
    return place < before ? first_at : kept.first + place - before;
}

uint64_t kept_place(uint64_t finding)
{
    struct span kept = latest(found_in_all, FINDINGS_KEPT);
    uint64_t before = places_before(&kept);
    if (before && finding == first_at)
        return 0;
    if (finding < kept.first)
        return before;
    return (finding < kept.end ? finding : kept.end - 1) - kept.first + before;
}

uint64_t kept_place_of_first(void)
{
    return kept_place(first_at);
}

const struct kept_finding *kept_finding(uint64_t finding)
{
    return finding == first_at ? &first_finding : &findings[finding % FINDINGS_KEPT];
}

void kept_finding_hit(const struct kept_finding *kept, char *buffer)
{
    char registers[DIAGNOSIS_TEXT], bits[DIAGNOSIS_TEXT];
    struct text text;
    text_start(&text, buffer, DIAGNOSIS_TEXT);
    if (kept->storage) {
        text_add(&text, "scratch %u, block %lu, %u words: storage (%s)", kept->wrong.partition,
                 kept->wrong.block, kept->wrong.words, block_origin_name(kept->wrong.origin));
        return;
    }
    if (kept->diagnosis.corruption == CLASS_FAULT) {
        text_add(&text, "%s in a window", exception_name(kept->fault.vector));
        return;
    }
    diagnosis_registers(&kept->diagnosis, registers);
    diagnosis_bits(&kept->diagnosis, bits);
    text_add(&text, "%s, bits %s %s", registers, bits, class_name(kept->diagnosis.corruption));
}

static void keep_piece(const char *line, size_t length, const char *indent)
{
    struct text text;
    text_start(&text, lines[said_in_all++ % LINES_KEPT], LINE_KEPT);
    text_add(&text, "%s", indent);
    for (size_t n = 0; n < length; n++)
        text_add(&text, "%c", line[n]);
}

void keep_line(const char *line)
{
    static const char indent[] = "    ";
    size_t length = text_break(line, LINE_KEPT - 1);
    keep_piece(line, length, "");
    for (line += length; *line; line += length) {
        while (*line == ' ')
            line++;
        length = text_break(line, LINE_KEPT - sizeof(indent));
        keep_piece(line, length, indent);
    }
}

struct span kept_lines(void)
{
    return latest(said_in_all, LINES_KEPT);
}

const char *kept_line(uint64_t number)
{
    return lines[number % LINES_KEPT];
}
