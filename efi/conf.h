/* Where options come from: \zmmtest.conf on the boot volume, then the load options. */
#ifndef ZMMTEST_CONF_H
#define ZMMTEST_CONF_H

#include "options.h"

/*
 * Reads both into *options. False if something in them is wrong; *error then says what. A volume
 * without the file, or no volume at all, is no error.
 */
bool conf_read(struct options *options, struct text *error);

#endif
