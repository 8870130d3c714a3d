/*
 * Writes for the storage beneath, which can hurt nobody: into scratch partitions, which have a type
 * of zmmtest's own and say in their first block that they may be written over. Only through the
 * Block I/O of such a partition, which the firmware bounds to it. What is written has a pattern, is
 * read back and compared. As with reads (disks.h), no window spans a call of the firmware.
 */
#ifndef ZMMTEST_PLATFORM_SCRATCH_H
#define ZMMTEST_PLATFORM_SCRATCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Whose patterns are written; and the rate of the TSC, for latencies. */
struct scratch_plan {
    uint32_t run, vcpu;
    uint64_t tsc_hz;
};

/* Written by the boot vCPU, read by the others. */
struct scratch_activity {
    _Atomic uint32_t writes; /* in flight */
    _Atomic uint32_t mixed;  /* pairs of a read and a write in flight; or the one of a pair, where
                                the firmware takes one after the other */
    _Atomic bool over;       /* there will be no more */
    bool blocking;           /* only while the boot vCPU waits for the firmware */
};

/*
 * Finds the scratch partitions of all disks, and tells of each that is none after all. NULL, or the
 * reason why nothing can be written. Nothing is written before the first poll.
 */
const char *scratch_find(const struct scratch_plan *plan);

const struct scratch_activity *scratch_activity(void);

/* What is to be begun next: writes alone; or writes and reads, each of what was written before. */
enum scratch_work { SCRATCH_NONE, SCRATCH_WRITES, SCRATCH_MIXED };

/*
 * On the boot vCPU, between slices: takes what has ended, compares what was read, and begins more.
 * True if it waited for a second or more, as disks_poll().
 */
bool scratch_poll(enum scratch_work work);

/* As disks_rest() and disks_stop(). */
bool scratch_rest(void);
bool scratch_stop(void);

/* Where a wrong block came from. */
enum block_origin {
    ORIGIN_ZEROED,
    ORIGIN_STALE,     /* what this run wrote there before */
    ORIGIN_SWAPPED,   /* what this run wrote to another block */
    ORIGIN_OTHER_RUN, /* what another run wrote */
    ORIGIN_BIT_FLIP,
    ORIGIN_FOREIGN,
};

#define WRONG_WORDS 4u

/* A block that came back as it was not written. Words are of 64 bits. */
struct wrong_block {
    uint32_t partition;
    uint64_t block;      /* of the partition */
    uint64_t generation; /* what should be there: of the passes over the partition, from 1 */
    uint64_t request;    /* which read found it, from 1 */
    uint32_t words;      /* wrong ones, and the first of them */
    struct {
        uint32_t number;
        uint64_t want, got;
    } word[WRONG_WORDS];
    enum block_origin origin;
    uint32_t from_run; /* of STALE, SWAPPED and OTHER_RUN */
    uint64_t from_block, from_generation;
};

/* The next one; false: there is none. Of very many not all are kept, but all are counted. */
bool scratch_next_wrong(struct wrong_block *wrong);

/* In all partitions so far. */
uint64_t scratch_wrong_blocks(void);

/* Writes, or reads, of one partition. Latencies: from the call to when the boot vCPU has seen it
 * end, between two slices. */
struct scratch_requests {
    uint64_t count, bytes;
    uint64_t median_us, worst_us; /* the median of the latest */
    uint32_t most;                /* in flight at once */
};

struct scratch_result {
    uint32_t block_bytes;
    uint64_t blocks;
    const char *by;
    bool waiting; /* the boot vCPU waited for each request */
    bool failed;  /* it could not be used to the end */
    uint64_t wrong;
    struct scratch_requests writes, reads;
};

/* Of partition `number`, from 0; false: there are no more. */
bool scratch_result(uint32_t number, struct scratch_result *result);

void scratch_free(void);

#endif
