/* What the operator has pressed. */
#ifndef ZMMTEST_PLATFORM_KEYS_H
#define ZMMTEST_PLATFORM_KEYS_H

/* Letters come in lower case; capitals stand for keys that are none. */
#define KEY_NONE  '\0'
#define KEY_ESC   '\x1b'
#define KEY_ENTER '\r'
#define KEY_UP    'U'
#define KEY_DOWN  'D'
#define KEY_LEFT  'L'
#define KEY_RIGHT 'R'
#define KEY_OTHER '?'

/* The next key, without waiting for one: a letter, a blank, or one of the above. */
char keys_read(void);

/* What was pressed so far was not meant for what is asked now. */
void keys_forget(void);

#endif
