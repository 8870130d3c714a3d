/* Chooses by the time for which registers were live in this pass. */
#include "turns.h"
#include "counter.h"
#include "work.h"

/* Registers are to be live for 24 parts of 25: the rest is for the other turns, and
 * for what slices need beside their rounds. */
#define LIVE_PARTS 24u
#define ALL_PARTS  25u

/* So long may a pass be, but for its turns themselves and one slice: where these take less than two
 * seconds, each exit has its turn at least once in ten. A slice of a hold is 16 times hold= and
 * more, so that with a long one they take more. */
#define PASS_SECONDS 8u

/* In its turn of the pass a row waits for a request to be in flight; but where there are turns
 * beyond it, they are not to come late. A first round is worth more where there are none: where the
 * boot vCPU waits for the firmware, it may have a slow slice before it begins the next. In turns
 * beyond the pass no time is waited away that another row could have: a slice of the boot vCPU to
 * fill takes so long. */
#define WAIT_MILLISECONDS        200u
#define WAIT_FIRST_MILLISECONDS  2000u
#define WAIT_BEYOND_MILLISECONDS 4u

/* A row with nothing in flight gets no more turns beyond the pass after so many, before its next of
 * the pass: an idle disk is to cost others nothing. Where the boot vCPU waits for the firmware,
 * requests are in flight for a part of the time alone, and one turn that misses them says little.
 */
#define MISSED_MOST 4u

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

static uint64_t rounds_of(const struct rounds *rounds, uint32_t entry)
{
    return counter_read(&rounds->tally[entry].rounds);
}

/* After a slice: whether it had any round. */
static void note_missed(struct turns *turns, const struct rounds *rounds)
{
    bool missed = rounds_of(rounds, turns->entry) == turns->rounds_before;
    if (turns->turn == TURN_OF_PASS || !missed)
        turns->missed[turns->entry] = 0;
    else
        turns->missed[turns->entry]++;
}

/* The next such entry after one, round and round. False: there is none. */
static bool next_entry(const struct rounds *rounds, uint32_t *entry,
                       bool (*may)(const struct rounds *rounds, uint32_t entry))
{
    for (uint32_t n = 1; n <= rounds->plan->count; n++) {
        uint32_t candidate = (*entry + n) % rounds->plan->count;
        if (rounds->turns.missed[candidate] >= MISSED_MOST || !may(rounds, candidate))
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

/* So long may turns beyond the pass take behind each one of it. */
static uint64_t share_of_turn(const struct rounds *rounds)
{
    return rounds->machine->tsc_hz * PASS_SECONDS / rounds->plan->count;
}

/* What they took more than that before a turn of the pass that began at `start`. The last of them
 * ends when it ends: what is too much is taken from the next. A vCPU that stood still owes a pass
 * at the most; at the start, too, and the first pass pays it. */
static uint64_t taken_too_much(const struct turns *turns, const struct rounds *rounds,
                               uint64_t start)
{
    uint64_t allowed = turns->turn_at + share_of_turn(rounds);
    uint64_t more = start > allowed ? start - allowed : 0;
    uint64_t most = rounds->machine->tsc_hz * PASS_SECONDS;
    return more < most ? more : most;
}

/*
 * False: it is the next one's turn in the pass. The first pass has no other turns, so that each
 * exit is touched as early as it can be.
 */
static bool choose_beyond(struct turns *turns, struct rounds *rounds, uint64_t now)
{
    const struct plan *plan = rounds->plan;
    if (!plan->weighed || !counter_read(&rounds->passes) || now < turns->turn_at ||
        now - turns->turn_at >= share_of_turn(rounds))
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

static void choose(struct turns *turns, struct rounds *rounds, uint64_t now)
{
    if (choose_beyond(turns, rounds, now))
        return;
    if (turns->in_pass == 0) /* and not before: what comes behind the last turn is of its pass */
        begin_pass(turns, rounds);
    turns->turn = TURN_OF_PASS;
    turns->entry = turns->in_pass;
}

void turns_next(struct turns *turns, struct rounds *rounds, uint64_t start, uint64_t end)
{
    account(turns, end > start ? end - start : 0);
    note_missed(turns, rounds);
    if (turns->turn == TURN_OF_PASS) {
        turns->turn_at = end - taken_too_much(turns, rounds, start);
        if (++turns->in_pass == rounds->plan->count) {
            turns->in_pass = 0;
            counter_add(&rounds->passes, 1);
        }
    }
    choose(turns, rounds, end);
    turns->rounds_before = rounds_of(rounds, turns->entry);
}

uint32_t turns_wait_milliseconds(const struct rounds *rounds)
{
    if (rounds->turns.turn != TURN_OF_PASS)
        return WAIT_BEYOND_MILLISECONDS;
    bool first = !rounds->plan->weighed && !rounds_of(rounds, rounds->turns.entry);
    return first ? WAIT_FIRST_MILLISECONDS : WAIT_MILLISECONDS;
}
