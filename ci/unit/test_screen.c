/*
 * The screen as its reader sees it: what each view says, what stays in sight, what keys do, and
 * that nothing is ever drawn outside.
 */
#include "../../efi/core/report/progress.h"
#include "../../efi/core/screen/keeper.h"
#include "../../efi/core/screen/screen.h"
#include "../../efi/platform/keys.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define EXITS      32u
#define CPUS       4u
#define RUN        0xcafeu
#define MAP_ROW    6u /* of dword 15 */
#define MAP_COLUMN 48u
#define TABLE_ROW  6u
#define TABLE_ROWS 10u /* on a console of 25, of more exits than that */
#define TAKEN_ROWS 14u /* by all else, where all exits have room; one more where they have not */

/* The console: what was written, and where. */
static struct cell console[GRID_ROWS_MOST][GRID_COLUMNS];
static uint32_t console_rows;
static unsigned int pieces;
static bool refuses;

static const struct sink *sink;
static uint64_t found_so_far;

static bool write(uint32_t row, uint32_t column, uint8_t attribute, const char *text)
{
    size_t length = strlen(text);
    pieces++;
    if (refuses)
        return false;
    assert_true(length > 0 && row < console_rows && column + length <= GRID_COLUMNS);
    assert_true(row + 1 < console_rows || column + length < GRID_COLUMNS);
    for (size_t n = 0; n < length; n++)
        console[row][column + n] = (struct cell){text[n], attribute};
    return true;
}

/* --- a run that is made up ---------------------------------------------------------------------
 */

static struct machine machine;
static struct progress progress;
static struct outcome outcome;
static struct exit_result exits_run[EXITS];
static char exit_names[EXITS][12];
static struct hits real[CPUS], planted[CPUS];
static uint32_t idle_cpu; /* has no rounds */

static const struct hits *hits_of(const void *context, uint32_t cpu, bool injected)
{
    assert_ptr_equal(context, &progress);
    assert_true(cpu < CPUS);
    if (cpu == idle_cpu || !progress.rounds)
        return NULL;
    return injected ? &planted[cpu] : &real[cpu];
}

static enum vcpu_sign signs[CPUS];

static enum vcpu_sign sign_of(const void *context, uint32_t cpu)
{
    assert_ptr_equal(context, &progress);
    assert_true(cpu < CPUS);
    return signs[cpu];
}

static const struct run_identity identity = {
    .version = "1.2", .commit = "0123abc", .run = RUN, .seed = 0xabcdef, .boot = 7};

static void make_run(void)
{
    machine = (struct machine){
        .cpu =
            {.brand = "A Processor", .family = 6, .model = 143, .stepping = 8, .microcode = 0x2b},
        .hypervisor = {.kind = HYPERVISOR_VMWARE, .name = "VMware ESXi", .build = 22380479},
        .firmware = "EDK II",
        .vcpus = CPUS,
        .system = ""};
    memset(real, 0, sizeof(real));
    memset(planted, 0, sizeof(planted));
    for (uint32_t cpu = 0; cpu < CPUS; cpu++)
        hits_compare(&real[cpu], FORM_ZMM, ~(UINT64_C(1) << RSP));
    memset(exits_run, 0, sizeof(exits_run));
    outcome = (struct outcome){.reason = "because", .system = ""};
    idle_cpu = UINT32_MAX;
    for (uint32_t cpu = 0; cpu < CPUS; cpu++)
        signs[cpu] = SIGN_ALIVE;
    for (uint32_t n = 0; n < EXITS; n++) {
        (void)snprintf(exit_names[n], sizeof(exit_names[n]), "exit%02u", n);
        exits_run[n] =
            (struct exit_result){.name = exit_names[n], .rounds = 100 + n, .cycles_min = 1000 + n};
    }
    progress = (struct progress){
        .identity = &identity,
        .machine = &machine,
        .milliseconds = 15000,
        .time_limit = 60000,
        .rounds = 123456,
        .per_second = 4321,
        .exposure = {.milliseconds = 12345, .permille = 912},
        .reads = true,
        .writes = true,
        .read_per_second = 98765432,
        .written_per_second = 7654321,
        .error = "",
        .exit = exits_run,
        .exits = EXITS,
        .cpus = CPUS,
        .hits = hits_of,
        .sign = sign_of,
        .options = "start menu: time=60 exits=all",
        .left_out = "",
        .hits_context = &progress,
    };
}

static void use_form(enum form form)
{
    for (uint32_t cpu = 0; cpu < CPUS; cpu++)
        hits_compare(&real[cpu], form, 0);
}

static void start(uint32_t rows, bool shared)
{
    make_run();
    memset(console, 0, sizeof(console));
    console_rows = rows < GRID_ROWS_MOST ? rows : GRID_ROWS_MOST;
    found_so_far = 0;
    sink = screen_start(rows, shared, write);
}

static int start_usual(void **state)
{
    (void)state;
    start(GRID_ROWS, false);
    return 0;
}

/* --- what is seen ------------------------------------------------------------------------------
 */

static void draw(void)
{
    pieces = 0;
    sink->progress(&progress);
}

static const char *row_text(uint32_t row)
{
    static char text[GRID_COLUMNS + 1];
    for (uint32_t column = 0; column < GRID_COLUMNS; column++)
        text[column] = (char)(console[row][column].c ? console[row][column].c : ' ');
    return text;
}

/* The row that has these words, from a row on; the rows that there are: none. */
static uint32_t row_with_from(uint32_t row, const char *words)
{
    while (row < console_rows && !strstr(row_text(row), words))
        row++;
    return row;
}

static bool shows(const char *words)
{
    return row_with_from(0, words) < console_rows;
}

static void expect_shown(const char *words)
{
    if (!shows(words))
        fail_msg("'%s' is not on the screen", words);
}

static uint8_t look_of(const char *words)
{
    uint32_t row = row_with_from(0, words);
    assert_true(row < console_rows);
    const char *text = row_text(row);
    return console[row][strstr(text, words) - text].attribute;
}

static void press(char key)
{
    assert_int_equal(screen_key(key), COMMAND_NONE);
    draw();
}

static void press_times(char key, unsigned int times)
{
    while (times-- > 0)
        press(key);
}

/* All of it, row by row: the look of the first cell, and the text without the blanks at its end. */
struct expected_row {
    enum attribute look;
    const char *text;
};

static void expect_screen(const struct expected_row rows[GRID_ROWS])
{
    for (uint32_t row = 0; row < GRID_ROWS; row++) {
        const char *text = row_text(row);
        size_t length = strlen(rows[row].text);
        if (strncmp(text, rows[row].text, length) != 0 ||
            strspn(text + length, " ") != GRID_COLUMNS - length)
            fail_msg("row %u is '%s'", row, text);
        if (console[row][0].attribute != rows[row].look)
            fail_msg("row %u looks like 0x%x", row, console[row][0].attribute);
    }
}

/* --- findings that are made up -----------------------------------------------------------------
 */

static struct finding finding;
static struct diagnosis diagnosis;

static void new_finding(uint32_t generation)
{
    const struct pattern_key key = {.run = RUN, .vcpu = 3, .form = FORM_ZMM};
    memset(&finding, 0, sizeof(finding));
    finding.key = key;
    finding.cpu = 3;
    finding.generation = generation;
    finding.round = 41;
    finding.result = VECTOR_DIFFER;
    finding.flags_kept = RFLAGS_STATUS;
    pattern_fill(&finding.expected, &key, generation, 0);
    finding.found = finding.expected;
}

static void hand_over_of(const char *exit_name)
{
    diagnose(&finding, &diagnosis);
    sink->found(&(struct found){.finding = &finding,
                                .diagnosis = &diagnosis,
                                .signature = signature_find(&diagnosis),
                                .exit_name = exit_name,
                                .number = ++found_so_far});
}

static void hand_over(void)
{
    hand_over_of("cpuid");
}

/* What is wrong with a block of a scratch partition: a write was lost. */
static struct wrong_block wrong_block;

static void find_wrong_block(void)
{
    wrong_block = (struct wrong_block){.partition = 1,
                                       .block = 106,
                                       .generation = 4,
                                       .request = 12,
                                       .words = 64,
                                       .origin = ORIGIN_STALE,
                                       .from_generation = 3};
    for (uint32_t n = 0; n < WRONG_WORDS; n++) {
        wrong_block.word[n].number = n;
        wrong_block.word[n].want = 0x1000 + n;
        wrong_block.word[n].got = 0x2000 + n;
    }
    sink->found_block(&(struct found_block){
        .wrong = &wrong_block, .exit_name = "disk-write", .number = ++found_so_far});
}

/* The ESXi bug. */
static void find_upper_halves_zeroed(void)
{
    new_finding(17);
    for (unsigned int n = 0; n < 16; n++)
        memset(&finding.found.vector[n][4], 0, 4 * sizeof(uint64_t));
    hand_over();
}

static void find_wrong(uint32_t reg, uint32_t lane, uint64_t got, bool injected)
{
    new_finding(17);
    finding.found.vector[reg][lane] = got;
    finding.injected = injected;
    hand_over();
}

static void hit_upper_halves(struct hits *hits, uint32_t registers)
{
    for (unsigned int n = 0; n < registers; n++)
        hits->vector[n] = 0xff00ff00;
}

/* --- the run at a glance -----------------------------------------------------------------------
 */

