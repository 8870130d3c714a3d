/* Compares the TSC with its own last value, and with the firmware's clock. */
#include "gap.h"
#include "../../platform/clock.h"

/* The firmware's clock counts seconds, so two readings are off by less than one each. */
#define WALL_SLACK_MILLISECONDS 2000u
#define WALL_EVERY_MILLISECONDS 1000u

static void read_wall(struct gap *gap, uint64_t now)
{
    gap->compared_at = now;
    gap->wall_known = clock_wall(&gap->wall);
}

void gap_start(struct gap *gap)
{
    gap->looked_at = clock_milliseconds();
    read_wall(gap, gap->looked_at);
}

/* By how much the firmware's clock went further than the TSC. Where it was set back: not at all. */
static uint64_t wall_gap(struct gap *gap, uint64_t now)
{
    uint64_t wall = gap->wall, passed = now - gap->compared_at;
    bool known = gap->wall_known;
    read_wall(gap, now);
    if (!known || !gap->wall_known || gap->wall < wall)
        return 0;
    uint64_t by_wall = (gap->wall - wall) * 1000;
    return by_wall > passed + WALL_SLACK_MILLISECONDS ? by_wall - passed : 0;
}

void gap_pass_over(struct gap *gap)
{
    gap->looked_at = clock_milliseconds();
}

uint64_t gap_look(struct gap *gap, uint64_t longest)
{
    uint64_t now = clock_milliseconds(), passed = now - gap->looked_at;
    uint64_t by_tsc = passed > longest ? passed : 0, by_wall = 0;
    if (by_tsc || now - gap->compared_at >= WALL_EVERY_MILLISECONDS)
        by_wall = wall_gap(gap, now);
    gap->looked_at = clock_milliseconds();
    return by_tsc > by_wall ? by_tsc : by_wall;
}
