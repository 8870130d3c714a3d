/* Reads the firmware's keyboard, or whatever else its console input is. */
#include "../platform/keys.h"
#include "firmware.h"

/* Scan codes of UEFI 2.10, 12.1.2, which come with no character. */
static char key_of_scan_code(UINT16 code)
{
    switch (code) {
    case SCAN_ESC:
        return KEY_ESC;
    case SCAN_UP:
        return KEY_UP;
    case SCAN_DOWN:
        return KEY_DOWN;
    case SCAN_LEFT:
    case SCAN_PAGE_UP:
        return KEY_LEFT;
    case SCAN_RIGHT:
    case SCAN_PAGE_DOWN:
        return KEY_RIGHT;
    default:
        return KEY_OTHER;
    }
}

/* No keyboard has more in store; a line that makes noise may never be empty. */
#define KEYS_IN_STORE 100u

char keys_read(void)
{
    SIMPLE_INPUT_INTERFACE *input = system_table->ConIn;
    EFI_INPUT_KEY key;
    if (!input || EFI_ERROR(input->ReadKeyStroke(input, &key)))
        return KEY_NONE;
    CHAR16 letter = key.UnicodeChar | 0x20;
    if (letter >= 'a' && letter <= 'z')
        return (char)letter;
    if (key.UnicodeChar == ' ' || key.UnicodeChar == KEY_ENTER)
        return (char)key.UnicodeChar;
    return key_of_scan_code(key.ScanCode);
}

void keys_forget(void)
{
    for (unsigned int n = 0; n < KEYS_IN_STORE && keys_read() != KEY_NONE; n++)
        ;
}
