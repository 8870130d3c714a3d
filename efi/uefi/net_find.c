/*
 * Adapters are the handles with a Simple Network Protocol (UEFI 2.10, 24.1) whose device path ends
 * with a hardware address: the network stack puts the same protocol on handles behind it. One is
 * left alone if it leads to the boot volume or to any disk.
 */
#include "net_find.h"
#include "../core/report/events.h"
#include "../core/text.h"
#include <efipciio.h>
#include <string.h>

static const EFI_GUID network_guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
static const EFI_GUID device_path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
static const EFI_GUID block_io_guid = EFI_BLOCK_IO_PROTOCOL_GUID;
static const EFI_GUID image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
static const EFI_GUID pci_guid = EFI_PCI_IO_PROTOCOL_GUID;

#define ETHERNET      1u /* IfType, of RFC 1700 */
#define ADDRESS_BYTES 6u
#define HEADER_BYTES  14u
#define NODES_MOST    64u
#define MAC_BYTES     (sizeof(EFI_DEVICE_PATH_PROTOCOL) + ADDRESS_BYTES)

#define CONTROLLERS_MOST  8u
#define PCI_CLASS_OFFSET  11u
#define PCI_CLASS_NETWORK 2u

/* Controllers whose drivers were connected for this. */
static struct {
    EFI_HANDLE handle[CONTROLLERS_MOST];
    uint32_t count;
} connected;

static EFI_HANDLE *handles_of(const EFI_GUID *guid, UINTN *count)
{
    EFI_HANDLE *handles = NULL;
    EFI_STATUS status = system_table->BootServices->LocateHandleBuffer(ByProtocol, (EFI_GUID *)guid,
                                                                       NULL, count, &handles);
    if (!EFI_ERROR(status))
        return handles;
    *count = 0;
    return NULL;
}

static void free_handles(EFI_HANDLE *handles)
{
    if (handles)
        (void)system_table->BootServices->FreePool(handles);
}

/* Whether a driver keeps that protocol of the handle. */
static bool has_driver(EFI_HANDLE handle, const EFI_GUID *guid)
{
    EFI_BOOT_SERVICES *boot = system_table->BootServices;
    EFI_OPEN_PROTOCOL_INFORMATION_ENTRY *entries;
    UINTN count;
    bool driver = false;
    if (EFI_ERROR(boot->OpenProtocolInformation(handle, (EFI_GUID *)guid, &entries, &count)))
        return false;
    for (UINTN n = 0; n < count; n++)
        driver |= (entries[n].Attributes & EFI_OPEN_PROTOCOL_BY_DRIVER) != 0;
    (void)boot->FreePool(entries);
    return driver;
}

/* --- who needs an adapter --- */

enum leads { NOWHERE, THROUGH, TO_IT };

/* Whether the device path of a handle goes through the adapter of that address, or ends there. */
static enum leads path_leads(EFI_HANDLE handle, const UINT8 *address)
{
    const UINT8 *at = protocol_of(handle, &device_path_guid);
    enum leads leads = NOWHERE;
    for (uint32_t n = 0; at && n < NODES_MOST; n++) {
        const EFI_DEVICE_PATH_PROTOCOL *node = (const EFI_DEVICE_PATH_PROTOCOL *)at;
        size_t length = node->Length[0] | (size_t)node->Length[1] << 8;
        if (node->Type == END_DEVICE_PATH_TYPE || length < sizeof(*node))
            break;
        if (leads == TO_IT)
            leads = THROUGH;
        if (node->Type == MESSAGING_DEVICE_PATH && node->SubType == MSG_MAC_ADDR_DP &&
            length >= MAC_BYTES && memcmp(node + 1, address, ADDRESS_BYTES) == 0)
            leads = TO_IT;
        at += length;
    }
    return leads;
}

