/* Draws what there is to read: one finding in full, and the text of the report. */
#include "../diagnosis/signatures.h"
#include "view.h"

uint64_t view_number(uint64_t chosen, struct span span)
{
    if (chosen < span.first)
        return span.first;
    return chosen < span.end ? chosen : span.end - 1;
}

/* The row behind. */
static uint32_t draw_lane(struct grid *grid, uint32_t row, const struct kept_finding *kept,
                          const struct lane *lane)
{
    char name[DIAGNOSIS_TEXT], from[DIAGNOSIS_TEXT];
    lane_register(lane, kept->diagnosis.form, name);
    lane_from(lane, kept->diagnosis.form, from);
    grid_put(grid, row++, 0, LOOK_PLAIN, "%-6s %3u:%-3u  %016lx  %016lx  %s", name,
             64 * lane->lane + 63, 64 * lane->lane, lane->want, lane->got,
             lane->decoded ? "" : from);
    if (lane->decoded)
        grid_put(grid, row++, 8, LOOK_STRONG, "is %s", from);
    return row;
}

#define ROWS_OF_MEANING 9u /* a signature's name, words and reference, and the keys */

/* As many as leave room for what they mean; the row behind. */
static uint32_t draw_lanes(struct grid *grid, uint32_t row, const struct kept_finding *kept)
{
    const struct diagnosis *d = &kept->diagnosis;
    uint32_t n = 0;
    if (!d->lanes_kept)
        return row;
    grid_put(grid, row++, 0, LOOK_STRONG, "%-6s %7s  %-16s  %-16s  %s", "where", "bits", "expected",
             "found", "which is");
    for (; n < d->lanes_kept && row + ROWS_OF_MEANING + 2 < grid->rows; n++)
        row = draw_lane(grid, row, kept, &d->lane[n]);
    if (d->lane_count > n)
        grid_put(grid, row++, 0, LOOK_PLAIN, "and %u more quadwords", d->lane_count - n);
    return row;
}

static void draw_meaning(struct grid *grid, uint32_t row, const struct kept_finding *kept)
{
    const struct signature *signature = kept->diagnosis.signature;
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
        (void)grid_put_wrapped(grid, row, 0, GRID_COLUMNS - 1, last + 1 - row, LOOK_PLAIN,
                               signature->reference);
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

void view_finding(struct grid *grid, const struct view *view)
{
    char hit[DIAGNOSIS_TEXT];
    struct span kept_ones = kept_findings();
    if (kept_ones.first == kept_ones.end) {
        grid_put(grid, 0, 0, LOOK_STRONG, "No finding so far.");
        return;
    }
    uint64_t number = view_number(view->finding, kept_ones);
    const struct kept_finding *kept = kept_finding(number);
    enum attribute look = kept->injected ? LOOK_PLANTED : LOOK_BAD;
    kept_finding_hit(kept, hit);
    grid_put(grid, 0, 0, look, " %sFINDING %lu", kept->injected ? "INJECTED " : "", kept->number);
    grid_put(grid, 0, 45, look, "%lu of the %lu that are kept", number - kept_ones.first + 1,
             kept_ones.end - kept_ones.first);
    grid_fill(grid, 0, look);
    grid_put(grid, 1, 0, LOOK_STRONG, "%s", hit);
    draw_place(grid, 2, kept);
    draw_meaning(grid, draw_lanes(grid, 5, kept), kept);
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
