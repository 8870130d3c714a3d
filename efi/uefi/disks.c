/* Finds disks and keeps one read in flight on each of them. */
#include "../platform/disks.h"
#include "../core/machine/clock.h"
#include "../core/report/events.h"
#include "../core/text.h"
#include "../platform/clock.h"
#include "../platform/pages.h"
#include "block_device.h"

/*
 * Reads grow while they come back soon, so that the storage is kept busy, and shrink where they are
 * slow, so that none is in flight for seconds at the end.
 */
#define READ_BYTES_FIRST    (UINT64_C(1) << 17)
#define READ_BYTES_MAX      (UINT64_C(1) << 20)
#define SOON_MILLISECONDS   50u
#define SLOW_MILLISECONDS   500u
#define HELD_MILLISECONDS   1000u
#define ANSWER_MILLISECONDS 10000u
#define REST_MILLISECONDS   500u

/* After an error a disk is tried again, later each time: two minutes and a half in all, which is
 * longer than paths fail over and VMware's APD lasts (140 s). */
#define ERRORS_MOST          12u
#define AGAIN_MILLISECONDS   1000u
#define ROWS_TOLD            4u
#define AGAIN_DOUBLINGS_MOST 4u

#define DISKS_MAX 16u

/* What has smaller blocks is no disk: iPXE has a device of 1-byte blocks, and no content, beside
 * its files. */
#define BLOCK_BYTES_LEAST 512u

struct disk {
    struct block_device device;
    EFI_BLOCK_IO2_TOKEN token; /* of the read that is in flight */
    bool in_flight;
    uint8_t *buffer;
    size_t read_bytes; /* of one read, as things go */
    uint64_t begun_at; /* milliseconds */
    uint64_t slowest;  /* of those that kept the boot vCPU waiting too long, in milliseconds */
    EFI_LBA next;
    bool late;         /* the read in flight has been waited for long, and that was told */
    uint32_t errors;   /* in a row */
    uint32_t rows;     /* of errors; a place that cannot be read comes again and again */
    uint64_t error_at; /* the first of them, */
    uint64_t again_at; /* and when it is tried again; milliseconds */
    bool dropped;      /* not read any more */
    bool stuck;        /* a read never came back: the firmware may still write to the buffer */
    bool gone;         /* it was taken away with a read in flight: the same */
    uint64_t reads, bytes;
};

static struct {
    struct disk disk[DISKS_MAX];
    uint32_t count;
    struct disk_activity activity; /* what the vCPUs see of it */
} disks;

static const EFI_GUID block_io_guid = EFI_BLOCK_IO_PROTOCOL_GUID;

/* False: nothing can be read there, or no memory is left for it. */
static bool add_disk(EFI_HANDLE handle)
{
    struct block_device device;
    if (disks.count == DISKS_MAX || !block_device_of(handle, &device))
        return false;
    const EFI_BLOCK_IO_MEDIA *media = device.blocking->Media;
    if (!media->MediaPresent || media->BlockSize < BLOCK_BYTES_LEAST ||
        media->BlockSize > READ_BYTES_FIRST || media->IoAlign > PAGE_BYTES)
        return false;
    struct disk *disk = &disks.disk[disks.count];
    *disk = (struct disk){
        .device = device, .read_bytes = READ_BYTES_FIRST, .buffer = pages_allocate(READ_BYTES_MAX)};
    if (disk->buffer)
        disks.count++;
    return disk->buffer != NULL;
}

/* Whole disks: what is a partition of one is read with it. */
static void add_all(void)
{
    EFI_BOOT_SERVICES *boot = system_table->BootServices;
    EFI_HANDLE *handles;
    UINTN count;
    EFI_STATUS status =
        boot->LocateHandleBuffer(ByProtocol, (EFI_GUID *)&block_io_guid, NULL, &count, &handles);
    if (EFI_ERROR(status))
        return;
    for (UINTN n = 0; n < count; n++) {
        const EFI_BLOCK_IO_PROTOCOL *found = protocol_of(handles[n], &block_io_guid);
        if (found && !found->Media->LogicalPartition)
            (void)add_disk(handles[n]);
    }
    (void)boot->FreePool(handles);
}

static void add_boot_volume(void)
{
    static const EFI_GUID image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
    const EFI_LOADED_IMAGE *image = protocol_of(image_handle, &image_guid);
    if (image && image->DeviceHandle)
        (void)add_disk(image->DeviceHandle);
}

