/* Takes a machine check: what its banks say is kept, and they are cleared. */
#ifndef ZMMTEST_RING0_MACHINE_CHECK_H
#define ZMMTEST_RING0_MACHINE_CHECK_H

#include "../platform/traps.h"

/*
 * In the handler of vector 18. True: the program may go on where it was (MCG_STATUS.RIPV), with
 * every register as it was.
 */
bool machine_check_take(struct traps *traps);

#endif
