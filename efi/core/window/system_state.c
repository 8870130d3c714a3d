/* Gives system registers patterns, compares them, and puts back what they were. */
#include "system_state.h"
#include "../machine/cpu.h"
#include "counter.h"
#include "guard.h"
#include "system_pattern.h"

#define VECTOR_DEBUG   1u
#define BREAKPOINTS_ON UINT64_C(0xff) /* of DR7 */

/* A read or write that may raise an exception. */
struct access {
    enum system_register number;
    struct system_value value;
};

static void try_read(void *argument)
{
    struct access *read = argument;
    read->value = system_read(read->number);
}

static void try_write(void *argument)
{
    const struct access *write = argument;
    system_write(write->number, write->value);
}

static bool differs(const struct system_values *one, const struct system_values *other,
                    enum system_register number)
{
    return one->first[number] != other->first[number] ||
           (number < SYSTEM_WIDE && one->second[number] != other->second[number]);
}

static bool cpuid_has(const struct cpuid_bits *bits)
{
    if (cpuid(bits->leaf & 0x80000000, 0).eax < bits->leaf)
        return false;
    struct cpuid leaf = cpuid(bits->leaf, bits->subleaf);
    const uint32_t registers[] = {leaf.eax, leaf.ebx, leaf.ecx, leaf.edx};
    return registers[bits->reg] & bits->mask;
}

static bool is_there(const struct system_row *row)
{
    const struct cpuid_bits *there = row->there;
    return !there[0].leaf || cpuid_has(&there[0]) || (there[1].leaf && cpuid_has(&there[1]));
}

/* Writes a pattern, and takes the bits away that do not read back: some have fewer than the table
 * says. False: the register does not take it. */
static bool takes(struct access *access, uint64_t kept, uint64_t pattern, uint64_t *free)
{
    const uint64_t wrote = pattern | (kept & ~*free);
    access->value.quadword[0] = wrote;
    if (!traps_run(try_write, access, NULL) || !traps_run(try_read, access, NULL))
        return false;
    *free &= ~(access->value.quadword[0] ^ wrote);
    return true;
}

/*
 * The bits that hold a pattern; 0: none does. Of an address that lost some the upper half stays as
 * it is, so that it is still canonical (SYSENTER_ESP and SYSENTER_EIP of AMD have 32 bits). What
 * was found out must hold.
 */
static uint64_t find_free(const struct rounds *rounds, enum system_register number, uint64_t kept)
{
    const struct pattern_key *key = &rounds->key;
    const struct system_row *row = &system_rows[number];
    const bool narrower = rounds->machine->cpu.amd && row->amd_pattern_bits;
    const uint64_t wanted = narrower ? row->amd_pattern_bits : row->pattern_bits;
    struct access access = {.number = number};
    uint64_t free = wanted;
    if (!wanted)
        return 0;
    for (uint32_t generation = 1; generation <= 4 && free; generation++) {
        const uint64_t before = free;
        if (!takes(&access, kept, system_pattern(key, number, generation, free), &free))
            free = 0;
        if (free != before && wanted == SYSTEM_CANONICAL)
            free = (free & UINT32_MAX) == UINT32_MAX ? UINT32_MAX : 0;
    }
    access.value = (struct system_value){{kept, 0}};
    (void)traps_run(try_write, &access, NULL);
    return free;
}

const char system_absent[] = "not on this processor";

/* A breakpoint of the firmware's that is on must not come to lie anywhere else. */
static bool is_in_use(const struct system_state *state, enum system_register number)
{
    return number >= SYSTEM_DR0 && number <= SYSTEM_DR3 &&
           state->want.first[SYSTEM_DR7] & BREAKPOINTS_ON;
}

static const char *why_not(struct rounds *rounds, enum system_register number)
{
    struct system_state *state = &rounds->system;
    struct access read = {.number = number};
    if (!is_there(&system_rows[number]))
        return system_absent;
    if (!traps_run(try_read, &read, NULL))
        return "reading it raises an exception here";
    system_value_put(&state->want, number, read.value);
    state->kept[number] = read.value.quadword[0];
    if (!is_in_use(state, number))
        state->free[number] = find_free(rounds, number, state->kept[number]);
    return NULL;
}

void system_prepare(struct rounds *rounds)
{
    struct system_state *state = &rounds->system;
    if (rounds->machine->system[0] || rounds->machine->confidential)
        return;
    for (enum system_register number = SYSTEM_XCR0 + 1; number < SYSTEM_COUNT; number++) {
        state->reason[number] = why_not(rounds, number);
        const uint64_t bit = SYSTEM_BIT(number);
        state->present |= state->reason[number] ? 0 : bit;
        state->patterned |= state->free[number] ? bit : 0;
        state->quiet |= system_rows[number].needs_quiet ? bit : 0;
    }
}

