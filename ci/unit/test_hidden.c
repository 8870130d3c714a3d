/*
 * What is said of a machine beside the CPUID signature: SMBIOS, ACPI and PCI of a hypervisor that
 * hides, confidential VMs, and what a firmware may have turned on.
 */
#include "../../efi/core/machine/confidential.h"
#include "../../efi/core/machine/exception.h"
#include "../../efi/core/machine/hidden.h"
#include "../../efi/platform/instructions.h"
#include "host.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A 64-bit entry point and its table behind it. */
static struct {
    uint8_t entry[32];
    uint8_t table[256];
} memory;

static uint64_t readable_bytes; /* from the start of memory */

static bool is_readable(uint64_t address, uint64_t bytes)
{
    uint64_t offset = address - (uint64_t)&memory;
    return offset < readable_bytes && bytes <= readable_bytes - offset;
}

static const char structures[] = "\0\x18\0\0\1\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                 "Phoenix\0006.00\0\0"
                                 "\2\4\0\0\0\0"
                                 "\1\x08\1\0\2\1\0\0"
                                 "Virtual Platform\0VMware, Inc.\0\0"
                                 "\x7f\4\2\0\0\0";

static void put_entry(uint32_t length)
{
    uint64_t address = (uint64_t)memory.table;
    memcpy(memory.entry, "_SM3_", 5);
    memcpy(memory.entry + 12, &length, 4);
    memcpy(memory.entry + 16, &address, 8);
}

static int make_tables(void **state)
{
    (void)state;
    memset(&memory, 0, sizeof(memory));
    memcpy(memory.table, structures, sizeof(structures) - 1);
    put_entry(sizeof(structures) - 1);
    readable_bytes = sizeof(memory);
    return 0;
}

static struct smbios read_tables(void)
{
    struct smbios smbios;
    memset(&smbios, 0xff, sizeof(smbios));
    smbios_read(&smbios, (uint64_t)&memory, is_readable);
    return smbios;
}

static void strings_are_found_by_their_number(void **state)
{
    (void)state;
    struct smbios smbios = read_tables();
    assert_string_equal(smbios.firmware_vendor, "Phoenix");
    assert_string_equal(smbios.manufacturer, "VMware, Inc.");
    assert_string_equal(smbios.product, "Virtual Platform");
}

static void the_old_entry_point_does_as_well(void **state)
{
    (void)state;
    /* Its table is below 4 GiB, where a program linked without PIE has its data. */
    uint32_t address = (uint32_t)(uint64_t)memory.table;
    assert_int_equal(address, (uint64_t)memory.table);
    uint16_t length = sizeof(structures) - 1;
    memset(memory.entry, 0, sizeof(memory.entry));
    memcpy(memory.entry, "_SM_", 4);
    memcpy(memory.entry + 22, &length, 2);
    memcpy(memory.entry + 24, &address, 4);
    assert_string_equal(read_tables().manufacturer, "VMware, Inc.");
}

static void a_table_that_is_cut_ends_there(void **state)
{
    (void)state;
    for (uint32_t length = 0; length < sizeof(structures); length++) {
        put_entry(length);
        readable_bytes = sizeof(memory.entry) + length;
        (void)read_tables();
    }
    put_entry(40);
    assert_string_equal(read_tables().firmware_vendor, "Phoenix");
    assert_string_equal(read_tables().manufacturer, "");
}

static void what_cannot_be_read_is_not(void **state)
{
    (void)state;
    struct smbios none;
    smbios_read(&none, 0, is_readable);
    assert_string_equal(none.manufacturer, "");
    readable_bytes = sizeof(memory.entry) + 8;
    assert_string_equal(read_tables().firmware_vendor, "");
    readable_bytes = 8;
    assert_string_equal(read_tables().firmware_vendor, "");
}

static void expect_hidden(const struct traces *traces, const char *words)
{
    char buffer[64];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    assert_int_equal(hidden_look(traces, &text), words[0] != '\0');
    assert_string_equal(buffer, words);
}