const char *disks_find(bool all)
{
    EFI_BOOT_SERVICES *boot = system_table->BootServices;
    if (all)
        add_all();
    else
        add_boot_volume();
    disks.activity.blocking = true;
    for (uint32_t n = 0; n < disks.count; n++) {
        struct disk *disk = &disks.disk[n];
        EFI_STATUS status = disk->device.queued ? boot->CreateEvent(0, TPL_APPLICATION, NULL, NULL,
                                                                    &disk->token.Event)
                                                : EFI_UNSUPPORTED;
        if (EFI_ERROR(status))
            disk->device.queued = NULL;
        else
            disks.activity.blocking = false;
    }
    if (disks.count)
        return NULL;
    return all ? "the firmware knows no disk with a medium in it"
               : "zmmtest was not booted from a disk (disks=all reads others)";
}

/* Of a device that claims 2^64 of them, the last one is left out. */
static uint64_t blocks_of(const struct disk *disk)
{
    const EFI_LBA last = disk->device.last_block;
    return last == UINT64_MAX ? UINT64_MAX : last + 1;
}

/* The bytes of the next read: whole blocks, not beyond the last one. */
static size_t next_bytes(const struct disk *disk)
{
    uint64_t blocks = disk->read_bytes / disk->device.block_bytes;
    uint64_t left = blocks_of(disk) - disk->next;
    return (blocks < left ? blocks : left) * disk->device.block_bytes;
}

static void advance(struct disk *disk)
{
    uint64_t took = clock_milliseconds() - disk->begun_at, bytes = next_bytes(disk);
    disk->reads++;
    disk->bytes += bytes;
    disk->next += bytes / disk->device.block_bytes;
    if (disk->next >= blocks_of(disk))
        disk->next = 0;
    if (took < SOON_MILLISECONDS && disk->read_bytes < READ_BYTES_MAX)
        disk->read_bytes *= 2;
    else if (took > SLOW_MILLISECONDS && disk->read_bytes / 2 >= disk->device.block_bytes)
        disk->read_bytes /= 2;
}

/* "disk 0: ..." */
__attribute__((format(printf, 2, 3))) static void tell(const struct disk *disk, const char *format,
                                                       ...)
{
    char buffer[240];
    struct text text;
    va_list arguments;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "disk %lu: ", (uint64_t)(disk - disks.disk));
    va_start(arguments, format);
    text_add_list(&text, format, arguments);
    va_end(arguments);
    event_notice(buffer);
}

static void failed(struct disk *disk, EFI_STATUS status, bool again)
{
    const char *lost = block_device_lost(status);
    uint64_t bytes = next_bytes(disk), now = clock_milliseconds();
    uint32_t doublings = disk->errors < AGAIN_DOUBLINGS_MOST ? disk->errors : AGAIN_DOUBLINGS_MOST;
    if (disk->errors++ == 0) {
        disk->error_at = now;
        disk->rows++;
    }
    disk->again_at = now + (AGAIN_MILLISECONDS << doublings);
    disk->dropped = lost || !again || disk->errors > ERRORS_MOST;
    if ((disk->errors == 1 && disk->rows <= ROWS_TOLD) || disk->dropped)
        tell(disk, "the read of %lu bytes at block %lu failed (%s): it is %s%s", bytes, disk->next,
             status_name(status), disk->dropped ? "not read any more" : "tried again",
             lost ? lost : "");
    /* Where one place cannot be read, others can. */
    disk->next += bytes / disk->device.block_bytes;
    if (disk->next >= blocks_of(disk))
        disk->next = 0;
}

/* `again`: it may be tried again, as the storage may be back then. */
static void ended(struct disk *disk, EFI_STATUS status, bool again)
{
    uint64_t now = clock_milliseconds();
    if (EFI_ERROR(status)) {
        failed(disk, status, again);
    } else {
        if (disk->errors && disk->rows <= ROWS_TOLD)
            tell(disk, "can be read again, after %lu ms and %u errors", now - disk->error_at,
                 disk->errors);
        else if (disk->late)
            tell(disk, "the read came back after %lu ms", now - disk->begun_at);
        disk->errors = 0;
        advance(disk);
    }
    disk->late = false;
}

static void set_in_flight(struct disk *disk, bool in_flight)
{
    uint32_t count = atomic_load_explicit(&disks.activity.in_flight, memory_order_relaxed);
    disk->in_flight = in_flight;
    atomic_store_explicit(&disks.activity.in_flight, in_flight ? count + 1 : count - 1,
                          memory_order_relaxed);
}

/* Keys, time and the other vCPUs are not looked at meanwhile. Told again only where it gets worse.
 */
static void tell_held(struct disk *disk, uint64_t milliseconds)
{
    if (milliseconds < 2 * disk->slowest)
        return;
    disk->slowest = milliseconds;
    tell(disk, "a read kept the firmware, and the boot vCPU with it, for %lu ms", milliseconds);
}

static EFI_STATUS read_next(const struct disk *disk, EFI_BLOCK_IO2_TOKEN *token)
{
    const struct block_transfer transfer = {
        .block = disk->next, .bytes = next_bytes(disk), .buffer = disk->buffer, .token = token};
    return block_device_transfer(&disk->device, &transfer);
}

