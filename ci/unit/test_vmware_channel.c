/*
 * zmmtest's side of VMware's channel against faultvisor's: requests and their replies, the sink,
 * and a host that refuses, is silent, never ends, or starts again.
 */
#include "../../efi/core/machine/clock.h"
#include "../../efi/core/machine/rpci.h"
#include "../../efi/core/machine/vmware.h"
#include "../../efi/core/report/vmware_sink.h"
#include "../../efi/core/run/option_words.h"
#include "../faultvisor/plan.h"
#include "../faultvisor/say.h"
#include "../faultvisor/vmware.h"
#include "host.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define OPTIONS_KEY "guestinfo.zmmtest.options"
#define STATUS(bit) (1u << (16 + (bit)))

struct plan plan;

static char said[4096]; /* what the pose printed, a line each */
static unsigned int calls;

/* The `disturbed`th call from now on gets this status instead of the pose's; 0: none. */
static unsigned int disturbed;
static uint32_t disturbed_status;
static unsigned int disturb_again; /* so many calls later once more, and so on; 0: never */
static uint32_t sent;              /* what the last step of all had in EBX that sent bytes */

void say(const char *format, ...)
{
    size_t length = strlen(said);
    va_list arguments;
    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start is two lines up */
    (void)vsnprintf(said + length, sizeof(said) - length, format, arguments);
    va_end(arguments);
    length = strlen(said);
    (void)snprintf(said + length, sizeof(said) - length, "\n");
}

/* The port of the machine that the pose makes of this one. */
static void answer(struct backdoor *registers)
{
    struct guest_registers guest = {{registers->eax, registers->ecx, registers->edx, registers->ebx,
                                     0, 0, registers->esi, registers->edi}};
    calls++;
    assert_true((uint16_t)registers->edx == BACKDOOR_PORT);
    if (registers->ecx == (BACKDOOR_MESSAGE | 2 << 16))
        sent = registers->ebx;
    if (disturbed && --disturbed == 0) {
        registers->ecx = disturbed_status;
        disturbed = disturb_again;
        return;
    }
    assert_true(vmware_backdoor(&guest));
    registers->eax = (uint32_t)guest.r[0];
    registers->ecx = (uint32_t)guest.r[1];
    registers->edx = (uint32_t)guest.r[2];
    registers->ebx = (uint32_t)guest.r[3];
    registers->esi = (uint32_t)guest.r[6];
    registers->edi = (uint32_t)guest.r[7];
}

static const struct hypervisor vmware = {.kind = HYPERVISOR_VMWARE, .backdoor = true};

static int start_anew(void **state)
{
    (void)state;
    memset(&plan, 0, sizeof(plan));
    vmware_reset();
    said[0] = '\0';
    calls = disturbed = disturb_again = 0;
    fake_backdoor(answer);
    assert_true(vmware_start(&vmware));
    return 0;
}

static char text[64];
static struct rpci_reply reply;

static enum rpci_status request(const char *words)
{
    reply = (struct rpci_reply){.text = text, .size = sizeof(text)};
    return rpci_request(words, &reply);
}

/* The pose has one channel: if it can be opened, none was left open. */
static void expect_closed(void)
{
    plan.rpci = POSE_ANSWERS;
    disturbed = 0;
    assert_int_equal(request("log closed"), RPCI_DONE);
}

static void requests_of_each_length_arrive_whole(void **state)
{
    (void)state;
    static const char *const words[] = {"log a", "log ab", "log abc", "log abcd", "log abcde"};
    for (size_t n = 0; n < sizeof(words) / sizeof(words[0]); n++) {
        char wanted[64];
        said[0] = '\0';
        (void)snprintf(wanted, sizeof(wanted), "faultvisor ev=vmware-log text=\"%s\"\n",
                       words[n] + 4);
        assert_int_equal(request(words[n]), RPCI_DONE);
        assert_string_equal(text, "");
        assert_string_equal(said, wanted);
    }
}

static void what_stands_behind_a_request_is_not_sent(void **state)
{
    (void)state;
    assert_int_equal(request("log a\0zzz"), RPCI_DONE);
    assert_int_equal(sent, 'a');
}

