/*
 * zmmtest from start to end: know the machine, read the options, test itself, run, report, and
 * leave the machine as it was found.
 */
#include "conf.h"
#include "firmware.h"
#include "keys.h"
#include "machine/clock.h"
#include "machine/identify.h"
#include "machine/instructions.h"
#include "report/events.h"
#include "report/sinks.h"
#include "run.h"
#include <string.h>

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

static struct machine machine;
static struct options options;
static struct run run;

static void add_sinks(void)
{
    const struct sink *const sinks[] = {
        serial_sink(),
        console_sink(),
        vmware_sink(&machine.hypervisor),
        files_sink(),
    };
    for (size_t n = 0; n < sizeof(sinks) / sizeof(sinks[0]); n++)
        if (sinks[n])
            report_add_sink(sinks[n]);
    report_set_clock(clock_milliseconds);
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
    report_say("Press S to shut down, R to reboot, X to return to the firmware.");
    for (;; clock_wait(20)) {
        switch (keys_read()) {
        case 's':
            return END_SHUTDOWN;
        case 'r':
            return END_REBOOT;
        case 'x':
            return END_EXIT;
        default:
            break;
        }
    }
}

/* Comes back only for END_EXIT, or where the firmware cannot do what was asked. */
static void end_as_asked(struct run *run, enum end end)
{
    EFI_RUNTIME_SERVICES *runtime = system_table->RuntimeServices;
    if (end == END_MENU)
        end = ask_operator();
    if (end == END_EXIT && !run_give_back(run)) {
        event_notice("A vCPU or a read is still in this program, which therefore cannot be "
                     "unloaded: shutting down instead of returning to the firmware.");
        end = END_SHUTDOWN;
    }
    if (end == END_EXIT)
        run_free(run);
    if (!run->disk_lost)
        files_close();
    console_leave();
    if (end == END_SHUTDOWN)
        runtime->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL);
    else if (end == END_REBOOT)
        runtime->ResetSystem(EfiResetCold, EFI_SUCCESS, 0, NULL);
}

static void stop_watchdog(void)
{
    EFI_STATUS status = system_table->BootServices->SetWatchdogTimer(0, 0, 0, NULL);
    if (EFI_ERROR(status) && status != EFI_UNSUPPORTED)
        event_notice("The firmware's watchdog cannot be stopped: it may reset the machine after "
                     "five minutes.");
}

static char options_error[512]; /* what is wrong with the options; "" if nothing is */

static void read_options(void)
{
    struct text error;
    text_start(&error, options_error, sizeof(options_error));
    options_default(&options);
    (void)conf_read(&options, &machine.hypervisor, &error);
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
    image_handle = image;
    system_table = table;
    uint64_t tsc_hz = clock_start();
    machine_identify(&machine, tsc_hz);
    add_sinks();
    stop_watchdog();
    read_options();
    run.machine = &machine;
    run.options = &options;
    run.boot = files_runs().number;
    run.without_end = files_runs().without_end;
    run_everything(&run, random_seed(), options_error);
    end_as_asked(&run, options.end);
    return status_of(run.verdict);
}
