/* Reads the configuration file and the load options. */
#include "conf.h"
#include "firmware.h"
#include <string.h>

#define CONF_NAME "zmmtest.conf"
#define CONF_MAX  16384u

static char contents[CONF_MAX + 1];

/* The root folder of the volume that this image was loaded from; NULL: none, as after a netboot. */
static EFI_FILE_HANDLE open_boot_volume(void)
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

/* The whole file, one byte more than allowed at most. */
static EFI_STATUS read_conf(UINTN *size)
{
    EFI_FILE_HANDLE file, root = open_boot_volume();
    *size = 0;
    if (!root)
        return EFI_NOT_FOUND;
    EFI_STATUS status = root->Open(root, &file, L"\\zmmtest.conf", EFI_FILE_MODE_READ, 0);
    if (!EFI_ERROR(status)) {
        *size = sizeof(contents);
        status = file->Read(file, size, contents);
        (void)file->Close(file);
    }
    (void)root->Close(root);
    return status;
}

static bool parse_conf(struct options *options, UINTN size, struct text *error)
{
    const char *words = contents;
    if (size > CONF_MAX) {
        text_add(error, "%s: larger than the %u bytes allowed", CONF_NAME, CONF_MAX);
        return false;
    }
    if (size >= 2 && (memcmp(words, "\xff\xfe", 2) == 0 || memcmp(words, "\xfe\xff", 2) == 0)) {
        text_add(error, "%s line 1: UTF-16; allowed is ASCII or UTF-8 text", CONF_NAME);
        return false;
    }
    if (size >= 3 && memcmp(words, "\xef\xbb\xbf", 3) == 0) {
        words += 3;
        size -= 3;
    }
    return options_parse(options, CONF_NAME, words, size, error);
}

/*
 * Load options are whatever started us put there: text from a shell, with the program's own name as
 * the first word, or nothing, or binary data of a boot manager, which is not for us.
 */
static size_t text_of_load_options(const EFI_LOADED_IMAGE *image)
{
    const CHAR16 *from = image->LoadOptions;
    size_t count = image->LoadOptionsSize / sizeof(CHAR16), length = 0;
    if (!from || image->LoadOptionsSize % sizeof(CHAR16) != 0 || count > CONF_MAX)
        return 0;
    for (; length < count && from[length]; length++) {
        if (from[length] > '~' || (from[length] < ' ' && from[length] != '\t'))
            return 0;
        contents[length] = (char)from[length];
    }
    return length;
}

/* The program's name is a word without '='; a mistyped option without one is not swallowed. */
static size_t name_length(const char *words, size_t length)
{
    size_t end = 0;
    while (end < length && words[end] != ' ')
        end++;
    static const char suffix[] = ".efi";
    if (end < sizeof(suffix) - 1)
        return 0;
    for (size_t n = 0; n < sizeof(suffix) - 1; n++)
        if ((words[end - (sizeof(suffix) - 1) + n] | 0x20) != (suffix[n] | 0x20))
            return 0;
    return end;
}

static bool parse_load_options(struct options *options, struct text *error)
{
    EFI_GUID guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
    EFI_LOADED_IMAGE *image;
    if (EFI_ERROR(
            system_table->BootServices->HandleProtocol(image_handle, &guid, (void **)&image)))
        return true;
    size_t length = text_of_load_options(image);
    size_t skip = name_length(contents, length);
    return options_parse(options, "load options", contents + skip, length - skip, error);
}

bool conf_read(struct options *options, struct text *error)
{
    UINTN size;
    bool good = true;
    EFI_STATUS status = read_conf(&size);
    if (!EFI_ERROR(status)) {
        good = parse_conf(options, size, error);
    } else if (status != EFI_NOT_FOUND && status != EFI_NO_MEDIA) {
        text_add(error, "%s: cannot be read (%s)", CONF_NAME, status_name(status));
        good = false;
    }
    if (good)
        return parse_load_options(options, error);
    /* The first error is the one reported; the load options still set the power state. */
    char second[8];
    struct text ignored;
    text_start(&ignored, second, sizeof(second));
    (void)parse_load_options(options, &ignored);
    return false;
}
