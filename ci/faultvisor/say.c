/* What faultvisor says, and how it ends when it must. Also from VM exits: no firmware is called. */
#include "say.h"
#include "../../efi/core/text.h"
#include "../../efi/platform/instructions.h"
#include "../../efi/ring0/serial.h"

#define LINE_MAX      300u
#define PORT_EMULATOR 0xe9

static const struct sink *serial;

void say_start(void)
{
    serial = serial_sink();
}

static void say_list(const char *format, va_list arguments)
{
    char buffer[LINE_MAX];
    struct text text;
    text_start(&text, buffer, sizeof(buffer));
    text_add_list(&text, format, arguments);
    if (serial)
        serial->log(buffer);
    for (const char *c = buffer; *c; c++)
        outb(PORT_EMULATOR, (uint8_t)*c);
    outb(PORT_EMULATOR, '\n');
}

void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say_list(format, arguments);
    va_end(arguments);
}

#define PORT_BOCHS_SHUTDOWN 0x8900 /* nothing is there on other machines */

/* From a VM exit, too, where the firmware must not be called: Bochs is told to end, others halt. */
void give_up(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say_list(format, arguments);
    va_end(arguments);
    say("faultvisor ev=done verdict=ERROR reason=\"it gave up\"");
    for (const char *c = "Shutdown"; *c; c++)
        outb(PORT_BOCHS_SHUTDOWN, (uint8_t)*c);
    for (;;)
        __asm__ volatile("cli\n\thlt");
}
