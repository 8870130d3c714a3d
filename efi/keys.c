/* Reads the firmware's keyboard, or whatever else its console input is. */
#include "keys.h"
#include "firmware.h"

char keys_read(void)
{
    SIMPLE_INPUT_INTERFACE *input = system_table->ConIn;
    EFI_INPUT_KEY key;
    if (!input || EFI_ERROR(input->ReadKeyStroke(input, &key)))
        return KEY_NONE;
    if (key.ScanCode == SCAN_ESC)
        return KEY_ESC;
    CHAR16 letter = key.UnicodeChar | 0x20;
    return (char)(letter >= 'a' && letter <= 'z' ? letter : KEY_OTHER);
}
