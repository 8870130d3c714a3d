/*
 * zmmtest as a Linux process: the windows, the rounds, the diagnosis and the report of the UEFI
 * application, on the real processor without a reboot. The files of this folder stand in for what
 * asks the firmware or needs the kernel's privileges, each for the file of the same name in efi/.
 */
#include "../../efi/core/machine/clock.h"
#include "../../efi/core/machine/tsc.h"
#include "../../efi/core/run/option_table.h"
#include "../../efi/core/run/option_words.h"
#include "../../efi/core/run/planning.h"
#include "../../efi/core/run/run.h"
#include "../../efi/core/run/watching.h"
#include "../../efi/core/window/exits.h"
#include "../../efi/platform/identify.h"
#include "process.h"
#include "version.h"
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
        if (!options_parse_typed(&options, "command line", argv[n], error))
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

#define COLUMNS 79u

/* What follows the label, which has as many columns as `indent`, in lines. */
static void print_wrapped(const char *label, int indent, const char *text)
{
    while (*text) {
        size_t length = text_break(text, COLUMNS - (unsigned int)indent);
        printf("%-*s%.*s\n", indent, label, (int)length, text);
        label = "";
        text += length + (text[length] == ' ');
    }
}

static void print_options(void)
{
    for (uint32_t n = 0; n < OPTION_COUNT; n++) {
        const struct option *option = &option_table[n];
        char label[24], buffer[512];
        struct text text;
        text_start(&text, label, sizeof(label));
        text_add(&text, "  %s=", option->name);
        text_start(&text, buffer, sizeof(buffer));
        text_add(&text, "%s: ", option->purpose);
        option_allowed(option, &text);
        text_add(&text, ". Default: %s", option_default(option));
        print_wrapped(label, 19, buffer);
    }
}

static int help(void)
{
    printf("zmmtest-linux %s: does what runs beneath this process keep its registers?\n\n"
           "The windows, the diagnosis and the report of zmmtest.efi as a Linux process. It\n"
           "fills registers with patterns, has the CPU taken away, and compares. Ctrl-C\n"
           "stops it.\n\n"
           "Usage: zmmtest-linux [OPTION=VALUE...]\n"
           "       zmmtest-linux --check-options TEXT\n"
           "       zmmtest-linux --list-exits\n"
           "       zmmtest-linux --help | -h\n\n"
           "--check-options runs nothing. It says what zmmtest.efi would refuse in TEXT.\n"
           "--list-exits runs nothing. It names the exits of zmmtest.efi, one a line.\n\n"
           "Options; without any, all that a process may do is tested for a minute:\n",
           ZMMTEST_VERSION);
    print_options();
    printf("\nend=, ui= and processors= are for zmmtest.efi: they are read here, and change "
           "nothing.\n\n"
           "Exit code: 0 PASS, 1 FAIL, 2 INCOMPLETE, 3 ERROR (also for wrong options).\n");
    return 0;
}

static int wrong_use(const char *what)
{
    (void)fprintf(stderr, "zmmtest-linux: %s. zmmtest-linux --help has more\n", what);
    return exit_code_of(VERDICT_ERROR);
}

/* For scripts that boot zmmtest.efi: a wrong option is better told before a boot than after it. */
static int check_options(const char *words)
{
    char wrong[512];
    struct text error;
    text_start(&error, wrong, sizeof(wrong));
    options_default(&options);
    if (options_parse_typed(&options, "options", words, &error))
        return 0;
    (void)fprintf(stderr, "%s\n", wrong);
    return exit_code_of(VERDICT_ERROR);
}

static int list_exits(void)
{
    for (uint32_t n = 0; n < exit_count; n++)
        puts(exits[n].name);
    return 0;
}

static void choose_tsc_rate(uint64_t measured)
{
    static char notice[160];
    struct text text;
    text_start(&text, notice, sizeof(notice));
    machine.tsc_hz = tsc_rate(measured, &machine.hypervisor, &machine.cpu, &text);
    clock_set_rate(machine.tsc_hz);
    run.notice[0] = notice[0] ? notice : NULL;
}

int main(int argc, char *argv[])
{
    char wrong[512];
    struct text error;
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return help();
    if (argc > 1 && strcmp(argv[1], "--check-options") == 0)
        return argc == 3 ? check_options(argv[2])
                         : wrong_use("--check-options takes one TEXT, the options in quotes");
    if (argc == 2 && strcmp(argv[1], "--list-exits") == 0)
        return list_exits();
    uint64_t measured = clock_start();
    report_add_sink(output_sink());
    report_set_clock(clock_milliseconds);
    process_signals();
    machine_identify(&machine, measured);
    choose_tsc_rate(measured);
    text_start(&error, wrong, sizeof(wrong));
    read_arguments(argv, &error);
    run.machine = &machine;
    run.options = &options;
    run_everything(&run, random_seed(), wrong);
    if (watching_give_back(&run))
        planning_undo(&run);
    return exit_code_of(run.outcome.verdict);
}