static void put(struct system_state *state, enum system_register number, uint64_t value)
{
    state->want.first[number] = value;
    system_write(number, system_value_of(&state->want, number));
}

static bool has_pattern(const struct system_state *state, enum system_register number,
                        const struct exit *exit)
{
    return !(exit->system_changed & SYSTEM_BIT(number)) &&
           !(exit->interrupts && system_rows[number].needs_quiet) && !is_in_use(state, number);
}

/* What registers are before they hold a pattern, whoever changed them meanwhile. */
static void look_anew(struct system_state *state)
{
    const struct system_values *now = &state->got;
    if (system_read_all(state->present, &state->got, &state->want))
        return;
    for (enum system_register number = 0; number < SYSTEM_COUNT; number++) {
        if (state->patterned >> number & 1)
            state->kept[number] = now->first[number];
        else if (differs(now, &state->want, number))
            state->changed_outside |= SYSTEM_BIT(number);
        system_value_put(&state->want, number, system_value_of(now, number));
    }
}

void system_begin(struct rounds *rounds, const struct exit *exit)
{
    struct system_state *state = &rounds->system;
    state->seen = false;
    if (!state->present)
        return;
    if (!state->begun)
        look_anew(state);
    state->begun = state->in_slice = true;
    state->left_out = exit->system_changed;
    state->generation++;
    for (uint64_t left = state->patterned; left; left &= left - 1) {
        const enum system_register number = (enum system_register)__builtin_ctzll(left);
        const uint64_t free = state->free[number];
        uint64_t value = state->kept[number];
        if (has_pattern(state, number, exit))
            value = (value & ~free) | system_pattern(&rounds->key, number, state->generation, free);
        if (value != state->want.first[number])
            put(state, number, value);
    }
}

static void write_again(struct system_state *state, enum system_register number)
{
    if (state->in_slice && state->present >> number & 1)
        system_write(number, system_value_of(&state->want, number));
}

void system_exception(struct rounds *rounds, uint64_t vector)
{
    if (vector == VECTOR_PAGE_FAULT)
        write_again(&rounds->system, SYSTEM_CR2);
    if (vector == VECTOR_DEBUG)
        write_again(&rounds->system, SYSTEM_DR6);
}

/* IDTR without a guard, as guards need it. */
static void mend(struct system_state *state, enum system_register number, struct system_value got)
{
    struct access access = {number, system_value_of(&state->want, number)};
    if (number == SYSTEM_IDTR)
        system_write(number, access.value);
    else if (!system_rows[number].is_left)
        (void)traps_run(try_write, &access, NULL);
    system_value_put(&state->want, number, traps_run(try_read, &access, NULL) ? access.value : got);
}

static void note(struct areas *areas, enum system_register number, struct system_value want,
                 struct system_value got)
{
    const unsigned int lane = want.quadword[0] == got.quadword[0];
    const struct area_difference difference = {.component = AREA_SYSTEM + number,
                                               .offset = 8 * lane,
                                               .want = want.quadword[lane],
                                               .got = got.quadword[lane]};
    areas_note(areas, &difference);
}

bool system_compare(struct rounds *rounds)
{
    struct system_state *state = &rounds->system;
    state->seen = true;
    if (!state->in_slice)
        return true;
    counter_add(&state->comparisons, 1);
    const uint64_t looked_at = state->present & ~state->left_out;
    if (system_read_all(looked_at, &state->got, &state->want))
        return true;
    for (enum system_register number = 0; number < SYSTEM_COUNT; number++) {
        if (!(looked_at >> number & 1) || !differs(&state->got, &state->want, number))
            continue;
        note(&rounds->areas, number, system_value_of(&state->want, number),
             system_value_of(&state->got, number));
        mend(state, number, system_value_of(&state->got, number));
    }
    return false;
}

/* Those of a set that hold a pattern. */
static void put_back(struct system_state *state, uint64_t set)
{
    for (uint64_t left = set & state->patterned; left; left &= left - 1) {
        const enum system_register number = (enum system_register)__builtin_ctzll(left);
        put(state, number, state->kept[number]);
    }
}

void system_end(struct rounds *rounds)
{
    struct system_state *state = &rounds->system;
    put_back(state, state->quiet | state->left_out);
    state->in_slice = false;
}

void system_put_back(struct rounds *rounds)
{
    struct system_state *state = &rounds->system;
    if (state->begun)
        put_back(state, UINT64_MAX);
    state->begun = state->in_slice = false;
}