static void at_a_glance_the_evidence_is_all_there(void **state)
{
    (void)state;
    static const struct expected_row rows[GRID_ROWS] = {
        {LOOK_TITLE,
         " zmmtest 1.2 (0123abc)                      run cafe, \\zmmtest\\0007.log  0:00:15"},
        {LOOK_PLAIN, "Processor A Processor, 6-143-8, microcode 0x2b"},
        {LOOK_PLAIN, "Beneath   VMware ESXi, build 22380479; firmware EDK II; 4 vCPUs"},
        {LOOK_STRONG, "Running   0:00:15 [#####...............] 25 %, 0:00:45 left, 4321 exits/s"},
        {LOOK_PLAIN, ""},
        {LOOK_STRONG, "exit (*exited)    rounds    cycles findings zmm 0       8       16      24"},
        {LOOK_PLAIN,
         "exit20               120      1020        1 511 0000000000000000................"},
        {LOOK_PLAIN,
         "exit00               100      1000        0 479 0000000000000000................"},
        {LOOK_PLAIN,
         "exit01               101      1001        0 447 0000000000000000................"},
        {LOOK_PLAIN,
         "exit02               102      1002        0 415 0000000000000000................"},
        {LOOK_PLAIN,
         "exit03               103      1003        0 383 0000000000000000................"},
        {LOOK_PLAIN,
         "exit04               104      1004        0 351 0000000000000000................"},
        {LOOK_PLAIN,
         "exit05               105      1005        0 319 0000000000000000................"},
        {LOOK_PLAIN,
         "exit06               106      1006        0 287 0000000000000000................"},
        {LOOK_PLAIN,
         "exit07               107      1007        0 255 ................................"},
        {LOOK_PLAIN,
         "exit08               108      1008        0 223 ................................"},
        {LOOK_STRONG,
         "10 of 32 shown, up/down                     191 ................................"},
        {LOOK_PLAIN,
         "Options  start menu: time=60 exits=all      159 ................................"},
        {LOOK_PLAIN,
         "vCPUs    ..X. 1 with findings               127 ................................"},
        {LOOK_PLAIN,
         "Exposed  91 %, read 98 write 7.6 MB/s        95 ................................"},
        {LOOK_PLAIN,
         "Left out nothing                             63 ................................"},
        {LOOK_PLAIN,
         "Map . ok 0 zero X other - untested           31 ................................"},
        {LOOK_STRONG,
         "123456 exits, 0 findings                     k........ r.... ........... fl. mx."},
        {LOOK_BAD, "FINDING 1 of 1: zmm0-15, bits 511:256 zeroed, after cpuid on vCPU 3"},
        {LOOK_PLAIN, "P pause  F findings  M map by vCPU  R report so far  S stop  O power off"},
    };
    exits_run[20].findings = 1;
    signs[2] = SIGN_FOUND;
    hit_upper_halves(&real[2], 16);
    find_upper_halves_zeroed();
    draw();
    expect_screen(rows);
    assert_int_equal(console[0][45].attribute, LOOK_TITLE);
    assert_int_equal(console[3][10].attribute, LOOK_PLAIN);
    assert_int_equal(console[5][5].attribute, LOOK_STRONG);
    assert_int_equal(console[5][45].attribute, LOOK_STRONG);
    assert_int_equal(console[6][45].attribute, LOOK_PLAIN);
    assert_int_equal(console[22][45].attribute, LOOK_PLAIN);
}

static void it_says_what_runs_on_what(void **state)
{
    (void)state;
    draw();
    assert_non_null(strstr(row_text(0), " zmmtest 1.2 (0123abc)"));
    assert_non_null(strstr(row_text(0), "run cafe, \\zmmtest\\0007.log"));
    expect_shown("Processor A Processor, 6-143-8, microcode 0x2b");
    expect_shown("Beneath   VMware ESXi, build 22380479; firmware EDK II; 4 vCPUs");
    expect_shown("123456 exits, 0 findings ");
    assert_int_equal(
        strncmp(row_text(23), "Nothing found so far: every register came back as it was. ", 58), 0);
    assert_int_equal(look_of("Nothing found so far"), LOOK_PLAIN);
    machine.hypervisor = (struct hypervisor){.kind = HYPERVISOR_KVM, .name = "KVM"};
    progress.left_out = "hpet, vga";
    draw();
    expect_shown("Beneath   KVM; firmware");
    expect_shown("Left out hpet, vga  ");
    machine.hypervisor.kind = HYPERVISOR_NONE;
    draw();
    expect_shown("no hypervisor seen: a control run");
}

static void time_goes_by_to_its_end(void **state)
{
    (void)state;
    draw();
    expect_shown("Running   0:00:15 [#####...............] 25 %, 0:00:45 left, 4321 exits/s");
    progress.milliseconds = 0;
    draw();
    expect_shown("0:00:00 [....................] 0 %, 0:01:00 left");
    progress.milliseconds = 59999;
    draw();
    expect_shown("0:00:59 [###################.] 99 %, 0:00:00 left");
    progress.milliseconds = 60100;
    draw();
    expect_shown("0:01:00 [####################] 100 %, 0:00:00 left");
    progress.time_limit = UINT64_C(360000000);
    progress.milliseconds = UINT64_C(36000000);
    draw();
    expect_shown("10:00:00 [##..................] 10 %, 90:00:00 left");
    progress.time_limit = 0;
    draw();
    expect_shown("10:00:00 until it is stopped, 4321 exits/s");
    assert_false(shows("["));
}

static void passes_go_by_to_their_end(void **state)
{
    (void)state;
    progress.time_limit = 0;
    progress.passes_limit = 4;
    progress.passes = 1;
    draw();
    expect_shown("[#####...............] 25 %, pass 1 of 4, 4321 exits/s");
    progress.passes = 5;
    draw();
    expect_shown("] 100 %, pass 5 of 4");
}

static void before_the_first_round_it_is_starting(void **state)
{
    (void)state;
    progress.rounds = 0;
    progress.exits = progress.cpus = 0;
    draw();
    assert_int_equal(look_of("Starting  "), LOOK_STRONG);
    expect_shown("zmmtest tests itself first");
}

static void a_pause_is_told_and_has_no_rate(void **state)
{
    (void)state;
    progress.paused = true;
    draw();
    expect_shown(" PAUSED   0:00:15");
    assert_int_equal(look_of("PAUSED"), LOOK_WARNING);
    assert_false(shows("exits/s"));
    outcome.verdict = VERDICT_FAIL;
    progress.outcome = &outcome;
    draw();
    assert_false(shows("PAUSED"));
}

static void each_verdict_has_its_row_and_look(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        enum attribute look;
    } rows[] = {
        [VERDICT_PASS] = {" PASS: because ", LOOK_PASS},
        [VERDICT_INCOMPLETE] = {" INCOMPLETE: because ", LOOK_WARNING},
        [VERDICT_FAIL] = {" FAIL: because ", LOOK_BAD},
        [VERDICT_ERROR] = {" ERROR: because ", LOOK_BROKEN},
    };
    progress.outcome = &outcome;
    for (enum verdict verdict = VERDICT_PASS; verdict <= VERDICT_ERROR; verdict++) {
        outcome.verdict = verdict;
        outcome.findings = verdict == VERDICT_FAIL;
        draw();
        uint32_t row = row_with_from(0, rows[verdict].words);
        assert_int_equal(row, 3);
        assert_int_equal(row_text(row)[0], ' ');
        for (uint32_t column = 0; column < GRID_COLUMNS; column++) {
            assert_int_equal(console[row][column].attribute, rows[verdict].look);
            assert_int_equal(console[row + 1][column].attribute, rows[verdict].look);
        }
        assert_int_equal(strncmp(row_text(row + 1), " In 0:00:15", 11), 0);
        assert_false(shows(" left,"));
    }
}

static void what_was_planted_looks_other_than_what_was_found(void **state)
{
    (void)state;
    outcome = (struct outcome){.verdict = VERDICT_FAIL,
                               .reason = "only where zmmtest INJECTED it",
                               .findings = 5,
                               .injected = 5,
                               .system = ""};
    progress.outcome = &outcome;
    draw();
    assert_int_equal(look_of(" FAIL: only where zmmtest INJECTED it"), LOOK_PLANTED);
    outcome.findings = 6;
    draw();
    assert_int_equal(look_of(" FAIL: "), LOOK_BAD);
    outcome.findings = 5;
    outcome.verdict = VERDICT_ERROR;
    draw();
    assert_int_equal(look_of(" ERROR: "), LOOK_BROKEN);
}

static void the_meaning_of_the_verdict_stands_where_nothing_was_found(void **state)
{
    (void)state;
    outcome.verdict = VERDICT_INCOMPLETE;
    progress.outcome = &outcome;
    draw();
    expect_shown("this is no pass");
    find_upper_halves_zeroed();
    draw();
    assert_false(shows("this is no pass"));
}

static void what_was_left_out_is_told_by_name(void **state)
{
    (void)state;
    progress.rounds = UINT64_C(1234567890);
    progress.findings = UINT64_C(123456789);
    progress.left_out = "hypercall, hpet, vga, wbinvd, rdpmc, mwait";
    progress.outcome = &outcome;
    draw();
    expect_shown("1234567890 exits, 123456789 findings ");
    expect_shown("Left out hypercall, hpet, vga, wbinvd, r... ");
    progress.left_out = "hypercall, hpet, vga, wbinvd, rdpm";
    draw();
    expect_shown("Left out hypercall, hpet, vga, wbinvd, rdpm ");
}

