/* A table of choices, and the list of exits. */
#include "menu.h"
#include "../../platform/keys.h"
#include "../window/exits.h"
#include "version.h"

#define SECONDS_UNTOUCHED UINT64_C(10) /* until it starts by itself */
#define SECONDS_TOUCHED   UINT64_C(60) /* the same after a key */
#define SECONDS_MOST      UINT64_C(600) /* with keys that never end, as from a line that makes noise */

#define ROW_QUESTION 4u
#define ROW_CHOICES  6u
#define ROW_EXITS    6u
#define EXIT_ROWS    16u
#define EXIT_COLUMNS 20u

static const struct {
    const char *name, *words;
    uint64_t seconds;
} choices[] = {
    {"Default", "one minute", 60},
    {"Quick", "ten seconds", 10},
    {"Soak", "until it is stopped by a key", 0},
    {"Exits", "choose the exits that are run", 0},
};

#define CHOICE_COUNT (sizeof(choices) / sizeof(choices[0]))
#define CHOICE_EXITS (CHOICE_COUNT - 1)

static uint64_t all_exits(void)
{
    return (UINT64_C(1) << exit_count) - 1;
}

void menu_open(struct menu *menu, const struct machine *machine, uint64_t now)
{
    *menu = (struct menu){
        .machine = machine,
        .exits = all_exits(),
        .start_at = now + 1000 * SECONDS_UNTOUCHED,
        .last_at = now + 1000 * SECONDS_MOST,
    };
}

static uint32_t rows_of(const struct menu *menu)
{
    return menu->among_exits ? exit_count : CHOICE_COUNT;
}

static void move(struct menu *menu, uint32_t by)
{
    menu->row = (menu->row + by) % rows_of(menu);
}

static void show_exits(struct menu *menu, bool shown)
{
    menu->among_exits = shown;
    menu->row = shown ? 0 : CHOICE_EXITS;
}

/* Enter and Esc lead back to the choices; no exit at all is no choice. */
static void key_among_exits(struct menu *menu, char key)
{
    if (key == ' ')
        menu->exits ^= UINT64_C(1) << menu->row;
    else if (key == 'a')
        menu->exits = menu->exits == all_exits() ? 0 : all_exits();
    else if (key == KEY_ENTER || key == KEY_ESC)
        show_exits(menu, false);
    if (!menu->exits && !menu->among_exits)
        menu->exits = all_exits();
}

bool menu_key(struct menu *menu, char key, uint64_t now)
{
    if (now >= menu->last_at || (key == KEY_NONE && now >= menu->start_at)) {
        menu->exits = menu->exits ? menu->exits : all_exits();
        menu->among_exits = false;
        menu->row = 0;
        return true;
    }
    if (key == KEY_NONE)
        return false;
    menu->start_at = now + 1000 * SECONDS_TOUCHED;
    if (key == KEY_UP)
        move(menu, rows_of(menu) - 1);
    else if (key == KEY_DOWN)
        move(menu, 1);
    else if (menu->among_exits)
        key_among_exits(menu, key);
    else if (key == KEY_ENTER && menu->row == CHOICE_EXITS)
        show_exits(menu, true);
    else if (key == KEY_ENTER)
        return true;
    return false;
}

static void draw_choices(struct grid *grid, const struct menu *menu)
{
    uint32_t chosen = 0;
    for (uint32_t row = 0; row < exit_count; row++)
        chosen += menu->exits >> row & 1;
    for (uint32_t row = 0; row < CHOICE_COUNT; row++) {
        bool here = menu->row == row;
        grid_put(grid, ROW_CHOICES + row, 2, here ? LOOK_TITLE : LOOK_PLAIN, " %c %-8s %-32s ",
                 here ? '>' : ' ', choices[row].name, choices[row].words);
    }
    grid_put(grid, ROW_CHOICES + CHOICE_COUNT + 1, 2, LOOK_PLAIN, "%u of %u kinds of exit", chosen,
             exit_count);
}

static void draw_exits(struct grid *grid, const struct menu *menu)
{
    for (uint32_t row = 0; row < exit_count; row++) {
        bool here = menu->row == row;
        grid_put(grid, ROW_EXITS + row % EXIT_ROWS, 2 + row / EXIT_ROWS * EXIT_COLUMNS,
                 here ? LOOK_TITLE : LOOK_PLAIN, " [%c] %-12s ", menu->exits >> row & 1 ? 'x' : ' ',
                 exits[row].name);
    }
}

void menu_draw(struct grid *grid, const struct menu *menu, uint64_t now)
{
    const struct hypervisor *hypervisor = &menu->machine->hypervisor;
    uint64_t end = menu->start_at < menu->last_at ? menu->start_at : menu->last_at;
    grid_clear(grid);
    grid_put(grid, 0, 0, LOOK_TITLE, " zmmtest %s (%s)", ZMMTEST_VERSION, ZMMTEST_COMMIT);
    grid_fill(grid, 0, LOOK_TITLE);
    grid_put(grid, 1, 0, LOOK_PLAIN, "Processor %s", menu->machine->cpu.brand);
    grid_put(grid, 2, 0, LOOK_PLAIN, "Beneath   %s; %u vCPUs",
             menu->machine->hidden[0]              ? menu->machine->hidden
             : hypervisor->kind == HYPERVISOR_NONE ? "no hypervisor seen: a control run"
                                                   : hypervisor->name,
             menu->machine->vcpus);
    if (menu->among_exits)
        draw_exits(grid, menu);
    else
        draw_choices(grid, menu);
    grid_put(grid, ROW_QUESTION, 0, LOOK_PLAIN,
             "Does what runs beneath this machine keep its registers?");
    grid_put(grid, grid->rows - 3, 2, LOOK_STRONG, "Default starts by itself in %lu s",
             end > now ? (end - now + 999) / 1000 : 0);
    grid_put(grid, grid->rows - 1, 0, LOOK_PLAIN, "%s",
             menu->among_exits ? "up, down: move   blank: choose   A: all or none   Enter: back"
                               : "up, down: move   Enter: start");
}

void menu_choice(const struct menu *menu, struct text *text)
{
    bool all = menu->exits == all_exits();
    text_add(text, "time=%lu exits=%s", choices[menu->row].seconds, all ? "all" : "");
    for (uint32_t row = 0, before = 0; !all && row < exit_count; row++)
        if (menu->exits >> row & 1)
            text_add(text, "%s%s", before++ ? "," : "", exits[row].name);
}
