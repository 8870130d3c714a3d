/* Chooses by the time for which registers were live in this pass. */
#include "turns.h"
#include "counter.h"
#include "work.h"

/* Registers are to be live for 24 parts of 25: the rest is for the other turns, and
 * for what slices need beside their rounds. */
#define LIVE_PARTS 24u
#define ALL_PARTS  25u

/* Each exit has its turn at least once in ten seconds: so long may a pass be, without the turns
 * themselves. */
#define PASS_SECONDS 8u

/* Which entries may have turns beyond their own. */
static bool fills(const struct rounds *rounds, uint32_t entry)
{
    return rounds->plan->entry[entry].exit->holds == HOLDS_AND_FILLS &&
           !work_is_over(rounds, entry);
}

static bool in_focus(const struct rounds *rounds, uint32_t entry)
{
    uint64_t focus = atomic_load_explicit(&rounds->focus, memory_order_relaxed);
    return focus >> entry & 1 && !work_is_over(rounds, entry);
}

/* The next such entry after one, round and round. False: there is none. */
static bool next_entry(const struct rounds *rounds, uint32_t *entry,
                       bool (*may)(const struct rounds *rounds, uint32_t entry))
{
    for (uint32_t n = 1; n <= rounds->plan->count; n++) {
        uint32_t candidate = (*entry + n) % rounds->plan->count;
        if (!may(rounds, candidate))
            continue;
        *entry = candidate;
        return true;
    }
    return false;
}

static void account(struct turns *turns, uint64_t took)
{
    turns->slices += took;
    if (turns->turn == TURN_TO_FILL)
        turns->filling += took;
    if (turns->turn == TURN_TO_FOCUS)
        turns->focusing += took;
}

static void begin_pass(struct turns *turns, const struct rounds *rounds)
{
    turns->pass_live = counter_read(&rounds->live_cycles);
    turns->slices = turns->filling = turns->focusing = 0;
}

static bool too_little_live(const struct turns *turns, const struct rounds *rounds)
{
    uint64_t live = counter_read(&rounds->live_cycles) - turns->pass_live;
    return live / LIVE_PARTS < turns->slices / ALL_PARTS;
}

/*
 * False: it is the next one's turn in the pass. The first pass has no other turns, so that each
 * exit has been touched within the first second.
 */
static bool choose_beyond(struct turns *turns, struct rounds *rounds, uint64_t now)
{
    const struct plan *plan = rounds->plan;
    uint64_t most = rounds->machine->tsc_hz * PASS_SECONDS / plan->count;
    if (!plan->weighed || !counter_read(&rounds->passes) || now < turns->turn_at ||
        now - turns->turn_at >= most)
        return false;
    if (turns->focusing <= turns->filling && next_entry(rounds, &turns->focused, in_focus)) {
        turns->turn = TURN_TO_FOCUS;
        turns->entry = turns->focused;
        return true;
    }
    if (!too_little_live(turns, rounds) || !next_entry(rounds, &turns->filled, fills))
        return false;
    turns->turn = TURN_TO_FILL;
    turns->entry = turns->filled;
    return true;
}

void turns_next(struct turns *turns, struct rounds *rounds, uint64_t start, uint64_t end)
{
    account(turns, end > start ? end - start : 0);
    if (turns->turn == TURN_OF_PASS) {
        turns->turn_at = end;
        if (++turns->in_pass == rounds->plan->count) {
            turns->in_pass = 0;
            counter_add(&rounds->passes, 1);
        }
    }
    if (choose_beyond(turns, rounds, end))
        return;
    if (turns->in_pass == 0) /* and not before: what comes behind the last turn is of its pass */
        begin_pass(turns, rounds);
    turns->turn = TURN_OF_PASS;
    turns->entry = turns->in_pass;
}
