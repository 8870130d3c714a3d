/* faultvisor posing as VMware answers the backdoor and the RPCI channel as open-vm-tools expects.
 */
#include "../faultvisor/plan.h"
#include "../faultvisor/say.h"
#include "../faultvisor/vmware.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MAGIC 0x564d5868u

struct plan plan;

static char said[512];
static struct guest_registers guest; /* RSI and RDI keep the cookies that the pose put there */
static uint64_t channel;

void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start is two lines up */
    (void)vsnprintf(said, sizeof(said), format, arguments);
    va_end(arguments);
}

static void call(uint32_t command, uint32_t ebx)
{
    guest.r[0] = MAGIC;
    guest.r[1] = command;
    guest.r[2] = 0x5658 | (command == 0x1e ? 0 : channel << 16);
    guest.r[3] = ebx;
    assert_true(vmware_backdoor(&guest));
}

static bool succeeded(void)
{
    return guest.r[1] >> 16 & 1;
}

static void open_channel(void)
{
    call(0x0000001e, 0x49435052u | 0x80000000u);
    assert_true(succeeded());
    channel = guest.r[2] >> 16;
}

/* Sends a request and fetches the reply, step by step as message.c does. */
static void request(const char *text, char reply[256])
{
    uint32_t length = (uint32_t)strlen(text);
    open_channel();
    call(0x0001001e, length);
    assert_true(succeeded());
    for (uint32_t at = 0; at < length; at += 4) {
        uint32_t word = 0;
        memcpy(&word, text + at, length - at < 4 ? length - at : 4);
        call(0x0002001e, word);
        assert_true(succeeded());
    }
    call(0x0003001e, 0);
    assert_true(succeeded() && guest.r[2] >> 16 == 1);
    uint32_t size = (uint32_t)guest.r[3];
    assert_true(size < 250);
    for (uint32_t at = 0; at < size; at += 4) {
        call(0x0004001e, 1);
        assert_true(succeeded() && guest.r[2] >> 16 == 2);
        uint32_t word = (uint32_t)guest.r[3];
        memcpy(reply + at, &word, 4);
    }
    reply[size] = '\0';
    call(0x0005001e, 1);
    call(0x0006001e, 0);
    assert_true(succeeded());
}

static void version_and_build_are_those_of_esxi(void **state)
{
    (void)state;
    call(10, ~MAGIC);
    assert_true(guest.r[0] == 6 && guest.r[3] == MAGIC && guest.r[1] == 2);
    call(100, 0);
    assert_true(guest.r[0] == 22380479);
    atomic_store(&plan.migrated, true);
    call(100, 0);
    assert_true(guest.r[0] == 24022510);
    atomic_store(&plan.migrated, false);
}

static void without_the_magic_number_it_is_not_there(void **state)
{
    (void)state;
    guest.r[0] = 1;
    assert_false(vmware_backdoor(&guest));
}

static void a_log_request_is_printed(void **state)
{
    (void)state;
    char reply[256];
    request("log zmmtest found nothing", reply);
    assert_string_equal(reply, "1 ");
    assert_non_null(strstr(said, "text=\"zmmtest found nothing\""));
}

static void guestinfo_is_kept(void **state)
{
    (void)state;
    char reply[256];
    request("info-get guestinfo.a", reply);
    assert_memory_equal(reply, "0 ", 2);
    request("info-set guestinfo.a some words", reply);
    assert_string_equal(reply, "1 ");
    request("info-get guestinfo.a", reply);
    assert_string_equal(reply, "1 some words");
}

static void an_unknown_request_is_refused(void **state)
{
    (void)state;
    char reply[256];
    request("tools.capability.nonsense", reply);
    assert_memory_equal(reply, "0 ", 2);
}

static void too_much_and_too_early_are_refused(void **state)
{
    (void)state;
    open_channel();
    call(0x0001001e, VMWARE_BYTES_MAX + 1);
    assert_false(succeeded());
    call(0x0001001e, 4);
    call(0x0002001e, 0);
    call(0x0002001e, 0);
    assert_false(succeeded());
    call(0x0006001e, 0);
}

static void a_step_without_its_channel_is_refused(void **state)
{
    (void)state;
    open_channel();
    channel++;
    call(0x0001001e, 4);
    assert_false(succeeded());
    channel--;
    for (unsigned int cookie = 6; cookie <= 7; cookie++) {
        guest.r[cookie]++;
        call(0x0001001e, 4);
        assert_false(succeeded());
        guest.r[cookie]--;
    }
    call(0x0006001e, 0);
    assert_true(succeeded());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_and_build_are_those_of_esxi),
        cmocka_unit_test(without_the_magic_number_it_is_not_there),
        cmocka_unit_test(a_log_request_is_printed),
        cmocka_unit_test(guestinfo_is_kept),
        cmocka_unit_test(an_unknown_request_is_refused),
        cmocka_unit_test(too_much_and_too_early_are_refused),
        cmocka_unit_test(a_step_without_its_channel_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
