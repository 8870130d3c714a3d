/*
 * What the fuzz targets share. A target is one file here: LLVMFuzzerTestOneInput() hands its bytes
 * to one parser, or answers with them what the machine is asked. It aborts where what came out is
 * not what the parser's header promises (LLVM, "libFuzzer").
 */
#ifndef ZMMTEST_CI_FUZZ_FUZZ_H
#define ZMMTEST_CI_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program, as a crash, where `promise` is false. */
void fuzz_expect(bool promise, const char *what);

/* Takes so many bytes from the front of an input; zeros behind its end. */
struct fuzz_input {
    const uint8_t *data;
    size_t size;
};

void fuzz_take(struct fuzz_input *input, void *to, size_t bytes);

/*
 * Memory at a fixed address, for inputs with addresses in them that lead to other places of the
 * input. Nothing is mapped behind its end.
 */
#define FUZZ_MEMORY     UINT64_C(0x20000000)
#define FUZZ_MEMORY_END (FUZZ_MEMORY + 8192)

/* Puts an input there, and zeros around it. NULL: it does not fit. */
uint8_t *fuzz_memory_put(uint64_t address, const uint8_t *data, size_t size);

/* These bytes are of the input that was put there last. */
bool fuzz_memory_has(uint64_t address, uint64_t bytes);

/*
 * From now on each line for a sink is looked at: printable ASCII in its bounds, a log line begins
 * as one, and no text passes for a log line.
 */
void fuzz_watch_report(void);

#endif