static void gaps_and_options_are_told(void **state)
{
    (void)state;
    progress.gaps = 6;
    draw();
    assert_int_equal(strncmp(row_text(4), " 6 gaps  ", 9), 0);
    assert_int_equal(console[4][0].attribute, LOOK_WARNING);
    expect_shown("Options  start menu: time=60 exits=all ");
    progress.outcome = &outcome;
    progress.gaps = 1;
    draw();
    expect_shown(" In 0:00:15, 1 gap");
    expect_shown("Options  start menu: time=60 exits=all ");
}

/* How long registers were live, and how busy the storage was: without them a PASS is little. */
static void exposure_and_storage_are_told(void **state)
{
    (void)state;
    draw();
    expect_shown("Exposed  91 %, read 98 write 7.6 MB/s ");
    progress.writes = false;
    draw();
    expect_shown("Exposed  91 %, read 98 MB/s ");
    progress.reads = false;
    progress.exposure.permille = 0;
    draw();
    expect_shown("Exposed  0 % of the time ");
    /* The longest: all of it stands to the left of the map. */
    progress.reads = progress.writes = true;
    progress.exposure.permille = 1000;
    progress.read_per_second = 9999999;
    progress.written_per_second = 10000000;
    progress.outcome = &outcome;
    draw();
    expect_shown("Exposed  100 %, read 9.9 write 10 MB/s ");
    progress.read_per_second = progress.written_per_second = UINT64_C(9999000000);
    draw();
    expect_shown("Exposed  100 %, read 9999 write 9999 MB/s ");
}

/* The worst of several, where there are too many for a sign each. */
static void each_vcpu_has_its_sign(void **state)
{
    (void)state;
    static const enum vcpu_sign of[CPUS] = {SIGN_ALIVE, SIGN_SILENT, SIGN_FOUND, SIGN_NO_PART};
    memcpy(signs, of, sizeof(signs));
    draw();
    expect_shown("vCPUs    .?X- 1 with findings ");
    assert_int_equal(look_of("X- "), LOOK_BAD);
    static const enum vcpu_sign others[CPUS] = {SIGN_WAITED_FOR, SIGN_LOST, SIGN_PLANTED,
                                                SIGN_ALIVE};
    memcpy(signs, others, sizeof(signs));
    draw();
    expect_shown("vCPUs    _!x. 1 with findings ");
}

static enum vcpu_sign sign_of_many(const void *context, uint32_t cpu)
{
    (void)context;
    return cpu == 40 ? SIGN_FOUND : cpu == 99 ? SIGN_SILENT : SIGN_ALIVE;
}

static const struct hits *no_hits(const void *context, uint32_t cpu, bool injected)
{
    (void)context;
    (void)cpu;
    (void)injected;
    return NULL;
}

static void many_vcpus_share_signs(void **state)
{
    (void)state;
    progress.hits = no_hits;
    progress.sign = sign_of_many;
    progress.cpus = 100;
    draw();
    expect_shown("vCPUs/3  .............X...................? ");
    progress.cpus = 1024;
    draw();
    expect_shown("vCPUs/31 .X.?.............................. ");
}

static void an_exit_that_left_the_guest_is_marked(void **state)
{
    (void)state;
    exits_run[0].leaves = LEAVES_YES;
    exits_run[1].leaves = LEAVES_SOME;
    exits_run[2].leaves = LEAVES_NO;
    exits_run[3].cycles_median = 4711;
    draw();
    expect_shown("exit00    *");
    expect_shown("exit01    +");
    expect_shown("exit02     ");
    expect_shown("exit03               103      4711"); /* the median, and not the least */
}

static void a_control_run_that_passes_says_so(void **state)
{
    (void)state;
    outcome.verdict = VERDICT_PASS;
    outcome.control_run = true;
    progress.outcome = &outcome;
    draw();
    expect_shown(" PASS (control run: no hypervisor): every register came back as it was ");
    assert_int_equal(look_of(" PASS (control"), LOOK_PASS);
}

/* It says what broke, since when, and what it looks like. */
static void a_failure_says_since_when(void **state)
{
    (void)state;
    progress.milliseconds = 7000;
    find_upper_halves_zeroed();
    draw();
    progress.milliseconds = 60000;
    progress.findings = 103;
    outcome.verdict = VERDICT_FAIL;
    outcome.findings = 103;
    progress.outcome = &outcome;
    find_wrong(1, 0, 0, false);
    draw();
    expect_shown(" Since 0:00:07. Looks like ESXi 8.0.2: AVX-256 host code, zmm not saved ");
    expect_shown(
        " FAIL: because                                                R: what to do next");
    progress.gaps = 6;
    draw();
    expect_shown(" Since 0:00:07, 6 gaps. Looks like ESXi 8.0.2: AVX-256 host code, zmm not saved");
    expect_shown("FINDING 1 of 103: zmm0-15, bits 511:256 zeroed, after cpuid on vCPU 3");
}

/* A general register that no event so far left alone is not intact. */
static void what_was_never_compared_is_not_intact(void **state)
{
    (void)state;
    for (uint32_t cpu = 0; cpu < CPUS; cpu++)
        real[cpu].compared = 0;
    hits_compare(&real[1], FORM_ZMM, 0xfff0);
    draw();
    assert_string_equal(row_text(22) + 45, "k........ r---- ........... fl. mx.");
    screen_key('m');
    draw();
    assert_string_equal(row_text(22) + 45, "k........ r---- ----------- fl. mx.");
}

/* Of a vCPU whose XCR0 did not take all that the machine has, only that. */
static void a_narrower_vcpu_has_a_narrower_map(void **state)
{
    (void)state;
    real[2].form = FORM_YMM;
    draw();
    assert_string_equal(row_text(6) + 44, "511 ................................");
    screen_key('m');
    screen_key(KEY_RIGHT);
    screen_key(KEY_RIGHT);
    draw();
    assert_string_equal(row_text(6) + 44, "511 --------------------------------");
    assert_string_equal(row_text(21) + 44, " 31 ................----------------");
}

static void what_is_injected_is_called_so_in_counts_and_map(void **state)
{
    (void)state;
    progress.findings = progress.injected = 7;
    planted[0].vector[3] = 1;
    draw();
    expect_shown("123456 exits, 7 INJECTED findings");
    progress.findings = 9;
    screen_key('m');
    draw();
    expect_shown("123456 exits, 9 findings, 7 INJECTED");
    expect_shown("vCPU 0 of 4 (left, right)");
    screen_key(KEY_RIGHT);
    draw();
    expect_shown("vCPU 1 of 4 (left, right)");
    expect_shown(". ok 0 zero X other - untested ox INJECTED   31 ");
    assert_int_equal(look_of(". ok"), LOOK_GOOD);
    assert_int_equal(look_of("0 zero"), LOOK_BAD);
    assert_int_equal(look_of("X other"), LOOK_BAD);
    assert_int_equal(look_of("- untested"), LOOK_PLAIN);
    assert_int_equal(look_of("ox INJECTED"), LOOK_PLANTED);
    assert_int_equal(look_of("INJECTED   31"), LOOK_PLAIN);
}

static void what_broke_is_told(void **state)
{
    (void)state;
    progress.error = "vCPU 1 made no progress for 10 s; it is in exit hold";
    draw();
    expect_shown("vCPU 1 made no progress for 10 s; it is in exit hold");
    outcome.verdict = VERDICT_ERROR;
    progress.outcome = &outcome;
    draw();
    expect_shown("vCPU 1 made no progress for 10 s; it is in exit hold");
    /* Where nothing ran it has all the room that the table leaves. */
    progress.error =
        "zmmtest.conf line 1: colour=red: no such option. Allowed: time=, passes=, "
        "exits=, cpus=, hold=, seed=, inject=, stop=, end=, ui=, disks=, findings=, processors=";
    progress.exits = 0;
    progress.rounds = 0;
    draw();
    assert_int_equal(strncmp(row_text(6), "zmmtest.conf line 1: colour=red: no such", 40), 0);
    expect_shown("disks=, findings=, processors=");
}

static void where_avx512_is_hidden_it_is_not_called_intact(void **state)
{
    (void)state;
    machine.xstate.no_avx512 = "AVX-512 is hidden";
    progress.rounds = 0; /* from the start */
    draw();
    expect_shown(" Not tested here: AVX-512 is hidden ");
    progress.rounds = 1;
    draw();
    assert_int_equal(look_of(" Not tested here"), LOOK_WARNING);
    expect_shown("Nothing found so far. ");
    assert_false(shows("every register"));
    progress.findings = 1;
    draw();
    assert_false(shows("Nothing found"));
}

static void a_small_console_has_no_room(void **state)
{
    (void)state;
    char buffer[100];
    struct text why;
    text_start(&why, buffer, sizeof(buffer));
    assert_true(screen_fits(25, 80, &why));
    assert_true(screen_fits(50, 132, &why));
    assert_string_equal(buffer, "");
    assert_false(screen_fits(24, 80, &why));
    assert_string_equal(buffer,
                        "The console of 80x24 is too small for the screen, which needs 80x25.");
    assert_false(screen_fits(25, 79, &why));
}

