/* What the files of this folder share. */
#ifndef ZMMTEST_CI_SILICON_LINUX_PROCESS_H
#define ZMMTEST_CI_SILICON_LINUX_PROCESS_H

#include "../../../efi/report/report.h"

/* Log lines and text to standard output. */
const struct sink *output_sink(void);

/*
 * Before the first thread: signals that say stop are held back in every thread and looked for by
 * keys_read(); those that an exception raises go to the handler of traps.c.
 */
void process_signals(void);

/* traps.c's part of it. */
void process_exceptions(void);

#endif
