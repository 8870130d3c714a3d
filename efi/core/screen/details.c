/* Draws what there is to read: one finding in full, and the text of the report. */
#include "../diagnosis/signatures.h"
#include "../storage/wrong_block.h"
#include "../text.h"
#include "../window/exits.h"
#include "view.h"

uint64_t view_number(uint64_t chosen, struct span span)
{
    if (chosen < span.first)
        return span.first;
    return chosen < span.end ? chosen : span.end - 1;
}

/* What of the origin is not as it should be: the whole of it has no room in a table. */
static void short_from(const struct lane *lane, enum form form, char *buffer)
{
    char name[DIAGNOSIS_TEXT];
    struct text text;
    text_start(&text, buffer, DIAGNOSIS_TEXT);
    text_add(&text, "%s", class_name(lane->corruption));
    if (!lane->decoded)
        return;
    const struct lane origin = {.reg = lane->from.reg};
    lane_register(&origin, form, name);
    if (lane->corruption == CLASS_STALE)
        text_add(&text, ": generation %u", lane->from.generation);
    else if (lane->corruption == CLASS_OTHER_VCPU)
        text_add(&text, ": vCPU %u", lane->from.vcpu);
    else if (lane->corruption == CLASS_OTHER_RUN)
        text_add(&text, ": run %04x", lane->from.run);
    else if (lane->from.reg < PATTERN_OPMASK)
        text_add(&text, ": %s, %u:%u", name, 64 * lane->from.lane + 63, 64 * lane->from.lane);
    else
        text_add(&text, ": %s", name);
}

static void draw_lane(struct grid *grid, uint32_t row, const struct kept_finding *kept,
                      const struct lane *lane)
{
    char name[DIAGNOSIS_TEXT], from[DIAGNOSIS_TEXT];
    lane_register(lane, kept->diagnosis.form, name);
    short_from(lane, kept->diagnosis.form, from);
    grid_put(grid, row, 0, LOOK_PLAIN, "%-6s %3u:%-3u  %016lx  %016lx  %s", name,
             64 * lane->lane + 63, 64 * lane->lane, lane->want, lane->got, from);
}

/* The row behind. */
static uint32_t draw_lanes(struct grid *grid, uint32_t row, const struct kept_finding *kept)
{
    const struct diagnosis *d = &kept->diagnosis;
    if (!d->lanes_kept)
        return row;
    grid_put(grid, row++, 0, LOOK_STRONG, "%-6s %7s  %-16s  %-16s  %s", "where", "bits", "expected",
             "found", "which is");
    for (uint32_t n = 0; n < d->lanes_kept; n++)
        draw_lane(grid, row++, kept, &d->lane[n]);
    if (d->lane_count > d->lanes_kept)
        grid_put(grid, row++, 0, LOOK_PLAIN, "and %u more lanes", d->lane_count - d->lanes_kept);
    return row + 1;
}

/* In full, of the first value whose origin is known. */
static void draw_origin(struct grid *grid, uint32_t row, const struct diagnosis *d)
{
    char name[DIAGNOSIS_TEXT], from[DIAGNOSIS_TEXT];
    for (uint32_t n = 0; n < d->lanes_kept; n++) {
        if (!d->lane[n].decoded)
            continue;
        lane_register(&d->lane[n], d->form, name);
        lane_from(&d->lane[n], d->form, from);
        grid_put(grid, row, 0, LOOK_PLAIN, "%s: %s", name, from);
        return;
    }
}

static void draw_meaning(struct grid *grid, uint32_t row, const struct kept_finding *kept)
{
    const struct signature *signature = kept->signature;
    uint32_t last = grid->rows - 2;
    if (kept->memory_changed)
        grid_put(grid, row++, 0, LOOK_BAD, "The pattern in memory changed as well: %s",
                 "memory, not a register, is at fault.");
    if (signature)
        grid_put(grid, row++, 0, LOOK_STRONG, "Looks like %s", signature->name);
    row = grid_put_wrapped(grid, row, 0, GRID_COLUMNS - 1, last - row, LOOK_PLAIN,
                           signature ? signature->meaning
                                     : class_meaning(kept->diagnosis.corruption));
    if (signature)
        (void)grid_put_wrapped(grid, row, 0, GRID_COLUMNS - 1, last - row, LOOK_PLAIN,
                               signature->reference);
}

/* Whether it takes other vCPUs, too, for such a finding to come again. */
static bool takes_others(const struct kept_finding *kept)
{
    const struct exit *exit = exit_named(kept->exit_name);
    return kept->storage || kept->diagnosis.corruption == CLASS_OTHER_VCPU ||
           (exit && (exit->with_others || exit->scratch != SCRATCH_NONE));
}