static void a_line_longer_than_a_row_goes_on_in_the_next(void **state)
{
    (void)state;
    sink->text(
        "  Reference: erlang/otp issues 8904 and 9437; fixed in ESXi 8.0.3 (build 24022510)");
    screen_key('r');
    draw();
    expect_shown("  Reference: erlang/otp issues 8904 and 9437; fixed in ESXi 8.0.3 (build ");
    expect_shown("    24022510)");
}

static void a_pause_offers_to_go_on(void **state)
{
    (void)state;
    progress.paused = true;
    draw();
    expect_shown("P go on  F findings");
    progress.paused = false;
    draw();
    expect_shown("P pause  F findings");
}

static void a_page_at_the_end_is_no_place_for_what_ends_it(void **state)
{
    (void)state;
    assert_false(screen_offers_end());
    screen_offer_end();
    assert_true(screen_offers_end());
    screen_key('r');
    assert_false(screen_offers_end());
    screen_key(KEY_ESC);
    assert_true(screen_offers_end());
    assert_null(screen_question());
}

static void a_question_can_be_told_elsewhere(void **state)
{
    (void)state;
    assert_null(screen_question());
    screen_key('s');
    assert_non_null(strstr(screen_question(), "Stop the run and report?"));
    screen_key('n');
    assert_null(screen_question());
}

/* 123456 exits, a third of which is the bound. */
static void a_pass_has_its_bound(void **state)
{
    (void)state;
    outcome.verdict = VERDICT_PASS;
    outcome.rounds = progress.rounds;
    draw();
    assert_false(shows("confidence"));
    progress.outcome = &outcome;
    draw();
    expect_shown(" In 0:00:15: fewer than 1 exit in 41152 loses registers (95 % confidence) ");
    outcome.verdict = VERDICT_INCOMPLETE;
    draw();
    assert_false(shows("confidence"));
}

/* The first that nobody planted, or else the first: what came later is on F's pages. */
static void the_first_finding_is_told_in_words(void **state)
{
    (void)state;
    find_wrong(20, 0, UINT64_C(0x1234567812345678), true);
    progress.findings = 1;
    draw();
    expect_shown("INJECTED FINDING 1 of 1: zmm20");
    assert_int_equal(look_of("INJECTED FIND"), LOOK_PLANTED);
    find_upper_halves_zeroed();
    find_wrong(21, 0, 0, false);
    progress.findings = 103;
    draw();
    expect_shown("FINDING 2 of 103: zmm0-15, bits 511:256 zeroed, after cpuid on vCPU 3");
    assert_false(shows("INJECTED FIND"));
    assert_int_equal(look_of("FINDING 2"), LOOK_BAD);
    progress.outcome = &outcome;
    outcome.verdict = VERDICT_FAIL;
    start(GRID_ROWS, false);
    find_wrong(21, 0, UINT64_C(0x1234567812345678), false);
    progress.outcome = &outcome;
    outcome.verdict = VERDICT_FAIL;
    draw();
    expect_shown(" Since 0:00:15. No known bug leaves this trace.");
}

static void an_exception_is_a_finding_by_its_name(void **state)
{
    (void)state;
    new_finding(3);
    finding.result = FAULTED;
    finding.fault = (struct fault){.vector = 13, .error_code = 0x18, .rip = 0x4711};
    hand_over();
    draw();
    expect_shown("#GP in a window, after cpuid on vCPU 3");
    press('f');
    assert_int_equal(row_with_from(0, "#GP in a window "), 1);
    assert_int_equal(row_with_from(0, "vector 13, error code 0x18, at 0x4711 "), 3);
    assert_int_equal(row_text(3)[0], 'v');
}

/* --- the table of exits ------------------------------------------------------------------------
 */

/* How often an exit stands in the table. */
static unsigned int times_in_table(uint32_t exit)
{
    unsigned int times = 0;
    for (uint32_t row = TABLE_ROW; row < console_rows - 8; row++)
        times += strncmp(row_text(row), exit_names[exit], 6) == 0;
    return times;
}

static void exits_have_rounds_cycles_and_findings(void **state)
{
    (void)state;
    progress.exits = 5;
    exits_run[5].findings = 1; /* which is none of them */
    exits_run[1].findings = 12345678;
    exits_run[2].rounds = UINT64_C(9999999999999);
    draw();
    expect_shown("exit (*exited)    rounds    cycles findings");
    assert_int_equal(
        strncmp(row_text(TABLE_ROW), "exit01               101      1001 12345678 ", 44), 0);
    assert_int_equal(console[TABLE_ROW][0].attribute, LOOK_PLAIN);
    assert_int_equal(console[TABLE_ROW][35].attribute, LOOK_BAD);
    assert_int_equal(
        strncmp(row_text(TABLE_ROW + 1), "exit00               100      1000        0 ", 44), 0);
    assert_int_equal(console[TABLE_ROW + 1][42].attribute, LOOK_PLAIN);
    assert_int_equal(
        strncmp(row_text(TABLE_ROW + 2), "exit02     9999999999999      1002        0 ", 44), 0);
    exits_run[0].injected = true;
    exits_run[0].findings = 3;
    exits_run[3].rounds = 0;
    draw();
    assert_int_equal(console[TABLE_ROW][42].attribute, LOOK_PLANTED);
    expect_shown("exit03                 0");
}

/* An event of a second: ten digits of cycles, which must not move the findings. */
static void long_events_do_not_falsify_what_stands_beside(void **state)
{
    (void)state;
    exits_run[0].cycles_min = UINT64_C(3100000000);
    exits_run[0].findings = 5;
    draw();
    assert_int_equal(
        strncmp(row_text(TABLE_ROW), "exit00               100 3100000000       5 ", 44), 0);
}

/* Down and up again, each exit is seen, and none twice; the last page is full. */
static void expect_all_reachable(uint32_t rows, uint32_t hit)
{
    bool seen[EXITS] = {false};
    uint32_t in_sight = rows - TAKEN_ROWS < EXITS ? rows - TAKEN_ROWS - 1 : EXITS;
    start(rows, false);
    for (uint32_t n = 0; n < hit; n++)
        exits_run[EXITS - 1 - n].findings = n + 1;
    draw();
    for (uint32_t n = 0; n < 2 * EXITS; n++) {
        uint32_t full = 0;
        for (uint32_t exit = 0; exit < EXITS; exit++) {
            seen[exit] |= times_in_table(exit) != 0;
            full += times_in_table(exit);
            assert_true(times_in_table(exit) <= 1);
            if (exits_run[exit].findings && hit < TABLE_ROWS)
                assert_int_equal(times_in_table(exit), 1);
        }
        assert_int_equal(full, in_sight);
        press(KEY_DOWN);
    }
    for (uint32_t exit = 0; exit < EXITS; exit++)
        assert_true(seen[exit]);
    /* No more steps back than there are rows out of sight. */
    press_times(KEY_UP, EXITS - in_sight);
    uint32_t first = hit == 0 || hit == EXITS ? 0 : EXITS - hit;
    assert_int_equal(strncmp(row_text(TABLE_ROW), exit_names[first], 6), 0);
}

static void every_exit_can_be_reached_and_those_that_were_hit_stay(void **state)
{
    (void)state;
    static const uint32_t hits[] = {0, 1, 3, TABLE_ROWS - 1, TABLE_ROWS, EXITS - 1, EXITS};
    for (size_t n = 0; n < sizeof(hits) / sizeof(hits[0]); n++) {
        expect_all_reachable(GRID_ROWS, hits[n]);
        expect_all_reachable(31, hits[n]);
        expect_all_reachable(GRID_ROWS_MOST, hits[n]);
    }
}

static void it_says_how_many_exits_are_out_of_sight(void **state)
{
    (void)state;
    draw();
    expect_shown("10 of 32 shown, up/down ");
    start(GRID_ROWS_MOST, false);
    draw();
    assert_false(shows(" of 32"));
}

static void a_table_without_exits_does_no_harm(void **state)
{
    (void)state;
    progress.exits = progress.cpus = progress.rounds = 0;
    draw();
    press(KEY_DOWN);
    press('m');
    press(KEY_RIGHT);
    progress.exits = EXITS;
    progress.cpus = CPUS;
    draw();
    assert_int_equal(times_in_table(0), 1);
    expect_shown("vCPU 0 of 4");
}

/* --- the map -------------------------------------------------------------------------------------
 */

static struct cell map_cell(uint32_t reg, uint32_t dword)
{
    return console[MAP_ROW + 15 - dword][MAP_COLUMN + reg];
}

/* The upper left quadrant has one sign, everything else another. */
static void expect_map(char hit, enum attribute hit_look, char else_sign, enum attribute else_look)
{
    for (uint32_t reg = 0; reg < VECTOR_COUNT; reg++)
        for (uint32_t dword = 0; dword < VECTOR_DWORDS; dword++) {
            bool quadrant = reg < 16 && dword >= 8;
            assert_int_equal(map_cell(reg, dword).c, quadrant ? hit : else_sign);
            assert_int_equal(map_cell(reg, dword).attribute, quadrant ? hit_look : else_look);
        }
}

/* The row below: opmasks, general registers, flags, MXCSR. */
static void expect_others(const char *words)
{
    assert_string_equal(row_text(MAP_ROW + 16) + 45, words);
}

