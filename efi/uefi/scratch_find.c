/*
 * A scratch partition has a GPT type of zmmtest's own, and the signature in its first block.
 * Firmware says the type by installing its GUID as a protocol on the handle of the partition
 * (UEFI 2.10, 5.3.3). Some does not, or only for EFI system partitions (U-Boot): there the table of
 * the disk has it.
 */
#include "scratch_find.h"
#include "../core/report/events.h"
#include "../core/storage/gpt.h"
#include "../core/storage/signature.h"
#include "../core/text.h"
#include "../platform/pages.h"
#include <string.h>

static const EFI_GUID type_guid = SCRATCH_TYPE_GUID;
static const EFI_GUID block_io_guid = EFI_BLOCK_IO_PROTOCOL_GUID;
static const EFI_GUID device_path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;

#define NODES_MOST      64u
#define PATH_BYTES_MOST 1024u

/* The structure has bytes behind its last member that the node has not. */
#define HARDDRIVE_BYTES (offsetof(HARDDRIVE_DEVICE_PATH, SignatureType) + 1)

/*
 * The partition, by the node of its device path (UEFI 2.10, 10.3.5.1); `before`: the bytes of the
 * path before that node. False: the path does not say that it is one of a GPT.
 */
static bool find_partition(EFI_HANDLE handle, struct gpt_partition *partition, size_t *before)
{
    const uint8_t *path = protocol_of(handle, &device_path_guid);
    *before = 0;
    for (uint32_t n = 0; path && n < NODES_MOST; n++) {
        const EFI_DEVICE_PATH_PROTOCOL *node = (const EFI_DEVICE_PATH_PROTOCOL *)(path + *before);
        HARDDRIVE_DEVICE_PATH drive;
        size_t length = node->Length[0] | (size_t)node->Length[1] << 8;
        if (node->Type == END_DEVICE_PATH_TYPE || length < sizeof(*node))
            break;
        if (node->Type == MEDIA_DEVICE_PATH && node->SubType == MEDIA_HARDDRIVE_DP &&
            length >= HARDDRIVE_BYTES) {
            memcpy(&drive, node, HARDDRIVE_BYTES); /* nodes are not aligned */
            partition->first = drive.PartitionStart;
            partition->blocks = drive.PartitionSize;
            memcpy(partition->guid, drive.Signature, sizeof(partition->guid));
            return drive.SignatureType == SIGNATURE_TYPE_GUID &&
                   drive.MBRType == MBR_TYPE_EFI_PARTITION_TABLE_HEADER;
        }
        *before += length;
    }
    return false;
}

/* The disk that a partition is on: what the path leads to without the partition; NULL: nothing. */
static EFI_BLOCK_IO_PROTOCOL *disk_of(EFI_HANDLE partition, size_t before)
{
    static const uint8_t end[] = {END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, 4, 0};
    uint8_t path[PATH_BYTES_MOST];
    EFI_DEVICE_PATH_PROTOCOL *rest = (EFI_DEVICE_PATH_PROTOCOL *)path;
    EFI_HANDLE disk;
    if (before + sizeof(end) > sizeof(path))
        return NULL;
    memcpy(path, protocol_of(partition, &device_path_guid), before);
    memcpy(path + before, end, sizeof(end));
    EFI_STATUS status =
        system_table->BootServices->LocateDevicePath((EFI_GUID *)&block_io_guid, &rest, &disk);
    return EFI_ERROR(status) || rest->Type != END_DEVICE_PATH_TYPE
               ? NULL
               : protocol_of(disk, &block_io_guid);
}

static bool read_block(EFI_BLOCK_IO_PROTOCOL *io, uint64_t number, uint8_t *block)
{
    return !EFI_ERROR(io->ReadBlocks(io, io->Media->MediaId, number, io->Media->BlockSize, block));
}

static bool usual_blocks(const EFI_BLOCK_IO_MEDIA *media)
{
    return media->BlockSize >= SCRATCH_BLOCK_LEAST && media->BlockSize <= SCRATCH_BLOCK_MOST &&
           media->BlockSize % SCRATCH_BLOCK_LEAST == 0 && media->IoAlign <= PAGE_BYTES;
}

static bool in_table(EFI_BLOCK_IO_PROTOCOL *disk, const struct gpt_partition *partition,
                     uint8_t *block)
{
    uint32_t bytes = disk->Media->BlockSize;
    uint64_t held = GPT_HEADER_BLOCK;
    struct gpt gpt;
    if (!read_block(disk, held, block) || !gpt_header(block, bytes, &gpt))
        return false;
    for (uint32_t n = 0; n < gpt.entries; n++) {
        uint64_t next = gpt_entry_block(&gpt, bytes, n);
        if (next != held && !read_block(disk, next, block))
            return false;
        held = next;
        if (gpt_entry_is(block + gpt_entry_offset(&gpt, bytes, n), partition,
                         (const uint8_t *)&type_guid))
            return true;
    }
    return false;
}

