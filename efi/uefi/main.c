/*
 * zmmtest from start to end: know the machine, read the options, test itself, run, report, and
 * leave the machine as it was found.
 */
#include "../core/machine/clock.h"
#include "../core/machine/tsc.h"
#include "../core/report/events.h"
#include "../core/report/vmware_sink.h"
#include "../core/run/option_words.h"
#include "../core/run/planning.h"
#include "../core/run/progress.h"
#include "../core/run/run.h"
#include "../core/run/watching.h"
#include "../core/screen/menu.h"
#include "../core/screen/screen.h"
#include "../platform/clock.h"
#include "../platform/identify.h"
#include "../platform/instructions.h"
#include "../platform/keys.h"
#include "../platform/processors.h"
#include "../ring0/serial.h"
#include "conf.h"
#include "firmware.h"
#include "sinks.h"
#include "terminal.h"
#include <string.h>

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

static struct machine machine;
static struct options options;
static struct run run;

static char options_error[512];    /* what is wrong with the options; "" if nothing is */
static const char *options_notice; /* and what is to be told of them; or NULL */
static char tsc_notice[160];       /* what is to be told of the TSC's rate; or "" */
static const char *serial_notice;  /* what is to be told of the serial log; or NULL */

static struct sink *any_serial_sink(void)
{
    struct sink *sink = serial_sink();
    if (sink)
        return sink;
    sink = serial_io_sink();
    serial_notice = sink ? "There is no serial port at 3F8h (COM1): the log goes to the first one "
                           "that the firmware drives."
                         : "There is no serial port at 3F8h (COM1), and the firmware drives none: "
                           "there is no serial log.";
    return sink;
}

/* Those that need no option. */
static void add_sinks(void)
{
    report_add_sink(any_serial_sink());
    report_add_sink(vmware_sink(&machine.hypervisor));
    report_add_sink(files_sink());
    report_set_clock(clock_milliseconds);
}

/* "time=10 exits=all" of the start menu; "": there was none. */
static char chosen[MENU_CHOICE_MAX + 40];

static void offer_menu(uint32_t rows)
{
    static struct grid grid;
    static const char label[] = "Chosen at the start menu: ";
    struct menu menu;
    struct text text;
    keys_forget();
    grid_start(&grid, rows);
    menu_open(&menu, &machine, clock_milliseconds());
    do {
        menu_draw(&grid, &menu, clock_milliseconds());
        grid_show(&grid, terminal_write);
        clock_wait(20);
    } while (!menu_key(&menu, keys_read(), clock_milliseconds()));
    text_start(&text, chosen, sizeof(chosen));
    text_add(&text, "%s", label);
    menu_choice(&menu, &text);
    text_start(&text, options_error, sizeof(options_error));
    (void)options_parse_typed(&options, "start menu", chosen + strlen(label), &text);
}

/* A question is on the screen; whoever sits at another console has to see it, too. */
static enum operator_command key_of_screen(char key)
{
    enum operator_command command = screen_key(key);
    if (screen_question())
        terminal_line(screen_question(), CONSOLES_BESIDE);
    return command;
}

/* "": there is a screen, or none was asked for; else why there is none. */
static char no_screen[100];

static bool add_screen(enum terminal_kind kind)
{
    uint32_t rows, columns;
    struct text text;
    if (options.ui == UI_LINES || (options.ui == UI_AUTO && kind != TERMINAL_DISPLAY))
        return false;
    terminal_size(&rows, &columns);
    text_start(&text, no_screen, sizeof(no_screen));
    if (!screen_fits(rows, columns, &text))
        return false;
    report_add_sink(screen_start(rows, kind == TERMINAL_TEXT, terminal_write));
    terminal_clear(CONSOLES_OF_SCREEN);
    run.command = key_of_screen;
    if (!options.given && !options_error[0])
        offer_menu(rows);
    return true;
}

static void add_console(void)
{
    enum terminal_kind kind = terminal_start();
    if (kind == TERMINAL_NONE)
        return;
    bool screen = add_screen(kind);
    /* The firmware's logo is still there, and text would run across it. */
    if (!screen)
        terminal_clear(CONSOLES_ALL);
    report_add_sink(console_sink(screen));
}

/* Another one at each boot, as far as time and TSC differ; seed= repeats a run. */
static uint64_t random_seed(void)
{
    EFI_TIME time = {0};
    EFI_STATUS status = system_table->RuntimeServices->GetTime(&time, NULL);
    uint64_t seed = rdtsc();
    if (!EFI_ERROR(status))
        seed ^= (uint64_t)time.Day << 56 | (uint64_t)time.Hour << 48 | (uint64_t)time.Minute << 40 |
                (uint64_t)time.Second << 32;
    return seed;
}

