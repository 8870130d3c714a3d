/*
 * Draws the register file: a column for each vector register, a row for each dword, the highest on
 * top, so that what one state component holds is one rectangle.
 */
#include "view.h"

/* What was hit, of one vCPU or of all. */
struct map {
    bool tested;       /* one of them has rounds, */
    enum form form;    /* the widest of these, */
    uint32_t compared; /* and their general registers that were compared */
    uint32_t real[VECTOR_COUNT], planted[VECTOR_COUNT];
    uint32_t real_other, planted_other;
};

static void add_hits(uint32_t vector[VECTOR_COUNT], uint32_t *other, const struct hits *hits)
{
    for (unsigned int n = 0; hits && n < VECTOR_COUNT; n++)
        vector[n] |= atomic_load_explicit(&hits->vector[n], memory_order_relaxed);
    if (hits)
        *other |= atomic_load_explicit(&hits->other, memory_order_relaxed);
}

static void note_tested(struct map *map, const struct hits *hits)
{
    if (!hits)
        return;
    enum form form = atomic_load_explicit(&hits->form, memory_order_relaxed);
    map->tested = true;
    map->form = form > map->form ? form : map->form;
    map->compared |= atomic_load_explicit(&hits->compared, memory_order_relaxed);
}

static void gather(struct map *map, const struct view *view, const struct progress *progress)
{
    for (uint32_t cpu = 0; cpu < progress->cpus; cpu++) {
        if (view->one_cpu && cpu != view->cpu)
            continue;
        const struct hits *real = progress->hits(progress->hits_context, cpu, false);
        note_tested(map, real);
        add_hits(map->real, &map->real_other, real);
        add_hits(map->planted, &map->planted_other,
                 progress->hits(progress->hits_context, cpu, true));
    }
}

static bool is_tested(const struct map *map, unsigned int reg, unsigned int dword)
{
    return map->tested && reg < form_vectors(map->form) && dword < 2 * form_lanes(map->form);
}

/*
 * The sign of a dword: '.' intact, '-' not tested, '0' came back zero, 'X' changed otherwise; small
 * if INJECTED.
 */
static struct cell sign_of(const struct map *map, unsigned int reg, unsigned int dword)
{
    if (map->real[reg] >> dword & 1)
        return (struct cell){map->real[reg] >> (VECTOR_DWORDS + dword) & 1 ? '0' : 'X', LOOK_BAD};
    if (map->planted[reg] >> dword & 1)
        return (struct cell){map->planted[reg] >> (VECTOR_DWORDS + dword) & 1 ? 'o' : 'x',
                             LOOK_PLANTED};
    return is_tested(map, reg, dword) ? (struct cell){'.', LOOK_GOOD}
                                      : (struct cell){'-', LOOK_PLAIN};
}

static void put_others(struct grid *grid, uint32_t row, uint32_t column, const struct map *map,
                       bool tested, unsigned int first, unsigned int count)
{
    for (unsigned int n = 0; n < count; n++) {
        bool general = first + n >= HIT_GENERAL && first + n < HIT_GENERAL + GENERAL_COUNT;
        bool compared = tested && (!general || map->compared >> (first + n - HIT_GENERAL) & 1);
        struct cell intact =
            compared ? (struct cell){'.', LOOK_GOOD} : (struct cell){'-', LOOK_PLAIN};
        if (first + n == HIT_GENERAL + RSP) /* the window's own, never tested: no fault */
            intact = (struct cell){' ', LOOK_PLAIN};
        bool real = map->real_other >> (first + n) & 1;
        bool planted = map->planted_other >> (first + n) & 1;
        enum attribute look = real ? LOOK_BAD : planted ? LOOK_PLANTED : intact.attribute;
        grid_put(grid, row, column + n, look, "%c", real ? 'X' : planted ? 'x' : intact.c);
    }
}

void view_map(struct grid *grid, uint32_t row, uint32_t column, const struct view *view,
              const struct progress *progress)
{
    struct map map = {0};
    gather(&map, view, progress);
    if (view->one_cpu) {
        grid_put(grid, row, column, LOOK_STRONG, "vCPU %u of %u (left, right)", view->cpu,
                 progress->cpus);
    } else {
        grid_put(grid, row, column - 1, LOOK_STRONG, "zmm 0       8       16      24");
    }
    for (unsigned int n = 0; n < VECTOR_DWORDS; n++) {
        unsigned int dword = VECTOR_DWORDS - 1 - n;
        grid_put(grid, row + 1 + n, column - 1, LOOK_PLAIN, "%3u", 32 * dword + 31);
        for (unsigned int reg = 0; reg < VECTOR_COUNT; reg++) {
            struct cell sign = sign_of(&map, reg, dword);
            grid_put(grid, row + 1 + n, column + 3 + reg, sign.attribute, "%c", sign.c);
        }
    }
    row += 1 + VECTOR_DWORDS;
    bool opmasks = map.tested && map.form == FORM_ZMM;
    grid_put(grid, row, column, LOOK_PLAIN, "k");
    put_others(grid, row, column + 1, &map, opmasks, HIT_OPMASK, OPMASK_COUNT);
    grid_put(grid, row, column + 10, LOOK_PLAIN, "r");
    put_others(grid, row, column + 11, &map, map.tested, HIT_GENERAL, GENERAL_COUNT);
    grid_put(grid, row, column + 28, LOOK_PLAIN, "fl");
    put_others(grid, row, column + 30, &map, map.tested, HIT_RFLAGS, 1);
    grid_put(grid, row, column + 32, LOOK_PLAIN, "mx");
    put_others(grid, row, column + 34, &map, map.tested, HIT_MXCSR, 1);
}
