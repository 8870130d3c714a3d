/* Draws the run at a glance. */
#include "../diagnosis/signatures.h"
#include "../report/conclusion.h"
#include "../text.h"
#include "view.h"

#define ROW_TITLE     0u
#define ROW_PROCESSOR 1u
#define ROW_BENEATH   2u
#define ROW_PROGRESS  3u
#define ROW_SECOND    4u /* of the verdict, or what is amiss already */
#define ROW_TABLE                                                                                  \
    5u /* its header; below it its rows, then those beside the map, then the counts                \
        */
#define ROWS_BESIDE   5u /* options, vCPUs, exposure, what was left out, legend */
#define ROWS_BELOW    3u /* counts, the first finding, keys */
#define COLUMN_MAP    45u
#define COLUMN_TIME   71u
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
    grid_put(grid, ROW_TITLE, COLUMN_MAP - 1, LOOK_TITLE, "%s", buffer);
    text_start(&text, buffer, sizeof(buffer));
    put_time(&text, progress->milliseconds);
    grid_put(grid, ROW_TITLE, COLUMN_TIME, LOOK_TITLE, "%9s", buffer);
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

static void put_gaps(struct text *text, const struct progress *progress)
{
    if (progress->gaps)
        text_add(text, ", %u gap%s", progress->gaps, progress->gaps == 1 ? "" : "s");
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

/* Since when or for how long, and what it looks like or is worth. */
static void put_second(struct text *text, const struct view *view, const struct progress *progress)
{
    const struct outcome *outcome = progress->outcome;
    const struct kept_finding *first = kept_first();
    text_add(text, first ? " Since " : " In ");
    put_time(text, first ? view->first_at : progress->milliseconds);
    put_gaps(text, progress);
    if (first && first->storage) {
        text_add(text, ". A disk did not give back what was written to it.");
    } else if (first) {
        text_add(text, ". %s%s", first->signature ? "Looks like " : "",
                 first->signature ? first->signature->name : "No known bug leaves this trace.");
    } else if (outcome->verdict == VERDICT_PASS && conclusion_bound_of_run(outcome)) {
        text_add(text, ": fewer than 1 exit in %lu loses registers (95 %% confidence)",
                 conclusion_bound_of_run(outcome));
    } else if (outcome->verdict == VERDICT_INCOMPLETE) {
        text_add(text, ": no register was seen to change, but this is no pass");
    } else if (outcome->verdict == VERDICT_ERROR) {
        text_add(text, ": this says nothing about the machine");
    }
}

static void draw_verdict(struct grid *grid, const struct view *view,
                         const struct progress *progress)
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
    char second[GRID_COLUMNS + 1];
    struct text text;
    text_start(&text, second, sizeof(second));
    put_second(&text, view, progress);
    if (outcome->verdict == VERDICT_PASS && outcome->control_run)
        grid_put(grid, ROW_PROGRESS, 0, look, " PASS (control run: no hypervisor): %s",
                 "every register came back as it was");
    else
        grid_put(grid, ROW_PROGRESS, 0, look, " %s: %s", verdict_name(outcome->verdict),
                 outcome->reason);
    grid_put(grid, ROW_SECOND, 0, look, "%s", second);
    if (outcome->verdict == VERDICT_FAIL && !planted)
        grid_put(grid, ROW_PROGRESS, GRID_COLUMNS - 18, look, "R: what to do next");
    grid_fill(grid, ROW_PROGRESS, look);
    grid_fill(grid, ROW_SECOND, look);
}

/* What is amiss is not to be overlooked, from the start. */
static void draw_amiss(struct grid *grid, const struct progress *progress)
{
    const char *no_avx512 = progress->machine->xstate.no_avx512;
    char words[GRID_COLUMNS + 1];
    struct text text;
    if (!no_avx512 && !progress->gaps)
        return;
    text_start(&text, words, sizeof(words));
    if (no_avx512)
        text_add(&text, " Not tested here: %s", no_avx512);
    if (progress->gaps)
        text_add(&text, "%s %u gap%s", no_avx512 ? ";" : "", progress->gaps,
                 progress->gaps == 1 ? "" : "s");
    grid_put(grid, ROW_SECOND, 0, LOOK_WARNING, "%s", words);
    grid_fill(grid, ROW_SECOND, LOOK_WARNING);
}

