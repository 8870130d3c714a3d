/* Keeps frames in flight on the network adapters that nobody needs. */
#include "../platform/net.h"
#include "../core/machine/clock.h"
#include "../core/report/events.h"
#include "../core/text.h"
#include "../platform/clock.h"
#include "../platform/pages.h"
#include "net_find.h"
#include <string.h>

#define ADAPTERS_MAX 8u

/* Frames of one adapter at once: so many OVMF's driver for virtio takes. One where the driver does
 * not support more: U-Boot's remembers the last alone. */
#define SLOTS      64u
#define SLOT_BYTES 2048u

/* Of one poll: a driver that sends while it is called gives frames back at once, and would go on
 * for ever. */
#define FRAMES_A_POLL 64u

/* Room for a frame that comes back, or any other; jumbo frames have 9 KiB. */
#define RECEIVED_BYTES 16384u
#define BUFFER_BYTES   (SLOTS * SLOT_BYTES + RECEIVED_BYTES)

#define HEADER_BYTES  14u
#define ADDRESS_BYTES 6u

/* Frames that the adapter does not give back are no work after a second; after ten it gets no
 * more. */
#define LATE_MILLISECONDS   1000u
#define ANSWER_MILLISECONDS 10000u
#define STOP_MILLISECONDS   1000u
#define HELD_MILLISECONDS   1000u

/* Lengths of frames, without the check sequence, which the adapter adds: long ones are more to be
 * copied, and a copy of another length is other code. */
static const uint32_t lengths[] = {1514, 1514, 60, 1514, 590, 1514, 1024, 250};

struct sender {
    struct net_adapter adapter;
    uint8_t *frames; /* SLOTS of SLOT_BYTES */
    uint8_t *received;
    bool in_flight[SLOTS];
    uint32_t count;     /* of them */
    uint32_t next;      /* slot */
    uint64_t ended_at;  /* milliseconds; when the last frame came back from the adapter */
    EFI_STATUS refused; /* how the last frame was refused; EFI_SUCCESS: it was not */
    bool told;          /* of an error */
    bool dropped;       /* no more are sent */
    bool kept;          /* the adapter may still read the frames */
    uint64_t slowest;   /* of polls that took too long, in milliseconds */
    uint64_t sent, bytes, returned, lost;
    uint32_t most;
};

static struct {
    struct sender sender[ADAPTERS_MAX];
    uint32_t count;
    bool halted;
    struct net_activity activity;
} net;

/* "network adapter 52:54:00:12:34:56: ..." */
__attribute__((format(printf, 2, 3))) static void tell(const struct sender *sender,
                                                       const char *format, ...)
{
    char buffer[160];
    struct text text;
    va_list arguments;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "network adapter %s: ", sender->adapter.address);
    va_start(arguments, format);
    text_add_list(&text, format, arguments);
    va_end(arguments);
    event_notice(buffer);
}

/* --- frames --- */

static uint8_t *frame_of(const struct sender *sender, uint32_t slot)
{
    return sender->frames + (size_t)slot * SLOT_BYTES;
}

static uint32_t length_of(const struct sender *sender, uint32_t slot)
{
    uint32_t length = lengths[slot % (sizeof(lengths) / sizeof(lengths[0]))];
    uint32_t most = HEADER_BYTES + sender->adapter.network->Mode->MaxPacketSize;
    return length < most ? length : most;
}

/* From the adapter to itself, by the EtherType "local experimental 1". */
static void fill(const struct sender *sender)
{
    static const char name[] = "zmmtest";
    const UINT8 *address = sender->adapter.network->Mode->CurrentAddress.Addr;
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        uint8_t *frame = frame_of(sender, slot);
        memcpy(frame, address, ADDRESS_BYTES);
        memcpy(frame + ADDRESS_BYTES, address, ADDRESS_BYTES);
        frame[12] = 0x88;
        frame[13] = 0xb5;
        for (uint32_t at = HEADER_BYTES; at < SLOT_BYTES; at++)
            frame[at] = (uint8_t)(slot + at);
        memcpy(frame + HEADER_BYTES, name, sizeof(name));
    }
}

