/* Reads keys, and does what they ask for. */
#include "operator.h"
#include "../../platform/keys.h"
#include "../machine/clock.h"
#include "../report/events.h"
#include "progress.h"
#include "telling.h"
#include "watching.h"

/* Where no screen says what the keys are: any where a key is the only way to end it; Esc or q
 * otherwise, as line noise happens. */
static enum operator_command command_without_screen(const struct run *run, char key)
{
    bool any = run->options->seconds == 0 && run->options->plan.passes == 0;
    bool stop = key == KEY_ESC || key == 'q' || (any && key != KEY_NONE);
    return stop ? COMMAND_STOP : COMMAND_NONE;
}

/* A key that is stuck must not fill the log. */
#define PAUSE_MILLISECONDS_LEAST 500u

static void pause_or_go_on(struct run *run)
{
    uint64_t now = clock_milliseconds();
    if (now - run->toggled_at < PAUSE_MILLISECONDS_LEAST)
        return;
    run->toggled_at = now;
    run->paused = !run->paused;
    watching_pause(run, run->paused);
    if (run->paused) {
        run->paused_at = now;
        event_pause(run->elapsed);
    } else {
        run->started_at += now - run->paused_at;
        event_resume(now - run->paused_at);
    }
    tell_flush(run);
}

#define KEYS_AT_ONCE 8u

/* True if the run is to end. What a storm of keys leaves is read next time, or lost. */
bool operator_says_stop(struct run *run)
{
    for (unsigned int n = 0; n < KEYS_AT_ONCE; n++) {
        char key = keys_read();
        if (key == KEY_NONE)
            return false;
        run_show_soon(run);
        uint64_t start = clock_milliseconds();
        enum operator_command command =
            run->command ? run->command(key) : command_without_screen(run, key);
        gap_pass_over(&run->gap, start); /* consoles say what the key did */
        switch (command) {
        case COMMAND_NONE:
            break;
        case COMMAND_PAUSE:
            pause_or_go_on(run);
            break;
        case COMMAND_POWER_OFF:
            run->power_off = true;
            return true;
        case COMMAND_STOP:
            return true;
        }
    }
    return false;
}