/* NULL, or what is reached by it. */
static const char *needed_for(const UINT8 *address)
{
    const char *what = NULL;
    UINTN count;
    const EFI_LOADED_IMAGE *image = protocol_of(image_handle, &image_guid);
    if (image && image->DeviceHandle && path_leads(image->DeviceHandle, address) != NOWHERE)
        return "zmmtest was booted by it";
    EFI_HANDLE *handles = handles_of(&block_io_guid, &count);
    for (UINTN n = 0; n < count && !what; n++)
        if (path_leads(handles[n], address) != NOWHERE)
            what = "a disk is reached by it";
    free_handles(handles);
    return what;
}

/* NULL, or why no frame can be sent there that disturbs nobody. */
static const char *unsuitable(const EFI_SIMPLE_NETWORK_MODE *mode)
{
    static const UINT8 none[ADDRESS_BYTES];
    const UINT8 *address = mode->CurrentAddress.Addr;
    if (mode->IfType != ETHERNET || mode->HwAddressSize != ADDRESS_BYTES ||
        mode->MediaHeaderSize != HEADER_BYTES)
        return "it is no Ethernet";
    /* The first bit of a group's address is 1 (IEEE Std 802, 8.2.2). */
    if (address[0] & 1 || memcmp(address, none, sizeof(none)) == 0)
        return "it has no address of its own";
    return needed_for(address);
}

/* --- taking one --- */

static void name_it(struct net_adapter *adapter, const UINT8 *address)
{
    struct text text;
    text_start(&text, adapter->address, sizeof(adapter->address));
    for (uint32_t n = 0; n < ADDRESS_BYTES; n++)
        text_add(&text, "%s%x%x", n ? ":" : "", address[n] >> 4, address[n] & 0xf);
}

static void tell(const struct net_adapter *adapter, const char *why, const char *status)
{
    char buffer[160];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "the network adapter %s is left alone: %s%s%s", adapter->address, why,
             status ? ": " : "", status ? status : "");
    event_notice(buffer);
}

/* Exclusively: that disconnects the firmware's own drivers (UEFI 2.10, 7.3.9), which would take
 * frames and notes of their end for theirs. */
static EFI_STATUS open_it(struct net_adapter *adapter)
{
    adapter->driven = has_driver(adapter->handle, &network_guid);
    EFI_STATUS status = system_table->BootServices->OpenProtocol(
        adapter->handle, (EFI_GUID *)&network_guid, (void **)&adapter->network, image_handle, NULL,
        EFI_OPEN_PROTOCOL_EXCLUSIVE);
    if (!EFI_ERROR(status))
        adapter->found = adapter->network->Mode->State;
    return status;
}

/* Ready to send, and to take what is sent to its own address; U-Boot has no filters. */
static EFI_STATUS initialize(const struct net_adapter *adapter)
{
    EFI_SIMPLE_NETWORK *network = adapter->network;
    EFI_STATUS status = EFI_SUCCESS;
    if (network->Mode->State == EfiSimpleNetworkStopped)
        status = network->Start(network);
    if (EFI_ERROR(status) || network->Mode->State != EfiSimpleNetworkStarted)
        return status;
    status = network->Initialize(network, 0, 0);
    if (EFI_ERROR(status))
        return status;
    status =
        network->ReceiveFilters(network, EFI_SIMPLE_NETWORK_RECEIVE_UNICAST, 0, FALSE, 0, NULL);
    return status == EFI_UNSUPPORTED ? EFI_SUCCESS : status;
}

static void connect_again(const struct net_adapter *adapter)
{
    if (!adapter->driven)
        return;
    EFI_STATUS status =
        system_table->BootServices->ConnectController(adapter->handle, NULL, NULL, TRUE);
    if (EFI_ERROR(status))
        tell(adapter, "the firmware does not connect its drivers again", status_name(status));
}

