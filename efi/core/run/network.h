/* Frames in a run: who needs them, and what they came to. */
#ifndef ZMMTEST_CORE_RUN_NETWORK_H
#define ZMMTEST_CORE_RUN_NETWORK_H

#include "run_state.h"

/* Takes network adapters, if an exit that was asked for needs them and net= has it so. NULL, or the
 * reason why no frame is sent. */
const char *network_find(struct run *run);

/* At the end: whether an adapter could not send up to it; and what was sent. */
bool network_failed(const struct run *run);
void network_tell(const struct run *run);

#endif
