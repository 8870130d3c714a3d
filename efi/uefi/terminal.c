/*
 * Simple Text Output (UEFI 2.10, 12.4). The firmware's console is most often a splitter over
 * several: a display and a serial port, which may be the log's. A screen is for the display alone,
 * so it is written on directly: it is the one that has the Graphics Output Protocol on the same
 * handle.
 */
#include "terminal.h"
#include "firmware.h"
#include <string.h>

#define CONSOLES_MAX 8u
#define LINE_MAX     160u

typedef SIMPLE_TEXT_OUTPUT_INTERFACE console;

static struct {
    console *display[CONSOLES_MAX], *other[CONSOLES_MAX];
    uint32_t displays, others;
    INT32 attribute;
    BOOLEAN cursor;
    bool cleared;
} terminal;

static bool has(EFI_HANDLE handle, EFI_GUID *protocol)
{
    void *interface;
    return !EFI_ERROR(system_table->BootServices->HandleProtocol(handle, protocol, &interface));
}

/* A driver offers a console on whatever it drives; one that is not in use has no mode. */
static bool size_of(console *out, UINTN *columns, UINTN *rows)
{
    return !EFI_ERROR(out->QueryMode(out, (UINTN)out->Mode->Mode, columns, rows));
}

/* A splitter has the protocols of what is behind it, and no device. */
static bool is_device(EFI_HANDLE handle)
{
    EFI_GUID path = EFI_DEVICE_PATH_PROTOCOL_GUID;
    return handle != system_table->ConsoleOutHandle &&
           handle != system_table->StandardErrorHandle && has(handle, &path);
}

static void sort_console(EFI_HANDLE handle)
{
    EFI_GUID text = EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL_GUID,
             graphics = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
    console *out;
    UINTN columns, rows;
    if (!is_device(handle) ||
        EFI_ERROR(system_table->BootServices->HandleProtocol(handle, &text, (void **)&out)) ||
        !size_of(out, &columns, &rows))
        return;
    if (has(handle, &graphics)) {
        if (terminal.displays < CONSOLES_MAX)
            terminal.display[terminal.displays++] = out;
    } else if (terminal.others < CONSOLES_MAX) {
        terminal.other[terminal.others++] = out;
    }
}

static void find_consoles(void)
{
    EFI_GUID text = EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL_GUID;
    EFI_BOOT_SERVICES *boot = system_table->BootServices;
    EFI_HANDLE *handles;
    UINTN count;
    if (EFI_ERROR(boot->LocateHandleBuffer(ByProtocol, &text, NULL, &count, &handles)))
        return;
    for (UINTN n = 0; n < count; n++)
        sort_console(handles[n]);
    (void)boot->FreePool(handles);
}

enum terminal_kind terminal_start(void)
{
    console *out = system_table->ConOut;
    memset(&terminal, 0, sizeof(terminal));
    if (!out || !system_table->ConsoleOutHandle)
        return TERMINAL_NONE;
    terminal.attribute = out->Mode->Attribute;
    terminal.cursor = out->Mode->CursorVisible;
    find_consoles();
    if (terminal.displays)
        return TERMINAL_DISPLAY;
    terminal.display[terminal.displays++] = out;
    terminal.others = 0;
    return TERMINAL_TEXT;
}

void terminal_size(uint32_t *rows, uint32_t *columns)
{
    *rows = *columns = UINT32_MAX;
    for (uint32_t n = 0; n < terminal.displays; n++) {
        UINTN wide, high;
        if (!size_of(terminal.display[n], &wide, &high))
            wide = high = 0;
        *rows = high < *rows ? (uint32_t)high : *rows;
        *columns = wide < *columns ? (uint32_t)wide : *columns;
    }
}

/* What a console cannot do of this, it need not: a cursor is no harm. */
void terminal_clear(enum consoles consoles)
{
    if (consoles == CONSOLES_ALL) {
        (void)system_table->ConOut->ClearScreen(system_table->ConOut);
        return;
    }
    for (uint32_t n = 0; n < terminal.displays; n++) {
        console *out = terminal.display[n];
        (void)out->SetAttribute(out, EFI_TEXT_ATTR(EFI_LIGHTGRAY, EFI_BLACK));
        (void)out->ClearScreen(out);
        (void)out->EnableCursor(out, FALSE);
    }
    terminal.cleared = true;
}

static size_t widen(CHAR16 *wide, const char *text)
{
    size_t n = 0;
    for (; n < LINE_MAX && text[n]; n++)
        wide[n] = (CHAR16)text[n];
    wide[n] = 0;
    return n;
}

bool terminal_write(uint32_t row, uint32_t column, uint8_t attribute, const char *text)
{
    CHAR16 wide[LINE_MAX + 1];
    bool taken = false;
    (void)widen(wide, text);
    for (uint32_t n = 0; n < terminal.displays; n++) {
        console *out = terminal.display[n];
        (void)out->SetAttribute(out, attribute);
        taken |= !EFI_ERROR(out->SetCursorPosition(out, column, row)) &&
                 !EFI_ERROR(out->OutputString(out, wide));
    }
    return taken;
}

/* Nothing can be done about a console that refuses a line: the log has it all. */
void terminal_line(const char *line, enum consoles to)
{
    CHAR16 wide[LINE_MAX + 3];
    size_t length = widen(wide, line);
    wide[length] = L'\r';
    wide[length + 1] = L'\n';
    wide[length + 2] = 0;
    if (to == CONSOLES_ALL)
        (void)system_table->ConOut->OutputString(system_table->ConOut, wide);
    for (uint32_t n = 0; n < terminal.displays && to == CONSOLES_OF_SCREEN; n++)
        (void)terminal.display[n]->OutputString(terminal.display[n], wide);
    for (uint32_t n = 0; n < terminal.others && to == CONSOLES_BESIDE; n++)
        (void)terminal.other[n]->OutputString(terminal.other[n], wide);
}

void terminal_leave(void)
{
    console *out = system_table->ConOut;
    if (!out)
        return;
    if (terminal.cleared)
        (void)out->SetAttribute(out, (UINTN)terminal.attribute);
    for (uint32_t n = 0; n < terminal.displays && terminal.cleared; n++)
        (void)terminal.display[n]->ClearScreen(terminal.display[n]);
    if (terminal.cursor)
        (void)out->EnableCursor(out, TRUE);
}
