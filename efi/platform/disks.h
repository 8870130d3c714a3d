/*
 * Work for the storage beneath: reads that stay in flight while vCPUs hold their registers, as on
 * the hosts of the ESXi 8.0.2 bug. Nothing is ever written. No window spans a call of the firmware,
 * whose calling convention lets it change most of the vector state (UEFI 2.10, 2.3.4.2).
 */
#ifndef ZMMTEST_PLATFORM_DISKS_H
#define ZMMTEST_PLATFORM_DISKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Written by whoever reads the disks. */
struct disk_activity {
    _Atomic uint32_t in_flight; /* reads that were begun and have not ended */
    _Atomic bool over;          /* there will be no more */
    bool unattended;            /* begun by no vCPU: the boot vCPU may wait for one as well */
    bool blocking;              /* only while the boot vCPU waits for the firmware */
};

/* The disk that zmmtest was booted from, or all there are; NULL, or the reason why there is none.
 */
const char *disks_find(bool all);

/* What the vCPUs may know of it. */
const struct disk_activity *disks_activity(void);

/*
 * On the boot vCPU, between slices: takes what was read and asks for more. True if it waited for a
 * second or more while the firmware read: the machine did not stand still, and what was slow is
 * told.
 */
bool disks_poll(void);

/*
 * Lets what is in flight end, so that the firmware's disks can be used for something else: a driver
 * may do one thing after the other. The next poll goes on. False if a read does not come back soon:
 * what else is asked for would wait behind it.
 */
bool disks_rest(void);

/* No more reads; waits 10 s at the most for those in flight. False if one did not come back. */
bool disks_stop(void);

/* What was read of one disk. */
struct disk_result {
    uint32_t number, block_bytes;
    uint64_t blocks;
    const char *by; /* the interface that it was read by */
    bool waiting;   /* the boot vCPU waited for each read, and the others went on */
    bool failed;    /* it could not be read in the end */
    uint64_t reads, bytes;
};

/* Of disk number `number`, from 0; false: there are no more. */
bool disks_result(uint32_t number, struct disk_result *result);

void disks_free(void);

#endif
