/* An entry of fw_cfg's directory is told by its whole name; what it holds is big-endian. */
#include "../../efi/core/machine/fw_cfg.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static uint8_t entry[FW_CFG_ENTRY_BYTES];
static struct fw_cfg_file file;

static void make_entry(const char *name)
{
    static const uint8_t head[8] = {0x01, 0x02, 0x03, 0x04, 0x30, 0x21, 0xff, 0xff};
    memset(entry, 0, sizeof(entry));
    memcpy(entry, head, sizeof(head));
    for (size_t n = 0; name[n]; n++)
        entry[sizeof(head) + n] = (uint8_t)name[n];
}

static void size_and_key_are_big_endian(void **state)
{
    (void)state;
    make_entry("opt/zmmtest/options");
    assert_true(fw_cfg_entry_is(entry, "opt/zmmtest/options", &file));
    assert_int_equal(file.size, 0x01020304);
    assert_int_equal(file.key, 0x3021);
}

static void a_part_of_a_name_is_another_name(void **state)
{
    (void)state;
    make_entry("opt/zmmtest/options");
    assert_false(fw_cfg_entry_is(entry, "opt/zmmtest/option", &file));
    assert_false(fw_cfg_entry_is(entry, "opt/zmmtest/options2", &file));
    assert_false(fw_cfg_entry_is(entry, "", &file));
    make_entry("");
    assert_false(fw_cfg_entry_is(entry, "opt/zmmtest/options", &file));
}

/* 55 bytes and a terminator is the longest one; an entry that is full has none, and is none. */
static void names_end_within_the_entry(void **state)
{
    (void)state;
    char name[80];
    memset(name, 'n', sizeof(name));
    name[55] = '\0';
    make_entry(name);
    assert_true(fw_cfg_entry_is(entry, name, &file));
    name[55] = 'n';
    name[56] = '\0';
    make_entry(name);
    assert_false(fw_cfg_entry_is(entry, name, &file));
    name[55] = '\0';
    assert_false(fw_cfg_entry_is(entry, name, &file));
}

/* The ports would end this process: they are not touched. */
static void only_qemu_is_asked(void **state)
{
    (void)state;
    char to[8];
    size_t size;
    for (enum hypervisor_kind kind = HYPERVISOR_NONE; kind <= HYPERVISOR_UNKNOWN; kind++) {
        const struct hypervisor hypervisor = {.kind = kind};
        if (kind != HYPERVISOR_KVM && kind != HYPERVISOR_TCG)
            assert_false(fw_cfg_read(&hypervisor, "opt/zmmtest/options", to, sizeof(to), &size));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_and_key_are_big_endian),
        cmocka_unit_test(a_part_of_a_name_is_another_name),
        cmocka_unit_test(names_end_within_the_entry),
        cmocka_unit_test(only_qemu_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