static void values_come_back_as_they_were_set(void **state)
{
    (void)state;
    static const char *const values[] = {"", "a", "ab", "abc", "abcd", "some words"};
    assert_int_equal(request("info-get guestinfo.a"), RPCI_REFUSED);
    assert_string_equal(text, "No value found");
    for (size_t n = 0; n < sizeof(values) / sizeof(values[0]); n++) {
        char set[64];
        (void)snprintf(set, sizeof(set), "info-set guestinfo.a %s", values[n]);
        assert_int_equal(request(set), RPCI_DONE);
        assert_int_equal(request("info-get guestinfo.a"), RPCI_DONE);
        assert_string_equal(text, values[n]);
        assert_int_equal(reply.length, strlen(values[n]));
    }
}

static void a_reply_longer_than_the_buffer_is_cut_and_its_length_told(void **state)
{
    (void)state;
    static char value[20000];
    memset(value, 'v', sizeof(value));
    plan.guestinfo = value;
    for (size_t bytes = sizeof(text) - 2; bytes < sizeof(text) + 6; bytes++) {
        plan.guestinfo_bytes = bytes;
        assert_int_equal(request("info-get " OPTIONS_KEY), RPCI_DONE);
        assert_int_equal(reply.length, bytes);
        assert_int_equal(strlen(text), bytes < sizeof(text) ? bytes : sizeof(text) - 1);
    }
    plan.guestinfo_bytes = sizeof(value);
    calls = 0;
    assert_int_equal(request("info-get " OPTIONS_KEY), RPCI_DONE);
    assert_int_equal(reply.length, sizeof(value));
    assert_true(calls < 40); /* the rest is not fetched */
    expect_closed();
}

static void a_host_that_refuses_says_why(void **state)
{
    (void)state;
    plan.rpci = POSE_REFUSES;
    assert_int_equal(request("log a"), RPCI_REFUSED);
    assert_string_equal(text, "Permission denied");
    assert_string_equal(said, "");
    expect_closed();
}

static void a_silent_host_is_asked_once(void **state)
{
    (void)state;
    plan.rpci = POSE_SILENT;
    assert_int_equal(request("log a"), RPCI_NO_ANSWER);
    assert_string_equal(reply.failure, "does not open a channel");
    assert_int_equal(calls, 1);
    expect_closed();
}

static void a_reply_without_end_is_not_begun(void **state)
{
    (void)state;
    plan.rpci = POSE_ENDLESS;
    assert_int_equal(request("info-get guestinfo.a"), RPCI_NO_ANSWER);
    assert_string_equal(reply.failure, "sends a reply without end");
    assert_true(calls < 12);
    expect_closed();
}

static void where_nothing_answers_nothing_is_sent(void **state)
{
    (void)state;
    fake_backdoor(NULL);
    assert_int_equal(request("log a"), RPCI_NO_ANSWER);
    assert_string_equal(reply.failure, "does not open a channel");
}

/* "log abcd": open, size, 2 of payload, reply's size, its bytes, acknowledged, closed. */
#define STEPS 8u

static unsigned int times_said(const char *words)
{
    unsigned int times = 0;
    for (const char *at = said; (at = strstr(at, words)); at++)
        times++;
    return times;
}

static void interrupted_at_any_step_a_line_is_logged_once(void **state)
{
    (void)state;
    static const uint32_t statuses[] = {STATUS(4), STATUS(2)};
    for (size_t kind = 0; kind < 2; kind++) {
        for (unsigned int step = 1; step <= STEPS; step++) {
            start_anew(NULL);
            disturbed = step;
            disturbed_status = statuses[kind];
            vmware_log("abcd");
            assert_int_equal(times_said("text=\"abcd\""), 1);
            assert_null(vmware_trouble());
            assert_true(calls <= 2 * STEPS);
        }
    }
}

static void interrupted_at_any_step_a_value_is_read(void **state)
{
    (void)state;
    static const uint32_t statuses[] = {STATUS(4), STATUS(2)};
    for (size_t kind = 0; kind < 2; kind++) {
        for (unsigned int step = 1; step <= 20; step++) {
            start_anew(NULL);
            plan.guestinfo = "time=5 exits=all";
            plan.guestinfo_bytes = strlen(plan.guestinfo);
            disturbed = step;
            disturbed_status = statuses[kind];
            assert_int_equal(request("info-get " OPTIONS_KEY), RPCI_DONE);
            assert_string_equal(text, plan.guestinfo);
        }
    }
}

