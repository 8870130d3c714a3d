/* Frames, by network adapters that are made up here: which are taken, what is sent, and how they
 * are given back. */
#include "../../efi/core/machine/clock.h"
#include "../../efi/platform/clock.h"
#include "../../efi/platform/net.h"
#include "../../efi/uefi/net_find.h"
#include "fake_firmware.h"
#include <efipciio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ADAPTERS  2u
#define RING_MOST 64u
#define NODES     4u

/* The clock of this test runs so much faster. */
#define FASTER 20u

static const EFI_GUID network_guid = EFI_SIMPLE_NETWORK_PROTOCOL_GUID;
static const EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
static const EFI_GUID block_io_guid = EFI_BLOCK_IO_PROTOCOL_GUID;
static const EFI_GUID image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
static const EFI_GUID pci_guid = EFI_PCI_IO_PROTOCOL_GUID;

/* An adapter as the firmware has it. */
static struct fake {
    EFI_SIMPLE_NETWORK network;
    EFI_SIMPLE_NETWORK_MODE mode;
    bool there, driven, exclusive;
    uint32_t room; /* frames that it takes at once */
    EFI_STATUS full, transmit, start, open, filter;
    uint32_t keeps;              /* so many frames do not end */
    bool returns;                /* they come back */
    const void *ring[RING_MOST]; /* in flight, */
    const void *back[RING_MOST]; /* or come back */
    UINTN back_bytes[RING_MOST];
    uint32_t held, came;
    uint32_t sent, strange; /* frames; and those that are not from it to itself */
    uint64_t bytes;
    uint32_t connects, closes;
} fake[ADAPTERS];

/* Handles are the addresses of these. */
static struct handle {
    UINT8 path[NODES * 32];
    size_t length;
    struct fake *of; /* whose Simple Network it has */
    bool disk, controller;
} adapter_handle[ADAPTERS], behind, disk, controller, boot_device;
static EFI_LOADED_IMAGE image = {.DeviceHandle = &boot_device};
static bool connected, disconnected;

/* --- device paths --- */

static void add_node(struct handle *handle, UINT8 type, UINT8 sub_type, const void *data,
                     size_t size)
{
    UINT8 *node = handle->path + handle->length;
    node[0] = type;
    node[1] = sub_type;
    node[2] = (UINT8)(4 + size);
    node[3] = 0;
    memcpy(node + 4, data, size);
    handle->length += 4 + size;
    memcpy(handle->path + handle->length, "\x7f\xff\x04", 4);
}

/* PCI, and then the adapter, as a MAC_ADDR_DEVICE_PATH: 32 bytes of an address, and its type. */
static void path_to(struct handle *handle, const struct fake *of)
{
    UINT8 address[33] = {0};
    memcpy(address, of->mode.CurrentAddress.Addr, 32);
    handle->length = 0;
    add_node(handle, HARDWARE_DEVICE_PATH, 1, "\0", 2);
    add_node(handle, MESSAGING_DEVICE_PATH, MSG_MAC_ADDR_DP, address, sizeof(address));
}

/* --- the adapter --- */

static struct fake *by_network(EFI_SIMPLE_NETWORK *network)
{
    return (struct fake *)network;
}

static EFI_STATUS EFIAPI start(EFI_SIMPLE_NETWORK *network)
{
    struct fake *of = by_network(network);
    assert_int_equal(of->mode.State, EfiSimpleNetworkStopped);
    if (!EFI_ERROR(of->start))
        of->mode.State = EfiSimpleNetworkStarted;
    return of->start;
}

