/* Reckons in whole numbers: C here has no floating-point registers to use. */
#include "rate.h"

#define UNIT UINT64_C(1000000) /* fractions are in millionths */
#define Z_95 UINT64_C(1959964)

#define HOUR_MILLISECONDS UINT64_C(3600000)
#define THOUSANDTHS       UINT64_C(1000)

static uint64_t square_root(uint64_t value)
{
    uint64_t root = 0;
    for (uint64_t bit = UINT64_C(1) << 31; bit; bit >>= 1)
        if ((root | bit) * (root | bit) <= value)
            root |= bit;
    return root;
}

/* By a product of 128 bits. */
uint64_t rate_scale(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t low, high;
    __asm__("mulq %3" : "=a"(low), "=d"(high) : "0"(a), "rm"(b) : "cc");
    if (high >= c)
        return UINT64_MAX;
    __asm__("divq %2" : "+a"(low), "+d"(high) : "rm"(c) : "cc");
    return low;
}

/* 1.96 / (3 * sqrt(count)); the root in millionths as far as there is room for it. */
static uint64_t spread(uint64_t count)
{
    const uint64_t room = UINT64_MAX / (UNIT * UNIT);
    uint64_t root = count < room ? square_root(count * UNIT * UNIT) : square_root(count) * UNIT;
    return UNIT * Z_95 / 3 / root;
}

static uint64_t cube(uint64_t value)
{
    return rate_scale(rate_scale(value, value, UNIT), value, UNIT);
}

/* Of few events the approximation is too low: the exact limits, in millionths. */
static uint64_t low_limit(uint64_t count)
{
    static const uint64_t exact[] = {0, 25318, 242209, 618672, 1089865};
    if (count < sizeof(exact) / sizeof(exact[0]))
        return exact[count] / count;
    return cube(UNIT - UNIT / (9 * count) - spread(count));
}

static uint64_t per_hour(uint64_t count, uint64_t milliseconds)
{
    return rate_scale(HOUR_MILLISECONDS * THOUSANDTHS, count, milliseconds ? milliseconds : 1);
}

struct rate rate_of(uint64_t count, uint64_t milliseconds)
{
    const uint64_t next = count + 1;
    return (struct rate){
        .measured = per_hour(count, milliseconds),
        .low = rate_scale(per_hour(count, milliseconds), low_limit(count), UNIT),
        .high = rate_scale(per_hour(next, milliseconds),
                           cube(UNIT - UNIT / (9 * next) + spread(next)), UNIT),
    };
}

void rate_put(struct text *text, uint64_t thousandths)
{
    if (thousandths < 1000)
        text_add(text, "0.%03lu", thousandths);
    else if (thousandths < 10000)
        text_add(text, "%lu.%02lu", thousandths / 1000, thousandths % 1000 / 10);
    else if (thousandths < 100000)
        text_add(text, "%lu.%lu", thousandths / 1000, thousandths % 1000 / 100);
    else
        text_add(text, "%lu", thousandths / 1000);
}

uint64_t rate_seconds_to_next(uint64_t count, uint64_t milliseconds)
{
    uint64_t seconds = rate_scale(milliseconds, 3, count * 1000);
    return seconds ? seconds : 1;
}
