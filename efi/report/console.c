/* Text lines to the firmware's console. */
#include "../firmware.h"
#include "sinks.h"

#define COLUMNS_MAX 160u

static INT32 cursor_was_visible;

/* Nothing can be done about a console that refuses a line: the log has it all. */
static void console_text(const char *line)
{
    CHAR16 wide[COLUMNS_MAX + 3];
    size_t n = 0;
    for (; n < COLUMNS_MAX && line[n]; n++)
        wide[n] = (CHAR16)line[n];
    wide[n] = L'\r';
    wide[n + 1] = L'\n';
    wide[n + 2] = 0;
    (void)system_table->ConOut->OutputString(system_table->ConOut, wide);
}

const struct sink *console_sink(void)
{
    static const struct sink sink = {.text = console_text};
    if (!system_table->ConOut || !system_table->ConsoleOutHandle)
        return NULL;
    cursor_was_visible = system_table->ConOut->Mode->CursorVisible;
    /* The firmware's logo is still there, and text would run across it. */
    (void)system_table->ConOut->ClearScreen(system_table->ConOut);
    return &sink;
}

void console_leave(void)
{
    if (system_table->ConOut && cursor_was_visible)
        (void)system_table->ConOut->EnableCursor(system_table->ConOut, TRUE);
}