static void checkpoints_of_the_pose_change_nothing(void **state)
{
    (void)state;
    plan.rpci = POSE_CHECKPOINTS;
    for (unsigned int n = 0; n < 100; n++) {
        said[0] = '\0';
        vmware_log("abcdefghijklmnopqrstuvwxyz");
        assert_int_equal(times_said("text=\"abcdefghijklmnopqrstuvwxyz\""), 1);
    }
    assert_null(vmware_trouble());
}

static void checkpoints_without_end_are_given_up(void **state)
{
    (void)state;
    disturbed = disturb_again = 1;
    disturbed_status = STATUS(4);
    assert_int_equal(request("log abcd"), RPCI_NO_ANSWER);
    assert_true(calls < 10);
    expect_closed();
}

static void a_step_that_fails_ends_the_request_and_closes_the_channel(void **state)
{
    (void)state;
    for (unsigned int step = 1; step < STEPS; step++) {
        start_anew(NULL);
        disturbed = step;
        disturbed_status = 0;
        assert_int_equal(request("log abcd"), RPCI_NO_ANSWER);
        assert_true(calls <= STEPS);
        expect_closed();
    }
}

static void success_without_a_reply_is_no_answer(void **state)
{
    (void)state;
    disturbed = 5;
    disturbed_status = STATUS(0);
    assert_int_equal(request("log abcd"), RPCI_NO_ANSWER);
    assert_string_equal(reply.failure, "does not reply");
    disturbed = 6; /* not EDX = 2: these are no bytes of a reply */
    assert_int_equal(request("log abcd"), RPCI_NO_ANSWER);
    assert_string_equal(reply.failure, "breaks its reply off");
    expect_closed();
}

/* All of it as with a reply, but for the status bit that says that there is one. */
static void answer_without_reply(struct backdoor *registers)
{
    answer(registers);
    registers->ecx &= ~STATUS(1);
}

static void a_size_without_a_reply_is_no_answer(void **state)
{
    (void)state;
    fake_backdoor(answer_without_reply);
    assert_int_equal(request("log abcd"), RPCI_NO_ANSWER);
    assert_string_equal(reply.failure, "does not reply");
    fake_backdoor(answer);
    expect_closed();
}

/* Four bytes are always handed over; those behind the end may be anything. */
static void answer_with_rests(struct backdoor *registers)
{
    bool receives = registers->ecx == (BACKDOOR_MESSAGE | 4 << 16);
    answer(registers);
    if (receives)
        registers->ebx |= registers->ebx & 0xff0000 ? 0x7a000000 : 0x7a7a0000;
}

static void what_stands_behind_a_reply_is_not_kept(void **state)
{
    (void)state;
    fake_backdoor(answer_with_rests);
    assert_int_equal(request("info-set guestinfo.a b"), RPCI_DONE);
    assert_string_equal(text, "");
    assert_int_equal(request("info-get guestinfo.a"), RPCI_DONE);
    assert_string_equal(text, "b");
}

static char value[CONF_MAX + 1];
static size_t length;

static void options_are_read_and_none_is_no_trouble(void **state)
{
    (void)state;
    assert_false(vmware_read(OPTIONS_KEY, value, sizeof(value), &length));
    assert_null(vmware_trouble());
    plan.guestinfo = "time=5 exits=cpuid\0";
    plan.guestinfo_bytes = 18;
    assert_true(vmware_read(OPTIONS_KEY, value, sizeof(value), &length));
    assert_int_equal(length, 18);
    assert_string_equal(value, "time=5 exits=cpuid");
    plan.guestinfo_bytes = 19; /* a host that counts a terminator in */
    assert_true(vmware_read(OPTIONS_KEY, value, sizeof(value), &length));
    assert_int_equal(length, 18);
}

