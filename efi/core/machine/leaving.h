/*
 * Whether an event leaves the guest, told by what it takes: an exit, with the way back, takes many
 * times what the instruction takes by itself. The measure is CPUID, which exits always under VMX
 * (SDM vol. 3, 26.1.2) and under SVM wherever it is intercepted, as everybody does.
 */
#ifndef ZMMTEST_CORE_MACHINE_LEAVING_H
#define ZMMTEST_CORE_MACHINE_LEAVING_H

#include <stdbool.h>
#include <stdint.h>

struct machine;

enum leaves {
    LEAVES_UNKNOWN, /* cycles do not tell */
    LEAVES_NO,
    LEAVES_SOME,
    LEAVES_YES,
};

/* What string I/O goes to, so that it exits. */
enum string_port { STRING_PORT_DIAGNOSTIC, STRING_PORT_RTC, STRING_PORT_PCI };

struct leaving {
    uint64_t cycles;   /* of an exit by CPUID, the least of several; 0: there is no telling */
    bool port80_stays; /* port 80h is passed through to the machine */
    enum string_port string_port;
};

/* Measures on the spot. What runs beneath the machine is known. */
void leaving_measure(struct machine *machine);

/* Of a machine of which there is something to tell. */
void leaving_choose_port(struct leaving *leaving, bool diagnostic, bool rtc, bool pci);

/* Whether a round that took so long, without what a bare one takes, left the guest. */
bool leaving_left(const struct leaving *leaving, uint64_t cycles);

/* Of so many rounds that were timed, so many left. */
enum leaves leaving_judge(uint64_t timed, uint64_t left);

/* How many of all rounds stayed in the guest, by those that were timed. */
uint64_t leaving_stayed(enum leaves leaves, uint64_t rounds, uint64_t timed, uint64_t left);

/* "yes", "no", "some"; NULL: it is not known. */
const char *leaves_word(enum leaves leaves);

#endif
