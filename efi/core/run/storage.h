/* Writes to scratch partitions in a run: who needs them, what they do next, what they came to. */
#ifndef ZMMTEST_CORE_RUN_STORAGE_H
#define ZMMTEST_CORE_RUN_STORAGE_H

#include "run_state.h"

/* Finds scratch partitions, if an exit that was asked for needs them. NULL, or the reason why none
 * can be written while a vCPU holds. `others`: a vCPU takes part that the firmware does not use. */
const char *storage_find(struct run *run, bool others);

/* Between two slices of the boot vCPU: what its next slice needs. True: as scratch_poll(). */
bool storage_poll(const struct run *run);

/* Wrong blocks that were found meanwhile. */
void storage_tell_wrong(struct run *run);

/* Adds the bytes read and written so far, of all disks and scratch partitions. */
void storage_add_bytes(const struct run *run, struct amounts *amounts);

/* At the end: whether a partition could not be used up to it; and what was written and read. */
bool storage_failed(const struct run *run);
void storage_tell(const struct run *run);

#endif
