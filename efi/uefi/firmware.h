/* The firmware that started us: handles and tables that the UEFI modules share. */
#ifndef ZMMTEST_UEFI_FIRMWARE_H
#define ZMMTEST_UEFI_FIRMWARE_H

#include <efi.h>
#include <stddef.h>

extern EFI_HANDLE image_handle;
extern EFI_SYSTEM_TABLE *system_table;

/* "EFI_NOT_FOUND" and so on; "an unknown status" for one that has no name here. */
const char *status_name(EFI_STATUS status);

/* What a handle has of a protocol; NULL: it has none. */
void *protocol_of(EFI_HANDLE handle, const EFI_GUID *guid);

/*
 * The root folder of the volume that this image was loaded from, for the caller to close; NULL:
 * none, as after a netboot.
 */
EFI_FILE_HANDLE open_boot_volume(void);

/* Copies UCS-2 into ASCII, '?' for what is not printable; always terminated. */
void ascii_from_ucs2(char *to, size_t size, const CHAR16 *from);

#endif
