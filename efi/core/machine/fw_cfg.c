/* Reads a file of QEMU's fw_cfg by its ports. */
#include "fw_cfg.h"
#include "../../platform/instructions.h"
#include <string.h>

#define PORT_SELECT   0x510u
#define PORT_DATA     0x511u
#define KEY_SIGNATURE 0x0000u
#define KEY_DIRECTORY 0x0019u

/* Files have the keys from 0x20 to 0x3fff: there cannot be more of them. */
#define FILES_MAX (0x4000u - 0x20u)

#define ENTRY_KEY  4u /* offset in bytes; the size, of 4 bytes, stands before it */
#define ENTRY_NAME 8u
#define NAME_BYTES (FW_CFG_ENTRY_BYTES - ENTRY_NAME)

static void select_key(uint16_t key)
{
    outw(PORT_SELECT, key);
}

/* Of what is selected, from where the last reading ended; zeros behind its end. */
static void read_data(uint8_t *to, size_t bytes)
{
    for (size_t n = 0; n < bytes; n++)
        to[n] = inb(PORT_DATA);
}

static uint32_t big_endian_32(const uint8_t bytes[4])
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool is_there(void)
{
    uint8_t signature[4];
    select_key(KEY_SIGNATURE);
    read_data(signature, sizeof(signature));
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
    select_key(KEY_DIRECTORY);
    read_data(count, sizeof(count));
    uint32_t files = big_endian_32(count);
    for (uint32_t n = 0; n < files && n < FILES_MAX; n++) {
        read_data(entry, sizeof(entry));
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
    select_key(file.key);
    read_data((uint8_t *)to, file.size < room ? file.size : room);
    *size = file.size;
    return true;
}
