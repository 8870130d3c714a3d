/* Which network adapters there are that nobody needs; taking them, and giving them back. */
#ifndef ZMMTEST_UEFI_NET_FIND_H
#define ZMMTEST_UEFI_NET_FIND_H

#include "../platform/net.h"
#include "firmware.h"
#include <efinet.h>
#include <stdbool.h>

struct net_adapter {
    EFI_HANDLE handle;
    EFI_SIMPLE_NETWORK *network;
    UINT32 found; /* its state when it was ours, of EFI_SIMPLE_NETWORK_STATE */
    bool driven;  /* by drivers that taking it has disconnected */
    char address[NET_ADDRESS_TEXT];
};

/*
 * Takes adapters that nobody needs, has them ready to send, and tells of those that are left
 * alone. Returns how many.
 */
uint32_t net_take(struct net_adapter *adapters, uint32_t most);

/* Back to the state that it was found in. An error: it may still have frames. */
EFI_STATUS net_halt(const struct net_adapter *adapter);

/* What was disconnected for it is connected again. */
void net_give_back(const struct net_adapter *adapter);

/* After all of them: drivers that were connected for this are disconnected. */
void net_forget(void);

#endif
