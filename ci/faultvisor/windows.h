/* Where zmmtest's windows are in memory: which event the guest is in, by its RIP. */
#ifndef ZMMTEST_FAULTVISOR_WINDOWS_H
#define ZMMTEST_FAULTVISOR_WINDOWS_H

#include "exit_kind.h"
#include <stdbool.h>

/* Of an image that is loaded and has not been started yet. */
void windows_find(const uint8_t *image);

/* Whose event stands there, in any of its forms. */
enum exit_kind windows_kind_at(uint64_t rip);

/* Whether it is the form whose state XRSTOR puts in. */
bool windows_by_xsave_at(uint64_t rip);

/* Whether the event of an exit stands there, of whatever kind. */
bool windows_exit_at(uint64_t rip);

#endif
