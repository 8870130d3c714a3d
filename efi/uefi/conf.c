/* Reads the configuration file, the hypervisor's options and the load options. */
#include "conf.h"
#include "../core/machine/fw_cfg.h"
#include "../core/machine/vmware.h"
#include "../core/run/load_options.h"
#include "../core/run/option_words.h"
#include "firmware.h"
#include <string.h>

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

static bool parse_conf(struct options *options, struct text *error)
{
    UINTN size;
    EFI_STATUS status = read_conf(&size);
    if (status == EFI_NOT_FOUND || status == EFI_NO_MEDIA)
        return true;
    if (!EFI_ERROR(status))
        return options_parse_conf(options, "zmmtest.conf", contents, size, error);
    text_add(error, "zmmtest.conf: cannot be read (%s)", status_name(status));
    return false;
}

static bool parse_platform(struct options *options, const struct hypervisor *hypervisor,
                           struct text *error)
{
    static const char guestinfo[] = "guestinfo.zmmtest.options", file[] = "opt/zmmtest/options";
    size_t size;
    if (vmware_read(guestinfo, contents, sizeof(contents), &size))
        return options_parse_conf(options, guestinfo, contents, size, error);
    if (fw_cfg_read(hypervisor, file, contents, sizeof(contents), &size))
        return options_parse_conf(options, "fw_cfg opt/zmmtest/options", contents, size, error);
    return true;
}

static bool firmware_is_u_boot(void)
{
    static const char u_boot[] = "Das U-Boot";
    char vendor[sizeof(u_boot)];
    ascii_from_ucs2(vendor, sizeof(vendor), system_table->FirmwareVendor);
    return memcmp(vendor, u_boot, sizeof(u_boot)) == 0;
}

/*
 * U-Boot gives its variable bootargs to all that it boots, and as delivered that is the command
 * line of a Linux kernel (U-Boot's documentation, "UEFI on U-Boot").
 */
static const char bootargs_notice[] =
    "U-Boot's bootargs are no options of zmmtest, and none of them is taken. "
    "\"setenv bootargs\" empties them or sets options.";

static bool parse_load_options(struct options *options, struct text *error, const char **notice)
{
    EFI_GUID guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
    EFI_LOADED_IMAGE *image;
    if (EFI_ERROR(system_table->BootServices->HandleProtocol(image_handle, &guid, (void **)&image)))
        return true;
    return load_options_parse(options, image->LoadOptions, image->LoadOptionsSize,
                              firmware_is_u_boot() ? bootargs_notice : NULL, error, notice);
}

bool conf_read(struct options *options, const struct hypervisor *hypervisor, struct text *error,
               const char **notice)
{
    /* The first error is the one reported; later sources still set the power state. */
    char second[8];
    struct text ignored;
    text_start(&ignored, second, sizeof(second));
    bool good = parse_conf(options, error);
    good &= parse_platform(options, hypervisor, good ? error : &ignored);
    *notice = NULL;
    good &= parse_load_options(options, good ? error : &ignored, notice);
    return good;
}
