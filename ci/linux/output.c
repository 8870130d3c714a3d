/* Log lines and text to standard output, each as it is made: what reads them may be waiting. */
#include "process.h"
#include <stdio.h>

/* A reader that went away cannot be told so. */
static void output_line(const char *line)
{
    (void)puts(line);
    (void)fflush(stdout);
}

struct sink *output_sink(void)
{
    static struct sink sink = {.log = output_line, .text = output_line};
    return &sink;
}
