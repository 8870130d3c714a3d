/* Text lines to the firmware's consoles. */
#include "sinks.h"
#include "terminal.h"

static void line_to_all(const char *line)
{
    terminal_line(line, CONSOLES_ALL);
}

static void line_beside_screen(const char *line)
{
    terminal_line(line, CONSOLES_BESIDE);
}

struct sink *console_sink(bool beside_screen)
{
    static struct sink all = {.text = line_to_all}, beside = {.text = line_beside_screen};
    return beside_screen ? &beside : &all;
}
