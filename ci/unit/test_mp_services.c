/* The other vCPUs by MP services that are made up here: all at once, or one by one. */
#include "../../efi/ring0/startup.h"
#include "../../efi/uefi/firmware.h"
#include "../../efi/uefi/mp_services.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define CPUS 5u
#define BOOT 1u

/* What the firmware says of the APIC ids, and what CPUID does. */
static uint64_t told_id[CPUS];
static uint32_t apic_id[CPUS];
static uint32_t running; /* the vCPU on which code runs at the moment */

static EFI_STATUS all_answer, one_answer;
static unsigned int all_starts, one_starts;
static bool finished;        /* whether the firmware has seen that they have returned */
static unsigned int signals; /* events that are open */

static struct processor_call call[CPUS];
static unsigned int ran[CPUS], ran_elsewhere;

uint32_t startup_apic_id(void)
{
    return apic_id[running];
}

static EFI_STATUS EFIAPI get_number(EFI_MP_SERVICES_PROTOCOL *this, UINTN *count, UINTN *enabled)
{
    (void)this;
    *count = *enabled = CPUS;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI get_information(EFI_MP_SERVICES_PROTOCOL *this, UINTN number,
                                         EFI_PROCESSOR_INFORMATION *information)
{
    (void)this;
    information->ProcessorId = told_id[number];
    information->StatusFlag = PROCESSOR_ENABLED_BIT | PROCESSOR_HEALTH_STATUS_BIT;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI who_am_i(EFI_MP_SERVICES_PROTOCOL *this, UINTN *number)
{
    (void)this;
    *number = running;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI start_all(EFI_MP_SERVICES_PROTOCOL *this, EFI_AP_PROCEDURE procedure,
                                   BOOLEAN one_by_one, EFI_EVENT event, UINTN timeout,
                                   VOID *argument, UINTN **failed)
{
    (void)this;
    assert_false(one_by_one);
    assert_non_null(event);
    assert_int_equal(timeout, 0);
    assert_null(failed);
    all_starts++;
    for (running = 0; running < CPUS && !EFI_ERROR(all_answer); running++)
        if (running != BOOT)
            procedure(argument);
    running = BOOT;
    return all_answer;
}

static EFI_STATUS EFIAPI start_one(EFI_MP_SERVICES_PROTOCOL *this, EFI_AP_PROCEDURE procedure,
                                   UINTN number, EFI_EVENT event, UINTN timeout, VOID *argument,
                                   BOOLEAN *done)
{
    (void)this;
    (void)timeout;
    if (done)
        *done = TRUE;
    assert_non_null(event);
    one_starts++;
    running = (uint32_t)number;
    if (!EFI_ERROR(one_answer))
        procedure(argument);
    running = BOOT;
    return one_answer;
}

static EFI_MP_SERVICES_PROTOCOL services = {.GetNumberOfProcessors = get_number,
                                            .GetProcessorInfo = get_information,
                                            .StartupAllAPs = start_all,
                                            .StartupThisAP = start_one,
                                            .WhoAmI = who_am_i};

static EFI_STATUS EFIAPI locate(EFI_GUID *guid, VOID *registration, VOID **found)
{
    (void)guid;
    (void)registration;
    *found = &services;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI create_event(UINT32 type, EFI_TPL level, EFI_EVENT_NOTIFY notify,
                                      VOID *context, EFI_EVENT *event)
{
    static char events[64];
    (void)type;
    (void)level;
    (void)notify;
    (void)context;
    *event = &events[signals++ % sizeof(events)];
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI check_event(EFI_EVENT event)
{
    (void)event;
    return finished ? EFI_SUCCESS : EFI_NOT_READY;
}

static EFI_STATUS EFIAPI close_event(EFI_EVENT event)
{
    (void)event;
    signals--;
    return EFI_SUCCESS;
}

static EFI_BOOT_SERVICES boot_services = {.LocateProtocol = locate,
                                          .CreateEvent = create_event,
                                          .CheckEvent = check_event,
                                          .CloseEvent = close_event};
static EFI_SYSTEM_TABLE table = {.BootServices = &boot_services};

static void procedure(void *argument)
{
    const unsigned int *mine = argument;
    ran[running] += mine == &ran[running];
    ran_elsewhere += mine != &ran[running];
}

/* APIC ids that are no numbers of vCPUs. */
static int found(void **state)
{
    struct processors processors = {0};
    (void)state;
    system_table = &table;
    all_answer = one_answer = EFI_SUCCESS;
    all_starts = one_starts = signals = ran_elsewhere = 0;
    finished = false;
    running = BOOT;
    memset(ran, 0, sizeof(ran));
    for (uint32_t n = 0; n < CPUS; n++) {
        apic_id[n] = 300 - 16 * n;
        told_id[n] = apic_id[n];
    }
    assert_null(mp_services_find(&processors));
    assert_int_equal(processors.boot, BOOT);
    return 0;
}

static void ask_and_start(uint32_t but)
{
    mp_services_use();
    for (uint32_t n = 0; n < CPUS; n++) {
        call[n] = (struct processor_call){procedure, &ran[n], NULL, NULL, NULL};
        if (n != BOOT && n != but)
            assert_null(mp_services_ask(n, &call[n]));
    }
    mp_services_start();
}

static void check_each_ran_once(uint32_t but)
{
    for (uint32_t n = 0; n < CPUS; n++)
        assert_int_equal(ran[n], n != BOOT && n != but);
    assert_int_equal(ran_elsewhere, 0);
}

static void all_start_at_once_and_find_their_places(void **state)
{
    (void)state;
    ask_and_start(CPUS);
    check_each_ran_once(CPUS);
    assert_int_equal(all_starts, 1);
    assert_int_equal(one_starts, 0);
}

static void one_that_was_not_asked_for_does_nothing(void **state)
{
    (void)state;
    ask_and_start(3);
    check_each_ran_once(3);
    assert_true(mp_services_returned(&call[3]));
}

static void they_return_when_the_firmware_has_seen_it(void **state)
{
    (void)state;
    ask_and_start(CPUS);
    assert_false(mp_services_returned(&call[0]));
    assert_false(mp_services_returned(&call[4]));
    finished = true;
    for (uint32_t n = 0; n < CPUS; n++)
        assert_true(mp_services_returned(&call[n]));
    assert_int_equal(signals, 0);
}

static void a_firmware_that_refuses_is_asked_for_one_by_one(void **state)
{
    (void)state;
    all_answer = EFI_NOT_READY;
    ask_and_start(2);
    check_each_ran_once(2);
    assert_int_equal(one_starts, CPUS - 2);
    finished = true;
    for (uint32_t n = 0; n < CPUS; n++)
        assert_true(mp_services_returned(&call[n]));
    assert_int_equal(signals, 0);
}

static void ids_that_are_alike_or_not_cpuids_are_no_places(void **state)
{
    (void)state;
    told_id[4] = told_id[3];
    ask_and_start(CPUS);
    check_each_ran_once(CPUS);
    assert_int_equal(all_starts, 0);
    memset(ran, 0, sizeof(ran));
    for (uint32_t n = 0; n < CPUS; n++)
        told_id[n] = n;
    ask_and_start(CPUS);
    check_each_ran_once(CPUS);
    assert_int_equal(all_starts, 0);
}

static void what_does_not_start_has_a_reason(void **state)
{
    (void)state;
    all_answer = EFI_UNSUPPORTED;
    one_answer = EFI_DEVICE_ERROR;
    ask_and_start(CPUS);
    for (uint32_t n = 0; n < CPUS; n++) {
        if (n != BOOT)
            assert_string_equal(call[n].failed, "EFI_DEVICE_ERROR");
        assert_true(mp_services_returned(&call[n]));
    }
    assert_int_equal(signals, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_start_at_once_and_find_their_places, found),
        cmocka_unit_test_setup(one_that_was_not_asked_for_does_nothing, found),
        cmocka_unit_test_setup(they_return_when_the_firmware_has_seen_it, found),
        cmocka_unit_test_setup(a_firmware_that_refuses_is_asked_for_one_by_one, found),
        cmocka_unit_test_setup(ids_that_are_alike_or_not_cpuids_are_no_places, found),
        cmocka_unit_test_setup(what_does_not_start_has_a_reason, found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
