/* Reads the configuration file and the load options. */
#include "conf.h"
#include "firmware.h"

static char contents[CONF_MAX + 1];

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

static bool parse_load_options(struct options *options, struct text *error)
{
    EFI_GUID guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
    EFI_LOADED_IMAGE *image;
    if (EFI_ERROR(system_table->BootServices->HandleProtocol(image_handle, &guid, (void **)&image)))
        return true;
    return options_parse_load(options, image->LoadOptions, image->LoadOptionsSize, error);
}

bool conf_read(struct options *options, struct text *error)
{
    UINTN size;
    bool good = true;
    EFI_STATUS status = read_conf(&size);
    if (!EFI_ERROR(status)) {
        good = options_parse_conf(options, contents, size, error);
    } else if (status != EFI_NOT_FOUND && status != EFI_NO_MEDIA) {
        text_add(error, "zmmtest.conf: cannot be read (%s)", status_name(status));
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
