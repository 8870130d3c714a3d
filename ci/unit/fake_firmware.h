/* What the tests of files that speak UEFI share: a firmware of which each makes up what it needs.
 */
#ifndef ZMMTEST_CI_UNIT_FAKE_FIRMWARE_H
#define ZMMTEST_CI_UNIT_FAKE_FIRMWARE_H

#include "../../efi/uefi/firmware.h"
#include <stdbool.h>

extern EFI_TPL fake_level; /* that it is at */
extern bool fake_late;     /* nothing that is waited for ends */
extern char fake_told[4000];

/*
 * The firmware anew: these services, with levels, events and FreePool of its own.
 * Nothing was told yet, and the log goes to fake_told from now on.
 */
void fake_firmware(EFI_BOOT_SERVICES services);

bool is_guid(const EFI_GUID *guid, EFI_GUID other);

#endif