/* --- finding --- */

const char *net_find(void)
{
    struct net_adapter adapters[ADAPTERS_MAX];
    uint32_t taken = net_take(adapters, ADAPTERS_MAX);
    for (uint32_t n = 0; n < taken; n++) {
        struct sender *sender = &net.sender[net.count];
        *sender = (struct sender){.adapter = adapters[n], .frames = pages_allocate(BUFFER_BYTES)};
        if (sender->frames) {
            sender->received = sender->frames + (size_t)SLOTS * SLOT_BYTES;
            fill(sender);
            net.count++;
        } else {
            (void)net_halt(&adapters[n]);
            net_give_back(&adapters[n]);
        }
    }
    return net.count ? NULL : "there is no network adapter that nobody needs and that has a link";
}

const struct net_activity *net_activity(void)
{
    return &net.activity;
}

/* --- sending --- */

/* Told by the address of its buffer, one in each call (UEFI 2.10, 24.1.12). */
static void end_frame(struct sender *sender, const uint8_t *buffer)
{
    size_t offset = (size_t)((uintptr_t)buffer - (uintptr_t)sender->frames);
    size_t slot = offset / SLOT_BYTES;
    if (offset % SLOT_BYTES || slot >= SLOTS || !sender->in_flight[slot])
        return;
    sender->in_flight[slot] = false;
    sender->count--;
    sender->ended_at = clock_milliseconds();
}

static void refuse(struct sender *sender, const char *what, EFI_STATUS status)
{
    sender->refused = status;
    if (sender->told)
        return;
    sender->told = true;
    tell(sender, "%s failed (%s): it is tried again", what, status_name(status));
}

static void take_ended(struct sender *sender)
{
    EFI_SIMPLE_NETWORK *network = sender->adapter.network;
    for (uint32_t n = 0; n < SLOTS && sender->count; n++) {
        void *buffer = NULL;
        EFI_STATUS status = network->GetStatus(network, NULL, &buffer);
        if (EFI_ERROR(status))
            refuse(sender, "asking for what was sent", status);
        if (EFI_ERROR(status) || !buffer)
            return;
        end_frame(sender, buffer);
    }
}

/* What is not ours is for nobody: whoever was sent it has been disconnected. */
static void take_received(struct sender *sender)
{
    EFI_SIMPLE_NETWORK *network = sender->adapter.network;
    for (uint32_t n = 0; n < SLOTS; n++) {
        UINTN size = RECEIVED_BYTES;
        EFI_STATUS status =
            network->Receive(network, NULL, &size, sender->received, NULL, NULL, NULL);
        if (EFI_ERROR(status)) /* mostly EFI_NOT_READY: there is none */
            return;
        sender->returned +=
            size >= HEADER_BYTES && memcmp(sender->received, sender->frames, HEADER_BYTES) == 0;
    }
}

/* No room: EFI_NOT_READY, and iPXE's drivers EFI_OUT_OF_RESOURCES. */
static bool is_full(const struct sender *sender, EFI_STATUS status)
{
    return status == EFI_NOT_READY || (status == EFI_OUT_OF_RESOURCES && sender->count);
}

/* How many the adapter took. */
static uint32_t send_some(struct sender *sender)
{
    EFI_SIMPLE_NETWORK *network = sender->adapter.network;
    uint32_t sent = 0, at_once = network->Mode->MultipleTxSupported ? SLOTS : 1;
    sender->refused = EFI_SUCCESS;
    for (uint32_t n = 0; n < SLOTS && sender->count < at_once; n++) {
        uint32_t slot = sender->next, length = length_of(sender, slot);
        sender->next = (slot + 1) % SLOTS;
        if (sender->in_flight[slot])
            continue;
        EFI_STATUS status =
            network->Transmit(network, 0, length, frame_of(sender, slot), NULL, NULL, NULL);
        if (is_full(sender, status))
            sender->refused = status;
        else if (EFI_ERROR(status))
            refuse(sender, "sending", status);
        if (EFI_ERROR(status))
            break;
        sender->in_flight[slot] = true;
        sender->count++;
        sender->bytes += length;
        sent++;
    }
    sender->sent += sent;
    if (sender->count > sender->most)
        sender->most = sender->count;
    return sent;
}

