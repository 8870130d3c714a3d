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
                                    .last_block = blocking->Media->LastBlock};
    return true;
}

/* A handle that is gone has no protocols; one that is new at its address has others. */
static bool is_there(const struct block_device *device, bool queued)
{
    return queued ? protocol_of(device->handle, &block_io2_guid) == device->queued
                  : protocol_of(device->handle, &block_io_guid) == device->blocking;
}

static EFI_STATUS begin(EFI_BLOCK_IO2_PROTOCOL *io, const struct block_transfer *transfer)
{
    return (transfer->write ? io->WriteBlocksEx
                            : io->ReadBlocksEx)(io, io->Media->MediaId, transfer->block,
                                                transfer->token, transfer->bytes, transfer->buffer);
}

static EFI_STATUS do_and_wait(EFI_BLOCK_IO_PROTOCOL *io, const struct block_transfer *transfer)
{
    return (transfer->write ? io->WriteBlocks : io->ReadBlocks)(
        io, io->Media->MediaId, transfer->block, transfer->bytes, transfer->buffer);
}

/* Drivers of buses look for what was pulled at TPL_CALLBACK, at which Block I/O may be used (UEFI
 * 2.10, 7.1). */
EFI_STATUS block_device_transfer(const struct block_device *device,
                                 const struct block_transfer *transfer)
{
    EFI_BOOT_SERVICES *boot = system_table->BootServices;
    EFI_STATUS status = EFI_NO_MEDIA;
    EFI_TPL before = boot->RaiseTPL(TPL_CALLBACK);
    if (is_there(device, transfer->token != NULL))
        status = transfer->token ? begin(device->queued, transfer)
                                 : do_and_wait(device->blocking, transfer);
    boot->RestoreTPL(before);
    return status;
}
