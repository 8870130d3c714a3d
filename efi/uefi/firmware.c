/* Shared handles, and words for status codes (UEFI 2.10, appendix D). */
#include "firmware.h"

EFI_HANDLE image_handle;
EFI_SYSTEM_TABLE *system_table;

const char *status_name(EFI_STATUS status)
{
    static const struct {
        EFI_STATUS status;
        const char *name;
    } names[] = {
        {EFI_SUCCESS, "EFI_SUCCESS"},
        {EFI_LOAD_ERROR, "EFI_LOAD_ERROR"},
        {EFI_INVALID_PARAMETER, "EFI_INVALID_PARAMETER"},
        {EFI_UNSUPPORTED, "EFI_UNSUPPORTED"},
        {EFI_BAD_BUFFER_SIZE, "EFI_BAD_BUFFER_SIZE"},
        {EFI_BUFFER_TOO_SMALL, "EFI_BUFFER_TOO_SMALL"},
        {EFI_NOT_READY, "EFI_NOT_READY"},
        {EFI_DEVICE_ERROR, "EFI_DEVICE_ERROR"},
        {EFI_WRITE_PROTECTED, "EFI_WRITE_PROTECTED"},
        {EFI_OUT_OF_RESOURCES, "EFI_OUT_OF_RESOURCES"},
        {EFI_VOLUME_CORRUPTED, "EFI_VOLUME_CORRUPTED"},
        {EFI_VOLUME_FULL, "EFI_VOLUME_FULL"},
        {EFI_NO_MEDIA, "EFI_NO_MEDIA"},
        {EFI_MEDIA_CHANGED, "EFI_MEDIA_CHANGED"},
        {EFI_NOT_FOUND, "EFI_NOT_FOUND"},
        {EFI_ACCESS_DENIED, "EFI_ACCESS_DENIED"},
        {EFI_TIMEOUT, "EFI_TIMEOUT"},
        {EFI_NOT_STARTED, "EFI_NOT_STARTED"},
        {EFI_ALREADY_STARTED, "EFI_ALREADY_STARTED"},
        {EFI_ABORTED, "EFI_ABORTED"},
        {EFI_COMPROMISED_DATA, "EFI_COMPROMISED_DATA"},
    };
    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++)
        if (names[n].status == status)
            return names[n].name;
    return "an unknown status";
}

void *protocol_of(EFI_HANDLE handle, const EFI_GUID *guid)
{
    void *protocol = NULL;
    EFI_STATUS status =
        system_table->BootServices->HandleProtocol(handle, (EFI_GUID *)guid, &protocol);
    return EFI_ERROR(status) ? NULL : protocol;
}

EFI_FILE_HANDLE open_boot_volume(void)
{
    EFI_GUID image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
    EFI_GUID volume_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
    EFI_BOOT_SERVICES *boot = system_table->BootServices;
    EFI_LOADED_IMAGE *image;
    EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *volume;
    EFI_FILE_HANDLE root;
    if (EFI_ERROR(boot->HandleProtocol(image_handle, &image_guid, (void **)&image)))
        return NULL;
    if (EFI_ERROR(boot->HandleProtocol(image->DeviceHandle, &volume_guid, (void **)&volume)))
        return NULL;
    return EFI_ERROR(volume->OpenVolume(volume, &root)) ? NULL : root;
}

void ascii_from_ucs2(char *to, size_t size, const CHAR16 *from)
{
    size_t n = 0;
    for (; from && from[n] && n + 1 < size; n++)
        to[n] = (char)(from[n] >= ' ' && from[n] <= '~' ? from[n] : '?');
    to[n] = '\0';
}
