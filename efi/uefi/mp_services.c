/* Finds the vCPUs and starts procedures on them, by the EFI MP services. */
#include "mp_services.h"
#include "../core/cpus.h"
#include "../ring0/startup.h"
#include "firmware.h"
#include <string.h>

static EFI_MP_SERVICES_PROTOCOL *services;

const char *mp_services_find(struct processors *processors)
{
    EFI_GUID guid = EFI_MP_SERVICES_PROTOCOL_GUID;
    UINTN count, enabled, boot = 0;
    EFI_STATUS status = system_table->BootServices->LocateProtocol(&guid, NULL, (void **)&services);
    if (EFI_ERROR(status)) {
        services = NULL;
        return "the firmware has no MP services protocol";
    }
    status = services->GetNumberOfProcessors(services, &count, &enabled);
    if (!EFI_ERROR(status))
        status = services->WhoAmI(services, &boot);
    if (EFI_ERROR(status) || boot >= count) {
        services = NULL;
        return "the firmware's MP services do not answer";
    }
    processors->count = (uint32_t)count;
    processors->boot = (uint32_t)boot;
    return NULL;
}

uint32_t mp_services_list(const uint32_t **apic_ids)
{
    static uint32_t ids[CPU_MAX];
    UINTN count, enabled;
    *apic_ids = ids;
    if (!services || EFI_ERROR(services->GetNumberOfProcessors(services, &count, &enabled)))
        return 0;
    for (UINTN n = 0; n < count && n < CPU_MAX; n++) {
        EFI_PROCESSOR_INFORMATION information = {0};
        if (EFI_ERROR(services->GetProcessorInfo(services, n, &information)))
            return 0;
        ids[n] = (uint32_t)information.ProcessorId;
    }
    return (uint32_t)count;
}

const char *mp_services_unusable(uint32_t number)
{
    EFI_PROCESSOR_INFORMATION information = {0};
    if (!services)
        return NULL;
    EFI_STATUS status = services->GetProcessorInfo(services, number, &information);
    if (EFI_ERROR(status))
        return "the firmware knows no such vCPU";
    if (!(information.StatusFlag & PROCESSOR_ENABLED_BIT))
        return "the firmware has disabled it";
    if (!(information.StatusFlag & PROCESSOR_HEALTH_STATUS_BIT))
        return "the firmware reports it as unhealthy";
    return NULL;
}

static struct {
    uint32_t count; /* of places, by number */
    const uint32_t *apic_ids;
    struct processor_call *call[CPU_MAX]; /* NULL: not asked for */
} asked;

void mp_services_use(void)
{
    uint32_t count = mp_services_list(&asked.apic_ids);
    memset(asked.call, 0, sizeof(asked.call));
    asked.count = count < CPU_MAX ? count : CPU_MAX;
}

const char *mp_services_ask(uint32_t number, struct processor_call *call)
{
    asked.call[number] = call;
    return NULL;
}

/* On all other vCPUs at once: each looks for its place, and those that have none return. */
static void EFIAPI called_by_firmware(void *argument)
{
    uint32_t self = startup_apic_id();
    (void)argument;
    for (uint32_t n = 0; n < asked.count; n++)
        if (asked.apic_ids[n] == self && asked.call[n])
            asked.call[n]->procedure(asked.call[n]->argument);
}

/* On one. */
static void EFIAPI called_alone(void *argument)
{
    const struct processor_call *call = argument;
    call->procedure(call->argument);
}

/* Whether each vCPU can find its place: the firmware's APIC ids are CPUID's, and no two alike. */
static bool places_are_known(void)
{
    bool self = false;
    for (uint32_t n = 0; n < asked.count; n++) {
        self |= asked.apic_ids[n] == startup_apic_id() && !asked.call[n];
        for (uint32_t before = 0; before < n; before++)
            if (asked.apic_ids[before] == asked.apic_ids[n])
                return false;
    }
    return self;
}

/* Waking one after the other takes edk2 10 ms each, in which those that run already slow it down.
 */
static bool start_all(void)
{
    EFI_BOOT_SERVICES *boot = system_table->BootServices;
    EFI_EVENT finished;
    if (!places_are_known() ||
        EFI_ERROR(boot->CreateEvent(0, TPL_APPLICATION, NULL, NULL, &finished)))
        return false;
    EFI_STATUS status =
        services->StartupAllAPs(services, called_by_firmware, FALSE, finished, 0, NULL, NULL);
    if (EFI_ERROR(status)) {
        (void)boot->CloseEvent(finished);
        return false;
    }
    for (uint32_t n = 0; n < CPU_MAX; n++)
        if (asked.call[n])
            asked.call[n]->finished = finished;
    return true;
}

static void start_one(uint32_t number)
{
    EFI_BOOT_SERVICES *boot = system_table->BootServices;
    struct processor_call *call = asked.call[number];
    EFI_EVENT finished;
    EFI_STATUS status = boot->CreateEvent(0, TPL_APPLICATION, NULL, NULL, &finished);
    if (!EFI_ERROR(status)) {
        status = services->StartupThisAP(services, called_alone, number, finished, 0, call, NULL);
        if (EFI_ERROR(status))
            (void)boot->CloseEvent(finished);
    }
    if (EFI_ERROR(status))
        call->failed = status_name(status);
    else
        call->finished = finished;
}

/* One by one where the firmware does not start all: one of them may be busy with its own work. */
void mp_services_start(void)
{
    bool any = false;
    for (uint32_t n = 0; n < CPU_MAX; n++)
        any |= asked.call[n] != NULL;
    if (!any || start_all())
        return;
    for (uint32_t n = 0; n < CPU_MAX; n++)
        if (asked.call[n])
            start_one(n);
}

/* Those that were started at once are seen to have returned at once. */
bool mp_services_returned(struct processor_call *call)
{
    EFI_BOOT_SERVICES *boot = system_table->BootServices;
    EFI_EVENT finished = call->finished;
    if (!finished)
        return true;
    if (boot->CheckEvent(finished) == EFI_NOT_READY)
        return false;
    (void)boot->CloseEvent(finished);
    for (uint32_t n = 0; n < CPU_MAX; n++)
        if (asked.call[n] && asked.call[n]->finished == finished)
            asked.call[n]->finished = NULL;
    return true;
}
