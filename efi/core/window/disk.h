/* Holds and copies while disks are being read, scratch partitions written, or frames sent: the
 * hooks of the rows in exits.c. */
#ifndef ZMMTEST_CORE_WINDOW_DISK_H
#define ZMMTEST_CORE_WINDOW_DISK_H

#include "rounds.h"

/* Before each round (exit.h): waits a little for a read to be in flight. */
enum begun disk_begin(struct rounds *rounds, struct round *round, const char **reason);

/* False for the boot vCPU where it is busy with the reads themselves. */
bool disk_part(const struct rounds *rounds);

/* The same for writes, or reads and writes, in scratch partitions. */
enum begun disk_write_begin(struct rounds *rounds, struct round *round, const char **reason);
enum begun disk_mixed_begin(struct rounds *rounds, struct round *round, const char **reason);
enum begun disk_copy_begin(struct rounds *rounds, struct round *round, const char **reason);
bool disk_write_part(const struct rounds *rounds);

/* The same for frames; the boot vCPU waits for none. */
enum begun net_begin(struct rounds *rounds, struct round *round, const char **reason);

#endif
