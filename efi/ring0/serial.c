/*
 * Log lines to COM1, by its registers: the firmware's Serial I/O protocol is not everywhere, and
 * where the firmware mirrors its console on the same port, writes whole lines between ours. The
 * port is used at the speed the firmware set; only one that it never set up is given 115200 8N1.
 */
#include "serial.h"
#include "../platform/instructions.h"
#include <stdbool.h>
#include <stddef.h>

/* 16550 UART registers, relative to the base port. */
enum {
    COM1 = 0x3f8,
    DATA = 0,         /* divisor low byte while DLAB is set */
    INTERRUPTS = 1,   /* divisor high byte while DLAB is set */
    LINE_CONTROL = 3, /* DLAB is bit 7 */
    MODEM_CONTROL = 4,
    LINE_STATUS = 5,
    LINE_8N1 = 0x03,
    DLAB = 0x80,
    SEND_EMPTY = 0x20,
    READY_AND_REQUEST = 0x03,
};

/*
 * How many looks a character may cost. Where nobody empties the port the line is dropped, and the
 * next ones have little patience until one gets through again.
 */
#define PATIENCE       200000u
#define PATIENCE_AFTER 1000u

static unsigned int patience = PATIENCE;
static bool given_up; /* this line */

static void send(char c)
{
    for (unsigned int n = 0; !(inb(COM1 + LINE_STATUS) & SEND_EMPTY); n++) {
        if (n == patience) {
            given_up = true;
            patience = PATIENCE_AFTER;
        }
        if (given_up)
            return;
        cpu_pause();
    }
    outb(COM1 + DATA, (uint8_t)c);
}

static void send_text(const char *text)
{
    for (; *text; text++)
        send(*text);
}

/*
 * A line end before as well as after: what the firmware's console wrote to the same port last may
 * be an escape sequence without a line end of its own.
 */
static void serial_log(const char *line)
{
    given_up = false;
    send_text("\r\n");
    send_text(line);
    send_text("\r\n");
    if (!given_up)
        patience = PATIENCE;
}

static bool present(void)
{
    return inb(COM1 + LINE_STATUS) != 0xff && inb(COM1 + LINE_CONTROL) != 0xff;
}

static void set_up_if_never_done(void)
{
    uint8_t control = inb(COM1 + LINE_CONTROL);
    outb(COM1 + LINE_CONTROL, control | DLAB);
    bool has_speed = inb(COM1 + DATA) || inb(COM1 + INTERRUPTS);
    if (!has_speed || (control & LINE_8N1) != LINE_8N1) {
        outb(COM1 + DATA, 1); /* 115200 */
        outb(COM1 + INTERRUPTS, 0);
        control = LINE_8N1;
        outb(COM1 + LINE_CONTROL, control);
        outb(COM1 + MODEM_CONTROL, READY_AND_REQUEST);
        return;
    }
    outb(COM1 + LINE_CONTROL, control);
}

struct sink *serial_sink(void)
{
    static struct sink sink = {.log = serial_log};
    if (!present())
        return NULL;
    set_up_if_never_done();
    return &sink;
}