static void each_trace_names_its_hypervisor(void **state)
{
    (void)state;
    struct traces traces = {.smbios = read_tables()};
    expect_hidden(&traces, "SMBIOS says VMware");
    traces = (struct traces){.acpi_oem = "BOCHS "};
    expect_hidden(&traces, "ACPI says QEMU or Bochs");
    traces = (struct traces){.acpi_oem = "XENITH"};
    expect_hidden(&traces, "");
    hidden_add_pci(&traces, 0x8086);
    expect_hidden(&traces, "");
    hidden_add_pci(&traces, 0x1af4);
    expect_hidden(&traces, "there is a PCI device of virtio");
    traces = (struct traces){.smbios = {.firmware_vendor = "American Megatrends",
                                        .manufacturer = "Supermicro",
                                        .product = "SYS-1029"},
                             .acpi_oem = "SUPERM"};
    expect_hidden(&traces, "");
}

static const struct fake_leaf tdx[] = {
    {0x21, 0, {0, 0x65746e49, 0x20202020, 0x5844546c}},
};
static const struct fake_leaf sev[] = {
    {0x80000000, 0, {.eax = 0x8000001f}},
    {0x8000001f, 0, {.eax = 0xb}},
};

static void confidential_vms_are_recognised(void **state)
{
    (void)state;
    struct cpu intel = {.highest_leaf = 0x21}, amd = {.highest_leaf = 0x10, .amd = true};
    fake_cpuid(tdx, 1);
    assert_int_equal(confidential_identify(0, &intel), CONFIDENTIAL_TDX);
    assert_false(confidential_has_status(&intel));
    intel.highest_leaf = 0x20;
    assert_int_equal(confidential_identify(0, &intel), CONFIDENTIAL_NO);
    fake_cpuid(sev, 2);
    assert_true(confidential_has_status(&amd));
    assert_false(confidential_has_status(&intel));
    assert_int_equal(confidential_identify(0, &amd), CONFIDENTIAL_NO);
    assert_int_equal(confidential_identify(1, &amd), CONFIDENTIAL_NO);
    assert_int_equal(confidential_identify(3, &amd), CONFIDENTIAL_SEV_ES);
    assert_int_equal(confidential_identify(7, &amd), CONFIDENTIAL_SEV_SNP);
    assert_int_equal(confidential_identify(0x17, &amd), CONFIDENTIAL_NO);
    fake_cpuid(sev, 1);
    assert_false(confidential_has_status(&amd));
    fake_cpuid(NULL, 0);
    for (enum confidential kind = CONFIDENTIAL_SEV_ES; kind <= CONFIDENTIAL_TDX; kind++)
        assert_non_null(strstr(confidential_reason(kind), confidential_name(kind)));
}

static void what_would_take_exceptions_away_is_refused(void **state)
{
    (void)state;
    assert_null(cpu_refused(0x668 | CR4_OSXSAVE | CR4_PROTECTION_KEYS));
    assert_non_null(strstr(cpu_refused(UINT64_C(1) << 32), "FRED"));
    assert_non_null(strstr(cpu_refused(UINT64_C(1) << 23), "CET"));
}

static void exceptions_have_their_names(void **state)
{
    (void)state;
    assert_string_equal(exception_name(0), "#DE");
    assert_string_equal(exception_name(18), "#MC");
    assert_string_equal(exception_name(20), "#VE");
    assert_string_equal(exception_name(28), "#HV");
    assert_string_equal(exception_name(29), "#VC");
    assert_string_equal(exception_name(30), "#SX");
    static const uint64_t nameless[] = {9, 15, 22, 27, 31, UINT64_MAX};
    for (size_t n = 0; n < sizeof(nameless) / sizeof(nameless[0]); n++)
        assert_string_equal(exception_name(nameless[n]), "#?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(strings_are_found_by_their_number, make_tables),
        cmocka_unit_test_setup(the_old_entry_point_does_as_well, make_tables),
        cmocka_unit_test_setup(a_table_that_is_cut_ends_there, make_tables),
        cmocka_unit_test_setup(what_cannot_be_read_is_not, make_tables),
        cmocka_unit_test_setup(each_trace_names_its_hypervisor, make_tables),
        cmocka_unit_test(confidential_vms_are_recognised),
        cmocka_unit_test(what_would_take_exceptions_away_is_refused),
        cmocka_unit_test(exceptions_have_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
