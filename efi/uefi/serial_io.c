/*
 * Log lines to a serial port that the firmware drives (UEFI 2.10, 12.8), where there is no COM1 to
 * be driven by its registers: a 16550 on PCI, as some clouds have it, or at another address.
 */
#include "firmware.h"
#include "sinks.h"
#include <string.h>

static EFI_SERIAL_IO_PROTOCOL *port;

/* Where nobody empties the port, the firmware waits for its own time-out at each write: no more. */
static void write(const char *text)
{
    UINTN size = strlen(text);
    if (port && EFI_ERROR(port->Write(port, &size, (void *)text)))
        port = NULL;
}

/* The firmware's console may be on the same port: see serial.c. */
static void log_line(const char *line)
{
    write("\r\n");
    write(line);
    write("\r\n");
}

struct sink *serial_io_sink(void)
{
    static struct sink sink = {.log = log_line};
    EFI_GUID guid = EFI_SERIAL_IO_PROTOCOL_GUID;
    EFI_STATUS status = system_table->BootServices->LocateProtocol(&guid, NULL, (void **)&port);
    return EFI_ERROR(status) ? NULL : &sink;
}