#define OTHERS_INTACT "k........ r.... ........... fl. mx."

static void the_esxi_bug_is_one_red_quadrant(void **state)
{
    (void)state;
    hit_upper_halves(&real[2], 16);
    draw();
    expect_map('0', LOOK_BAD, '.', LOOK_GOOD);
    expect_others(OTHERS_INTACT);
    assert_int_equal(console[MAP_ROW + 16][46].attribute, LOOK_GOOD);
    assert_int_equal(console[MAP_ROW + 16][60].c, ' '); /* rsp */
    assert_string_equal(row_text(MAP_ROW - 1) + 44, "zmm 0       8       16      24      ");
    assert_non_null(strstr(row_text(MAP_ROW), "511 0000"));
    assert_non_null(strstr(row_text(MAP_ROW + 15), " 31 ...."));
}

static void what_changed_otherwise_has_another_sign(void **state)
{
    (void)state;
    hit_upper_halves(&real[0], 16);
    real[1].vector[31] = 1;
    real[1].vector[0] = 1u << 31; /* zero, but not hit there: no sign */
    draw();
    assert_int_equal(map_cell(31, 0).c, 'X');
    assert_int_equal(map_cell(31, 0).attribute, LOOK_BAD);
    assert_int_equal(map_cell(30, 0).c, '.');
    assert_int_equal(map_cell(0, 15).c, '0');
}

static void planted_faults_are_small_and_of_another_colour(void **state)
{
    (void)state;
    hit_upper_halves(&planted[0], 16);
    draw();
    expect_map('o', LOOK_PLANTED, '.', LOOK_GOOD);
    planted[0].vector[20] = 1;
    planted[0].other = 1u << HIT_OPMASK | 1u << HIT_MXCSR;
    hit_upper_halves(&real[1], 1);
    draw();
    assert_int_equal(map_cell(20, 0).c, 'x');
    assert_int_equal(map_cell(20, 0).attribute, LOOK_PLANTED);
    /* A real one is not hidden by what was planted. */
    assert_int_equal(map_cell(0, 15).c, '0');
    assert_int_equal(map_cell(0, 15).attribute, LOOK_BAD);
    expect_others("kx....... r.... ........... fl. mxx");
    assert_int_equal(console[MAP_ROW + 16][46].attribute, LOOK_PLANTED);
}

static void other_registers_have_their_places(void **state)
{
    (void)state;
    static const struct {
        unsigned int bit, column;
    } places[] = {{HIT_OPMASK, 1},        {HIT_OPMASK + 7, 8}, {HIT_GENERAL, 11},
                  {HIT_GENERAL + 15, 26}, {HIT_RFLAGS, 30},    {HIT_MXCSR, 34}};
    for (size_t n = 0; n < sizeof(places) / sizeof(places[0]); n++) {
        char words[] = OTHERS_INTACT;
        words[places[n].column] = 'X';
        real[0].other = 1u << places[n].bit;
        draw();
        expect_others(words);
        assert_int_equal(console[MAP_ROW + 16][45 + places[n].column].attribute, LOOK_BAD);
    }
}

static void what_is_not_tested_is_not_shown_as_intact(void **state)
{
    (void)state;
    progress.rounds = 0;
    draw();
    expect_map('-', LOOK_PLAIN, '-', LOOK_PLAIN);
    expect_others("k-------- r---- ----------- fl- mx-");
    assert_int_equal(console[MAP_ROW + 16][46].attribute, LOOK_PLAIN);
    assert_int_equal(console[MAP_ROW + 16][56].attribute, LOOK_PLAIN);
    progress.rounds = 1;
    use_form(FORM_YMM);
    draw();
    for (uint32_t reg = 0; reg < VECTOR_COUNT; reg++)
        for (uint32_t dword = 0; dword < VECTOR_DWORDS; dword++)
            assert_int_equal(map_cell(reg, dword).c, reg < 16 && dword < 8 ? '.' : '-');
    expect_others("k-------- r.... ........... fl. mx.");
    use_form(FORM_XMM);
    draw();
    assert_int_equal(map_cell(0, 3).c, '.');
    assert_int_equal(map_cell(0, 4).c, '-');
}

static void the_map_of_one_vcpu_has_its_hits_alone(void **state)
{
    (void)state;
    hit_upper_halves(&real[2], 16);
    idle_cpu = 3;
    draw();
    press('m');
    expect_shown("vCPU 0 of 4");
    expect_map('.', LOOK_GOOD, '.', LOOK_GOOD);
    press_times(KEY_RIGHT, 2);
    expect_shown("vCPU 2 of 4");
    expect_map('0', LOOK_BAD, '.', LOOK_GOOD);
    press_times(KEY_RIGHT, 7); /* the last: it has no rounds */
    expect_shown("vCPU 3 of 4");
    expect_map('-', LOOK_PLAIN, '-', LOOK_PLAIN);
    press(KEY_LEFT);
    expect_shown("vCPU 2 of 4");
    press_times(KEY_LEFT, 9);
    expect_shown("vCPU 0 of 4");
    press('m');
    expect_shown("zmm 0  ");
    expect_map('0', LOOK_BAD, '.', LOOK_GOOD);
}

/* --- findings in full ----------------------------------------------------------------------------
 */

static void without_a_finding_the_details_say_so(void **state)
{
    (void)state;
    draw();
    press('f');
    assert_int_equal(strncmp(row_text(0), "No finding so far. ", 19), 0);
    press_times(KEY_LEFT, 1);
    press_times(KEY_RIGHT, 1);
    find_wrong(1, 0, 0, false);
    draw();
    assert_false(shows("No finding"));
    expect_shown("1 of the 1 that are kept");
    find_wrong(2, 0, 0, false);
    draw();
    expect_shown("1 of the 2 that are kept");
}

/* Storage is told where registers are, and not taken for one of them. */
static void a_wrong_block_is_a_finding_like_others(void **state)
{
    (void)state;
    find_wrong_block();
    progress.findings = 128;
    draw();
    assert_int_equal(
        row_with_from(0, "FINDING 1 of 128: scratch 1, block 106, 64 words: storage (stale)   "),
        23);
    assert_int_equal(look_of("FINDING 1"), LOOK_BAD);
    outcome.verdict = VERDICT_FAIL;
    outcome.wrong_blocks = 128;
    outcome.reason = "storage, not registers, gave back what was not written";
    progress.outcome = &outcome;
    progress.milliseconds = 60000;
    progress.gaps = 6;
    draw();
    expect_shown(
        " FAIL: storage, not registers, gave back what was not written R: what to do next");
    expect_shown(" Since 0:00:15, 6 gaps. A disk did not give back what was written to it. ");
    find_upper_halves_zeroed(); /* which came later */
    draw();
    expect_shown("FINDING 1 of 128: scratch 1");
}

static void details_of_a_block_have_their_places(void **state)
{
    (void)state;
    static const struct expected_row rows[GRID_ROWS] = {
        {LOOK_BAD, " FINDING 1                                   1 of the 1 that are kept"},
        {LOOK_STRONG, "scratch 1, block 106, 64 words: storage (stale)"},
        {LOOK_PLAIN, "exit disk-write, read 12, generation 4"},
        {LOOK_PLAIN, "the block is stale: generation 3"},
        {LOOK_PLAIN, ""},
        {LOOK_STRONG, "word      expected          found"},
        {LOOK_PLAIN, "0         0000000000001000  0000000000002000"},
        {LOOK_PLAIN, "1         0000000000001001  0000000000002001"},
        {LOOK_PLAIN, "2         0000000000001002  0000000000002002"},
        {LOOK_PLAIN, "3         0000000000001003  0000000000002003"},
        {LOOK_PLAIN, "and 60 more words of 64 bits"},
        {LOOK_PLAIN, ""},
        {LOOK_PLAIN, "What was written to this block came back as something else. This is no"},
        {LOOK_PLAIN, "register's fault: suspect the storage, or what carries data there and back."},
        {LOOK_PLAIN, ""},
        {LOOK_PLAIN, ""},
        {LOOK_PLAIN, ""},
        {LOOK_PLAIN, ""},
        {LOOK_PLAIN, ""},
        {LOOK_PLAIN, ""},
        {LOOK_PLAIN, ""},
        {LOOK_PLAIN, ""},
        {LOOK_PLAIN, ""},
        {LOOK_STRONG, "Again with: exits=disk-write cpus=all seed=0xabcdef"},
        {LOOK_PLAIN, "left, right: other findings   Esc: back"},
    };
    find_wrong_block();
    draw();
    press('f');
    expect_screen(rows);
    find_wrong(1, 0, 0, false);
    press(KEY_RIGHT);
    expect_shown("zmm1, bits 63:0 zeroed");
    press(KEY_LEFT);
    expect_shown("1 of the 2 that are kept");
    expect_shown("the block is stale: generation 3");
}

