/* The sinks that need firmware: its consoles and serial ports, and files on its boot volume. */
#ifndef ZMMTEST_UEFI_SINKS_H
#define ZMMTEST_UEFI_SINKS_H

#include "../core/report/report.h"

/* The firmware's consoles: text. `beside_screen`: only those that no screen is on. */
struct sink *console_sink(bool beside_screen);

/* The first serial port that the firmware has a driver for: log lines. NULL: there is none. */
struct sink *serial_io_sink(void);

/*
 * Files on the boot volume: log lines and text, written when the stream is flushed. Where it cannot
 * be written, the sink has its trouble to tell.
 */
struct sink *files_sink(void);

/* The runs of the boot volume, this one included; all 0 where it has no files. */
struct volume_runs {
    uint32_t number;      /* of this run: its files are NNNN.log and NNNN.txt */
    uint32_t without_end; /* of the run before, if its log has no end */
};

struct volume_runs files_runs(void);

/* The last lines to the volume, and the files closed. */
void files_close(void);

#endif
