/*
 * ACPI's tables in memory: found by way of the RSDP, and what they say of the machine. Whatever
 * they say, nothing is read behind their ends.
 */
#include "../../efi/core/machine/acpi.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define ROOM 4u

/* Tables end where what can be read ends: a byte behind one is a crash. */
static uint8_t *end;

static int make_memory(void **state)
{
    (void)state;
    uint8_t *memory = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory + 8192, 4096, PROT_NONE) != 0)
        return -1;
    end = memory + 8192;
    return 0;
}

static uint32_t ids[ROOM];

/* How many processors a MADT of these entries has; their ids go to ids[]. */
static uint32_t processors_of(const uint8_t *entries, uint32_t bytes)
{
    const uint32_t head = sizeof(struct acpi_header) + 8;
    uint8_t *table = end - head - bytes;
    struct acpi_header header = {.signature = {'A', 'P', 'I', 'C'}, .length = head + bytes};
    memset(table, 0, head);
    memcpy(table, &header, sizeof(header));
    if (bytes)
        memcpy(table + head, entries, bytes);
    memset(ids, 0, sizeof(ids));
    return acpi_processors((const struct acpi_header *)table, ids, ROOM);
}

#define LOCAL(id, flags)  0, 8, 0, id, flags, 0, 0, 0
#define X2APIC(id, flags) 9, 16, 0, 0, id, 1, 0, 0, flags, 0, 0, 0, 0, 0, 0, 0
#define IO_APIC           1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0

static void enabled_processors_of_both_kinds_count(void **state)
{
    (void)state;
    static const uint8_t entries[] = {LOCAL(0, 1), IO_APIC, LOCAL(7, 1), X2APIC(2, 1)};
    assert_int_equal(processors_of(entries, sizeof(entries)), 3);
    assert_int_equal(ids[0], 0);
    assert_int_equal(ids[1], 7);
    assert_int_equal(ids[2], 0x102);
}

static void disabled_and_online_capable_ones_do_not(void **state)
{
    (void)state;
    static const uint8_t entries[] = {LOCAL(0, 1), LOCAL(1, 0), LOCAL(2, 2), X2APIC(3, 0),
                                      X2APIC(4, 2)};
    assert_int_equal(processors_of(entries, sizeof(entries)), 1);
}

static void nobody_has_the_id_of_all(void **state)
{
    (void)state;
    static const uint8_t entries[] = {
        LOCAL(0xff, 1), 9, 16, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0};
    assert_int_equal(processors_of(entries, sizeof(entries)), 0);
}

static void one_that_stands_there_twice_is_one(void **state)
{
    (void)state;
    static const uint8_t entries[] = {LOCAL(1, 1), LOCAL(2, 1), LOCAL(1, 1), LOCAL(2, 1)};
    assert_int_equal(processors_of(entries, sizeof(entries)), 2);
}

static void more_than_there_is_room_for_are_counted(void **state)
{
    (void)state;
    static const uint8_t entries[] = {LOCAL(1, 1), LOCAL(2, 1), LOCAL(3, 1),
                                      LOCAL(4, 1), LOCAL(5, 1), LOCAL(6, 1)};
    assert_int_equal(processors_of(entries, sizeof(entries)), 6);
    assert_int_equal(ids[3], 4);
}

static void a_length_that_is_none_ends_the_table(void **state)
{
    (void)state;
    static const uint8_t zero[] = {LOCAL(0, 1), 0, 0, 0, 1, 1, 0, 0, 0};
    static const uint8_t one[] = {LOCAL(0, 1), 1, 1, LOCAL(1, 1)};
    static const uint8_t beyond[] = {LOCAL(0, 1), 0, 9, 0, 1, 1, 0, 0, 0};
    static const uint8_t cut[] = {LOCAL(0, 1), 0};
    static const uint8_t too_short[] = {LOCAL(0, 1), 0, 4, 0, 1, 9, 4, 0, 0};
    assert_int_equal(processors_of(zero, sizeof(zero)), 1);
    assert_int_equal(processors_of(one, sizeof(one)), 1);
    assert_int_equal(processors_of(beyond, sizeof(beyond)), 1);
    assert_int_equal(processors_of(cut, sizeof(cut)), 1);
    assert_int_equal(processors_of(too_short, sizeof(too_short)), 1);
}

static void a_table_without_entries_has_none(void **state)
{
    (void)state;
    struct acpi_header header = {.length = sizeof(header)};
    assert_int_equal(processors_of(NULL, 0), 0);
    memcpy(end - sizeof(header), &header, sizeof(header));
    assert_int_equal(acpi_processors((const struct acpi_header *)(end - sizeof(header)), ids, ROOM),
                     0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(enabled_processors_of_both_kinds_count),
        cmocka_unit_test(disabled_and_online_capable_ones_do_not),
        cmocka_unit_test(nobody_has_the_id_of_all),
        cmocka_unit_test(one_that_stands_there_twice_is_one),
        cmocka_unit_test(more_than_there_is_room_for_are_counted),
        cmocka_unit_test(a_length_that_is_none_ends_the_table),
        cmocka_unit_test(a_table_without_entries_has_none),
    };
    return cmocka_run_group_tests(tests, make_memory, NULL);
}
