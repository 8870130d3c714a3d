/*
 * Work for the storage beneath: reads that stay in flight while vCPUs hold their registers, as on
 * the hosts of the ESXi 8.0.2 bug. Nothing is ever written. No window spans a call of the firmware,
 * whose calling convention lets it change most of the vector state (UEFI 2.10, 2.3.4.2).
 */
#ifndef ZMMTEST_DISKS_H
#define ZMMTEST_DISKS_H

#include "window/disk.h"
#include <efi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISKS_MAX 16u

struct disk {
    EFI_BLOCK_IO2_PROTOCOL *queued; /* NULL: only the blocking protocol is there */
    EFI_BLOCK_IO_PROTOCOL *blocking;
    const EFI_BLOCK_IO_MEDIA *media;
    EFI_BLOCK_IO2_TOKEN token; /* of the read that is in flight */
    bool in_flight;
    uint8_t *buffer;
    size_t read_bytes; /* of one read, as things go */
    uint64_t begun_at; /* milliseconds */
    EFI_LBA next;
    bool dropped; /* after an error */
    bool stuck;   /* a read did not come back: the firmware may still write to the buffer */
    uint64_t reads, bytes;
};

struct disks {
    struct disk disk[DISKS_MAX];
    uint32_t count;
    struct disk_activity activity; /* what the vCPUs see of it */
    uint64_t started_at, elapsed;  /* milliseconds */
};

/* The disk that zmmtest was booted from, or all there are; NULL, or the reason why there is none.
 */
const char *disks_find(struct disks *disks, bool all);

/* On the boot vCPU, between slices: takes what was read and asks for more. */
void disks_poll(struct disks *disks);

/* No more reads; waits for those in flight, 10 s each. False if one did not come back. */
bool disks_stop(struct disks *disks);

/* One log line for each disk. */
void disks_report(const struct disks *disks);

void disks_free(struct disks *disks);

#endif
