/*
 * zmmtest as a Linux process: the windows, the rounds, the diagnosis and the report of the UEFI
 * application, on the real processor without a reboot. The files of this folder stand in for what
 * asks the firmware or needs the kernel's privileges, each for the file of the same name in efi/.
 */
#include "../../../efi/machine/clock.h"
#include "../../../efi/machine/identify.h"
#include "../../../efi/report/sinks.h"
#include "../../../efi/run.h"
#include "process.h"
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static struct machine machine;
static struct options options;
static struct run run;

static uint64_t random_seed(void)
{
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
        seed = (uint64_t)time(NULL);
    return seed;
}

static void read_arguments(char *argv[], struct text *error)
{
    options_default(&options);
    for (int n = 1; argv[n]; n++)
        if (!options_parse(&options, "command line", argv[n], strlen(argv[n]), error))
            return;
}

static int exit_code_of(enum verdict verdict)
{
    static const int codes[] = {
        [VERDICT_PASS] = 0,
        [VERDICT_FAIL] = 1,
        [VERDICT_INCOMPLETE] = 2,
        [VERDICT_ERROR] = 3,
    };
    return codes[verdict];
}

int main(int argc, char *argv[])
{
    char wrong[512];
    struct text error;
    (void)argc;
    uint64_t tsc_hz = clock_start();
    report_add_sink(output_sink());
    report_set_clock(clock_milliseconds);
    process_signals();
    machine_identify(&machine, tsc_hz);
    text_start(&error, wrong, sizeof(wrong));
    read_arguments(argv, &error);
    run.machine = &machine;
    run.options = &options;
    run_everything(&run, random_seed(), wrong);
    if (run_give_back(&run))
        run_free(&run);
    return exit_code_of(run.verdict);
}
