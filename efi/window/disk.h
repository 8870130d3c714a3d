/* Holds while the disks are being read: what the vCPUs know of the reads, and the hook of the row.
 */
#ifndef ZMMTEST_WINDOW_DISK_H
#define ZMMTEST_WINDOW_DISK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct round;
struct rounds;

/* Written by whoever reads the disks. */
struct disk_activity {
    _Atomic uint32_t in_flight; /* reads that were begun and have not ended */
    _Atomic bool over;          /* there will be no more */
    bool unattended;            /* begun by no vCPU: the boot vCPU may wait for one as well */
    bool blocking;              /* only while the boot vCPU waits for the firmware */
};

/* Before each round (exits.h): waits a little for a read to be in flight. */
const char *disk_begin(struct rounds *rounds, struct round *round);

/* False for the boot vCPU where it is busy with the reads themselves. */
bool disk_part(const struct rounds *rounds);

#endif
