/* Promises, inputs, memory for them, and a sink that looks at each line. */
#include "fuzz.h"
#include "../../efi/core/report/report.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define TEXT_LINE_MAX 160u

void fuzz_expect(bool promise, const char *what)
{
    if (promise)
        return;
    (void)fprintf(stderr, "promise broken: %s\n", what);
    abort();
}

void fuzz_take(struct fuzz_input *input, void *to, size_t bytes)
{
    size_t taken = bytes < input->size ? bytes : input->size;
    memset(to, 0, bytes);
    if (taken)
        memcpy(to, input->data, taken);
    input->data += taken;
    input->size -= taken;
}

static uint64_t put_at, put_bytes;

uint8_t *fuzz_memory_put(uint64_t address, const uint8_t *data, size_t size)
{
    static uint8_t *memory;
    const size_t room = FUZZ_MEMORY_END - FUZZ_MEMORY;
    if (!memory)
        memory = mmap((void *)FUZZ_MEMORY, room, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    fuzz_expect(memory == (void *)FUZZ_MEMORY, "the address is free");
    if (size > room || address < FUZZ_MEMORY || address > FUZZ_MEMORY_END - size)
        return NULL;
    memset(memory, 0, room);
    put_at = address;
    put_bytes = size;
    uint8_t *to = memory + (address - FUZZ_MEMORY);
    return size ? memcpy(to, data, size) : to;
}

bool fuzz_memory_has(uint64_t address, uint64_t bytes)
{
    return address >= put_at && address - put_at < put_bytes &&
           bytes <= put_bytes - (address - put_at);
}

static void look_at(const char *line, size_t most)
{
    fuzz_expect(strlen(line) <= most, "a line is not longer than it may be");
    for (; *line; line++)
        fuzz_expect(*line >= ' ' && *line <= '~', "a line is printable");
}

static const char head[] = "zmmtest ts=";

static void look_at_log(const char *line)
{
    look_at(line, LOG_LINE_MAX);
    fuzz_expect(strncmp(line, head, strlen(head)) == 0, "a log line begins as one");
    fuzz_expect(!strstr(line + 1, head), "no value passes for a log line");
}

static void look_at_text(const char *line)
{
    look_at(line, TEXT_LINE_MAX);
    fuzz_expect(!strstr(line, head), "no text passes for a log line");
}

void fuzz_watch_report(void)
{
    static struct sink sink = {.log = look_at_log, .text = look_at_text};
    static bool watched;
    if (!watched)
        report_add_sink(&sink);
    watched = true;
}
