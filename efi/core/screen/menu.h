/*
 * The start menu: what to run, for who sits before a display and gave no options. Knows no UEFI;
 * the caller has the clock and the keys.
 */
#ifndef ZMMTEST_CORE_SCREEN_MENU_H
#define ZMMTEST_CORE_SCREEN_MENU_H

#include "../machine/machine.h"
#include "../text.h"
#include "grid.h"

struct menu {
    const struct machine *machine;
    uint32_t row;      /* of the choices, or of the exits */
    bool among_exits;  /* the list of exits is shown */
    uint64_t exits;    /* chosen: bit n is row n of the exit table */
    uint64_t start_at; /* milliseconds: when it starts by itself */
    uint64_t last_at;  /* when it does in any case */
};

/* Opens it at `now`, in milliseconds: it starts the default by itself soon. */
void menu_open(struct menu *menu, const struct machine *machine, uint64_t now);

/* What a key does; KEY_NONE lets time pass. True: the run starts, with the choice. */
bool menu_key(struct menu *menu, char key, uint64_t now);

void menu_draw(struct grid *grid, const struct menu *menu, uint64_t now);

/*
 * "time=60 exits=all": the choice in the words of the options, which set it and by which anybody
 * can repeat it. At most so long, with a list of all exits but one.
 */
#define MENU_CHOICE_MAX 512u
void menu_choice(const struct menu *menu, struct text *text);

#endif
