/* The keys of a process: SIGINT (Ctrl-C) and SIGTERM, which say stop. */
#include "../../efi/platform/keys.h"
#include "process.h"
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

static sigset_t stop_signals(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    return set;
}

void process_signals(void)
{
    sigset_t set = stop_signals();
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL); /* threads inherit it */
    process_exceptions();
}

char keys_read(void)
{
    static const struct timespec at_once = {0};
    sigset_t set = stop_signals();
    return sigtimedwait(&set, NULL, &at_once) > 0 ? KEY_ESC : KEY_NONE;
}