/* By the table of its disk. */
static bool has_type(EFI_HANDLE handle)
{
    const EFI_BLOCK_IO_PROTOCOL *io = protocol_of(handle, &block_io_guid);
    struct gpt_partition partition;
    size_t before;
    if (!io || !io->Media->LogicalPartition || !find_partition(handle, &partition, &before))
        return false;
    EFI_BLOCK_IO_PROTOCOL *disk = disk_of(handle, before);
    uint8_t *block = disk && usual_blocks(disk->Media) ? pages_allocate(SCRATCH_BLOCK_MOST) : NULL;
    bool found = block && in_table(disk, &partition, block);
    pages_give_back(block, SCRATCH_BLOCK_MOST);
    return found;
}

/* Of the medium that will be written: one that was changed since then does not answer. */
static const char *signature_missing(const struct block_device *device)
{
    const char *reason = "there is no memory to read its first block";
    uint8_t *block = pages_allocate(SCRATCH_BLOCK_MOST);
    if (!block)
        return reason;
    const struct block_transfer first = {.bytes = device->block_bytes, .buffer = block};
    reason = EFI_ERROR(block_device_transfer(device, &first))
                 ? "its first block cannot be read"
                 : signature_wrong(block, (device->last_block + 1) * device->block_bytes);
    pages_give_back(block, SCRATCH_BLOCK_MOST);
    return reason;
}

/* NULL: it may be written over. */
static const char *why_not(EFI_HANDLE handle, struct scratch_place *place)
{
    struct gpt_partition partition;
    size_t before;
    if (!block_device_of(handle, &place->device))
        return "the firmware has no Block I/O for it";
    const EFI_BLOCK_IO_MEDIA *media = place->device.blocking->Media;
    if (!media->LogicalPartition)
        return "the firmware does not say that it is bounded";
    if (!find_partition(handle, &partition, &before))
        return "its device path is not that of a partition of a GPT";
    memcpy(place->guid, partition.guid, sizeof(place->guid));
    if (!media->MediaPresent)
        return "there is no medium in it";
    if (!usual_blocks(media))
        return "its blocks have a strange size";
    if (media->LastBlock >= UINT64_MAX / SCRATCH_BLOCK_MOST)
        return "it is larger than a disk can be";
    const char *reason = signature_missing(&place->device);
    if (reason)
        return reason;
    if (media->ReadOnly)
        return "it is read-only";
    return (media->LastBlock + 1) * media->BlockSize < SCRATCH_BYTES_LEAST
               ? "it is smaller than 4 MiB"
               : NULL;
}

/* By two paths to one disk each would write over what the other reads back. */
static bool known(const struct scratch_place *place, uint32_t count)
{
    for (uint32_t n = 0; n < count; n++)
        if (memcmp(place[n].guid, place[count].guid, sizeof(place->guid)) == 0)
            return true;
    return false;
}

/* In words, which a skip may need for as long as the program runs. */
static const char *tell_refused(const char *why)
{
    static char buffer[160];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "a partition of the type of scratch partitions is left alone: %s", why);
    event_notice(buffer);
    return buffer;
}

/* Takes those that are good, of handles that have the type. */
static uint32_t take(const EFI_HANDLE *handles, UINTN handle_count, struct scratch_place *place,
                     uint32_t most, const char **reason)
{
    uint32_t count = 0;
    for (UINTN n = 0; n < handle_count && count < most; n++) {
        const char *refused = why_not(handles[n], &place[count]);
        if (!refused && known(place, count))
            refused = "another has the same GUID: it is a copy, or the same by another path";
        if (refused)
            *reason = tell_refused(refused);
        else
            count++;
    }
    return count;
}

/* Handles that have a protocol, for the caller to free. False: there is none. */
static bool handles_with(const EFI_GUID *guid, EFI_HANDLE **handles, UINTN *count)
{
    return !EFI_ERROR(system_table->BootServices->LocateHandleBuffer(ByProtocol, (EFI_GUID *)guid,
                                                                     NULL, count, handles));
}

uint32_t scratch_places(struct scratch_place *place, uint32_t most, const char **reason)
{
    EFI_BOOT_SERVICES *boot = system_table->BootServices;
    EFI_HANDLE *handles;
    UINTN found, typed = 0;
    *reason = "no disk has a scratch partition (image/make-scratch makes one)";
    bool said = handles_with(&type_guid, &handles, &found);
    if (!said && !handles_with(&block_io_guid, &handles, &found))
        return 0;
    for (UINTN n = 0; n < found; n++)
        if (said || has_type(handles[n]))
            handles[typed++] = handles[n];
    uint32_t count = take(handles, typed, place, most, reason);
    (void)boot->FreePool(handles);
    return count;
}