static EFI_STATUS EFIAPI initialize(EFI_SIMPLE_NETWORK *network, UINTN receive, UINTN transmit)
{
    struct fake *of = by_network(network);
    assert_int_equal(of->mode.State, EfiSimpleNetworkStarted);
    assert_true(!receive && !transmit);
    of->mode.State = EfiSimpleNetworkInitialized;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI filter(EFI_SIMPLE_NETWORK *network, UINT32 enable, UINT32 disable,
                                BOOLEAN reset, UINTN count, EFI_MAC_ADDRESS *list)
{
    (void)list;
    assert_true(!disable && !reset && !count);
    assert_int_equal(enable, EFI_SIMPLE_NETWORK_RECEIVE_UNICAST);
    return by_network(network)->filter;
}

static EFI_STATUS EFIAPI shut_down(EFI_SIMPLE_NETWORK *network)
{
    struct fake *of = by_network(network);
    assert_int_equal(of->mode.State, EfiSimpleNetworkInitialized);
    of->mode.State = EfiSimpleNetworkStarted;
    of->held = 0;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI stop(EFI_SIMPLE_NETWORK *network)
{
    struct fake *of = by_network(network);
    assert_int_equal(of->mode.State, EfiSimpleNetworkStarted);
    of->mode.State = EfiSimpleNetworkStopped;
    return EFI_SUCCESS;
}

/* The types of parameters are UEFI's. */
// NOLINTBEGIN(readability-non-const-parameter)
static EFI_STATUS EFIAPI transmit(EFI_SIMPLE_NETWORK *network, UINTN header, UINTN bytes,
                                  VOID *buffer, EFI_MAC_ADDRESS *from, EFI_MAC_ADDRESS *to,
                                  UINT16 *protocol)
{
    struct fake *of = by_network(network);
    const UINT8 *frame = buffer, *own = of->mode.CurrentAddress.Addr;
    assert_true(of->exclusive && !header && !from && !to && !protocol);
    assert_int_equal(of->mode.State, EfiSimpleNetworkInitialized);
    if (EFI_ERROR(of->transmit))
        return of->transmit;
    if (of->held == of->room)
        return of->full;
    for (uint32_t n = 0; n < of->held; n++)
        assert_ptr_not_equal(of->ring[n], buffer);
    of->strange += memcmp(frame, own, 6) != 0 || memcmp(frame + 6, own, 6) != 0 ||
                   memcmp(frame + 12, "\x88\xb5", 2) != 0 || bytes < 60 || bytes > 1514;
    of->ring[of->held++] = buffer;
    if (of->returns && of->came < RING_MOST) {
        of->back_bytes[of->came] = bytes;
        of->back[of->came++] = buffer;
    }
    of->sent++;
    of->bytes += bytes;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI get_status(EFI_SIMPLE_NETWORK *network, UINT32 *interrupts, VOID **buffer)
{
    struct fake *of = by_network(network);
    (void)interrupts;
    *buffer = NULL;
    if (of->held > of->keeps)
        *buffer = (void *)of->ring[--of->held];
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI receive(EFI_SIMPLE_NETWORK *network, UINTN *header, UINTN *bytes,
                                 VOID *buffer, EFI_MAC_ADDRESS *from, EFI_MAC_ADDRESS *to,
                                 UINT16 *protocol)
{
    struct fake *of = by_network(network);
    assert_true(!header && !from && !to && !protocol);
    if (!of->came)
        return EFI_NOT_READY;
    of->came--;
    assert_true(*bytes >= of->back_bytes[of->came]);
    *bytes = of->back_bytes[of->came];
    memcpy(buffer, of->back[of->came], *bytes);
    return EFI_SUCCESS;
}
// NOLINTEND(readability-non-const-parameter)

/* --- the firmware --- */

static EFI_STATUS EFIAPI read_pci(EFI_PCI_IO_PROTOCOL *this, EFI_PCI_IO_PROTOCOL_WIDTH width,
                                  UINT32 offset, UINTN count, VOID *buffer)
{
    (void)this;
    assert_true(width == EfiPciIoWidthUint8 && offset == 11 && count == 1);
    *(UINT8 *)buffer = 2;
    return EFI_SUCCESS;
}

static EFI_PCI_IO_PROTOCOL pci_io = {.Pci.Read = read_pci};

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, VOID **found)
{
    struct handle *of = handle;
    *found = NULL;
    if (handle == &image)
        *found = is_guid(guid, image_guid) ? &image : NULL;
    else if (is_guid(guid, path_guid))
        *found = of->length ? of->path : NULL;
    else if (is_guid(guid, network_guid))
        *found = of->of && of->of->there ? &of->of->network : NULL;
    else if (is_guid(guid, pci_guid))
        *found = of->controller ? &pci_io : NULL;
    return *found ? EFI_SUCCESS : EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI locate(EFI_LOCATE_SEARCH_TYPE type, EFI_GUID *guid, VOID *key,
                                UINTN *count, EFI_HANDLE **handles)
{
    /* The one behind the first adapter comes first: it must not be taken for the adapter. */
    EFI_HANDLE all[] = {&behind, &adapter_handle[0], &adapter_handle[1], &disk, &controller};
    static EFI_HANDLE found[5];
    assert_true(type == ByProtocol && !key);
    *count = 0;
    for (uint32_t n = 0; n < 5; n++) {
        struct handle *of = all[n];
        if ((is_guid(guid, network_guid) && of->of && of->of->there) ||
            (is_guid(guid, block_io_guid) && of->disk) ||
            (is_guid(guid, pci_guid) && of->controller))
            found[(*count)++] = of;
    }
    *handles = found;
    return *count ? EFI_SUCCESS : EFI_NOT_FOUND;
}

static EFI_STATUS EFIAPI open_information(EFI_HANDLE handle, EFI_GUID *guid,
                                          EFI_OPEN_PROTOCOL_INFORMATION_ENTRY **entries,
                                          UINTN *count)
{
    static EFI_OPEN_PROTOCOL_INFORMATION_ENTRY entry[2] = {
        {.Attributes = EFI_OPEN_PROTOCOL_GET_PROTOCOL},
        {.Attributes = EFI_OPEN_PROTOCOL_BY_DRIVER}};
    const struct handle *of = handle;
    (void)guid;
    *entries = entry;
    *count = of->of && of->of->driven ? 2 : 1;
    return EFI_SUCCESS;
}

/* The drivers stop it. */
static EFI_STATUS EFIAPI open_protocol(EFI_HANDLE handle, EFI_GUID *guid, VOID **found,
                                       EFI_HANDLE agent, EFI_HANDLE child, UINT32 attributes)
{
    const struct handle *of = handle;
    assert_true(is_guid(guid, network_guid) && agent == image_handle && !child);
    assert_int_equal(attributes, EFI_OPEN_PROTOCOL_EXCLUSIVE);
    if (EFI_ERROR(of->of->open))
        return of->of->open;
    if (of->of->driven)
        of->of->mode.State = EfiSimpleNetworkStopped;
    of->of->exclusive = true;
    of->of->driven = false;
    *found = &of->of->network;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI close_protocol(EFI_HANDLE handle, EFI_GUID *guid, EFI_HANDLE agent,
                                        EFI_HANDLE child)
{
    const struct handle *of = handle;
    assert_true(is_guid(guid, network_guid) && agent == image_handle && !child);
    assert_true(of->of->exclusive);
    of->of->exclusive = false;
    of->of->closes++;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI connect_controller(EFI_HANDLE handle, EFI_HANDLE *drivers,
                                            EFI_DEVICE_PATH *rest, BOOLEAN recursive)
{
    struct handle *of = handle;
    assert_true(!drivers && !rest && recursive);
    if (of->controller) {
        connected = true;
        fake[0].there = true;
    } else {
        assert_false(of->of->exclusive);
        of->of->connects++;
    }
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI disconnect_controller(EFI_HANDLE handle, EFI_HANDLE driver,
                                               EFI_HANDLE child)
{
    assert_true(handle == &controller && !driver && !child);
    disconnected = true;
    return EFI_SUCCESS;
}

/* One adapter that the firmware's network stack has, with a handle behind it; a disk of another
 * bus; a boot device that is none of a network. */
static int one_adapter(void **state)
{
    (void)state;
    image_handle = &image;
    fake_firmware((EFI_BOOT_SERVICES){.HandleProtocol = handle_protocol,
                                      .LocateHandleBuffer = locate,
                                      .OpenProtocol = open_protocol,
                                      .CloseProtocol = close_protocol,
                                      .OpenProtocolInformation = open_information,
                                      .ConnectController = connect_controller,
                                      .DisconnectController = disconnect_controller});
    connected = disconnected = false;
    for (uint32_t n = 0; n < ADAPTERS; n++) {
        fake[n] = (struct fake){
            .network = {.Start = start,
                        .Stop = stop,
                        .Initialize = initialize,
                        .Shutdown = shut_down,
                        .ReceiveFilters = filter,
                        .GetStatus = get_status,
                        .Transmit = transmit,
                        .Receive = receive,
                        .Mode = &fake[n].mode},
            .mode = {.State = EfiSimpleNetworkInitialized,
                     .HwAddressSize = 6,
                     .MediaHeaderSize = 14,
                     .MaxPacketSize = 1500,
                     .IfType = 1,
                     .MultipleTxSupported = TRUE,
                     .MediaPresentSupported = TRUE,
                     .MediaPresent = TRUE,
                     .CurrentAddress.Addr = {0x52, 0x54, 0, 0x12, 0x34, (UINT8)(0x56 + n)}},
            .there = n == 0,
            .driven = true,
            .room = RING_MOST,
            .full = EFI_NOT_READY};
        adapter_handle[n] = (struct handle){.of = &fake[n]};
        path_to(&adapter_handle[n], &fake[n]);
    }
    behind = (struct handle){.of = &fake[0]};
    path_to(&behind, &fake[0]);
    add_node(&behind, MESSAGING_DEVICE_PATH, MSG_IPv4_DP, "\0\0\0\0", 4);
    disk = (struct handle){.disk = true};
    add_node(&disk, HARDWARE_DEVICE_PATH, 1, "\1", 2);
    boot_device = disk;
    controller = (struct handle){.controller = true};
    return 0;
}

static int given_back(void **state)
{
    (void)state;
    net_free();
    return 0;
}

static struct net_result result_of(uint32_t number)
{
    struct net_result result;
    assert_true(net_result(number, &result));
    return result;
}

static void frames_go_from_the_adapter_to_itself(void **state)
{
    (void)state;
    assert_null(net_find());
    assert_int_equal(fake[0].sent, 0);
    for (uint32_t n = 0; n < 10; n++) {
        assert_false(net_poll());
        assert_true(net_activity()->in_flight > 0);
    }
    assert_true(fake[0].sent > 300 && !fake[0].strange);
    net_stop();
    struct net_result result = result_of(0);
    assert_string_equal(result.address, "52:54:00:12:34:56");
    assert_true(result.frames == fake[0].sent && result.bytes == fake[0].bytes);
    assert_true(!result.returned && !result.lost && !result.failed);
    assert_int_equal(result.most, RING_MOST);
    assert_string_equal(fake_told, "");
    struct net_result none;
    assert_false(net_result(1, &none));
}

static void they_come_back_and_are_counted(void **state)
{
    (void)state;
    fake[0].returns = true;
    assert_null(net_find());
    for (uint32_t n = 0; n < 5; n++)
        assert_false(net_poll());
    net_stop();
    assert_int_equal(result_of(0).returned, fake[0].sent);
}

static void frames_of_others_are_not_counted(void **state)
{
    (void)state;
    static const UINT8 other[60] = {0x52, 0x54, 0, 0x12, 0x34, 0x56, 1, 2, 3, 4, 5, 6, 0x88, 0xb5};
    assert_null(net_find());
    fake[0].back[0] = other;
    fake[0].back_bytes[0] = sizeof(other);
    fake[0].came = 1;
    assert_false(net_poll());
    assert_int_equal(fake[0].came, 0);
    assert_int_equal(result_of(0).returned, 0);
}

static void a_small_ring_is_no_error(void **state)
{
    (void)state;
    fake[0].room = 15;
    fake[0].full = EFI_OUT_OF_RESOURCES;
    assert_null(net_find());
    assert_false(net_poll());
    assert_true(fake[0].sent >= 64 && fake[0].sent < 64 + 15);
    net_stop();
    assert_int_equal(result_of(0).most, 15);
    assert_string_equal(fake_told, "");
}

/* transmit() looks that it is not in flight. */
static void no_frame_is_sent_again_before_it_has_ended(void **state)
{
    (void)state;
    fake[0].keeps = RING_MOST - 3;
    assert_null(net_find());
    assert_false(net_poll());
    assert_int_equal(fake[0].sent, RING_MOST);
    assert_false(net_poll());
    assert_true(fake[0].sent > RING_MOST + 3);
}

static void one_at_a_time_where_the_driver_takes_no_more(void **state)
{
    (void)state;
    fake[0].mode.MultipleTxSupported = FALSE;
    assert_null(net_find());
    assert_false(net_poll());
    assert_int_equal(fake[0].sent, 64);
    assert_true(fake[0].bytes < UINT64_C(64) * 1514); /* of all lengths */
    assert_int_equal(net_activity()->in_flight, 1);
    assert_int_equal(result_of(0).most, 1);
}

static void it_sends_without_filters(void **state)
{
    (void)state;
    fake[0].filter = EFI_UNSUPPORTED;
    assert_null(net_find());
    assert_false(net_poll());
    assert_true(fake[0].sent > 0);
}

static void it_is_given_back_as_it_was_found(void **state)
{
    (void)state;
    assert_null(net_find());
    assert_true(fake[0].exclusive && !fake[0].driven);
    assert_int_equal(fake[0].mode.State, EfiSimpleNetworkInitialized);
    assert_false(net_poll());
    net_stop();
    assert_int_equal(fake[0].mode.State, EfiSimpleNetworkStopped);
    assert_int_equal(fake[0].connects, 0);
    net_free();
    assert_true(fake[0].closes == 1 && fake[0].connects == 1 && !disconnected);
}

static void one_that_nothing_drives_is_left_so(void **state)
{
    (void)state;
    fake[0].driven = false;
    fake[0].mode.State = EfiSimpleNetworkStarted;
    assert_null(net_find());
    assert_int_equal(fake[0].mode.State, EfiSimpleNetworkInitialized);
    net_free();
    assert_int_equal(fake[0].mode.State, EfiSimpleNetworkStarted);
    assert_true(fake[0].closes == 1 && fake[0].connects == 0);
}

static void left_alone(const char *why)
{
    assert_string_equal(net_find(),
                        "there is no network adapter that nobody needs and that has a link");
    assert_non_null(strstr(fake_told, "the network adapter 5"));
    assert_non_null(strstr(fake_told, why));
    assert_false(fake[0].exclusive);
    assert_int_equal(fake[0].sent, 0);
}

static void one_that_it_was_booted_by_is_left_alone(void **state)
{
    (void)state;
    boot_device = behind;
    left_alone("is left alone: zmmtest was booted by it");
    assert_int_equal(fake[0].closes, 0);
}

static void one_that_a_disk_is_reached_by_is_left_alone(void **state)
{
    (void)state;
    path_to(&disk, &fake[0]);
    add_node(&disk, MESSAGING_DEVICE_PATH, MSG_IPv4_DP, "\0\0\0\0", 4);
    left_alone("is left alone: a disk is reached by it");
    assert_int_equal(fake[0].closes, 0);
}

static void one_with_the_address_of_a_group_is_left_alone(void **state)
{
    (void)state;
    fake[0].mode.CurrentAddress.Addr[0] = 0x53;
    path_to(&adapter_handle[0], &fake[0]);
    left_alone("is left alone: it has no address of its own");
}

static void one_without_a_link_is_given_back(void **state)
{
    (void)state;
    fake[0].mode.MediaPresent = FALSE;
    left_alone("is left alone: it has no link");
    assert_true(fake[0].closes == 1 && fake[0].connects == 1);
    assert_int_equal(fake[0].mode.State, EfiSimpleNetworkStopped);
}

static void one_that_does_not_start_is_given_back(void **state)
{
    (void)state;
    fake[0].start = EFI_DEVICE_ERROR;
    left_alone("is left alone: it does not start: EFI_DEVICE_ERROR");
    assert_true(fake[0].closes == 1 && fake[0].connects == 1);
}

static void one_that_something_else_keeps_is_left_alone(void **state)
{
    (void)state;
    fake[0].open = EFI_ACCESS_DENIED;
    left_alone("is left alone: something else keeps it: EFI_ACCESS_DENIED");
    assert_true(fake[0].closes == 0 && fake[0].connects == 1);
}

static void another_one_is_taken_all_the_same(void **state)
{
    (void)state;
    boot_device = behind;
    fake[1].there = true;
    assert_null(net_find());
    assert_false(net_poll());
    assert_true(fake[0].sent == 0 && fake[1].sent > 0 && !fake[1].strange);
    assert_string_equal(result_of(0).address, "52:54:00:12:34:57");
}

static void one_without_a_driver_is_connected_and_disconnected(void **state)
{
    (void)state;
    fake[0].there = false;
    assert_null(net_find());
    assert_true(connected && !disconnected);
    net_free();
    assert_true(disconnected);
}

static void what_does_not_end_is_no_work_and_in_the_end_no_more_is_sent(void **state)
{
    (void)state;
    fake[0].keeps = RING_MOST;
    assert_null(net_find());
    assert_false(net_poll());
    assert_int_equal(net_activity()->in_flight, RING_MOST);
    (void)usleep(1500000 / FASTER);
    assert_false(net_poll());
    assert_true(!net_activity()->in_flight && !net_activity()->over);
    (void)usleep(9500000 / FASTER);
    assert_false(net_poll());
    assert_true(!net_activity()->in_flight && net_activity()->over);
    assert_non_null(
        strstr(fake_told, "no frame has ended for 10 s, and 64 are in flight: no more"));
    net_stop();
    assert_true(result_of(0).failed);
    assert_int_equal(result_of(0).lost, RING_MOST);
}

static void an_error_is_told_once_and_it_is_tried_again(void **state)
{
    (void)state;
    assert_null(net_find());
    fake[0].transmit = EFI_DEVICE_ERROR;
    assert_false(net_poll());
    assert_non_null(strstr(fake_told, "sending failed (EFI_DEVICE_ERROR): it is tried again"));
    fake_told[0] = '\0';
    assert_false(net_poll());
    assert_string_equal(fake_told, "");
    fake[0].transmit = EFI_SUCCESS;
    assert_false(net_poll());
    assert_true(fake[0].sent > 0 && !result_of(0).failed);
    fake[0].transmit = EFI_DEVICE_ERROR;
    assert_false(net_poll());
    (void)usleep(10500000 / FASTER);
    assert_false(net_poll());
    assert_true(net_activity()->over && result_of(0).failed);
}

#define NET_TEST(f) cmocka_unit_test_setup_teardown(f, one_adapter, given_back)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NET_TEST(frames_go_from_the_adapter_to_itself),
        NET_TEST(they_come_back_and_are_counted),
        NET_TEST(frames_of_others_are_not_counted),
        NET_TEST(a_small_ring_is_no_error),
        NET_TEST(no_frame_is_sent_again_before_it_has_ended),
        NET_TEST(one_at_a_time_where_the_driver_takes_no_more),
        NET_TEST(it_sends_without_filters),
        NET_TEST(it_is_given_back_as_it_was_found),
        NET_TEST(one_that_nothing_drives_is_left_so),
        NET_TEST(one_that_it_was_booted_by_is_left_alone),
        NET_TEST(one_that_a_disk_is_reached_by_is_left_alone),
        NET_TEST(one_with_the_address_of_a_group_is_left_alone),
        NET_TEST(one_without_a_link_is_given_back),
        NET_TEST(one_that_does_not_start_is_given_back),
        NET_TEST(one_that_something_else_keeps_is_left_alone),
        NET_TEST(another_one_is_taken_all_the_same),
        NET_TEST(one_without_a_driver_is_connected_and_disconnected),
        NET_TEST(what_does_not_end_is_no_work_and_in_the_end_no_more_is_sent),
        NET_TEST(an_error_is_told_once_and_it_is_tried_again),
    };
    clock_set_rate(clock_start() / FASTER);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