static EFI_STATUS status_of(enum verdict verdict)
{
    static const EFI_STATUS statuses[] = {
        [VERDICT_PASS] = EFI_SUCCESS,
        [VERDICT_INCOMPLETE] = EFI_UNSUPPORTED,
        [VERDICT_FAIL] = EFI_COMPROMISED_DATA,
        [VERDICT_ERROR] = EFI_ABORTED,
    };
    return statuses[verdict];
}

static enum end ask_operator(void)
{
    if (!system_table->ConIn)
        return END_EXIT;
    keys_forget();
    report_say("Press S to shut down, B to reboot, X to return to the firmware.");
    if (run.command)
        screen_offer_end();
    for (run_show_now(&run);; clock_wait(20)) {
        char key = keys_read();
        if (run.command && !screen_offers_end() && key != KEY_NONE) {
            /* A page that is being read is no place for these: they lead to where they stand. */
            bool ends = key == 's' || key == 'b' || key == 'x';
            (void)run.command((char)(ends ? KEY_ESC : key));
            run_show_now(&run);
            continue;
        }
        switch (key) {
        case 's':
            return END_SHUTDOWN;
        case 'b':
            return END_REBOOT;
        case 'x':
            return END_EXIT;
        case KEY_NONE:
            break;
        default:
            if (run.command) {
                (void)run.command(key);
                run_show_now(&run);
            }
            break;
        }
    }
}

static void say_on_display(const char *line)
{
    terminal_line(line, CONSOLES_OF_SCREEN);
}

/* The consoles as they were found; and the report, which a screen has shown page by page. */
static void leave_console(void)
{
    terminal_leave();
    if (run.command)
        screen_repeat(say_on_display);
}

/* Comes back only for END_EXIT, or where the firmware cannot do what was asked. */
static void end_as_asked(struct run *run, enum end end)
{
    EFI_RUNTIME_SERVICES *runtime = system_table->RuntimeServices;
    if (run->power_off)
        end = END_SHUTDOWN;
    if (end == END_MENU)
        end = ask_operator();
    if (end == END_EXIT && !watching_give_back(run)) {
        event_notice("A vCPU or a read is still in this program, which therefore cannot be "
                     "unloaded: shutting down instead of returning to the firmware.");
        end = END_SHUTDOWN;
    }
    if (end == END_EXIT) {
        const char *left = processors_left();
        if (left)
            event_notice(left);
        planning_undo(run);
    }
    if (!run->disk_lost)
        files_close();
    leave_console();
    if (end == END_SHUTDOWN)
        runtime->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL);
    else if (end == END_REBOOT)
        runtime->ResetSystem(EfiResetCold, EFI_SUCCESS, 0, NULL);
}

/* False: it still runs. */
static bool stop_watchdog(void)
{
    EFI_STATUS status = system_table->BootServices->SetWatchdogTimer(0, 0, 0, NULL);
    return !EFI_ERROR(status) || status == EFI_UNSUPPORTED;
}

static void read_options(void)
{
    struct text error;
    text_start(&error, options_error, sizeof(options_error));
    options_default(&options);
    (void)conf_read(&options, &machine.hypervisor, &error, &options_notice);
}

static void choose_tsc_rate(uint64_t measured)
{
    struct text text;
    text_start(&text, tsc_notice, sizeof(tsc_notice));
    machine.tsc_hz = tsc_rate(measured, &machine.hypervisor, &machine.cpu, &text);
    clock_set_rate(machine.tsc_hz);
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
    image_handle = image;
    system_table = table;
    uint64_t measured = clock_start();
    machine_identify(&machine, measured);
    choose_tsc_rate(measured);
    add_sinks();
    read_options();
    bool undisturbed = stop_watchdog(); /* the start menu may be open for longer than its time */
    add_console();
    run.machine = &machine;
    run.options = &options;
    run.identity.boot = files_runs().number;
    run.identity.without_end = files_runs().without_end;
    unsigned int notices = 0;
    if (serial_notice)
        run.notice[notices++] = serial_notice;
    if (tsc_notice[0])
        run.notice[notices++] = tsc_notice;
    if (options_notice)
        run.notice[notices++] = options_notice;
    if (!undisturbed)
        run.notice[notices++] = "The firmware's watchdog cannot be stopped: it may reset the "
                                "machine after five minutes.";
    if (chosen[0] || no_screen[0])
        run.notice[notices++] = chosen[0] ? chosen : no_screen;
    run_everything(&run, random_seed(), options_error);
    end_as_asked(&run, options.end);
    return status_of(run.outcome.verdict);
}
