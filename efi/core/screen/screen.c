/* Puts views together, and lets keys choose among them. */
#include "screen.h"
#include "../../platform/keys.h"
#include "view.h"

static struct {
    struct grid grid;
    struct view view;
    bool (*write)(uint32_t row, uint32_t column, uint8_t attribute, const char *text);
    uint32_t cpus, exits;
    uint64_t first_seen; /* number of the first finding; 0: none yet */
    bool paused, at_end;
} screen;

static const char *keys_of_view(void)
{
    switch (screen.view.kind) {
    case VIEW_FINDING:
        return "left, right: other findings   Esc: back";
    case VIEW_TEXT:
        return "up, down: lines   left, right: pages   Esc: back";
    default:
        break;
    }
    if (screen.at_end)
        return "R report  F findings  M map by vCPU  S shut down  B reboot  X firmware";
    return screen.paused
               ? "P go on  F findings  M map by vCPU  R report so far  S stop  O power off"
               : "P pause  F findings  M map by vCPU  R report so far  S stop  O power off";
}

const char *screen_question(void)
{
    static const char *const questions[] = {
        [QUESTION_NONE] = NULL,
        [QUESTION_STOP] = " Stop the run and report? Y: yes, any other key: no ",
        [QUESTION_POWER_OFF] =
            " Stop the run and power the machine off? Y: yes, any other key: no ",
    };
    return questions[screen.view.question];
}

bool screen_offers_end(void)
{
    return screen.at_end && screen.view.kind == VIEW_OVERVIEW;
}

static void draw_last_row(struct grid *grid)
{
    if (screen_question())
        grid_put(grid, grid->rows - 1, 0, LOOK_QUESTION, "%s", screen_question());
    else
        grid_put(grid, grid->rows - 1, 0, LOOK_PLAIN, "%s", keys_of_view());
}

/* A finding that is looked at is not replaced by the next; the first one comes by itself. */
static void keep_in_view(void)
{
    if (screen.view.finding == VIEW_FIRST && kept_count())
        screen.view.finding = kept_at(kept_place_of_first());
}

static void note_first(const struct progress *progress)
{
    const struct kept_finding *first = kept_first();
    if (!first || screen.first_seen == first->number)
        return;
    screen.first_seen = first->number;
    screen.view.first_at = progress->milliseconds;
}

static void screen_progress(const struct progress *progress)
{
    struct grid *grid = &screen.grid;
    screen.cpus = progress->cpus;
    screen.exits = progress->exits;
    screen.paused = progress->paused;
    keep_in_view();
    note_first(progress);
    grid_clear(grid);
    switch (screen.view.kind) {
    case VIEW_OVERVIEW:
        view_overview(grid, &screen.view, progress);
        break;
    case VIEW_FINDING:
        view_finding(grid, &screen.view, progress);
        break;
    case VIEW_TEXT:
        view_text(grid, &screen.view);
        break;
    }
    draw_last_row(grid);
    grid_show(grid, screen.write);
}

bool screen_fits(uint32_t rows, uint32_t columns, struct text *why)
{
    if (rows >= GRID_ROWS && columns >= GRID_COLUMNS)
        return true;
    text_add(why, "The console of %ux%u is too small for the screen, which needs %ux%u.", columns,
             rows, GRID_COLUMNS, GRID_ROWS);
    return false;
}

/* Another line has run across it: all of it is written anew. */
static void disturbed(const char *line)
{
    (void)line;
    grid_start(&screen.grid, screen.grid.rows);
}

struct sink *screen_start(uint32_t rows, bool shared,
                          bool (*write)(uint32_t row, uint32_t column, uint8_t attribute,
                                        const char *text))
{
    static struct sink sink = {.text = keep_line,
                               .progress = screen_progress,
                               .found = keep_found,
                               .found_block = keep_found_block};
    sink.log = shared ? disturbed : NULL;
    screen.write = write;
    screen.view = (struct view){0};
    screen.at_end = false;
    screen.first_seen = 0;
    keep_nothing();
    grid_start(&screen.grid, rows);
    return &sink;
}

void screen_offer_end(void)
{
    screen.at_end = true;
    screen.view.question = QUESTION_NONE;
}

void screen_repeat(void (*say)(const char *line))
{
    struct span lines = kept_lines();
    uint64_t rows = screen.grid.rows - 1;
    for (uint64_t n = lines.end - lines.first > rows ? lines.end - rows : lines.first;
         n < lines.end; n++)
        say(kept_line(n));
}

