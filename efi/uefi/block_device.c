/* Looks for the protocols anew before each use, while no timer of the firmware can take them away.
 */
#include "block_device.h"

static const EFI_GUID block_io_guid = EFI_BLOCK_IO_PROTOCOL_GUID;
static const EFI_GUID block_io2_guid = EFI_BLOCK_IO2_PROTOCOL_GUID;

bool block_device_of(EFI_HANDLE handle, struct block_device *device)
{
    EFI_BLOCK_IO_PROTOCOL *blocking = protocol_of(handle, &block_io_guid);
    if (!blocking)
        return false;
    *device = (struct block_device){.handle = handle,
                                    .blocking = blocking,
                                    .queued = protocol_of(handle, &block_io2_guid),
                                    .block_bytes = blocking->Media->BlockSize,
                                    .media_id = blocking->Media->MediaId,
                                    .last_block = blocking->Media->LastBlock};
    return true;
}

/* A handle that is gone has no protocols; one that is new at its address has others. */
bool block_device_is_there(const struct block_device *device, bool queued)
{
    return queued ? protocol_of(device->handle, &block_io2_guid) == device->queued
                  : protocol_of(device->handle, &block_io_guid) == device->blocking;
}

static EFI_STATUS begin(const struct block_device *device, const struct block_transfer *transfer)
{
    EFI_BLOCK_IO2_PROTOCOL *io = device->queued;
    return (transfer->write ? io->WriteBlocksEx : io->ReadBlocksEx)(
        io, device->media_id, transfer->block, transfer->token, transfer->bytes, transfer->buffer);
}

static EFI_STATUS do_and_wait(const struct block_device *device,
                              const struct block_transfer *transfer)
{
    EFI_BLOCK_IO_PROTOCOL *io = device->blocking;
    return (transfer->write ? io->WriteBlocks : io->ReadBlocks)(
        io, device->media_id, transfer->block, transfer->bytes, transfer->buffer);
}

/* Drivers of buses look for what was pulled at TPL_CALLBACK, at which Block I/O may be used (UEFI
 * 2.10, 7.1). */
EFI_STATUS block_device_transfer(const struct block_device *device,
                                 const struct block_transfer *transfer)
{
    EFI_BOOT_SERVICES *boot = system_table->BootServices;
    EFI_STATUS status = EFI_NO_MEDIA;
    EFI_TPL before = boot->RaiseTPL(TPL_CALLBACK);
    if (block_device_is_there(device, transfer->token != NULL))
        status = transfer->token ? begin(device, transfer) : do_and_wait(device, transfer);
    boot->RestoreTPL(before);
    return status;
}

const char *block_device_lost(EFI_STATUS status)
{
    if (status == EFI_NO_MEDIA)
        return ", as it or its medium was taken away: put it back, and start the test again";
    if (status == EFI_MEDIA_CHANGED)
        return ", as it has another medium than at first: leave one in, and start the test again";
    if (status == EFI_WRITE_PROTECTED)
        return ", as it is write-protected now: let it be written, and start the test again";
    return NULL;
}
