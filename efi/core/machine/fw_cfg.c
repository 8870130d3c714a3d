/* Finds a file in the directory of QEMU's fw_cfg, and reads it. */
#include "fw_cfg.h"
#include <string.h>

#define KEY_SIGNATURE 0x0000u
#define KEY_DIRECTORY 0x0019u

/* Files have the keys from 0x20 to 0x3fff: there cannot be more of them. */
#define FILES_MAX (0x4000u - 0x20u)

#define ENTRY_KEY  4u /* offset in bytes; the size, of 4 bytes, stands before it */
#define ENTRY_NAME 8u
#define NAME_BYTES (FW_CFG_ENTRY_BYTES - ENTRY_NAME)

static uint32_t big_endian_32(const uint8_t bytes[4])
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool is_there(void)
{
    uint8_t signature[4];
    fw_cfg_select(KEY_SIGNATURE);
    fw_cfg_take(signature, sizeof(signature));
    return memcmp(signature, "QEMU", sizeof(signature)) == 0;
}

bool fw_cfg_entry_is(const uint8_t entry[FW_CFG_ENTRY_BYTES], const char *name,
                     struct fw_cfg_file *file)
{
    size_t length = strlen(name);
    if (length >= NAME_BYTES || memcmp(entry + ENTRY_NAME, name, length + 1) != 0)
        return false;
    file->size = big_endian_32(entry);
    file->key = (uint16_t)(entry[ENTRY_KEY] << 8 | entry[ENTRY_KEY + 1]);
    return true;
}

static bool find_file(const char *name, struct fw_cfg_file *file)
{
    uint8_t count[4], entry[FW_CFG_ENTRY_BYTES];
    fw_cfg_select(KEY_DIRECTORY);
    fw_cfg_take(count, sizeof(count));
    uint32_t files = big_endian_32(count);
    for (uint32_t n = 0; n < files && n < FILES_MAX; n++) {
        fw_cfg_take(entry, sizeof(entry));
        if (fw_cfg_entry_is(entry, name, file))
            return true;
    }
    return false;
}

bool fw_cfg_read(const struct hypervisor *hypervisor, const char *name, char *to, size_t room,
                 size_t *size)
{
    struct fw_cfg_file file;
    bool by_qemu = hypervisor->kind == HYPERVISOR_KVM || hypervisor->kind == HYPERVISOR_TCG;
    if (!by_qemu || !is_there() || !find_file(name, &file))
        return false;
    fw_cfg_select(file.key);
    fw_cfg_take((uint8_t *)to, file.size < room ? file.size : room);
    *size = file.size;
    return true;
}