/* True if it took too long. */
static bool read_and_wait(struct disk *disk)
{
    disk->begun_at = clock_milliseconds();
    set_in_flight(disk, true);
    EFI_STATUS status = read_next(disk, NULL);
    set_in_flight(disk, false);
    uint64_t took = clock_milliseconds() - disk->begun_at;
    bool held = took >= HELD_MILLISECONDS;
    if (held)
        tell_held(disk, took);
    ended(disk, status, !held);
    return held;
}

static void begin_read(struct disk *disk)
{
    disk->begun_at = clock_milliseconds();
    disk->token.TransactionStatus = EFI_SUCCESS;
    EFI_STATUS status = read_next(disk, &disk->token);
    if (EFI_ERROR(status))
        ended(disk, status, true);
    else
        set_in_flight(disk, true);
}

/* A disk that is gone does not end what was in flight. */
static void look_late(struct disk *disk)
{
    if (!block_device_is_there(&disk->device, true)) {
        disk->gone = true;
        set_in_flight(disk, false);
        ended(disk, EFI_NO_MEDIA, false);
    } else if (!disk->late) {
        disk->late = true;
        tell(disk,
             "the read of %lu bytes at block %lu has not come back for %u s: it is waited for",
             (uint64_t)next_bytes(disk), disk->next, ANSWER_MILLISECONDS / 1000);
    }
}

/* The event is signalled when the read has ended; looking at it resets it (UEFI 2.10, 7.1.6). */
static void take_ended(struct disk *disk)
{
    EFI_STATUS status = system_table->BootServices->CheckEvent(disk->token.Event);
    if (status != EFI_NOT_READY) {
        set_in_flight(disk, false);
        ended(disk, EFI_ERROR(status) ? status : disk->token.TransactionStatus, true);
    } else if (clock_milliseconds() - disk->begun_at >= ANSWER_MILLISECONDS) {
        look_late(disk);
    }
}

const struct disk_activity *disks_activity(void)
{
    return &disks.activity;
}

bool disks_poll(void)
{
    bool left = false, held = false;
    for (uint32_t n = 0; n < disks.count; n++) {
        struct disk *disk = &disks.disk[n];
        if (disk->in_flight)
            take_ended(disk);
        bool rests = disk->dropped || (disk->errors && clock_milliseconds() < disk->again_at);
        if (!disk->in_flight && !rests && disk->device.queued)
            begin_read(disk);
        else if (!rests && !disk->device.queued)
            held |= read_and_wait(disk);
        left |= !disk->dropped;
    }
    atomic_store_explicit(&disks.activity.over, !left, memory_order_relaxed);
    return held;
}

bool disks_rest(void)
{
    uint64_t since = clock_milliseconds();
    bool all = true;
    for (uint32_t n = 0; n < disks.count; n++) {
        struct disk *disk = &disks.disk[n];
        /* One that is late is looked at by disks_poll(). */
        while (disk->in_flight && !disk->late && clock_milliseconds() - since < REST_MILLISECONDS) {
            clock_wait(1);
            take_ended(disk);
        }
        all &= !disk->in_flight;
    }
    return all;
}

/* There is firmware that never signals the event after an error; the buffer is then lost to the
 * device. */
bool disks_stop(void)
{
    uint64_t since = clock_milliseconds();
    bool all = true;
    for (uint32_t n = 0; n < disks.count; n++) {
        struct disk *disk = &disks.disk[n];
        while (disk->in_flight && clock_milliseconds() - since < ANSWER_MILLISECONDS) {
            clock_wait(1);
            take_ended(disk);
        }
        if (disk->in_flight) {
            disk->stuck = true;
            tell(disk, "the read of %lu bytes at block %lu does not come back",
                 (uint64_t)next_bytes(disk), disk->next);
            set_in_flight(disk, false);
        }
        all &= !disk->stuck;
    }
    return all;
}

bool disks_result(uint32_t number, struct disk_result *result)
{
    const struct disk *disk = &disks.disk[number];
    if (number >= disks.count)
        return false;
    *result = (struct disk_result){
        .block_bytes = disk->device.block_bytes,
        .blocks = blocks_of(disk),
        .by = disk->device.queued ? "block-io-2" : "block-io",
        .waiting = disk->device.queued == NULL,
        /* One error is that of one place. */
        .failed = disk->dropped || disk->stuck || disk->errors > 1,
        .reads = disk->reads,
        .bytes = disk->bytes,
    };
    return true;
}

void disks_free(void)
{
    for (uint32_t n = 0; n < disks.count; n++) {
        struct disk *disk = &disks.disk[n];
        if (disk->gone) /* nor is the event given back: who began the read may have it still */
            continue;
        if (disk->device.queued)
            (void)system_table->BootServices->CloseEvent(disk->token.Event);
        pages_give_back(disk->buffer, READ_BYTES_MAX);
    }
}
