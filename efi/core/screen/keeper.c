/* Keeps the latest findings and lines, each in a ring. */
#include "keeper.h"
#include "../machine/exception.h"
#include "../text.h"

static struct kept_finding findings[FINDINGS_KEPT];
static struct kept_finding first_finding;
static uint64_t found_in_all;

static char lines[LINES_KEPT][LINE_KEPT];
static uint64_t said_in_all;

void keep_nothing(void)
{
    found_in_all = said_in_all = 0;
}

void keep_found(const struct found *found)
{
    findings[found_in_all++ % FINDINGS_KEPT] = (struct kept_finding){
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
    const struct kept_finding *kept = &findings[(found_in_all - 1) % FINDINGS_KEPT];
    if (found_in_all == 1 || (first_finding.injected && !kept->injected))
        first_finding = *kept;
}

const struct kept_finding *kept_first(void)
{
    return found_in_all ? &first_finding : NULL;
}

static struct span latest(uint64_t in_all, uint64_t places)
{
    return (struct span){.first = in_all < places ? 0 : in_all - places, .end = in_all};
}

struct span kept_findings(void)
{
    return latest(found_in_all, FINDINGS_KEPT);
}

const struct kept_finding *kept_finding(uint64_t number)
{
    return &findings[number % FINDINGS_KEPT];
}

void kept_finding_hit(const struct kept_finding *kept, char *buffer)
{
    char registers[DIAGNOSIS_TEXT], bits[DIAGNOSIS_TEXT];
    struct text text;
    text_start(&text, buffer, DIAGNOSIS_TEXT);
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
