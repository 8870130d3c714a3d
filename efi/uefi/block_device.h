/*
 * A device of blocks, as the firmware has it. The firmware may take it away whenever a timer of its
 * own runs, as when a stick is pulled: its protocols, and what they pointed to, are then gone.
 */
#ifndef ZMMTEST_UEFI_BLOCK_DEVICE_H
#define ZMMTEST_UEFI_BLOCK_DEVICE_H

#include "firmware.h"
#include <stdbool.h>
#include <stdint.h>

struct block_device {
    EFI_HANDLE handle;
    EFI_BLOCK_IO_PROTOCOL *blocking;
    EFI_BLOCK_IO2_PROTOCOL *queued; /* NULL: only the blocking protocol is there */
    /* As they were when it was found: its media may be gone, too. */
    uint32_t block_bytes, media_id;
    EFI_LBA last_block;
};

/* What of a handle blocks can be read. False: it has no Block I/O. */
bool block_device_of(EFI_HANDLE handle, struct block_device *device);

/* What is to be read or written: whole blocks of the device. */
struct block_transfer {
    bool write;
    EFI_LBA block;
    UINTN bytes;
    void *buffer;
    EFI_BLOCK_IO2_TOKEN *token; /* signalled at its end; NULL: it is waited for */
};

/*
 * Begins a transfer, or does it, if the device is still there. EFI_NO_MEDIA: it is not, and nothing
 * of it was touched; else the answer of the device. EFI_MEDIA_CHANGED: it has another medium than
 * when it was found, and nothing of that was touched (UEFI 2.10, 13.9).
 */
EFI_STATUS block_device_transfer(const struct block_device *device,
                                 const struct block_transfer *transfer);

/*
 * Whether the protocol of its requests is there still: one that waits, or the queued one. What is
 * in flight when that is taken away need never be signalled.
 */
bool block_device_is_there(const struct block_device *device, bool queued);

/*
 * What a device that gave this answer is not used any more for, and what can be done, in words that
 * go behind others; NULL: it may be tried again.
 */
const char *block_device_lost(EFI_STATUS status);

#endif
