/* What the files of this folder share. */
#ifndef ZMMTEST_CI_LINUX_PROCESS_H
#define ZMMTEST_CI_LINUX_PROCESS_H

#include "../../efi/core/report/report.h"
#include <pthread.h>

/* Log lines and text to standard output. */
struct sink *output_sink(void);

/* Threads of these attributes may run on all CPUs that the process was given. */
void process_use_all_cpus(pthread_attr_t *attributes);

/*
 * Before the first thread: signals that say stop are held back in every thread and looked for by
 * keys_read(); those that an exception raises go to the handler of idt.c.
 */
void process_signals(void);

/* idt.c's part of it. */
void process_exceptions(void);

#endif
