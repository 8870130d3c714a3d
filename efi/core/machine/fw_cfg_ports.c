/* The ports of QEMU's fw_cfg. Apart from the rest, so that host tests can be the device themselves.
 */
#include "../../platform/instructions.h"
#include "fw_cfg.h"

#define PORT_SELECT 0x510u
#define PORT_DATA   0x511u

void fw_cfg_select(uint16_t key)
{
    outw(PORT_SELECT, key);
}

void fw_cfg_take(uint8_t *to, size_t bytes)
{
    for (size_t n = 0; n < bytes; n++)
        to[n] = inb(PORT_DATA);
}