/* Where the finding takes more than the vCPU that had it. */
static void what_takes_other_vcpus_is_tried_again_on_all(void **state)
{
    (void)state;
    new_finding(17);
    finding.found.vector[1][0] = 0;
    draw();
    hand_over_of("ipi-send");
    press('f');
    expect_shown("Again with: exits=ipi-send cpus=all seed=0xabcdef");
    hand_over_of("disk-mixed");
    press(KEY_RIGHT);
    expect_shown("Again with: exits=disk-mixed cpus=all seed=0xabcdef");
    hand_over_of("hold");
    press(KEY_RIGHT);
    expect_shown("Again with: exits=hold cpus=3 seed=0xabcdef");
    struct pattern_origin from = {RUN, 1, 17, 8, 5};
    find_wrong(8, 5, pattern_make(&from), true);
    press(KEY_RIGHT);
    expect_shown("Again with: inject=other-vcpu cpus=all seed=0xabcdef");
}

/* With all that one can have, in the rows that every console has. */
static void details_have_their_places(void **state)
{
    (void)state;
    static const struct expected_row rows[GRID_ROWS] = {
        {LOOK_BAD, " FINDING 2                                   2 of the 2 that are kept"},
        {LOOK_STRONG, "zmm0-15, bits 511:256 zeroed"},
        {LOOK_PLAIN, "vCPU 3, exit cpuid, round 41, generation 17"},
        {LOOK_PLAIN, "of component zmm_hi256"},
        {LOOK_PLAIN, ""},
        {LOOK_STRONG, "where     bits  expected          found             which is"},
        {LOOK_PLAIN, "zmm0   319:256  HHHHHHHHHHHHHHHH  0000000000000000  zeroed"},
        {LOOK_PLAIN, "zmm0   383:320  HHHHHHHHHHHHHHHH  0000000000000000  zeroed"},
        {LOOK_PLAIN, "zmm0   447:384  HHHHHHHHHHHHHHHH  0000000000000000  zeroed"},
        {LOOK_PLAIN, "zmm0   511:448  HHHHHHHHHHHHHHHH  0000000000000000  zeroed"},
        {LOOK_PLAIN, "zmm1   319:256  HHHHHHHHHHHHHHHH  0000000000000000  zeroed"},
        {LOOK_PLAIN, "zmm1   383:320  HHHHHHHHHHHHHHHH  0000000000000000  zeroed"},
        {LOOK_PLAIN, "zmm1   447:384  HHHHHHHHHHHHHHHH  0000000000000000  zeroed"},
        {LOOK_PLAIN, "zmm1   511:448  HHHHHHHHHHHHHHHH  0000000000000000  zeroed"},
        {LOOK_PLAIN, "and 56 more lanes"},
        {LOOK_PLAIN, ""},
        {LOOK_BAD, "The pattern in memory changed as well: memory, not a register, is at fault."},
        {LOOK_STRONG, "Looks like ESXi 8.0.2: AVX-256 host code, zmm not saved"},
        {LOOK_PLAIN,
         "Bits 511:256 of zmm0-15 came back zero, the low 256 bits intact: code beneath"},
        {LOOK_PLAIN,
         "the guest wrote these registers with 256-bit AVX instructions and saved only"},
        {LOOK_PLAIN, "ymm. This is what ESXi 8.0.2 with vSAN did to guests (RabbitMQ and Erlang"},
        {LOOK_PLAIN, "crashed). A ZMM_Hi256 component put back in its INIT state looks the same."},
        {LOOK_PLAIN, "erlang/otp issues 8904 and 9437; fixed in ESXi 8.0.3 (build 24022510)"},
        {LOOK_STRONG, "Again with: exits=cpuid cpus=3 seed=0xabcdef"},
        {LOOK_PLAIN, "left, right: other findings   Esc: back"},
    };
    find_upper_halves_zeroed();
    finding.memory_changed = true;
    hand_over();
    draw();
    press('f');
    press(KEY_RIGHT);
    for (uint32_t row = 6; row < 14; row++) {
        char value[17];
        (void)snprintf(value, sizeof(value), "%016lx",
                       finding.expected.vector[(row - 6) / 4][4 + (row - 6) % 4]);
        assert_int_equal(strncmp(row_text(row) + 16, value, 16), 0);
        for (uint32_t column = 16; column < 32; column++)
            console[row][column].c = 'H';
    }
    expect_screen(rows);
    for (uint32_t column = 0; column < GRID_COLUMNS; column++)
        assert_int_equal(console[0][column].attribute, LOOK_BAD);
    assert_int_equal(console[1][GRID_COLUMNS - 1].attribute, LOOK_PLAIN);
}

static void details_label_what_was_planted(void **state)
{
    (void)state;
    find_wrong(2, 0, 0x1234, true);
    draw();
    press('f');
    assert_int_equal(look_of("INJECTED FINDING"), LOOK_PLANTED);
    expect_shown("Again with: inject=foreign cpus=3 seed=0xabcdef");
    finding.memory_changed = true;
    hand_over();
    press(KEY_RIGHT);
    expect_shown("The pattern in memory changed as well");
}

/* The origin is what tells a vendor where to look: it must not be cut. */
static void details_say_where_a_value_came_from(void **state)
{
    (void)state;
    struct pattern_origin from = {RUN, 3, 17, 31, 7};
    find_wrong(8, 5, pattern_make(&from), false);
    draw();
    press('f');
    expect_shown("  swapped: zmm31, 511:448");
    assert_int_equal(
        row_with_from(0, "zmm8: swapped: run cafe, vCPU 3, generation 17, zmm31 lane 7"), 4);
    assert_int_equal(row_text(4)[0], 'z');
    assert_int_equal(console[4][0].attribute, LOOK_PLAIN);
    from = (struct pattern_origin){RUN, 3, 200000, 8, 5};
    find_wrong(8, 5, pattern_make(&from), false);
    press(KEY_RIGHT);
    expect_shown("  stale: generation 200000");
    from = (struct pattern_origin){RUN, 1023, 200000, 31, 7};
    find_wrong(8, 5, pattern_make(&from), false);
    press(KEY_RIGHT);
    expect_shown("  other-vcpu: vCPU 1023");
    expect_shown("zmm8: other-vcpu: run cafe, vCPU 1023, generation 200000, zmm31 lane 7");
    from = (struct pattern_origin){0xbeef, 1, 2, 8, 5};
    find_wrong(8, 5, pattern_make(&from), false);
    press(KEY_RIGHT);
    expect_shown("  other-run: run beef");
    from = (struct pattern_origin){RUN, 3, 17, PATTERN_OPMASK, 0};
    find_wrong(8, 5, pattern_make(&from), false);
    press(KEY_RIGHT);
    expect_shown("  swapped: k0 ");
    find_wrong(8, 5, UINT64_C(0x1234567812345678), false);
    press(KEY_RIGHT);
    expect_shown("  foreign ");
    assert_false(shows("zmm8:"));
    assert_false(shows("more lanes"));
    finding.found.vector[1][0] = 0; /* the first value has no origin, the second has */
    finding.found.vector[8][5] = pattern_make(&from);
    hand_over();
    press(KEY_RIGHT);
    expect_shown("zmm8: swapped: run cafe, vCPU 3, generation 17, k0");
}

static void the_finding_that_is_looked_at_stays(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < 3; n++)
        find_wrong((uint32_t)n, 0, 0, false);
    draw();
    press('f'); /* the first */
    expect_shown("1 of the 3 that are kept");
    expect_shown("zmm0 ");
    press_times(KEY_RIGHT, 2);
    expect_shown("3 of the 3 that are kept");
    expect_shown("zmm2 ");
    find_wrong(20, 0, 0, false);
    draw();
    expect_shown("3 of the 4 that are kept");
    expect_shown("zmm2 ");
    press(KEY_RIGHT); /* the latest: that one, too */
    expect_shown("zmm20 ");
    find_wrong(21, 0, 0, false);
    draw();
    expect_shown("4 of the 5 that are kept");
    expect_shown("zmm20 ");
    press(KEY_LEFT);
    expect_shown("3 of the 5 that are kept");
    press_times(KEY_LEFT, 9);
    expect_shown("1 of the 5 that are kept");
    expect_shown("zmm0 ");
    press(KEY_RIGHT);
    expect_shown("2 of the 5 that are kept");
    press_times('f', 2); /* back, and to the first */
    expect_shown("1 of the 5 that are kept");
    press(KEY_ESC);
    screen_key('f'); /* without a picture between the keys */
    screen_key(KEY_RIGHT);
    draw();
    expect_shown("2 of the 5 that are kept");
}

/* F and the overview speak of the same one: the first that nobody planted. */
static void the_first_finding_is_opened(void **state)
{
    (void)state;
    draw();
    press('f');
    find_wrong(1, 0, 0, true);
    find_wrong(2, 0, 0, false);
    find_wrong(3, 0, 0, false);
    draw();
    expect_shown(" FINDING 2 ");
    press('f');
    press('f');
    expect_shown(" FINDING 2 ");
    expect_shown("2 of the 3 that are kept");
    press(KEY_LEFT);
    expect_shown(" INJECTED FINDING 1 ");
}

static void the_first_and_the_latest_findings_are_kept(void **state)
{
    (void)state;
    draw();
    find_wrong(1, 0, 0, false);
    find_wrong(2, 0, 0, false);
    press('f');
    press(KEY_RIGHT);
    expect_shown(" FINDING 2 ");
    for (uint32_t n = 0; n < FINDINGS_KEPT; n++)
        find_wrong(3, 0, 0, false);
    draw(); /* the one that was looked at is gone */
    expect_shown(" FINDING 3 ");
    expect_shown("2 of the 513 that are kept");
    press(KEY_LEFT);
    expect_shown(" FINDING 1 ");
    expect_shown("zmm1, bits");
    expect_shown("1 of the 513 that are kept");
    press(KEY_LEFT);
    expect_shown("1 of the 513 that are kept");
    press(KEY_RIGHT);
    expect_shown(" FINDING 3 ");
    press_times(KEY_RIGHT, FINDINGS_KEPT + 2);
    expect_shown(" FINDING 514 ");
    expect_shown("513 of the 513 that are kept");
    press_times('f', 2);
    expect_shown(" FINDING 1 ");
}

