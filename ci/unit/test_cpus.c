/* What is the same of many vCPUs is told once: in groups that are whole, in order, and short. */
#include "../../efi/core/cpus.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What cpus_fold() told, a group behind the other: "FIRST:LIST;" each. */
static char told[65536];

static uint32_t kind[CPU_MAX]; /* those of one kind are alike */

static bool same_kind(const void *context, uint32_t one, uint32_t other)
{
    assert_ptr_equal(context, told);
    return kind[one] == kind[other];
}

static void tell(void *context, uint32_t first, const char *list)
{
    size_t length = strlen(told);
    assert_ptr_equal(context, told);
    assert_true(strlen(list) < CPUS_LIST);
    (void)snprintf(told + length, sizeof(told) - length, "%u:%s;", first, list);
}

static int start_anew(void **state)
{
    (void)state;
    told[0] = '\0';
    memset(kind, 0, sizeof(kind));
    return 0;
}

static void add_range(struct cpus *cpus, uint32_t first, uint32_t last)
{
    for (uint32_t cpu = first; cpu <= last; cpu++)
        cpus_add(cpus, cpu);
}

static void nothing_is_told_of_none(void **state)
{
    (void)state;
    struct cpus cpus = {0};
    assert_false(cpus_any(&cpus));
    cpus_fold(&cpus, same_kind, tell, told);
    assert_string_equal(told, "");
}

static void all_that_are_alike_are_one_list(void **state)
{
    (void)state;
    struct cpus cpus = {0};
    add_range(&cpus, 1, 127);
    cpus_fold(&cpus, same_kind, tell, told);
    assert_string_equal(told, "1:1-127;");
}

static void one_that_differs_is_told_by_itself(void **state)
{
    (void)state;
    struct cpus cpus = {0};
    add_range(&cpus, 0, 1023);
    cpus_remove(&cpus, 1000);
    kind[63] = 1;
    cpus_fold(&cpus, same_kind, tell, told);
    assert_string_equal(told, "0:0-62,64-999,1001-1023;63:63;");
}

static void without_a_test_all_are_alike(void **state)
{
    (void)state;
    struct cpus cpus = {0};
    add_range(&cpus, 5, 7);
    kind[6] = 1;
    cpus_fold(&cpus, NULL, tell, told);
    assert_string_equal(told, "5:5-7;");
}

/* Each of a thousand ranges is told, in as many lists as that takes. */
static void a_long_list_is_told_in_pieces(void **state)
{
    (void)state;
    struct cpus cpus = {0}, seen = {0};
    for (uint32_t cpu = 0; cpu < CPU_MAX; cpu += 2)
        cpus_add(&cpus, cpu);
    cpus_fold(&cpus, same_kind, tell, told);
    unsigned int lists = 0;
    for (char *piece = strtok(told, ";"); piece; piece = strtok(NULL, ";")) {
        lists++;
        for (piece = strchr(piece, ':'); piece; piece = strchr(piece + 1, ',')) {
            uint32_t cpu = (uint32_t)strtoul(piece + 1, NULL, 10);
            assert_false(cpus_has(&seen, cpu));
            cpus_add(&seen, cpu);
        }
    }
    assert_memory_equal(&seen, &cpus, sizeof(cpus));
    assert_in_range(lists, 2, 64);
}

/* Numbers that no set has. */
static void a_number_too_high_is_none(void **state)
{
    (void)state;
    struct cpus cpus = {0};
    cpus_add(&cpus, CPU_MAX);
    cpus_add(&cpus, UINT32_MAX);
    assert_false(cpus_any(&cpus));
    assert_false(cpus_has(&cpus, CPU_MAX));
    cpus_remove(&cpus, CPU_MAX);
}

static void words_are_those_of_one_or_of_several(void **state)
{
    (void)state;
    assert_string_equal(cpus_noun("3"), "vCPU");
    assert_string_equal(cpus_key("3"), "cpu");
    assert_string_equal(cpus_noun("3-4"), "vCPUs");
    assert_string_equal(cpus_key("3,5"), "cpus");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_is_told_of_none, start_anew),
        cmocka_unit_test_setup(all_that_are_alike_are_one_list, start_anew),
        cmocka_unit_test_setup(one_that_differs_is_told_by_itself, start_anew),
        cmocka_unit_test_setup(without_a_test_all_are_alike, start_anew),
        cmocka_unit_test_setup(a_long_list_is_told_in_pieces, start_anew),
        cmocka_unit_test_setup(a_number_too_high_is_none, start_anew),
        cmocka_unit_test_setup(words_are_those_of_one_or_of_several, start_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
