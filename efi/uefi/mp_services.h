/*
 * The vCPUs by the firmware's EFI_MP_SERVICES_PROTOCOL (UEFI Platform Initialization 1.8, volume 2,
 * 13.4), which gnu-efi 3.0.15 does not declare.
 */
#ifndef ZMMTEST_UEFI_MP_SERVICES_H
#define ZMMTEST_UEFI_MP_SERVICES_H

#include "../platform/processors.h"
#include <efi.h>

#define EFI_MP_SERVICES_PROTOCOL_GUID                                                              \
    ((EFI_GUID){0x3fdda605, 0xa76e, 0x4f46, {0xad, 0x29, 0x12, 0xf4, 0x53, 0x1b, 0x3d, 0x08}})

typedef VOID(EFIAPI *EFI_AP_PROCEDURE)(VOID *argument);

#define PROCESSOR_AS_BSP_BIT        0x1
#define PROCESSOR_ENABLED_BIT       0x2
#define PROCESSOR_HEALTH_STATUS_BIT 0x4

typedef struct {
    UINT64 ProcessorId;
    UINT32 StatusFlag;
    UINT32 Package, Core, Thread;
    UINT32 Extended[6]; /* written by firmware of PI 1.7 and later when asked for */
} EFI_PROCESSOR_INFORMATION;

typedef struct EFI_MP_SERVICES_PROTOCOL EFI_MP_SERVICES_PROTOCOL;
struct EFI_MP_SERVICES_PROTOCOL {
    EFI_STATUS(EFIAPI *GetNumberOfProcessors)(EFI_MP_SERVICES_PROTOCOL *, UINTN *, UINTN *);
    EFI_STATUS(EFIAPI *GetProcessorInfo)
    (EFI_MP_SERVICES_PROTOCOL *, UINTN, EFI_PROCESSOR_INFORMATION *);
    EFI_STATUS(EFIAPI *StartupAllAPs)
    (EFI_MP_SERVICES_PROTOCOL *, EFI_AP_PROCEDURE, BOOLEAN, EFI_EVENT, UINTN, VOID *, UINTN **);
    EFI_STATUS(EFIAPI *StartupThisAP)
    (EFI_MP_SERVICES_PROTOCOL *, EFI_AP_PROCEDURE, UINTN, EFI_EVENT, UINTN, VOID *, BOOLEAN *);
    EFI_STATUS(EFIAPI *SwitchBSP)(EFI_MP_SERVICES_PROTOCOL *, UINTN, BOOLEAN);
    EFI_STATUS(EFIAPI *EnableDisableAP)(EFI_MP_SERVICES_PROTOCOL *, UINTN, BOOLEAN, UINT32 *);
    EFI_STATUS(EFIAPI *WhoAmI)(EFI_MP_SERVICES_PROTOCOL *, UINTN *);
};

/* As the functions of platform/processors.h. NULL: count and boot are set; or why there are none.
 */
const char *mp_services_find(struct processors *processors);
/* Found before: how many there are, and the APIC ids of the first CPU_MAX; 0: not known. */
uint32_t mp_services_list(const uint32_t **apic_ids);
void mp_services_use(void);
const char *mp_services_unusable(uint32_t number);
const char *mp_services_ask(uint32_t number, struct processor_call *call);
void mp_services_start(void);
bool mp_services_returned(struct processor_call *call);

#endif