uint32_t view_table_rows(const struct grid *grid, uint32_t exits)
{
    uint32_t rows = grid->rows - ROWS_BELOW - ROWS_BESIDE - ROW_TABLE - 1;
    return exits > rows ? rows - 1 : rows; /* the last one says that there are more */
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

static char mark_of(enum leaves leaves)
{
    if (leaves == LEAVES_YES)
        return '*';
    return leaves == LEAVES_SOME ? '+' : ' ';
}

static void draw_table(struct grid *grid, const struct view *view, const struct progress *progress,
                       uint32_t rows)
{
    grid_put(grid, ROW_TABLE, 0, LOOK_STRONG, "%-14s %9s %9s %8s", "exit (*exited)", "rounds",
             "cycles", "findings");
    if (progress->exits > rows)
        grid_put(grid, ROW_TABLE + 1 + rows, 0, LOOK_STRONG, "%u of %u shown, up/down", rows,
                 progress->exits);
    for (uint32_t row = 0; row < rows; row++) {
        uint32_t n = exit_in_row(view, progress, rows, row);
        if (n == progress->exits)
            return;
        const struct exit_result *exit = &progress->exit[n];
        enum attribute look = LOOK_PLAIN;
        grid_put(grid, ROW_TABLE + 1 + row, 0, look, "%-10s%c%13lu %9lu", exit->name,
                 mark_of(exit->leaves), exit->rounds,
                 exit->cycles_median ? exit->cycles_median : exit->cycles_min);
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
    grid_put(grid, row, 0, LOOK_STRONG, "%s", buffer);
}

#define SIGN_COLUMNS 34u
#define HIT_COLUMNS  18u /* " 16 with findings" */

/* A sign for each vCPU, or for several: the worst of them. In words as well where there is room. */
static void draw_vcpus(struct grid *grid, uint32_t row, const struct progress *progress)
{
    static const struct cell signs[] = {
        [SIGN_NO_PART] = {'-', LOOK_PLAIN},   [SIGN_WAITED_FOR] = {'_', LOOK_PLAIN},
        [SIGN_ALIVE] = {'.', LOOK_GOOD},      [SIGN_SILENT] = {'?', LOOK_WARNING},
        [SIGN_PLANTED] = {'x', LOOK_PLANTED}, [SIGN_FOUND] = {'X', LOOK_BAD},
        [SIGN_LOST] = {'!', LOOK_BROKEN},
    };
    uint32_t each = (progress->cpus + SIGN_COLUMNS - 1) / SIGN_COLUMNS, hit = 0;
    grid_put(grid, row, 0, LOOK_PLAIN, each > 1 ? "vCPUs/%u" : "vCPUs", each);
    for (uint32_t first = 0; each && first < progress->cpus; first += each) {
        enum vcpu_sign worst = SIGN_NO_PART;
        for (uint32_t cpu = first; cpu < first + each && cpu < progress->cpus; cpu++) {
            enum vcpu_sign sign = progress->sign(progress->hits_context, cpu);
            worst = sign > worst ? sign : worst;
            hit += sign == SIGN_FOUND || sign == SIGN_PLANTED;
        }
        grid_put(grid, row, 9 + first / each, signs[worst].attribute, "%c", signs[worst].c);
    }
    if (hit && progress->cpus <= SIGN_COLUMNS - HIT_COLUMNS)
        grid_put(grid, row, 10 + progress->cpus, LOOK_PLAIN, "%u with findings", hit);
}

/* A list, whose end is dots where it has no room. */
static void put_list(struct grid *grid, uint32_t row, enum attribute look, const char *name,
                     const char *list)
{
    char buffer[TABLE_COLUMNS + 1];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "%-8s %s", name, list);
    grid_put(grid, row, 0, look, "%s", buffer);
    if (text.cut)
        grid_put(grid, row, TABLE_COLUMNS - 3, look, "...");
}

/* With the signs of planted faults where there are any: then there is no room for its name. */
static void draw_legend(struct grid *grid, uint32_t row, bool planted)
{
    uint32_t column = planted ? 0 : 4;
    if (!planted)
        grid_put(grid, row, 0, LOOK_PLAIN, "Map");
    grid_put(grid, row, column, LOOK_PLAIN, ". ok 0 zero X other - untested");
    grid_put(grid, row, column, LOOK_GOOD, ".");
    grid_put(grid, row, column + 5, LOOK_BAD, "0");
    grid_put(grid, row, column + 12, LOOK_BAD, "X");
    if (planted) {
        grid_put(grid, row, 31, LOOK_PLANTED, "ox");
        grid_put(grid, row, 34, LOOK_PLAIN, "INJECTED");
    }
}

/* A number of few digits: "9.9", and "10" beyond it. */
static void put_tenths(struct text *text, uint64_t tenths, uint64_t whole_from)
{
    if (tenths < whole_from * 10)
        text_add(text, "%lu.%lu", tenths / 10, tenths % 10);
    else
        text_add(text, "%lu", tenths / 10);
}

/* The share of the time for which registers are live, and what the storage beneath does meanwhile.
 */
static void draw_exposure(struct grid *grid, uint32_t row, const struct progress *progress)
{
    char words[TABLE_COLUMNS + 1];
    struct text text;
    text_start(&text, words, sizeof(words));
    text_add(&text, "%u %%", progress->exposure.permille / 10);
    if (progress->reads) {
        text_add(&text, ", read ");
        put_tenths(&text, progress->read_per_second / 100000, 10);
    }
    if (progress->writes) {
        text_add(&text, " write ");
        put_tenths(&text, progress->written_per_second / 100000, 10);
    }
    text_add(&text, progress->reads ? " MB/s" : " of the time");
    put_list(grid, row, LOOK_PLAIN, "Exposed", words);
}

static void draw_beside(struct grid *grid, uint32_t row, const struct progress *progress)
{
    put_list(grid, row, LOOK_PLAIN, "Options", progress->options ? progress->options : "");
    draw_vcpus(grid, row + 1, progress);
    draw_exposure(grid, row + 2, progress);
    put_list(grid, row + 3, LOOK_PLAIN, "Left out",
             progress->left_out && progress->left_out[0] ? progress->left_out : "nothing");
    draw_legend(grid, row + 4, progress->injected != 0);
}

static const char *words_so_far(const struct progress *progress)
{
    if (!progress->rounds)
        return "zmmtest tests itself first, and finds out what can run here.";
    if (progress->findings)
        return "";
    return progress->machine->xstate.no_avx512
               ? "Nothing found so far."
               : "Nothing found so far: every register came back as it was.";
}

/* Without a finding: what broke, or where to read on. */
static void draw_no_finding(struct grid *grid, uint32_t row, const struct progress *progress)
{
    if (progress->error[0])
        (void)grid_put_wrapped(grid, row, 0, GRID_COLUMNS, 1, LOOK_BROKEN, progress->error);
    else if (progress->outcome)
        grid_put(grid, row, 0, LOOK_PLAIN, "%s",
                 "R: what that means and does not mean, and what to do next.");
    else
        grid_put(grid, row, 0, LOOK_PLAIN, "%s", words_so_far(progress));
}

static void draw_first_finding(struct grid *grid, uint32_t row, const struct progress *progress)
{
    const struct kept_finding *first = kept_first();
    if (!first) {
        draw_no_finding(grid, row, progress);
        return;
    }
    char hit[DIAGNOSIS_TEXT];
    char line[GRID_COLUMNS + 1];
    struct text text;
    kept_finding_hit(first, hit);
    text_start(&text, line, sizeof(line));
    text_add(&text, "%sFINDING %lu of %lu: %s", first->injected ? "INJECTED " : "", first->number,
             progress->findings > first->number ? progress->findings : first->number, hit);
    if (!first->storage)
        text_add(&text, ", after %s on vCPU %u", first->exit_name, first->cpu);
    grid_put(grid, row, 0, first->injected ? LOOK_PLANTED : LOOK_BAD, "%s", line);
}

void view_overview(struct grid *grid, const struct view *view, const struct progress *progress)
{
    uint32_t below = grid->rows - ROWS_BELOW;
    draw_machine(grid, progress);
    if (progress->outcome) {
        draw_verdict(grid, view, progress);
    } else {
        draw_running(grid, progress);
        draw_amiss(grid, progress);
    }
    uint32_t rows = view_table_rows(grid, progress->exits);
    if (progress->exits)
        draw_table(grid, view, progress, rows);
    else if (progress->error[0])
        (void)grid_put_wrapped(grid, ROW_TABLE + 1, 0, TABLE_COLUMNS, rows, LOOK_PLAIN,
                               progress->error);
    draw_beside(grid, below - ROWS_BESIDE, progress);
    view_map(grid, ROW_TABLE, COLUMN_MAP, view, progress);
    draw_counts(grid, below, progress);
    draw_first_finding(grid, below + 1, progress);
}