/* Neither has a frame ended nor could all be sent: nothing goes on. */
static bool is_silent(const struct sender *sender, uint64_t milliseconds)
{
    return (sender->count || sender->refused != EFI_SUCCESS) &&
           clock_milliseconds() - sender->ended_at >= milliseconds;
}

static void work(struct sender *sender)
{
    uint32_t sent = 0, more;
    do {
        take_ended(sender);
        take_received(sender);
        more = send_some(sender);
        sent += more;
    } while (more && sent < FRAMES_A_POLL);
    if (!is_silent(sender, ANSWER_MILLISECONDS))
        return;
    sender->dropped = true;
    tell(sender, "no frame has ended for %u s, and %u are in flight: no more are sent",
         ANSWER_MILLISECONDS / 1000, sender->count);
}

/* What the vCPUs see. */
static void publish(void)
{
    uint32_t in_flight = 0;
    bool left = false;
    for (uint32_t n = 0; n < net.count; n++) {
        const struct sender *sender = &net.sender[n];
        if (!sender->dropped && !is_silent(sender, LATE_MILLISECONDS))
            in_flight += sender->count;
        left |= !sender->dropped;
    }
    atomic_store_explicit(&net.activity.in_flight, in_flight, memory_order_relaxed);
    atomic_store_explicit(&net.activity.over, !left, memory_order_relaxed);
}

/* Told again only where it gets worse. True if it took too long. */
static bool was_held(struct sender *sender, uint64_t milliseconds)
{
    if (milliseconds >= HELD_MILLISECONDS && milliseconds >= 2 * sender->slowest) {
        sender->slowest = milliseconds;
        tell(sender, "sending kept the firmware, and the boot vCPU with it, for %lu ms",
             milliseconds);
    }
    return milliseconds >= HELD_MILLISECONDS;
}

bool net_poll(void)
{
    bool held = false;
    for (uint32_t n = 0; n < net.count; n++) {
        struct sender *sender = &net.sender[n];
        uint64_t start = clock_milliseconds();
        if (sender->dropped)
            continue;
        if (!sender->ended_at)
            sender->ended_at = start;
        work(sender);
        held |= was_held(sender, clock_milliseconds() - start);
    }
    publish();
    return held;
}

/* --- the end --- */

static void halt(struct sender *sender)
{
    uint64_t since = clock_milliseconds();
    take_ended(sender);
    while (sender->count && clock_milliseconds() - since < STOP_MILLISECONDS) {
        clock_wait(1);
        take_ended(sender);
    }
    take_received(sender);
    sender->lost = sender->count;
    EFI_STATUS status = net_halt(&sender->adapter);
    if (EFI_ERROR(status))
        tell(sender, "it cannot be stopped (%s)", status_name(status));
    sender->kept =
        sender->lost && (EFI_ERROR(status) || sender->adapter.found == EfiSimpleNetworkInitialized);
}

void net_stop(void)
{
    for (uint32_t n = 0; n < net.count && !net.halted; n++)
        halt(&net.sender[n]);
    net.halted = true;
}

bool net_result(uint32_t number, struct net_result *result)
{
    const struct sender *sender = &net.sender[number];
    if (number >= net.count)
        return false;
    *result = (struct net_result){
        .frames = sender->sent,
        .bytes = sender->bytes,
        .returned = sender->returned,
        .lost = sender->lost,
        .most = sender->most,
        .failed = sender->dropped || sender->lost,
    };
    memcpy(result->address, sender->adapter.address, sizeof(result->address));
    return true;
}

/* A frame that the adapter may still send stays as it is. */
void net_free(void)
{
    net_stop();
    for (uint32_t n = 0; n < net.count; n++) {
        const struct sender *sender = &net.sender[n];
        net_give_back(&sender->adapter);
        if (!sender->kept)
            pages_give_back(sender->frames, BUFFER_BYTES);
    }
    net.count = 0;
    net.halted = false;
    net_forget();
}
