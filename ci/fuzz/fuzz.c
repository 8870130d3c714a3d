/* Promises, inputs, and a sink that looks at each line. */
#include "fuzz.h"
#include "../../efi/core/report/report.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
