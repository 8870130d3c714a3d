/* What the operator has pressed. */
#ifndef ZMMTEST_KEYS_H
#define ZMMTEST_KEYS_H

#define KEY_NONE  '\0'
#define KEY_ESC   '\x1b'
#define KEY_OTHER '?'

/* The next key, without waiting for one: a letter in lower case, KEY_ESC, KEY_OTHER or KEY_NONE. */
char keys_read(void);

#endif