/* The options that make such a run again. What came before the first round has no exit. */
static void draw_again(struct grid *grid, const struct kept_finding *kept,
                       const struct run_identity *identity)
{
    char options[GRID_COLUMNS];
    struct text text;
    text_start(&text, options, sizeof(options));
    if (kept->injected)
        text_add(&text, "inject=%s ", class_name(kept->diagnosis.corruption));
    else if (exit_named(kept->exit_name))
        text_add(&text, "exits=%s ", kept->exit_name);
    if (takes_others(kept))
        text_add(&text, "cpus=all ");
    else
        text_add(&text, "cpus=%u ", kept->cpu);
    text_add(&text, "seed=0x%lx", identity->seed);
    grid_put(grid, grid->rows - 2, 0, LOOK_STRONG, "Again with: %s", options);
}

static void draw_place(struct grid *grid, uint32_t row, const struct kept_finding *kept)
{
    char components[DIAGNOSIS_TEXT];
    diagnosis_components(&kept->diagnosis, components);
    grid_put(grid, row, 0, LOOK_PLAIN, "vCPU %u, exit %s, round %lu, generation %u", kept->cpu,
             kept->exit_name, kept->round, kept->generation);
    if (kept->diagnosis.corruption == CLASS_FAULT)
        grid_put(grid, row + 1, 0, LOOK_PLAIN, "vector %lu, error code 0x%lx, at 0x%lx",
                 kept->fault.vector, kept->fault.error_code, kept->fault.rip);
    else
        grid_put(grid, row + 1, 0, LOOK_PLAIN, "of component %s", components);
}

/* A block of a scratch partition: what it should hold, what it holds, and whose that is. */
static void draw_block(struct grid *grid, const struct kept_finding *kept)
{
    const struct wrong_block *wrong = &kept->wrong;
    char from[DIAGNOSIS_TEXT];
    struct text text;
    uint32_t row = 5;
    text_start(&text, from, sizeof(from));
    wrong_block_from(wrong, &text);
    grid_put(grid, 2, 0, LOOK_PLAIN, "exit %s, read %lu, generation %lu", kept->exit_name,
             wrong->request, wrong->generation);
    grid_put(grid, 3, 0, LOOK_PLAIN, "the block is %s", from);
    grid_put(grid, row++, 0, LOOK_STRONG, "%-8s  %-16s  %s", "word", "expected", "found");
    for (uint32_t n = 0; n < wrong->words && n < WRONG_WORDS; n++)
        grid_put(grid, row++, 0, LOOK_PLAIN, "%-8u  %016lx  %016lx", wrong->word[n].number,
                 wrong->word[n].want, wrong->word[n].got);
    if (wrong->words > WRONG_WORDS)
        grid_put(grid, row++, 0, LOOK_PLAIN, "and %u more words of 64 bits",
                 wrong->words - WRONG_WORDS);
    (void)grid_put_wrapped(grid, row + 1, 0, GRID_COLUMNS - 1, grid->rows - 2 - row - 1, LOOK_PLAIN,
                           wrong_block_meaning());
}

static void draw_registers(struct grid *grid, const struct kept_finding *kept)
{
    draw_place(grid, 2, kept);
    draw_origin(grid, 4, &kept->diagnosis);
    draw_meaning(grid, draw_lanes(grid, 5, kept), kept);
}

void view_finding(struct grid *grid, const struct view *view, const struct progress *progress)
{
    char hit[DIAGNOSIS_TEXT];
    if (!kept_count()) {
        grid_put(grid, 0, 0, LOOK_STRONG, "No finding so far.");
        return;
    }
    uint64_t place = kept_place(view->finding);
    const struct kept_finding *kept = kept_finding(kept_at(place));
    enum attribute look = kept->injected ? LOOK_PLANTED : LOOK_BAD;
    kept_finding_hit(kept, hit);
    grid_put(grid, 0, 0, look, " %sFINDING %lu", kept->injected ? "INJECTED " : "", kept->number);
    grid_put(grid, 0, 45, look, "%lu of the %lu that are kept", place + 1, kept_count());
    grid_fill(grid, 0, look);
    grid_put(grid, 1, 0, LOOK_STRONG, "%s", hit);
    if (kept->storage)
        draw_block(grid, kept);
    else
        draw_registers(grid, kept);
    draw_again(grid, kept, progress->identity);
}

void view_text(struct grid *grid, const struct view *view)
{
    uint32_t rows = grid->rows - 1;
    struct span lines = kept_lines();
    uint64_t end = lines.end ? view_number(view->last_line, lines) + 1 : 0;
    uint64_t first = end < lines.first + rows ? lines.first : end - rows;
    for (uint64_t n = first; n < lines.end && n - first < rows; n++)
        grid_put(grid, (uint32_t)(n - first), 0, LOOK_PLAIN, "%s", kept_line(n));
}
