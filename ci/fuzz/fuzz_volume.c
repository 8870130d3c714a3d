/*
 * A boot volume that answers anything. Each call of its protocols takes from the input whether it
 * succeeds, and what it reads: names in folders, the bytes of zmmtest.conf and of earlier logs.
 */
#include "../../efi/core/run/option_words.h"
#include "../../efi/uefi/conf.h"
#include "../../efi/uefi/firmware.h"
#include "../../efi/uefi/sinks.h"
#include "fuzz.h"
#include <string.h>

static struct fuzz_input input;
static int open_files;

/* Most of what is asked succeeds. */
static EFI_STATUS status(void)
{
    static const EFI_STATUS failures[] = {EFI_NOT_FOUND, EFI_DEVICE_ERROR, EFI_VOLUME_FULL,
                                          EFI_ACCESS_DENIED, EFI_MEDIA_CHANGED};
    uint8_t byte;
    fuzz_take(&input, &byte, 1);
    return byte < 224 ? EFI_SUCCESS : failures[byte % 5];
}

// NOLINTNEXTLINE(readability-non-const-parameter): the type is the specification's
static EFI_STATUS EFIAPI file_open(EFI_FILE_HANDLE this, EFI_FILE_HANDLE *opened, CHAR16 *name,
                                   UINT64 mode, UINT64 attributes)
{
    (void)mode;
    (void)attributes;
    size_t length = 0;
    while (name[length])
        length++;
    fuzz_expect(length > 0 && length < 24, "a name has an end");
    EFI_STATUS result = status();
    if (EFI_ERROR(result))
        return result;
    open_files++;
    *opened = this;
    return result;
}

static EFI_STATUS EFIAPI file_close(EFI_FILE_HANDLE this)
{
    (void)this;
    open_files--;
    return EFI_SUCCESS;
}

/* A folder's entry has a size of its own, which the firmware says is in the buffer. */
static EFI_STATUS EFIAPI file_read(EFI_FILE_HANDLE this, UINTN *size, VOID *buffer)
{
    (void)this;
    uint16_t bytes;
    EFI_STATUS result = status();
    if (EFI_ERROR(result))
        return result;
    fuzz_take(&input, &bytes, sizeof(bytes));
    *size = bytes < *size ? bytes : *size;
    fuzz_take(&input, buffer, *size);
    return result;
}

static EFI_STATUS EFIAPI file_write(EFI_FILE_HANDLE this, UINTN *size, VOID *buffer)
{
    (void)this;
    (void)buffer;
    if (input.size % 7 == 1)
        *size /= 2;
    return status();
}

static EFI_STATUS EFIAPI file_position(EFI_FILE_HANDLE this, UINT64 *position)
{
    (void)this;
    fuzz_take(&input, position, sizeof(*position));
    return status();
}

static EFI_STATUS EFIAPI file_seek(EFI_FILE_HANDLE this, UINT64 position)
{
    (void)this;
    (void)position;
    return status();
}

static EFI_STATUS EFIAPI file_flush(EFI_FILE_HANDLE this)
{
    (void)this;
    return status();
}

static EFI_FILE file = {.Open = file_open,
                        .Close = file_close,
                        .Delete = file_close,
                        .Read = file_read,
                        .Write = file_write,
                        .GetPosition = file_position,
                        .SetPosition = file_seek,
                        .Flush = file_flush};

static EFI_STATUS EFIAPI open_volume(EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *this, EFI_FILE_HANDLE *root)
{
    (void)this;
    *root = &file;
    open_files++;
    return EFI_SUCCESS;
}

static EFI_SIMPLE_FILE_SYSTEM_PROTOCOL volume = {.OpenVolume = open_volume};
static EFI_LOADED_IMAGE image = {.DeviceHandle = &volume};

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, VOID **found)
{
    (void)guid;
    *found = handle;
    return EFI_SUCCESS;
}

static EFI_BOOT_SERVICES boot_services = {.HandleProtocol = handle_protocol};
static CHAR16 vendor[] = L"EDK II";
static EFI_SYSTEM_TABLE table = {.BootServices = &boot_services, .FirmwareVendor = vendor};

static void read_options(void)
{
    static const struct hypervisor none = {.kind = HYPERVISOR_NONE};
    static struct options options;
    char message[512];
    struct text error;
    const char *notice;
    text_start(&error, message, sizeof(message));
    options_default(&options);
    bool good = conf_read(&options, &none, &error, &notice);
    fuzz_expect(good == (error.length == 0), "what is wrong is told, and only that");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input = (struct fuzz_input){data, size};
    image_handle = &image;
    system_table = &table;
    open_files = 0;
    struct sink *sink = files_sink();
    read_options();
    for (unsigned int n = 0; n < 4; n++) {
        sink->log("zmmtest ts=0.000 ev=tick");
        sink->text("text");
        sink->flush();
        (void)sink->trouble();
    }
    files_close();
    fuzz_expect(open_files == 0, "each file that was opened is closed, and once");
    return 0;
}