/* A step back or on, from `first` to before `end`. */
static uint64_t step(uint64_t value, bool on, uint64_t by, uint64_t first, uint64_t end)
{
    if (on)
        return end - first <= by || value >= end - by ? end - (end > first) : value + by;
    return value < first + by ? first : value - by;
}

static void step_findings(bool on)
{
    keep_in_view();
    if (kept_count())
        screen.view.finding =
            kept_at(step(kept_place(screen.view.finding), on, 1, 0, kept_count()));
}

/* The same of the last line in sight, of so many; behind the latest it follows what comes. */
static uint64_t step_lines(uint64_t chosen, bool on, uint64_t by, uint64_t rows)
{
    struct span kept = kept_lines();
    if (kept.end - kept.first <= rows)
        return VIEW_LATEST;
    kept.first += rows - 1;
    uint64_t next = step(view_number(chosen, kept), on, by, kept.first, kept.end);
    return next + 1 == kept.end && on ? VIEW_LATEST : next;
}

/* By how many rows the table can be scrolled, and one more. */
static uint32_t table_steps(void)
{
    uint32_t rows = view_table_rows(&screen.grid, screen.exits);
    return screen.exits > rows ? screen.exits - rows + 1 : 1;
}

static void move(char key)
{
    struct view *view = &screen.view;
    uint64_t rows = screen.grid.rows - 1;
    bool sideways = key == KEY_LEFT || key == KEY_RIGHT;
    bool on = key == KEY_DOWN || key == KEY_RIGHT;
    switch (view->kind) {
    case VIEW_OVERVIEW:
        if (!sideways)
            view->first_exit = (uint32_t)step(view->first_exit, on, 1, 0, table_steps());
        else if (view->one_cpu)
            view->cpu = (uint32_t)step(view->cpu, on, 1, 0, screen.cpus);
        break;
    case VIEW_FINDING:
        step_findings(on);
        break;
    case VIEW_TEXT:
        view->last_line = step_lines(view->last_line, on, sideways ? rows - 1 : 1, rows);
        break;
    }
}

static void look_at(enum view_kind kind)
{
    screen.view.kind = screen.view.kind == kind ? VIEW_OVERVIEW : kind;
    screen.view.finding = VIEW_FIRST;
    screen.view.last_line = VIEW_LATEST;
}

static enum operator_command answer(char key)
{
    static const enum operator_command wishes[] = {
        [QUESTION_STOP] = COMMAND_STOP, [QUESTION_POWER_OFF] = COMMAND_POWER_OFF};
    enum operator_command command = key == 'y' ? wishes[screen.view.question] : COMMAND_NONE;
    screen.view.question = QUESTION_NONE;
    return command;
}

/* Behind all that stands in the last row. */
#define COLUMN_TAKEN (GRID_COLUMNS - 3)

/* Says that a key was taken before its picture comes, which may take seconds: or else it is pressed
 * again, and undone. */
static void mark_taken(void)
{
    grid_mark(&screen.grid, screen.grid.rows - 1, COLUMN_TAKEN, LOOK_QUESTION, '*', screen.write);
}

enum operator_command screen_key(char key)
{
    mark_taken();
    if (screen.view.question)
        return answer(key);
    switch (key) {
    case KEY_UP:
    case KEY_DOWN:
    case KEY_LEFT:
    case KEY_RIGHT:
        move(key);
        break;
    case 'f':
        look_at(VIEW_FINDING);
        break;
    case 'r':
    case 't':
        look_at(VIEW_TEXT);
        break;
    case 'm':
        screen.view.kind = VIEW_OVERVIEW;
        screen.view.one_cpu = !screen.view.one_cpu;
        break;
    case KEY_ESC:
        screen.view.kind = VIEW_OVERVIEW;
        break;
    case 'p':
        return screen.at_end ? COMMAND_NONE : COMMAND_PAUSE;
    case 's':
    case 'q':
        screen.view.question = screen.at_end ? QUESTION_NONE : QUESTION_STOP;
        break;
    case 'o':
        screen.view.question = screen.at_end ? QUESTION_NONE : QUESTION_POWER_OFF;
        break;
    default:
        break;
    }
    return COMMAND_NONE;
}