/* --- the text of the report ----------------------------------------------------------------------
 */

static void say_lines(unsigned int first, unsigned int end)
{
    for (; first < end; first++) {
        char line[32];
        (void)snprintf(line, sizeof(line), "line %u;", first);
        sink->text(line);
    }
}

/* 24 rows from this line on. */
static void expect_lines(unsigned int first, unsigned int end)
{
    for (unsigned int n = first; n < end; n++) {
        char line[32];
        (void)snprintf(line, sizeof(line), "line %u; ", n);
        assert_int_equal(strncmp(row_text(n - first), line, strlen(line)), 0);
    }
    if (end - first < console_rows - 1)
        assert_int_equal(row_text(end - first)[0], ' ');
}

static void text_is_shown_to_its_end_and_follows(void **state)
{
    (void)state;
    draw();
    press('r');
    assert_int_equal(row_text(0)[0], ' ');
    press_times(KEY_UP, 2);
    press_times(KEY_DOWN, 1);
    say_lines(0, 10);
    press(KEY_UP);
    expect_lines(0, 10);
    say_lines(10, 24);
    draw();
    expect_lines(0, 24);
    say_lines(24, 30);
    draw();
    expect_lines(6, 30);
}

static void text_is_scrolled_by_lines_and_pages(void **state)
{
    (void)state;
    say_lines(0, 100);
    draw();
    press('r');
    expect_lines(76, 100);
    press(KEY_UP);
    expect_lines(75, 99);
    press(KEY_LEFT); /* a page, of which a line stays */
    expect_lines(52, 76);
    say_lines(100, 103); /* what is read stays */
    draw();
    expect_lines(52, 76);
    press(KEY_DOWN);
    expect_lines(53, 77);
    press(KEY_RIGHT);
    expect_lines(76, 100);
    press(KEY_RIGHT); /* the end, and on with it */
    expect_lines(79, 103);
    say_lines(103, 104);
    draw();
    expect_lines(80, 104);
}

/* At the start no key is lost: the next one down is seen at once. */
static void text_ends_at_its_start(void **state)
{
    (void)state;
    say_lines(0, 100);
    draw();
    press('r');
    press_times(KEY_LEFT, 9);
    expect_lines(0, 24);
    press_times(KEY_UP, 9);
    expect_lines(0, 24);
    press(KEY_DOWN);
    expect_lines(1, 25);
}

static void the_latest_lines_are_kept_and_cut(void **state)
{
    (void)state;
    char longer[200];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    draw();
    say_lines(0, 3 * LINES_KEPT);
    press('r');
    press_times(KEY_LEFT, LINES_KEPT);
    expect_lines(2 * LINES_KEPT, 2 * LINES_KEPT + 24);
    sink->text(longer);
    sink->text(longer);
    sink->text(longer);
    press('t');
    press('t');
    press(KEY_UP);
    assert_string_equal(
        row_text(24),
        "up, down: lines   left, right: pages   Esc: back                                ");
    assert_int_equal(console[23][78].c, 'x');
    assert_int_equal(console[23][79].c, ' ');
    assert_int_equal(console[23][78].attribute, LOOK_PLAIN);
    start(GRID_ROWS, false); /* which knows nothing of them */
    draw();
    press('r');
    say_lines(0, 3);
    draw();
    expect_lines(0, 3);
}

static char repeated[100][LINE_KEPT];
static unsigned int repeats;

static void note(const char *line)
{
    assert_true(repeats < 100);
    (void)snprintf(repeated[repeats++], LINE_KEPT, "%s", line);
}

static void the_end_of_the_report_is_repeated(void **state)
{
    (void)state;
    repeats = 0;
    screen_repeat(note);
    assert_int_equal(repeats, 0);
    say_lines(0, 5);
    screen_repeat(note);
    assert_int_equal(repeats, 5);
    assert_string_equal(repeated[0], "line 0;");
    say_lines(5, 100);
    repeats = 0;
    screen_repeat(note);
    assert_int_equal(repeats, 24);
    assert_string_equal(repeated[0], "line 76;");
    assert_string_equal(repeated[23], "line 99;");
}

/* --- keys
 * ------------------------------------------------------------------------------------------ */

/* The mark is one character, so that it is there at once where all of a picture takes long. */
static void a_key_that_was_taken_is_marked_until_the_next_picture(void **state)
{
    (void)state;
    static const char keys[] = "fmrsqoty?\x1b";
    draw();
    for (size_t n = 0; n < sizeof(keys) - 1; n++) {
        pieces = 0;
        screen_key(keys[n]);
        screen_key(keys[n]); /* marked already */
        assert_int_equal(pieces, 1);
        assert_int_equal(console[GRID_ROWS - 1][77].c, '*');
        assert_int_equal(console[GRID_ROWS - 1][77].attribute, LOOK_QUESTION);
        /* It hides nothing: what stands in the row ends before it. */
        assert_int_equal(console[GRID_ROWS - 1][76].c, ' ');
        draw();
        for (uint32_t column = 74; column < GRID_COLUMNS - 1; column++)
            assert_int_equal(console[GRID_ROWS - 1][column].c, ' ');
    }
}

/* A console that refuses it gets it with the next key. */
static void a_mark_that_was_not_written_is_tried_again(void **state)
{
    (void)state;
    draw();
    refuses = true;
    screen_key('m');
    refuses = false;
    assert_int_equal(console[GRID_ROWS - 1][77].c, ' ');
    screen_key('m');
    assert_int_equal(console[GRID_ROWS - 1][77].c, '*');
    draw();
    assert_int_equal(console[GRID_ROWS - 1][77].c, ' ');
}

static void the_end_of_a_run_is_asked_for(void **state)
{
    (void)state;
    static const struct {
        char key;
        const char *question;
        enum operator_command command;
    } keys[] = {{'s', "Stop the run and report? Y: yes, any other key: no", COMMAND_STOP},
                {'q', "Stop the run and report? Y: yes, any other key: no", COMMAND_STOP},
                {'o', "power the machine off? Y: yes, any other key: no", COMMAND_POWER_OFF}};
    draw();
    for (size_t n = 0; n < sizeof(keys) / sizeof(keys[0]); n++) {
        for (int other = 0; other < 256; other++) {
            if (other == 'y')
                continue;
            press(keys[n].key);
            assert_int_equal(row_with_from(0, keys[n].question), GRID_ROWS - 1);
            assert_int_equal(strncmp(row_text(GRID_ROWS - 1), " Stop the run and ", 18), 0);
            assert_int_equal(look_of(keys[n].question), LOOK_QUESTION);
            press((char)other);
            assert_false(shows(keys[n].question));
            assert_int_equal(screen_key('y'), COMMAND_NONE);
        }
        press(keys[n].key);
        assert_int_equal(screen_key('y'), keys[n].command);
        assert_int_equal(screen_key('y'), COMMAND_NONE);
    }
}

static void an_answer_changes_nothing_else(void **state)
{
    (void)state;
    draw();
    press('s');
    press('r');
    expect_shown("Running");
    press('o');
    press('p');
    expect_shown("Running");
}

static void a_pause_is_asked_for_at_once(void **state)
{
    (void)state;
    draw();
    assert_int_equal(screen_key('p'), COMMAND_PAUSE);
    assert_int_equal(screen_key('p'), COMMAND_PAUSE);
}

static void after_the_end_there_is_nothing_to_stop(void **state)
{
    (void)state;
    draw();
    assert_int_equal(
        strncmp(row_text(GRID_ROWS - 1),
                "P pause  F findings  M map by vCPU  R report so far  S stop  O power off ", 73),
        0);
    press('s');
    screen_offer_end();
    draw();
    assert_false(shows("Stop the run"));
    assert_int_equal(
        strncmp(row_text(24),
                "R report  F findings  M map by vCPU  S shut down  B reboot  X firmware ", 71),
        0);
    assert_int_equal(screen_key('y'), COMMAND_NONE);
    static const char keys[] = {'p', 's', 'q', 'o'};
    for (size_t n = 0; n < sizeof(keys); n++) {
        press(keys[n]);
        assert_false(shows("Y: yes"));
        assert_int_equal(screen_key('y'), COMMAND_NONE);
    }
    /* A screen that is begun anew has a run to stop again. */
    start(GRID_ROWS, false);
    press('s');
    expect_shown("Stop the run");
    press('n');
}

static void every_view_says_how_to_leave_it(void **state)
{
    (void)state;
    static const char views[] = {'f', 'r', 't'};
    draw();
    for (size_t n = 0; n < sizeof(views); n++) {
        press(views[n]);
        expect_shown("Esc: back");
        assert_false(shows("Processor"));
        press(KEY_ESC);
        expect_shown("Processor");
        press(views[n]);
        press(views[n]);
        expect_shown("Processor");
        press(views[n]);
        press('m'); /* the map is part of the other view */
        expect_shown("Processor");
        press('m');
    }
}

