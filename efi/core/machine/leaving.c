/* The judgement; leaving_measure.c has the clock. */
#include "leaving.h"
#include <stddef.h>

/*
 * An exit of the cheapest kind takes about as long as CPUID's: the way out and back is most of it.
 * What stays in the guest takes a small part of that, but for what is slow by itself (exit.h).
 */
bool leaving_left(const struct leaving *leaving, uint64_t cycles)
{
    return leaving->cycles && 2 * cycles >= leaving->cycles;
}

/*
 * A host's own interrupt makes a round of any kind leave the guest now and then, and so does the
 * first touch of a page; and a clock may be read late or early.
 */
#define FEW 16u

enum leaves leaving_judge(uint64_t timed, uint64_t left)
{
    if (!timed)
        return LEAVES_UNKNOWN;
    if (left * FEW <= timed)
        return LEAVES_NO;
    return (timed - left) * FEW <= timed ? LEAVES_YES : LEAVES_SOME;
}

uint64_t leaving_stayed(enum leaves leaves, uint64_t rounds, uint64_t timed, uint64_t left)
{
    if (leaves == LEAVES_NO)
        return rounds;
    if (leaves != LEAVES_SOME)
        return 0;
    /* Rounded up: a bound is not to promise too much. */
    return rounds - rounds / timed * left - rounds % timed * left / timed;
}

const char *leaves_word(enum leaves leaves)
{
    static const char *const words[] = {
        [LEAVES_NO] = "no", [LEAVES_SOME] = "some", [LEAVES_YES] = "yes"};
    return words[leaves];
}

void leaving_choose_port(struct leaving *leaving, bool diagnostic, bool rtc, bool pci)
{
    leaving->port80_stays = !diagnostic;
    leaving->string_port = STRING_PORT_DIAGNOSTIC;
    if (!diagnostic && rtc)
        leaving->string_port = STRING_PORT_RTC;
    else if (!diagnostic && pci)
        leaving->string_port = STRING_PORT_PCI;
}
