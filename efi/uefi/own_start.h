/* The vCPUs that ACPI's MADT lists, started by us: where the firmware's MP services know too few.
 */
#ifndef ZMMTEST_UEFI_OWN_START_H
#define ZMMTEST_UEFI_OWN_START_H

#include "../platform/processors.h"

/* As the functions of platform/processors.h. NULL: count and boot are set; or why there are none.
 */
const char *own_start_find(struct processors *processors);
void own_start_use(void);
const char *own_start_unusable(uint32_t number);
const char *own_start_ask(uint32_t number, struct processor_call *call);
void own_start_start(void);
bool own_start_returned(struct processor_call *call);
const char *own_start_left(void);

#endif