/* NULL, or why it cannot be used; then it is as it was. */
static const char *prepare(struct net_adapter *adapter, EFI_STATUS *status)
{
    *status = open_it(adapter);
    if (EFI_ERROR(*status)) {
        connect_again(adapter); /* those that were disconnected before one refused */
        return "something else keeps it";
    }
    const char *why = NULL;
    *status = initialize(adapter);
    if (EFI_ERROR(*status))
        why = "it does not start";
    /* Whether there is a link is known once it is initialized. */
    const EFI_SIMPLE_NETWORK_MODE *mode = adapter->network->Mode;
    if (!why && mode->MediaPresentSupported && !mode->MediaPresent)
        why = "it has no link";
    if (why) {
        (void)net_halt(adapter);
        net_give_back(adapter);
    }
    return why;
}

/* False: it is left alone, and that is told. */
static bool take(struct net_adapter *adapter)
{
    const EFI_SIMPLE_NETWORK_MODE *mode = adapter->network->Mode;
    EFI_STATUS status = EFI_SUCCESS;
    name_it(adapter, mode->CurrentAddress.Addr);
    const char *why = unsuitable(mode);
    if (!why)
        why = prepare(adapter, &status);
    if (why)
        tell(adapter, why, EFI_ERROR(status) ? status_name(status) : NULL);
    return !why;
}

/* --- all of them --- */

static bool is_network_controller(EFI_HANDLE handle)
{
    EFI_PCI_IO_PROTOCOL *pci = protocol_of(handle, &pci_guid);
    UINT8 class = 0;
    return pci && !EFI_ERROR(pci->Pci.Read(pci, EfiPciIoWidthUint8, PCI_CLASS_OFFSET, 1, &class)) &&
           class == PCI_CLASS_NETWORK;
}

/* A firmware that boots fast connects what it boots from, and nothing else. */
static void connect_all(void)
{
    UINTN count;
    EFI_HANDLE *handles = handles_of(&pci_guid, &count);
    for (UINTN n = 0; n < count && connected.count < CONTROLLERS_MOST; n++)
        if (is_network_controller(handles[n]) && !has_driver(handles[n], &pci_guid) &&
            !EFI_ERROR(system_table->BootServices->ConnectController(handles[n], NULL, NULL, TRUE)))
            connected.handle[connected.count++] = handles[n];
    free_handles(handles);
}

uint32_t net_take(struct net_adapter *adapters, uint32_t most)
{
    uint32_t taken = 0;
    UINTN count;
    EFI_HANDLE *handles = handles_of(&network_guid, &count);
    if (!count) {
        free_handles(handles);
        connect_all();
        handles = handles_of(&network_guid, &count);
    }
    /* Handles behind an adapter are gone once it is taken, and have no protocol then. */
    for (UINTN n = 0; n < count && taken < most; n++) {
        struct net_adapter *adapter = &adapters[taken];
        *adapter = (struct net_adapter){.handle = handles[n],
                                        .network = protocol_of(handles[n], &network_guid)};
        if (adapter->network &&
            path_leads(handles[n], adapter->network->Mode->CurrentAddress.Addr) == TO_IT)
            taken += take(adapter);
    }
    free_handles(handles);
    return taken;
}

EFI_STATUS net_halt(const struct net_adapter *adapter)
{
    EFI_SIMPLE_NETWORK *network = adapter->network;
    EFI_STATUS status = EFI_SUCCESS;
    if (network->Mode->State == EfiSimpleNetworkInitialized &&
        adapter->found != EfiSimpleNetworkInitialized)
        status = network->Shutdown(network);
    if (!EFI_ERROR(status) && network->Mode->State == EfiSimpleNetworkStarted &&
        adapter->found == EfiSimpleNetworkStopped)
        status = network->Stop(network);
    return status;
}

void net_give_back(const struct net_adapter *adapter)
{
    EFI_STATUS status = system_table->BootServices->CloseProtocol(
        adapter->handle, (EFI_GUID *)&network_guid, image_handle, NULL);
    if (EFI_ERROR(status))
        tell(adapter, "the firmware does not take it back", status_name(status));
    connect_again(adapter);
}

void net_forget(void)
{
    while (connected.count > 0) {
        EFI_HANDLE handle = connected.handle[--connected.count];
        (void)system_table->BootServices->DisconnectController(handle, NULL, NULL);
    }
}
