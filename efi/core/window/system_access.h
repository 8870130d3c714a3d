/*
 * Reads and writes system registers. Alone in a file so that unit tests can put other registers in
 * their place.
 */
#ifndef ZMMTEST_CORE_WINDOW_SYSTEM_ACCESS_H
#define ZMMTEST_CORE_WINDOW_SYSTEM_ACCESS_H

#include "system_table.h"

/*
 * What a register holds. Of a descriptor table the base, and then its limit. Of a segment the
 * selector, and then what its descriptor says: the limit in bits 63:32, below it the rights as LAR
 * has them; 0: there is none.
 */
struct system_value {
    uint64_t quadword[2];
};

/* Of all. */
struct system_values {
    uint64_t first[SYSTEM_COUNT], second[SYSTEM_WIDE];
};

static inline struct system_value system_value_of(const struct system_values *values,
                                                  enum system_register number)
{
    const uint64_t second = number < SYSTEM_WIDE ? values->second[number] : 0;
    return (struct system_value){{values->first[number], second}};
}

static inline void system_value_put(struct system_values *values, enum system_register number,
                                    struct system_value value)
{
    values->first[number] = value.quadword[0];
    if (number < SYSTEM_WIDE)
        values->second[number] = value.quadword[1];
}

/*
 * Reads those of a set, SYSTEM_BIT each; true if each is what is wanted. May raise an exception, as
 * may the next two.
 */
bool system_read_all(uint64_t set, struct system_values *got, const struct system_values *want);

struct system_value system_read(enum system_register number);
void system_write(enum system_register number, struct system_value value);

#endif