static void options_of_the_largest_size_are_read_and_larger_ones_refused(void **state)
{
    (void)state;
    static char large[CONF_MAX + 1];
    struct options options;
    struct text error;
    char buffer[128];
    memset(large, '\n', sizeof(large));
    plan.guestinfo = large;
    for (plan.guestinfo_bytes = CONF_MAX; plan.guestinfo_bytes <= CONF_MAX + 1;
         plan.guestinfo_bytes++) {
        text_start(&error, buffer, sizeof(buffer));
        assert_true(vmware_read(OPTIONS_KEY, value, sizeof(value), &length));
        assert_int_equal(options_parse_conf(&options, OPTIONS_KEY, value, length, &error),
                         plan.guestinfo_bytes == CONF_MAX);
    }
    assert_string_equal(buffer, OPTIONS_KEY ": larger than the 16384 bytes allowed");
}

static const char finding[] = "zmmtest ts=2.537 ev=finding n=1 label=INJECTED cpu=0 exit=inject "
                              "class=zeroed signature=\"ESXi 8.0.2: AVX-256 host code\"";
static const char done[] = "zmmtest ts=18.039 ev=done verdict=FAIL exits=61588 findings=60 "
                           "injected=60 vcpus=2 elapsed=10 reason=\"registers changed\"";

static void the_sink_hands_over_findings_and_the_verdict(void **state)
{
    (void)state;
    const struct sink *sink = vmware_sink(&vmware);
    sink->log("zmmtest ts=0.029 ev=start version=0.1");
    assert_string_equal(said, "faultvisor ev=vmware-log text=\"zmmtest ts=0.029 ev=start "
                              "version=0.1\"\n"
                              "faultvisor ev=guestinfo key=guestinfo.zmmtest.verdict "
                              "value=\"RUNNING\"\n"
                              "faultvisor ev=guestinfo key=guestinfo.zmmtest.summary "
                              "value=\"RUNNING: no verdict yet\"\n");
    said[0] = '\0';
    sink->log("zmmtest ts=1.000 ev=tick elapsed=1 exits=5 findings=0");
    sink->log("zmmtest ts=1.000 ev=findings n=1");
    sink->log("zmmtest ts=1.000");
    assert_string_equal(said, "");
    sink->log(finding);
    assert_non_null(strstr(said, finding));
    said[0] = '\0';
    sink->log(done);
    assert_non_null(strstr(said, done));
    assert_non_null(strstr(said, "key=guestinfo.zmmtest.verdict value=\"FAIL\"\n"));
    assert_non_null(strstr(said, "key=guestinfo.zmmtest.summary value=\"FAIL: 61588 exits verified "
                                 "on 2 vCPUs in 10 s, 60 findings (60 INJECTED): registers "
                                 "changed\"\n"));
    assert_null(sink->trouble());
}

static void the_verdict_waits_after_findings_and_only_then(void **state)
{
    (void)state;
    const struct sink *sink = vmware_sink(&vmware);
    assert_true(clock_start() != 0);
    uint64_t before = clock_milliseconds();
    sink->log(done);
    assert_true(clock_milliseconds() - before < 1000);
    sink->log(finding);
    before = clock_milliseconds();
    sink->log(done);
    assert_true(clock_milliseconds() - before >= 1000);
    before = clock_milliseconds();
    sink->log(done);
    assert_true(clock_milliseconds() - before < 1000);
}

static void a_summary_without_injected_findings_names_none(void **state)
{
    (void)state;
    vmware_sink(&vmware)->log("zmmtest ts=18.039 ev=done verdict=PASS exits=7 findings=0 vcpus=1 "
                              "elapsed=3 reason=\"all that was asked ran\"");
    assert_non_null(strstr(said,
                           "value=\"PASS: 7 exits verified on 1 vCPUs in 3 s, 0 findings: all "
                           "that was asked ran\"\n"));
}

static void a_refusal_is_said_once_and_the_next_request_is_made(void **state)
{
    (void)state;
    const struct sink *sink = vmware_sink(&vmware);
    plan.rpci = POSE_REFUSES;
    assert_false(vmware_read(OPTIONS_KEY, value, sizeof(value), &length));
    sink->log(finding);
    assert_string_equal(sink->trouble(), "info-get " OPTIONS_KEY ": VMware refuses (Permission "
                                         "denied). The console and COM1 have all of this run. See "
                                         "isolation.tools.* in the .vmx.");
    sink->log(done);
    assert_null(sink->trouble());
    plan.rpci = POSE_ANSWERS;
    sink->log(finding);
    assert_non_null(strstr(said, finding));
}

