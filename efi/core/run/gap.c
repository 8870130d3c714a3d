/* Compares the TSC with its own last value, and with the firmware's clock. */
#include "gap.h"
#include "../../platform/clock.h"
#include "../machine/clock.h"

/* The firmware's clock counts seconds, so two readings are off by less than one each. */
#define WALL_SLACK_MILLISECONDS 2000u
#define WALL_EVERY_MILLISECONDS 1000u

static void read_wall(struct gap *gap, uint64_t now)
{
    gap->compared_at = now;
    gap->wall_known = clock_wall(&gap->wall);
}

uint64_t gap_start(struct gap *gap)
{
    (void)clock_jumps();
    read_wall(gap, clock_milliseconds());
    gap->looked_at = clock_milliseconds();
    return gap->looked_at;
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

void gap_pass_over(struct gap *gap, uint64_t since)
{
    uint64_t now = clock_milliseconds(), passed = now > since ? now - since : 0;
    gap->looked_at = now - gap->looked_at > passed ? gap->looked_at + passed : now;
}

struct gap_seen gap_look(struct gap *gap, uint64_t longest)
{
    struct clock_jumps jumps = clock_jumps();
    uint64_t now = clock_milliseconds(), passed = now - gap->looked_at;
    struct gap_seen seen = {.missed = jumps.ahead, .back = jumps.back};
    if (passed > longest)
        seen.apart = passed;
    if (seen.apart || now - gap->compared_at >= WALL_EVERY_MILLISECONDS) {
        uint64_t by_wall = wall_gap(gap, now);
        seen.missed = by_wall > seen.missed ? by_wall : seen.missed;
    }
    gap->looked_at = clock_milliseconds();
    return seen;
}

/* Half of it is enough: two vCPUs are not stopped and started at the same moment. */
bool gap_shared(uint64_t gap_milliseconds, uint64_t away_milliseconds)
{
    return away_milliseconds >= gap_milliseconds / 2;
}

uint64_t gap_next_tick(uint64_t elapsed, uint64_t apart)
{
    return elapsed - elapsed % apart + apart;
}
