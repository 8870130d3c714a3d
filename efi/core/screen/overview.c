/* Draws the run at a glance. */
#include "../diagnosis/signatures.h"
#include "../report/conclusion.h"
#include "../text.h"
#include "view.h"

#define ROW_TITLE     0u
#define ROW_PROCESSOR 1u
#define ROW_BENEATH   2u
#define ROW_PROGRESS  3u
#define ROW_TABLE     4u /* its header; below it, and down to the counts, its rows */
#define ROWS_BELOW    4u /* the table: counts, two of the last finding, keys */
#define COLUMN_MAP    45u
#define TABLE_COLUMNS 43u

static void put_time(struct text *text, uint64_t milliseconds)
{
    uint64_t seconds = milliseconds / 1000;
    text_add(text, "%lu:%02lu:%02lu", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

static void draw_machine(struct grid *grid, const struct progress *progress)
{
    const struct run_identity *identity = progress->identity;
    const struct cpu *cpu = &progress->machine->cpu;
    const struct hypervisor *hypervisor = &progress->machine->hypervisor;
    char buffer[GRID_COLUMNS + 1];
    struct text text;
    grid_put(grid, ROW_TITLE, 0, LOOK_TITLE, " zmmtest %s (%s)", identity->version,
             identity->commit);
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "run %04x", identity->run);
    if (identity->boot)
        text_add(&text, ", \\zmmtest\\%04u.log", identity->boot);
    grid_put(grid, ROW_TITLE, COLUMN_MAP, LOOK_TITLE, "%s", buffer);
    grid_fill(grid, ROW_TITLE, LOOK_TITLE);
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "%s, %u-%u-%u, microcode 0x%x", cpu->brand, cpu->family, cpu->model,
             cpu->stepping, cpu->microcode);
    grid_put(grid, ROW_PROCESSOR, 0, LOOK_PLAIN, "Processor %s", buffer);
    text_start(&text, buffer, sizeof(buffer));
    if (progress->machine->hidden[0])
        text_add(&text, "CPUID hides it; %s", progress->machine->hidden);
    else if (hypervisor->kind == HYPERVISOR_NONE)
        text_add(&text, "no hypervisor seen: a control run");
    else if (hypervisor->build)
        text_add(&text, "%s, build %u", hypervisor->name, hypervisor->build);
    else
        text_add(&text, "%s", hypervisor->name);
    text_add(&text, "; firmware %s; %u vCPUs", progress->machine->firmware,
             progress->machine->vcpus);
    grid_put(grid, ROW_BENEATH, 0, LOOK_PLAIN, "Beneath   %s", buffer);
}

/* In thousandths; 1000 at most. 0 where nothing limits the run. */
static uint64_t share_done(const struct progress *progress)
{
    uint64_t done = progress->time_limit ? progress->milliseconds : progress->passes;
    uint64_t limit = progress->time_limit ? progress->time_limit : progress->passes_limit;
    if (!limit)
        return 0;
    return done < limit ? done * 1000 / limit : 1000;
}

#define BAR_COLUMNS 20u

static void draw_running(struct grid *grid, const struct progress *progress)
{
    char buffer[GRID_COLUMNS + 1];
    struct text text;
    uint64_t share = share_done(progress);
    text_start(&text, buffer, sizeof(buffer));
    put_time(&text, progress->milliseconds);
    if (progress->time_limit || progress->passes_limit) {
        text_add(&text, " [");
        for (uint64_t n = 0; n < BAR_COLUMNS; n++)
            text_add(&text, "%c", n < share * BAR_COLUMNS / 1000 ? '#' : '.');
        text_add(&text, "] %lu %%", share / 10);
    }
    if (progress->time_limit) {
        uint64_t left = progress->milliseconds < progress->time_limit
                            ? progress->time_limit - progress->milliseconds
                            : 0;
        text_add(&text, ", ");
        put_time(&text, left);
        text_add(&text, " left");
    } else if (progress->passes_limit) {
        text_add(&text, ", pass %lu of %lu", progress->passes, progress->passes_limit);
    } else {
        text_add(&text, " until it is stopped");
    }
    if (!progress->paused)
        text_add(&text, ", %lu exits/s", progress->per_second);
    if (!progress->rounds)
        grid_put(grid, ROW_PROGRESS, 0, LOOK_STRONG, "Starting");
    else if (progress->paused)
        grid_put(grid, ROW_PROGRESS, 0, LOOK_WARNING, " PAUSED ");
    else
        grid_put(grid, ROW_PROGRESS, 0, LOOK_STRONG, "Running");
    grid_put(grid, ROW_PROGRESS, 10, LOOK_PLAIN, "%s", buffer);
}

static void draw_verdict(struct grid *grid, const struct progress *progress)
{
    static const enum attribute looks[] = {
        [VERDICT_PASS] = LOOK_PASS,
        [VERDICT_INCOMPLETE] = LOOK_WARNING,
        [VERDICT_FAIL] = LOOK_BAD,
        [VERDICT_ERROR] = LOOK_BROKEN,
    };
    const struct outcome *outcome = progress->outcome;
    bool planted = outcome->verdict == VERDICT_FAIL && outcome->findings == outcome->injected &&
                   !outcome->wrong_blocks;
    enum attribute look = planted ? LOOK_PLANTED : looks[outcome->verdict];
    grid_put(grid, ROW_PROGRESS, 0, look, " %s: %s", verdict_name(outcome->verdict),
             outcome->reason);
    grid_fill(grid, ROW_PROGRESS, look);
}

uint32_t view_table_rows(const struct grid *grid)
{
    return grid->rows - ROWS_BELOW - ROW_TABLE - 1;
}