static void a_channel_that_does_not_answer_is_said_once_and_not_tried_again(void **state)
{
    (void)state;
    for (enum pose pose = POSE_SILENT; pose <= POSE_ENDLESS; pose++) {
        start_anew(NULL);
        const struct sink *sink = vmware_sink(&vmware);
        plan.rpci = pose;
        sink->log(finding);
        const char *trouble = sink->trouble();
        assert_non_null(trouble);
        assert_memory_equal(trouble, "log: VMware ", 12);
        unsigned int before = calls;
        sink->log(done);
        assert_false(vmware_read(OPTIONS_KEY, value, sizeof(value), &length));
        assert_int_equal(calls, before);
        assert_null(sink->trouble());
    }
}

static void a_port_that_does_not_answer_is_said_and_not_used(void **state)
{
    (void)state;
    const struct hypervisor hidden = {.kind = HYPERVISOR_VMWARE};
    const struct sink *sink = vmware_sink(&hidden);
    sink->log(done);
    assert_int_equal(calls, 0);
    const char *trouble = sink->trouble();
    assert_non_null(trouble);
    assert_non_null(strstr(trouble, "port 0x5658 does not answer"));
    assert_null(sink->trouble());
}

static void others_than_vmware_are_not_asked(void **state)
{
    (void)state;
    for (enum hypervisor_kind kind = HYPERVISOR_NONE; kind <= HYPERVISOR_UNKNOWN; kind++) {
        const struct hypervisor other = {.kind = kind, .backdoor = true};
        if (kind == HYPERVISOR_VMWARE)
            continue;
        assert_null(vmware_sink(&other));
        vmware_log("anything");
        assert_false(vmware_read(OPTIONS_KEY, value, sizeof(value), &length));
    }
    assert_int_equal(calls, 0);
    assert_null(vmware_trouble());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(requests_of_each_length_arrive_whole, start_anew),
        cmocka_unit_test_setup(what_stands_behind_a_request_is_not_sent, start_anew),
        cmocka_unit_test_setup(values_come_back_as_they_were_set, start_anew),
        cmocka_unit_test_setup(a_reply_longer_than_the_buffer_is_cut_and_its_length_told,
                               start_anew),
        cmocka_unit_test_setup(a_host_that_refuses_says_why, start_anew),
        cmocka_unit_test_setup(a_silent_host_is_asked_once, start_anew),
        cmocka_unit_test_setup(a_reply_without_end_is_not_begun, start_anew),
        cmocka_unit_test_setup(where_nothing_answers_nothing_is_sent, start_anew),
        cmocka_unit_test_setup(interrupted_at_any_step_a_line_is_logged_once, start_anew),
        cmocka_unit_test_setup(interrupted_at_any_step_a_value_is_read, start_anew),
        cmocka_unit_test_setup(checkpoints_of_the_pose_change_nothing, start_anew),
        cmocka_unit_test_setup(checkpoints_without_end_are_given_up, start_anew),
        cmocka_unit_test_setup(a_step_that_fails_ends_the_request_and_closes_the_channel,
                               start_anew),
        cmocka_unit_test_setup(success_without_a_reply_is_no_answer, start_anew),
        cmocka_unit_test_setup(a_size_without_a_reply_is_no_answer, start_anew),
        cmocka_unit_test_setup(what_stands_behind_a_reply_is_not_kept, start_anew),
        cmocka_unit_test_setup(options_are_read_and_none_is_no_trouble, start_anew),
        cmocka_unit_test_setup(options_of_the_largest_size_are_read_and_larger_ones_refused,
                               start_anew),
        cmocka_unit_test_setup(the_sink_hands_over_findings_and_the_verdict, start_anew),
        cmocka_unit_test_setup(the_verdict_waits_after_findings_and_only_then, start_anew),
        cmocka_unit_test_setup(a_summary_without_injected_findings_names_none, start_anew),
        cmocka_unit_test_setup(a_refusal_is_said_once_and_the_next_request_is_made, start_anew),
        cmocka_unit_test_setup(a_channel_that_does_not_answer_is_said_once_and_not_tried_again,
                               start_anew),
        cmocka_unit_test_setup(a_port_that_does_not_answer_is_said_and_not_used, start_anew),
        cmocka_unit_test_setup(others_than_vmware_are_not_asked, start_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
