/* COM1 as a sink. */
#ifndef ZMMTEST_RING0_SERIAL_H
#define ZMMTEST_RING0_SERIAL_H

#include "../core/report/report.h"

/* Takes log lines, whole and once. NULL: no serial port there. */
struct sink *serial_sink(void);

#endif
