/* Finds the vCPUs and starts procedures on them, by the EFI MP services. */
#include "mp_services.h"
#include "../core/run/options.h"
#include "firmware.h"

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

/* The firmware calls by its own convention. */
static void EFIAPI called_by_firmware(void *argument)
{
    const struct processor_call *call = argument;
    call->procedure(call->argument);
}

const char *mp_services_start(uint32_t number, struct processor_call *call)
{
    EFI_BOOT_SERVICES *boot = system_table->BootServices;
    EFI_EVENT finished;
    EFI_STATUS status = boot->CreateEvent(0, TPL_APPLICATION, NULL, NULL, &finished);
    if (EFI_ERROR(status))
        return status_name(status);
    status = services->StartupThisAP(services, called_by_firmware, number, finished, 0, call, NULL);
    if (EFI_ERROR(status)) {
        (void)boot->CloseEvent(finished);
        return status_name(status);
    }
    call->finished = finished;
    return NULL;
}

bool mp_services_returned(struct processor_call *call)
{
    EFI_BOOT_SERVICES *boot = system_table->BootServices;
    if (!call->finished)
        return true;
    if (boot->CheckEvent(call->finished) == EFI_NOT_READY)
        return false;
    (void)boot->CloseEvent(call->finished);
    call->finished = NULL;
    return true;
}
