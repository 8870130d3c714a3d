/* What a run says of the system registers, at its end. */
#ifndef ZMMTEST_CORE_REPORT_SYSTEM_EVENTS_H
#define ZMMTEST_CORE_REPORT_SYSTEM_EVENTS_H

#include "results.h"

void event_system(const struct system_result *result);

#endif
