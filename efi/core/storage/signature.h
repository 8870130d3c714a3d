/* What the first block of a scratch partition has to say, so that it may be written over. */
#ifndef ZMMTEST_CORE_STORAGE_SIGNATURE_H
#define ZMMTEST_CORE_STORAGE_SIGNATURE_H

#include <stdint.h>

/* How much of the first block it takes; any disk's block has so much. */
#define SIGNATURE_BYTES 512u

/*
 * NULL: this is, byte for byte, the signature of a partition of `bytes` bytes. Else what is wrong
 * with it, in words. image/scratch.sh writes it.
 */
const char *signature_wrong(const uint8_t block[SIGNATURE_BYTES], uint64_t bytes);

#endif
