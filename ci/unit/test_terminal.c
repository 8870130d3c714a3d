/*
 * Consoles: a screen goes to the displays alone and lines to what is beside them, on firmware that
 * is made up here, which lacks or refuses what real firmware does.
 */
#include "../../efi/uefi/firmware.h"
#include "../../efi/uefi/terminal.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define FOUND_ATTRIBUTE 0x1e
#define BEHIND_MAX      3u

/* A console, whose handle is its address. */
struct device {
    SIMPLE_TEXT_OUTPUT_INTERFACE out;
    SIMPLE_TEXT_OUTPUT_MODE mode;
    UINTN columns, rows;
    bool graphics, path;
    EFI_STATUS on_query, on_attribute, on_cursor, on_string;
    struct device *behind[BEHIND_MAX]; /* of a splitter */

    UINTN row, column;
    unsigned int clears, strings;
    char text[400]; /* all that was written */
    char last[200]; /* and what of it last */
};

static struct device splitter, display, second, serial;

static struct device *handles[40];
static UINTN handle_count;
static unsigned int freed;

static struct device *device_of(SIMPLE_TEXT_OUTPUT_INTERFACE *out)
{
    return (struct device *)out;
}

static EFI_STATUS EFIAPI output_string(SIMPLE_TEXT_OUTPUT_INTERFACE *this, CHAR16 *string)
{
    struct device *device = device_of(this);
    if (device->on_string)
        return device->on_string;
    size_t length = 0;
    for (; string[length]; length++)
        device->last[length] = (char)string[length];
    device->last[length] = '\0';
    device->strings++;
    size_t before = strlen(device->text);
    (void)snprintf(device->text + before, sizeof(device->text) - before, "%s", device->last);
    for (unsigned int n = 0; n < BEHIND_MAX && device->behind[n]; n++)
        (void)output_string(&device->behind[n]->out, string);
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI query_mode(SIMPLE_TEXT_OUTPUT_INTERFACE *this, UINTN mode, UINTN *columns,
                                    UINTN *rows)
{
    struct device *device = device_of(this);
    if (device->on_query || mode != (UINTN)device->mode.Mode || device->mode.Mode < 0)
        return device->on_query ? device->on_query : EFI_UNSUPPORTED;
    *columns = device->columns;
    *rows = device->rows;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_attribute(SIMPLE_TEXT_OUTPUT_INTERFACE *this, UINTN attribute)
{
    struct device *device = device_of(this);
    if (device->on_attribute)
        return device->on_attribute;
    device->mode.Attribute = (INT32)attribute;
    for (unsigned int n = 0; n < BEHIND_MAX && device->behind[n]; n++)
        (void)set_attribute(&device->behind[n]->out, attribute);
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI clear_screen(SIMPLE_TEXT_OUTPUT_INTERFACE *this)
{
    struct device *device = device_of(this);
    device->clears++;
    for (unsigned int n = 0; n < BEHIND_MAX && device->behind[n]; n++)
        (void)clear_screen(&device->behind[n]->out);
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_cursor_position(SIMPLE_TEXT_OUTPUT_INTERFACE *this, UINTN column,
                                             UINTN row)
{
    struct device *device = device_of(this);
    if (device->on_cursor)
        return device->on_cursor;
    device->row = row;
    device->column = column;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI enable_cursor(SIMPLE_TEXT_OUTPUT_INTERFACE *this, BOOLEAN visible)
{
    struct device *device = device_of(this);
    device->mode.CursorVisible = visible;
    for (unsigned int n = 0; n < BEHIND_MAX && device->behind[n]; n++)
        (void)enable_cursor(&device->behind[n]->out, visible);
    return EFI_SUCCESS;
}

static bool same(const EFI_GUID *guid, EFI_GUID other)
{
    return memcmp(guid, &other, sizeof(other)) == 0;
}

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *protocol, void **interface)
{
    struct device *device = handle;
    *interface = device;
    bool there =
        same(protocol, (EFI_GUID)EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL_GUID) ||
        (same(protocol, (EFI_GUID)EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID) && device->graphics) ||
        (same(protocol, (EFI_GUID)EFI_DEVICE_PATH_PROTOCOL_GUID) && device->path);
    return there ? EFI_SUCCESS : EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI locate_handles(EFI_LOCATE_SEARCH_TYPE type, EFI_GUID *protocol, void *key,
                                        UINTN *count, EFI_HANDLE **buffer)
{
    assert_int_equal(type, ByProtocol);
    assert_true(same(protocol, (EFI_GUID)EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL_GUID));
    assert_null(key);
    if (!handle_count)
        return EFI_NOT_FOUND;
    *count = handle_count;
    *buffer = (EFI_HANDLE *)handles;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pool(void *buffer)
{
    assert_ptr_equal(buffer, handles);
    freed++;
    return EFI_SUCCESS;
}

static void make_device(struct device *device, UINTN columns, UINTN rows)
{
    *device = (struct device){
        .out = {.OutputString = output_string,
                .QueryMode = query_mode,
                .SetAttribute = set_attribute,
                .ClearScreen = clear_screen,
                .SetCursorPosition = set_cursor_position,
                .EnableCursor = enable_cursor,
                .Mode = &device->mode},
        .mode = {.MaxMode = 4, .Mode = 2, .Attribute = FOUND_ATTRIBUTE, .CursorVisible = TRUE},
        .columns = columns,
        .rows = rows,
        .path = true,
    };
}

/* What most firmware has: a splitter over a display and a serial port. */
static int boot(void **state)
{
    (void)state;
    static EFI_BOOT_SERVICES services = {.HandleProtocol = handle_protocol,
                                         .LocateHandleBuffer = locate_handles,
                                         .FreePool = free_pool};
    static EFI_SYSTEM_TABLE table;
    make_device(&splitter, 80, 25);
    splitter.graphics = true; /* it has all that is behind it */
    splitter.path = false;
    splitter.behind[0] = &display;
    splitter.behind[1] = &serial;
    make_device(&display, 100, 31);
    display.graphics = true;
    make_device(&second, 80, 25);
    second.graphics = true;
    make_device(&serial, 80, 25);
    handles[0] = &splitter;
    handles[1] = &serial;
    handles[2] = &display;
    handle_count = 3;
    freed = 0;
    table = (EFI_SYSTEM_TABLE){
        .BootServices = &services, .ConOut = &splitter.out, .ConsoleOutHandle = &splitter};
    system_table = &table;
    return 0;
}

/* A second display, of 80x25, behind the same splitter. */
static void plug_second_display(void)
{
    splitter.behind[2] = &second;
    handles[handle_count++] = &second;
}

static void expect_size(uint32_t wanted_columns, uint32_t wanted_rows)
{
    uint32_t rows, columns;
    terminal_size(&rows, &columns);
    assert_int_equal(columns, wanted_columns);
    assert_int_equal(rows, wanted_rows);
}

static void a_screen_is_for_the_display_alone(void **state)
{
    (void)state;
    assert_int_equal(terminal_start(), TERMINAL_DISPLAY);
    assert_int_equal(freed, 1);
    expect_size(100, 31);
    terminal_clear(CONSOLES_OF_SCREEN);
    assert_int_equal(display.clears, 1);
    assert_false(display.mode.CursorVisible);
    assert_int_equal(display.mode.Attribute, 0x07);
    assert_true(terminal_write(7, 40, 0x4f, "hit"));
    assert_string_equal(display.text, "hit");
    assert_int_equal(display.row, 7);
    assert_int_equal(display.column, 40);
    assert_int_equal(display.mode.Attribute, 0x4f);
    assert_string_equal(serial.text, "");
    assert_int_equal(serial.clears, 0);
    assert_int_equal(serial.mode.Attribute, FOUND_ATTRIBUTE);
    assert_true(serial.mode.CursorVisible);
}

static void lines_go_where_they_are_for(void **state)
{
    (void)state;
    (void)terminal_start();
    terminal_line("beside", CONSOLES_BESIDE);
    assert_string_equal(serial.text, "beside\r\n");
    assert_string_equal(display.text, "");
    terminal_line("screen", CONSOLES_OF_SCREEN);
    assert_string_equal(display.text, "screen\r\n");
    assert_string_equal(serial.last, "beside\r\n");
    terminal_line("all", CONSOLES_ALL);
    assert_string_equal(splitter.text, "all\r\n");
    assert_string_equal(display.last, "all\r\n");
    assert_string_equal(serial.last, "all\r\n");
    assert_int_equal(display.strings, 2); /* once by the splitter, not once more directly */
}

static void without_a_screen_all_consoles_are_cleared(void **state)
{
    (void)state;
    (void)terminal_start();
    terminal_clear(CONSOLES_ALL);
    assert_int_equal(display.clears, 1);
    assert_int_equal(serial.clears, 1);
    assert_true(display.mode.CursorVisible);
    assert_int_equal(display.mode.Attribute, FOUND_ATTRIBUTE);
}

/* On serial only, or where the firmware does not say what its console is made of. */
static void expect_one_console(void)
{
    assert_int_equal(terminal_start(), TERMINAL_TEXT);
    expect_size(80, 25);
    assert_true(terminal_write(1, 2, 0x07, "text"));
    assert_string_equal(splitter.text, "text");
    assert_int_equal(splitter.row, 1);
    terminal_line("once", CONSOLES_OF_SCREEN);
    assert_string_equal(splitter.last, "once\r\n");
    terminal_line("nowhere", CONSOLES_BESIDE);
    assert_string_equal(splitter.last, "once\r\n");
    assert_null(strstr(serial.text, "nowhere"));
}

static void without_a_display_there_is_the_console_alone(void **state)
{
    (void)state;
    handle_count = 2;
    splitter.behind[0] = &serial;
    splitter.behind[1] = NULL;
    expect_one_console();
}

static void a_firmware_that_lists_no_consoles_has_one(void **state)
{
    (void)state;
    handle_count = 0;
    expect_one_console();
    assert_int_equal(freed, 0);
}

static void no_splitter_is_taken_for_a_display(void **state)
{
    (void)state;
    handles[2] = &second; /* in place of the display */
    second.path = false;
    expect_one_console();
    (void)boot(NULL);
    handles[2] = &second;
    system_table->StandardErrorHandle = &second;
    expect_one_console();
    (void)boot(NULL);
    handle_count = 2;
    splitter.path = true;
    expect_one_console();
}

static void without_a_console_nothing_is_written(void **state)
{
    (void)state;
    system_table->ConOut = NULL;
    assert_int_equal(terminal_start(), TERMINAL_NONE);
    terminal_leave();
    (void)boot(NULL);
    system_table->ConsoleOutHandle = NULL;
    assert_int_equal(terminal_start(), TERMINAL_NONE);
    terminal_leave();
    assert_int_equal(splitter.clears, 0);
}

static void the_smallest_display_counts(void **state)
{
    (void)state;
    plug_second_display();
    second.columns = 132;
    second.rows = 25;
    assert_int_equal(terminal_start(), TERMINAL_DISPLAY);
    expect_size(100, 25);
    second.columns = 40;
    second.rows = 50;
    expect_size(40, 31);
    terminal_clear(CONSOLES_OF_SCREEN);
    assert_int_equal(display.clears, 1);
    assert_int_equal(second.clears, 1);
    assert_false(second.mode.CursorVisible);
    assert_true(terminal_write(0, 0, 0x07, "both"));
    assert_string_equal(display.text, "both");
    assert_string_equal(second.text, "both");
    terminal_line("lines", CONSOLES_OF_SCREEN);
    assert_string_equal(second.last, "lines\r\n");
    terminal_leave();
    assert_int_equal(display.clears, 2);
    assert_int_equal(second.clears, 2);
}

static void a_small_console_says_so(void **state)
{
    (void)state;
    display.columns = 40;
    display.rows = 12;
    (void)terminal_start();
    expect_size(40, 12);
}

static void a_console_that_does_not_know_its_size_has_none(void **state)
{
    (void)state;
    handle_count = 0;
    splitter.on_query = EFI_DEVICE_ERROR;
    assert_int_equal(terminal_start(), TERMINAL_TEXT);
    expect_size(0, 0);
    splitter.on_query = EFI_SUCCESS;
    splitter.mode.Mode = -1;
    expect_size(0, 0);
}

/* Drivers offer a console on each display; those that are not in use have no mode. */
static void a_display_that_is_not_in_use_takes_no_screen_from_the_other(void **state)
{
    (void)state;
    plug_second_display();
    second.mode.Mode = -1;
    assert_int_equal(terminal_start(), TERMINAL_DISPLAY);
    expect_size(100, 31);
    assert_true(terminal_write(0, 0, 0x07, "one"));
    assert_string_equal(second.text, "");
    (void)boot(NULL);
    display.on_query = EFI_DEVICE_ERROR;
    expect_one_console();
}

static void one_without_colours_takes_the_text(void **state)
{
    (void)state;
    static const EFI_STATUS refusals[] = {EFI_UNSUPPORTED, EFI_DEVICE_ERROR};
    for (unsigned int n = 0; n < 2; n++) {
        (void)boot(NULL);
        display.on_attribute = refusals[n];
        (void)terminal_start();
        terminal_clear(CONSOLES_OF_SCREEN);
        assert_true(terminal_write(3, 0, 0x4f, "grey"));
        assert_string_equal(display.text, "grey");
        terminal_leave();
    }
}

static void what_no_console_took_is_said(void **state)
{
    (void)state;
    (void)terminal_start();
    display.on_string = EFI_DEVICE_ERROR;
    assert_false(terminal_write(0, 0, 0x07, "lost"));
    display.on_string = EFI_WARN_UNKNOWN_GLYPH;
    assert_true(terminal_write(0, 0, 0x07, "taken"));
    display.on_string = EFI_SUCCESS;
    display.on_cursor = EFI_UNSUPPORTED;
    assert_false(terminal_write(31, 0, 0x07, "nowhere"));
    assert_string_equal(display.text, "");
    (void)boot(NULL);
    plug_second_display();
    (void)terminal_start();
    display.on_string = EFI_DEVICE_ERROR;
    assert_true(terminal_write(0, 0, 0x07, "one"));
    assert_string_equal(second.text, "one");
}

static void long_lines_are_cut_and_end(void **state)
{
    (void)state;
    char line[300];
    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    (void)terminal_start();
    terminal_line(line, CONSOLES_ALL);
    assert_int_equal(strlen(splitter.last), 162);
    assert_string_equal(splitter.last + 159, "x\r\n");
    assert_true(terminal_write(0, 0, 0x07, line));
    assert_int_equal(strlen(display.last), 160);
}

static void more_consoles_than_there_is_room_for_do_no_harm(void **state)
{
    (void)state;
    static struct device many[sizeof(handles) / sizeof(handles[0])];
    for (handle_count = 0; handle_count < sizeof(many) / sizeof(many[0]); handle_count++) {
        make_device(&many[handle_count], 80, 25);
        many[handle_count].graphics = handle_count % 2;
        handles[handle_count] = &many[handle_count];
    }
    assert_int_equal(terminal_start(), TERMINAL_DISPLAY);
    terminal_line("line", CONSOLES_BESIDE);
    assert_true(terminal_write(0, 0, 0x07, "screen"));
    for (UINTN n = 0; n < handle_count; n++)
        assert_string_equal(many[n].text, n >= 16 ? "" : n % 2 ? "screen" : "line\r\n");
}

static void colours_and_cursor_are_left_as_found(void **state)
{
    (void)state;
    (void)terminal_start();
    terminal_clear(CONSOLES_OF_SCREEN);
    assert_true(terminal_write(24, 0, 0x4f, "x"));
    terminal_leave();
    assert_int_equal(display.mode.Attribute, FOUND_ATTRIBUTE);
    assert_true(display.mode.CursorVisible);
    assert_int_equal(display.clears, 2);
    /* The lines that the others have are not for the screen to clear. */
    assert_int_equal(serial.clears, 0);
    (void)boot(NULL);
    splitter.mode.CursorVisible = display.mode.CursorVisible = FALSE;
    (void)terminal_start();
    terminal_clear(CONSOLES_OF_SCREEN);
    terminal_leave();
    assert_false(display.mode.CursorVisible);
}

static void without_a_screen_nothing_is_cleared_at_the_end(void **state)
{
    (void)state;
    (void)terminal_start();
    terminal_clear(CONSOLES_ALL);
    terminal_leave();
    assert_int_equal(display.clears, 1);
    assert_int_equal(serial.clears, 1);
    assert_int_equal(display.mode.Attribute, FOUND_ATTRIBUTE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_screen_is_for_the_display_alone, boot),
        cmocka_unit_test_setup(lines_go_where_they_are_for, boot),
        cmocka_unit_test_setup(without_a_screen_all_consoles_are_cleared, boot),
        cmocka_unit_test_setup(without_a_display_there_is_the_console_alone, boot),
        cmocka_unit_test_setup(a_firmware_that_lists_no_consoles_has_one, boot),
        cmocka_unit_test_setup(no_splitter_is_taken_for_a_display, boot),
        cmocka_unit_test_setup(without_a_console_nothing_is_written, boot),
        cmocka_unit_test_setup(the_smallest_display_counts, boot),
        cmocka_unit_test_setup(a_small_console_says_so, boot),
        cmocka_unit_test_setup(a_console_that_does_not_know_its_size_has_none, boot),
        cmocka_unit_test_setup(a_display_that_is_not_in_use_takes_no_screen_from_the_other, boot),
        cmocka_unit_test_setup(one_without_colours_takes_the_text, boot),
        cmocka_unit_test_setup(what_no_console_took_is_said, boot),
        cmocka_unit_test_setup(long_lines_are_cut_and_end, boot),
        cmocka_unit_test_setup(more_consoles_than_there_is_room_for_do_no_harm, boot),
        cmocka_unit_test_setup(colours_and_cursor_are_left_as_found, boot),
        cmocka_unit_test_setup(without_a_screen_nothing_is_cleared_at_the_end, boot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
