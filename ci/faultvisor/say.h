/* What faultvisor says, and how it ends when it must. */
#ifndef ZMMTEST_FAULTVISOR_SAY_H
#define ZMMTEST_FAULTVISOR_SAY_H

/* Finds COM1. */
void say_start(void);

/* A line on COM1 and on port 0xe9, where emulators print it. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/* Ends everything: says why, and powers the machine off if the firmware still can. */
__attribute__((format(printf, 1, 2), noreturn)) void give_up(const char *format, ...);

#endif
