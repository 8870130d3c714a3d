/*
 * The local APIC of the calling vCPU, as memory (xAPIC) or as MSRs (x2APIC): SDM vol. 3, chapter
 * 10. Only between traps_enter() and traps_leave().
 */
#ifndef ZMMTEST_PLATFORM_APIC_H
#define ZMMTEST_PLATFORM_APIC_H

#include <stdbool.h>
#include <stdint.h>

enum apic_mode { APIC_OFF, APIC_XAPIC, APIC_X2APIC };

struct apic {
    enum apic_mode mode;
    uint64_t address; /* physical, of the xAPIC's page */
};

/* Offsets of registers in the page; MSR 800H + offset / 16 (SDM vol. 3, 10.12.1.2). */
enum apic_register {
    APIC_ID = 0x20,
    APIC_END_OF_INTERRUPT = 0xb0,
    APIC_SPURIOUS = 0xf0,
    APIC_IN_SERVICE = 0x100, /* the first of eight, 16 bytes apart */
    APIC_REQUESTED = 0x200,  /* and of these */
    APIC_COMMAND = 0x300,
    APIC_COMMAND_HIGH = 0x310, /* xAPIC only: the destination */
    APIC_TIMER = 0x320,
    APIC_LINT0 = 0x350,
    APIC_TIMER_INITIAL = 0x380,
    APIC_TIMER_CURRENT = 0x390,
    APIC_TIMER_DIVIDE = 0x3e0,
};

#define APIC_SOFTWARE_ENABLED 0x100u /* of APIC_SPURIOUS */
#define APIC_COMMAND_PENDING  (1u << 12)
#define APIC_COMMAND_ASSERT   (1u << 14) /* fixed delivery, physical destination */
#define APIC_COMMAND_INIT     (5u << 8 | APIC_COMMAND_ASSERT)
#define APIC_COMMAND_STARTUP  (6u << 8 | APIC_COMMAND_ASSERT) /* and the page's number */
#define APIC_MASKED           (1u << 16) /* of APIC_TIMER, one-shot otherwise; of APIC_LINT0 */
#define APIC_DIVIDE_BY_1      0xbu

/* Where the local APIC is, and in which mode; APIC_OFF where it is disabled or its MSR hidden. */
void apic_find(struct apic *apic);

uint32_t apic_read(const struct apic *apic, enum apic_register offset);
void apic_write(const struct apic *apic, enum apic_register offset, uint32_t value);

/*
 * Sends a command to the vCPU of an APIC id (SDM vol. 3, 10.6.1), and waits until the local APIC
 * has taken it; bounded. Interrupts off.
 */
void apic_send(const struct apic *apic, uint32_t to, uint32_t command);

/* The number that other vCPUs send interrupts to. */
uint32_t apic_id(const struct apic *apic);

/* True while some interrupt is being served. */
bool apic_in_service(const struct apic *apic);

#endif