/* Those that were hit come first, and stay in sight where they leave room for others. */
static uint32_t exit_in_row(const struct view *view, const struct progress *progress, uint32_t rows,
                            uint32_t row)
{
    uint32_t n, hit = 0;
    for (n = 0; n < progress->exits; n++)
        hit += progress->exit[n].findings != 0;
    if (row >= hit || hit >= rows)
        row += view->first_exit;
    bool of_hit = row < hit;
    row -= of_hit ? 0 : hit;
    for (n = 0; n < progress->exits; n++)
        if ((progress->exit[n].findings != 0) == of_hit && row-- == 0)
            break;
    return n;
}

static void draw_table(struct grid *grid, const struct view *view, const struct progress *progress,
                       uint32_t rows)
{
    grid_put(grid, ROW_TABLE, 0, LOOK_STRONG, "%-10s %13s %9s %8s", "exit", "rounds", "cycles",
             "findings");
    if (progress->exits > rows)
        grid_put(grid, ROW_TABLE, 5, LOOK_STRONG, "%u of %u", rows, progress->exits);
    for (uint32_t row = 0; row < rows; row++) {
        uint32_t n = exit_in_row(view, progress, rows, row);
        if (n == progress->exits)
            return;
        const struct exit_result *exit = &progress->exit[n];
        enum attribute look = !exit->rounds ? LOOK_FAINT : LOOK_PLAIN;
        grid_put(grid, ROW_TABLE + 1 + row, 0, look, "%-10s %13lu %9lu", exit->name, exit->rounds,
                 exit->cycles_min);
        if (exit->findings)
            look = exit->injected ? LOOK_PLANTED : LOOK_BAD;
        grid_put(grid, ROW_TABLE + 1 + row, 35, look, "%8lu", exit->findings);
    }
}

static void draw_counts(struct grid *grid, uint32_t row, const struct progress *progress)
{
    char buffer[TABLE_COLUMNS + 1];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "%lu exits, %lu ", progress->rounds, progress->findings);
    if (progress->injected && progress->injected == progress->findings)
        text_add(&text, "INJECTED ");
    text_add(&text, "findings");
    if (progress->injected && progress->injected != progress->findings)
        text_add(&text, ", %lu INJECTED", progress->injected);
    if (progress->left_out)
        text_add(&text, ", %u left out", progress->left_out);
    if (progress->outcome && text.length + sizeof(" in 000:00:00") <= sizeof(buffer)) {
        text_add(&text, " in "); /* it has no row of its own then */
        put_time(&text, progress->milliseconds);
    }
    grid_put(grid, row, 0, LOOK_STRONG, "%s", buffer);
}

static const char *words_so_far(const struct progress *progress)
{
    if (!progress->rounds)
        return "zmmtest tests itself first, and finds out what can run here.";
    if (progress->findings)
        return "";
    return progress->machine->xstate.no_avx512
               ? "Nothing found so far. AVX-512 cannot be tested here: R says why."
               : "Nothing found so far: every register came back as it was.";
}

/* Without a finding: what that is worth so far, or what broke. */
static void draw_no_finding(struct grid *grid, uint32_t row, const struct progress *progress)
{
    const struct outcome *outcome = progress->outcome;
    const char *words = outcome ? conclusion_meaning(outcome) : words_so_far(progress);
    if (progress->error[0]) {
        (void)grid_put_wrapped(grid, row, 0, GRID_COLUMNS, 2, LOOK_BROKEN, progress->error);
        return;
    }
    if (outcome && outcome->verdict == VERDICT_PASS && conclusion_bound_of_run(outcome)) {
        grid_put(grid, row, 0, LOOK_STRONG,
                 "Fewer than 1 exit in %lu loses registers, with 95 %% confidence.",
                 conclusion_bound_of_run(outcome));
        words = "R: what that means and does not mean, and what to do next.";
        row++;
    }
    (void)grid_put_wrapped(grid, row, 0, GRID_COLUMNS, 2, LOOK_PLAIN, words);
}

static void draw_last_finding(struct grid *grid, uint32_t row, const struct progress *progress)
{
    struct span findings = kept_findings();
    if (findings.first == findings.end) {
        draw_no_finding(grid, row, progress);
        return;
    }
    const struct kept_finding *last = kept_finding(findings.end - 1);
    char hit[DIAGNOSIS_TEXT];
    kept_finding_hit(last, hit);
    grid_put(grid, row, 0, last->injected ? LOOK_PLANTED : LOOK_BAD,
             "%sFINDING %lu: %s, after %s on vCPU %u", last->injected ? "INJECTED " : "",
             last->number, hit, last->exit_name, last->cpu);
    grid_put(grid, row + 1, 0, LOOK_STRONG, "%s",
             last->signature ? last->signature->name : "No known bug leaves this trace.");
}

void view_overview(struct grid *grid, const struct view *view, const struct progress *progress)
{
    uint32_t below = grid->rows - ROWS_BELOW;
    draw_machine(grid, progress);
    if (progress->outcome)
        draw_verdict(grid, progress);
    else
        draw_running(grid, progress);
    if (progress->exits)
        draw_table(grid, view, progress, view_table_rows(grid));
    else if (progress->error[0])
        (void)grid_put_wrapped(grid, ROW_TABLE + 1, 0, TABLE_COLUMNS, view_table_rows(grid),
                               LOOK_PLAIN, progress->error);
    view_map(grid, ROW_TABLE, COLUMN_MAP, view, progress);
    draw_counts(grid, below, progress);
    draw_last_finding(grid, below + 1, progress);
}