static void a_line_across_the_screen_is_drawn_over(void **state)
{
    (void)state;
    assert_null(sink->log);
    draw();
    draw();
    assert_int_equal(pieces, 0);
    start(GRID_ROWS, true);
    draw();
    unsigned int first = pieces;
    sink->log("zmmtest ts=0.000 ev=tick");
    draw();
    assert_int_equal(pieces, first);
    draw();
    assert_int_equal(pieces, 0);
}

/* --- whatever comes
 * -------------------------------------------------------------------------------- */

static uint32_t random_number(void)
{
    static uint32_t random = 1;
    random = random * 1664525 + 1013904223;
    return random >> 8;
}

/* As a run goes on: findings, lines, counts, the largest numbers now and then. */
static void something_happens(void)
{
    uint32_t random = random_number();
    if (random % 64 == 0)
        find_wrong(random_number() % 32, random_number() % 8, random_number(), random % 128 == 0);
    if (random % 16 == 1)
        say_lines(random, random + 1);
    if (random % 64 == 2)
        exits_run[random_number() % EXITS].findings = random_number() % 2 ? UINT64_MAX : 0;
    if (random % 64 == 3) {
        progress.milliseconds = progress.rounds = progress.per_second = UINT64_MAX;
        progress.time_limit = random_number() % 2 ? UINT64_MAX : 0;
        exits_run[0].rounds = exits_run[0].cycles_min = UINT64_MAX;
    }
    if (random % 64 == 4)
        progress.exits = random_number() % (EXITS + 1);
    if (random % 64 == 5)
        progress.cpus = random_number() % (CPUS + 1);
    if (random % 1024 == 6)
        make_run();
}

static void expect_command(enum operator_command command, char before, char key)
{
    if (command == COMMAND_STOP)
        assert_true(key == 'y' && (before == 's' || before == 'q'));
    if (command == COMMAND_POWER_OFF)
        assert_true(key == 'y' && before == 'o');
    if (command == COMMAND_PAUSE)
        assert_int_equal(key, 'p');
}

/* Half of the keys have a meaning. Each draws inside, which write() looks at. */
static void storm(uint32_t keys)
{
    static const char known[] = "fmprstoqyUDLRUDLR\x1b\r ?";
    unsigned int stops = 0;
    char before = 0;
    for (uint32_t n = 0; n < keys; n++) {
        char key = (char)random_number();
        if (random_number() % 2)
            key = known[random_number() % (sizeof(known) - 1)];
        enum operator_command command = screen_key(key);
        expect_command(command, before, key);
        stops += command == COMMAND_STOP || command == COMMAND_POWER_OFF;
        before = key;
        something_happens();
        if (n % 7 == 0)
            draw();
    }
    assert_true(stops > 0);
}

static void a_storm_of_keys_does_no_harm(void **state)
{
    (void)state;
    static const uint32_t rows[] = {GRID_ROWS, 31, GRID_ROWS_MOST, 200};
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        start(rows[n], n % 2);
        draw();
        storm(50000);
    }
}

static void a_storm_at_the_end_asks_for_nothing(void **state)
{
    (void)state;
    draw();
    screen_offer_end();
    for (uint32_t n = 0; n < 20000; n++) {
        assert_int_equal(screen_key((char)random_number()), COMMAND_NONE);
        if (n % 7 == 0)
            draw();
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(at_a_glance_the_evidence_is_all_there, start_usual),
    cmocka_unit_test_setup(it_says_what_runs_on_what, start_usual),
    cmocka_unit_test_setup(time_goes_by_to_its_end, start_usual),
    cmocka_unit_test_setup(passes_go_by_to_their_end, start_usual),
    cmocka_unit_test_setup(before_the_first_round_it_is_starting, start_usual),
    cmocka_unit_test_setup(a_pause_is_told_and_has_no_rate, start_usual),
    cmocka_unit_test_setup(each_verdict_has_its_row_and_look, start_usual),
    cmocka_unit_test_setup(what_was_planted_looks_other_than_what_was_found, start_usual),
    cmocka_unit_test_setup(the_meaning_of_the_verdict_stands_where_nothing_was_found, start_usual),
    cmocka_unit_test_setup(a_pass_has_its_bound, start_usual),
    cmocka_unit_test_setup(what_was_left_out_is_told_by_name, start_usual),
    cmocka_unit_test_setup(gaps_and_options_are_told, start_usual),
    cmocka_unit_test_setup(exposure_and_storage_are_told, start_usual),
    cmocka_unit_test_setup(each_vcpu_has_its_sign, start_usual),
    cmocka_unit_test_setup(many_vcpus_share_signs, start_usual),
    cmocka_unit_test_setup(an_exit_that_left_the_guest_is_marked, start_usual),
    cmocka_unit_test_setup(a_control_run_that_passes_says_so, start_usual),
    cmocka_unit_test_setup(a_failure_says_since_when, start_usual),
    cmocka_unit_test_setup(what_was_never_compared_is_not_intact, start_usual),
    cmocka_unit_test_setup(a_narrower_vcpu_has_a_narrower_map, start_usual),
    cmocka_unit_test_setup(what_is_injected_is_called_so_in_counts_and_map, start_usual),
    cmocka_unit_test_setup(what_broke_is_told, start_usual),
    cmocka_unit_test_setup(where_avx512_is_hidden_it_is_not_called_intact, start_usual),
    cmocka_unit_test_setup(a_small_console_has_no_room, start_usual),
    cmocka_unit_test_setup(a_line_longer_than_a_row_goes_on_in_the_next, start_usual),
    cmocka_unit_test_setup(a_pause_offers_to_go_on, start_usual),
    cmocka_unit_test_setup(a_page_at_the_end_is_no_place_for_what_ends_it, start_usual),
    cmocka_unit_test_setup(a_question_can_be_told_elsewhere, start_usual),
    cmocka_unit_test_setup(the_first_finding_is_told_in_words, start_usual),
    cmocka_unit_test_setup(an_exception_is_a_finding_by_its_name, start_usual),
    cmocka_unit_test_setup(exits_have_rounds_cycles_and_findings, start_usual),
    cmocka_unit_test_setup(long_events_do_not_falsify_what_stands_beside, start_usual),
    cmocka_unit_test(every_exit_can_be_reached_and_those_that_were_hit_stay),
    cmocka_unit_test_setup(it_says_how_many_exits_are_out_of_sight, start_usual),
    cmocka_unit_test_setup(a_table_without_exits_does_no_harm, start_usual),
    cmocka_unit_test_setup(the_esxi_bug_is_one_red_quadrant, start_usual),
    cmocka_unit_test_setup(what_changed_otherwise_has_another_sign, start_usual),
    cmocka_unit_test_setup(planted_faults_are_small_and_of_another_colour, start_usual),
    cmocka_unit_test_setup(other_registers_have_their_places, start_usual),
    cmocka_unit_test_setup(what_is_not_tested_is_not_shown_as_intact, start_usual),
    cmocka_unit_test_setup(the_map_of_one_vcpu_has_its_hits_alone, start_usual),
    cmocka_unit_test_setup(without_a_finding_the_details_say_so, start_usual),
    cmocka_unit_test_setup(a_wrong_block_is_a_finding_like_others, start_usual),
    cmocka_unit_test_setup(details_of_a_block_have_their_places, start_usual),
    cmocka_unit_test_setup(what_takes_other_vcpus_is_tried_again_on_all, start_usual),
    cmocka_unit_test_setup(details_have_their_places, start_usual),
    cmocka_unit_test_setup(details_label_what_was_planted, start_usual),
    cmocka_unit_test_setup(details_say_where_a_value_came_from, start_usual),
    cmocka_unit_test_setup(the_finding_that_is_looked_at_stays, start_usual),
    cmocka_unit_test_setup(the_first_finding_is_opened, start_usual),
    cmocka_unit_test_setup(the_first_and_the_latest_findings_are_kept, start_usual),
    cmocka_unit_test_setup(text_is_shown_to_its_end_and_follows, start_usual),
    cmocka_unit_test_setup(text_is_scrolled_by_lines_and_pages, start_usual),
    cmocka_unit_test_setup(text_ends_at_its_start, start_usual),
    cmocka_unit_test_setup(the_latest_lines_are_kept_and_cut, start_usual),
    cmocka_unit_test_setup(the_end_of_the_report_is_repeated, start_usual),
    cmocka_unit_test_setup(a_key_that_was_taken_is_marked_until_the_next_picture, start_usual),
    cmocka_unit_test_setup(a_mark_that_was_not_written_is_tried_again, start_usual),
    cmocka_unit_test_setup(the_end_of_a_run_is_asked_for, start_usual),
    cmocka_unit_test_setup(an_answer_changes_nothing_else, start_usual),
    cmocka_unit_test_setup(a_pause_is_asked_for_at_once, start_usual),
    cmocka_unit_test_setup(after_the_end_there_is_nothing_to_stop, start_usual),
    cmocka_unit_test_setup(every_view_says_how_to_leave_it, start_usual),
    cmocka_unit_test_setup(a_line_across_the_screen_is_drawn_over, start_usual),
    cmocka_unit_test(a_storm_of_keys_does_no_harm),
    cmocka_unit_test_setup(a_storm_at_the_end_asks_for_nothing, start_usual),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
