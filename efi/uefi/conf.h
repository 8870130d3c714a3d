/*
 * Where options come from, later ones win: \zmmtest.conf on the boot volume, what the hypervisor
 * was told for this machine (VMware: guestinfo.zmmtest.options, QEMU: fw_cfg opt/zmmtest/options),
 * the load options.
 */
#ifndef ZMMTEST_UEFI_CONF_H
#define ZMMTEST_UEFI_CONF_H

#include "../core/machine/hypervisor.h"
#include "../core/run/options.h"
#include "../core/text.h"

/*
 * Reads all of them into *options. False if something in them is wrong; *error then says what is of
 * the first. *notice is what is to be told of them besides, or NULL. A volume without the file, or
 * no volume at all, is no error. VMware's channel has to have been started.
 */
bool conf_read(struct options *options, const struct hypervisor *hypervisor, struct text *error,
               const char **notice);

#endif
