#include "fake_firmware.h"
#include "../../efi/core/report/report.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define EVENTS 64u

EFI_TPL fake_level;
bool fake_late;
char fake_told[4000];

static EFI_TPL EFIAPI raise_tpl(EFI_TPL to)
{
    EFI_TPL before = fake_level;
    fake_level = to;
    return before;
}

static VOID EFIAPI restore_tpl(EFI_TPL to)
{
    fake_level = to;
}

static EFI_STATUS EFIAPI create_event(UINT32 type, EFI_TPL level, EFI_EVENT_NOTIFY notify,
                                      VOID *context, EFI_EVENT *event)
{
    static char events[EVENTS];
    static uint32_t next;
    (void)level;
    (void)context;
    assert_int_equal(type, 0);
    assert_null(notify);
    *event = &events[next++ % EVENTS];
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI check_event(EFI_EVENT event)
{
    assert_non_null(event);
    return fake_late ? EFI_NOT_READY : EFI_SUCCESS;
}

static EFI_STATUS EFIAPI close_event(EFI_EVENT event)
{
    assert_non_null(event);
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pool(VOID *memory)
{
    assert_non_null(memory);
    return EFI_SUCCESS;
}

static void remember(const char *line)
{
    strncat(fake_told, line, sizeof(fake_told) - strlen(fake_told) - 1);
}

void fake_firmware(EFI_BOOT_SERVICES services)
{
    static struct sink sink = {.log = remember};
    static EFI_BOOT_SERVICES boot_services;
    static EFI_SYSTEM_TABLE table = {.BootServices = &boot_services};
    static bool listens;
    boot_services = services;
    boot_services.RaiseTPL = raise_tpl;
    boot_services.RestoreTPL = restore_tpl;
    boot_services.CreateEvent = create_event;
    boot_services.CheckEvent = check_event;
    boot_services.CloseEvent = close_event;
    boot_services.FreePool = free_pool;
    system_table = &table;
    fake_level = TPL_APPLICATION;
    fake_late = false;
    fake_told[0] = '\0';
    if (!listens)
        report_add_sink(&sink);
    listens = true;
}

bool is_guid(const EFI_GUID *guid, EFI_GUID other)
{
    return memcmp(guid, &other, sizeof(other)) == 0;
}
