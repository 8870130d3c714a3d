/*
 * QEMU's fw_cfg device: what was given to QEMU by -fw_cfg name=NAME,string=TEXT or file=FILE (QEMU,
 * docs/specs/fw_cfg). Its two ports are asked only beneath KVM or QEMU's own emulation, and it says
 * itself whether it is there.
 */
#ifndef ZMMTEST_CORE_MACHINE_FW_CFG_H
#define ZMMTEST_CORE_MACHINE_FW_CFG_H

#include "hypervisor.h"
#include <stddef.h>

/*
 * The file of that name, as much of it as there is room for; false: there is no such file, or no
 * fw_cfg. *size is that of the file.
 */
bool fw_cfg_read(const struct hypervisor *hypervisor, const char *name, char *to, size_t room,
                 size_t *size);

/* The device: chooses an item, and takes of it from where the last taking ended; zeros behind its
 * end. */
void fw_cfg_select(uint16_t key);
void fw_cfg_take(uint8_t *to, size_t bytes);

/* An entry of the directory, as the device hands it over. */
#define FW_CFG_ENTRY_BYTES 64u

struct fw_cfg_file {
    uint32_t size;
    uint16_t key;
};

/* Whether the entry is that of the file `name`; *file then says where it is. */
bool fw_cfg_entry_is(const uint8_t entry[FW_CFG_ENTRY_BYTES], const char *name,
                     struct fw_cfg_file *file);

#endif
