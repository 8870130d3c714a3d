/*
 * Breaks registers of a running program: stops it at random moments with ptrace(2), alters its
 * vector state, and lets it go on. What a hypervisor with a bug does to a guest, on the real
 * processor: the program under it, zmmtest-linux or any other, has to notice.
 */
#include "../faultvisor/area.h"
#include "../faultvisor/distance.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define AREA_BYTES 16384u /* AMX state included */
#define TASKS_MAX  256u
#define LOOP_HERE  0xfee2 /* LOOP to itself, the event of a hold (exits_hold.S), little endian */

/* One thread of the program. */
struct task {
    pid_t id;
    bool has_earlier;
    _Alignas(8) uint8_t earlier[AREA_BYTES];
    uint8_t altered[AREA_BYTES]; /* as it was left by the latest strike */
};

struct planted_fault {
    const char *name;
    unsigned int init_component; /* goes into its INIT state; 0: `edit` says what is altered */
    bool (*edit)(uint8_t *area, struct task *task);        /* false: not now */
    const char *corruption, *component, *registers, *bits; /* what zmmtest must say */
};

static bool edit_register(uint8_t *area, struct task *task)
{
    (void)task;
    for (unsigned int lane = 0; lane < 8; lane++)
        *area_lane(area, 7, lane) = 0;
    return true;
}

static bool edit_flip(uint8_t *area, struct task *task)
{
    (void)task;
    *area_lane(area, 21, 4) ^= UINT64_C(1) << 44;
    return true;
}

static bool edit_swapped(uint8_t *area, struct task *task)
{
    (void)task;
    area_swap(area, 2, 3);
    return true;
}

/* All vector state of an earlier moment; the other components stay: x87, and PKRU and those of MPX
 * if any. */
static bool edit_stale(uint8_t *area, struct task *task)
{
    const uint64_t vectors = UINT64_C(1) << XSTATE_SSE | UINT64_C(1) << XSTATE_AVX |
                             UINT64_C(1) << XSTATE_OPMASK | UINT64_C(1) << XSTATE_ZMM_HI256 |
                             UINT64_C(1) << XSTATE_HI16_ZMM;
    if (!task->has_earlier || *area_lane(task->earlier, 1, 0) == *area_lane(area, 1, 0))
        return false;
    for (unsigned int reg = 0; reg < 32; reg++)
        for (unsigned int lane = 0; lane < 8; lane++)
            *area_lane(area, reg, lane) = *area_lane(task->earlier, reg, lane);
    for (unsigned int number = 0; number < 8; number++)
        *area_opmask(area, number) = *area_opmask(task->earlier, number);
    *area_in_use(area) = (*area_in_use(area) & ~vectors) | (*area_in_use(task->earlier) & vectors);
    return true;
}

static const struct planted_fault faults[] = {
    {"zmm_hi256", XSTATE_ZMM_HI256, NULL, "zeroed", "zmm_hi256", "zmm0-15", "511:256"},
    {"hi16_zmm", XSTATE_HI16_ZMM, NULL, "zeroed", "hi16_zmm", "zmm16-31", "511:0"},
    {"opmask", XSTATE_OPMASK, NULL, "zeroed", "opmask", "k0-7", "63:0"},
    {"avx", XSTATE_AVX, NULL, "zeroed", "avx", "zmm0-15", "255:128"},
    {"register", 0, edit_register, "zeroed", "sse,avx,zmm_hi256", "zmm7", "511:0"},
    {"flip", 0, edit_flip, "bit-flip", "hi16_zmm", "zmm21", "300"},
    {"swapped", 0, edit_swapped, "swapped", "sse,avx,zmm_hi256", "zmm2-3", "511:0"},
    {"stale", 0, edit_stale, "stale", "sse,avx,opmask,zmm_hi256,hi16_zmm", "zmm0-31,k0-7",
     "511:0,63:0"},
};

#define FAULT_COUNT (sizeof(faults) / sizeof(faults[0]))

static struct {
    const struct planted_fault *fault;
    unsigned long moments, every_ms;
    unsigned long mean_ms; /* as moments of a Poisson process are apart; 0: not so */
    const char *found;     /* a line of the program that has this text is a finding */
    bool at_hold;
    FILE *log;
} options = {.fault = &faults[0], .moments = 20, .every_ms = 20};

static struct {
    pid_t program;
    struct task *task[TASKS_MAX];
    size_t tasks;
    int status; /* of the program, once it has ended */
    bool ended;
    uint64_t random;
} trace;

static uint64_t now_us(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* What the program says, which goes on to where it would have gone. */
static struct {
    int pipe[2];
    char line[1024]; /* that it is at; what is longer is cut */
    size_t length;
} heard = {.pipe = {-1, -1}};

static void hear_line(void)
{
    heard.line[heard.length] = '\0';
    if (options.found && strstr(heard.line, options.found))
        (void)fprintf(options.log, "inject ev=moment us=%lu what=finding\n", now_us());
    heard.length = 0;
}

static void hear(void)
{
    char text[4096];
    ssize_t count;
    while (options.found && (count = read(heard.pipe[0], text, sizeof(text))) > 0) {
        (void)fwrite(text, 1, (size_t)count, stdout);
        for (ssize_t n = 0; n < count; n++) {
            if (text[n] == '\n')
                hear_line();
            else if (heard.length + 1 < sizeof(heard.line))
                heard.line[heard.length++] = text[n];
        }
    }
}

static void add_task(pid_t id)
{
    for (size_t n = 0; n < trace.tasks; n++)
        if (trace.task[n]->id == id)
            return;
    struct task *task = trace.tasks < TASKS_MAX ? calloc(1, sizeof(*task)) : NULL;
    if (!task)
        return; /* it runs on, and is not struck */
    task->id = id;
    trace.task[trace.tasks++] = task;
}

static void remove_task(pid_t id)
{
    for (size_t n = 0; n < trace.tasks; n++) {
        if (trace.task[n]->id != id)
            continue;
        free(trace.task[n]);
        trace.task[n] = trace.task[--trace.tasks];
        return;
    }
}

/* A task that stopped, or ended, for a reason that is not ours: goes on as it would have. */
static void pass_on(pid_t id, int status)
{
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
        remove_task(id);
        if (id == trace.program) {
            trace.status = status;
            trace.ended = true;
        }
        return;
    }
    add_task(id);
    int event = status >> 16, stop_signal = WSTOPSIG(status);
    if (event == PTRACE_EVENT_STOP && stop_signal != SIGTRAP)
        (void)ptrace(PTRACE_LISTEN, id, NULL, NULL); /* stopped as a group */
    else
        (void)ptrace(PTRACE_CONT, id, NULL, event ? 0L : (long)stop_signal);
}

/* Looks after the program until then, or until it has ended. */
static void run_until(uint64_t deadline_us)
{
    while (!trace.ended) {
        int status;
        hear();
        pid_t id = waitpid(-1, &status, __WALL | WNOHANG);
        if (id > 0) {
            pass_on(id, status);
            continue;
        }
        uint64_t now = now_us();
        if (id < 0 || now >= deadline_us)
            return;
        uint64_t left = deadline_us - now < 500 ? deadline_us - now : 500;
        struct timespec pause = {0, (long)left * 1000};
        (void)nanosleep(&pause, NULL);
    }
}

/* 'R' for one that runs; '?' for one that is gone. proc(5), /proc/pid/stat. */
static char state_of(pid_t id)
{
    char path[48], line[256] = "";
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", id);
    FILE *file = fopen(path, "r");
    if (!file)
        return '?';
    if (!fgets(line, sizeof(line), file))
        line[0] = '\0';
    (void)fclose(file);
    const char *name_end = strrchr(line, ')');
    return (char)(name_end && name_end[1] == ' ' ? name_end[2] : '?');
}

/* One of those that run, or else of all. */
static struct task *choose_task(void)
{
    struct task *running[TASKS_MAX];
    size_t count = 0;
    for (size_t n = 0; n < trace.tasks; n++)
        if (state_of(trace.task[n]->id) == 'R')
            running[count++] = trace.task[n];
    if (count)
        return running[random_below(&trace.random, count)];
    return trace.tasks ? trace.task[random_below(&trace.random, trace.tasks)] : NULL;
}

/* False: it has ended instead. */
static bool stop(struct task *task)
{
    pid_t id = task->id;
    if (ptrace(PTRACE_INTERRUPT, id, NULL, NULL) != 0)
        return false;
    for (;;) {
        int status;
        if (waitpid(id, &status, __WALL) != id)
            return false;
        if (WIFSTOPPED(status) && status >> 16 == PTRACE_EVENT_STOP && WSTOPSIG(status) == SIGTRAP)
            return true;
        pass_on(id, status);
        if (WIFEXITED(status) || WIFSIGNALED(status))
            return false;
    }
}

static bool get_area(pid_t id, uint8_t *area, size_t *size)
{
    struct iovec io = {area, AREA_BYTES};
    memset(area, 0, AREA_BYTES);
    bool got = ptrace(PTRACE_GETREGSET, id, (void *)NT_X86_XSTATE, &io) == 0; // NOLINT
    *size = io.iov_len;
    return got;
}

/* An iovec knows no const. */
// NOLINTNEXTLINE(readability-non-const-parameter)
static bool set_area(pid_t id, uint8_t *area, size_t size)
{
    struct iovec io = {area, size};
    return ptrace(PTRACE_SETREGSET, id, (void *)NT_X86_XSTATE, &io) == 0; // NOLINT
}

static bool at_hold(pid_t id)
{
    struct user_regs_struct registers;
    if (ptrace(PTRACE_GETREGS, id, NULL, &registers) != 0)
        return false;
    errno = 0;
    long code = ptrace(PTRACE_PEEKTEXT, id, (void *)registers.rip, NULL); // NOLINT
    return errno == 0 && (code & 0xffff) == LOOP_HERE;
}

enum moment { NOT_NOW, NOTHING_CHANGED, CHANGED };

/* The task is stopped. What the kernel did not take is not a change. */
static enum moment alter(struct task *task)
{
    static _Alignas(8) uint8_t before[AREA_BYTES], area[AREA_BYTES], after[AREA_BYTES];
    size_t size;
    if (!get_area(task->id, before, &size))
        return NOT_NOW;
    bool live = area_all_live(before);
    if (options.at_hold && !(live && at_hold(task->id)))
        return NOT_NOW;
    /* Still in the round struck last, as on a busy machine: a second swap there would undo the
     * first. */
    if (options.at_hold && memcmp(before, task->altered, sizeof(before)) == 0)
        return NOT_NOW;
    memcpy(area, before, sizeof(area));
    bool now = true;
    if (options.fault->init_component)
        area_init_component(area, options.fault->init_component);
    else
        now = options.fault->edit(area, task);
    if (live && !task->has_earlier) {
        memcpy(task->earlier, before, sizeof(task->earlier));
        task->has_earlier = true;
    }
    if (!now)
        return NOT_NOW;
    if (!set_area(task->id, area, size) || !get_area(task->id, after, &size))
        return NOTHING_CHANGED;
    memcpy(task->altered, after, sizeof(after));
    /* Registers only: which components are in use may be told differently. */
    *area_in_use(before) = *area_in_use(after);
    return memcmp(before, after, sizeof(after)) ? CHANGED : NOTHING_CHANGED;
}

static void log_moment(pid_t id, enum moment moment, uint64_t us)
{
    struct user_regs_struct registers = {0};
    (void)ptrace(PTRACE_GETREGS, id, NULL, &registers);
    (void)fprintf(options.log,
                  "inject ev=moment us=%lu what=strike task=%d changed=%s image=0x%llx\n", us, id,
                  moment == CHANGED ? "yes" : "no", registers.rip);
}

static enum moment strike(void)
{
    struct task *task = choose_task();
    if (!task || !stop(task))
        return NOT_NOW;
    uint64_t us = now_us();
    enum moment moment = alter(task);
    if (options.found && moment != NOT_NOW)
        log_moment(task->id, moment, us);
    (void)ptrace(PTRACE_CONT, task->id, NULL, 0L);
    return moment;
}

/* Uniformly from half the mean to one and a half; or as those of a Poisson process. */
static uint64_t next_distance_us(void)
{
    if (options.mean_ms)
        return random_distance(&trace.random, options.mean_ms * 1000);
    return (options.every_ms / 2 + random_below(&trace.random, options.every_ms + 1)) * 1000;
}

/* By the clock: what one takes does not shift the next. */
static void strike_all(void)
{
    unsigned long changed = 0, moments = 0;
    uint64_t next = now_us() + 300000; /* the program starts */
    run_until(next);
    while (moments < options.moments && !trace.ended) {
        uint64_t last = options.mean_ms ? next : now_us();
        next = last + next_distance_us();
        run_until(next);
        if (trace.ended)
            break;
        enum moment moment = strike();
        moments += moment != NOT_NOW;
        changed += moment == CHANGED;
    }
    while (!trace.ended)
        run_until(UINT64_MAX);
    hear();
    const struct planted_fault *f = options.fault;
    (void)fprintf(options.log,
                  "inject fault=%s moments=%lu changed=%lu class=%s component=%s registers=%s "
                  "bits=%s\n",
                  f->name, moments, changed, f->corruption, f->component, f->registers, f->bits);
}

/* What the program says goes through a pipe, if somebody listens. */
static void open_ears(void)
{
    if (options.found && pipe2(heard.pipe, O_CLOEXEC) == 0)
        (void)fcntl(heard.pipe[0], F_SETFL, O_NONBLOCK);
}

/* The child waits to be traced before it becomes the program. */
static bool start(char *argv[])
{
    int gate[2];
    if (pipe2(gate, O_CLOEXEC) != 0)
        return false;
    open_ears();
    trace.program = fork();
    if (trace.program == 0) {
        char go;
        (void)close(gate[1]);
        if (heard.pipe[1] >= 0 && (dup2(heard.pipe[1], 1) < 0 || dup2(heard.pipe[1], 2) < 0))
            _exit(127);
        if (read(gate[0], &go, 1) == 1)
            (void)execvp(argv[0], argv);
        perror(argv[0]);
        _exit(127);
    }
    const long follow = PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                        PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    if (trace.program < 0 || ptrace(PTRACE_SEIZE, trace.program, NULL, follow) != 0)
        return false;
    add_task(trace.program);
    bool begun = write(gate[1], "", 1) == 1;
    (void)close(gate[0]);
    (void)close(gate[1]);
    return begun;
}

static void usage(void)
{
    (void)fprintf(stderr,
                  "usage: inject [--fault NAME] [--moments N] [--every MILLISECONDS] "
                  "[--mean MILLISECONDS]\n"
                  "              [--at-hold] [--found TEXT] [--log FILE] PROGRAM "
                  "[ARGUMENT...]\n"
                  "  --mean: at moments of a Poisson process, so far apart in the mean\n"
                  "  --found: a line of the program with this text is a finding; the log has "
                  "each moment then\n"
                  "  --at-hold: only where a hold of zmmtest has every register live\n"
                  "  faults:");
    for (size_t n = 0; n < FAULT_COUNT; n++)
        (void)fprintf(stderr, " %s", faults[n].name);
    (void)fprintf(stderr, "\n");
    exit(64);
}

static const struct planted_fault *find_fault(const char *name)
{
    for (size_t n = 0; n < FAULT_COUNT; n++)
        if (strcmp(faults[n].name, name) == 0)
            return &faults[n];
    usage();
    return NULL;
}

static void read_options(int argc, char *argv[])
{
    static const struct option known[] = {
        {"fault", required_argument, NULL, 'f'}, {"moments", required_argument, NULL, 'm'},
        {"every", required_argument, NULL, 'e'}, {"at-hold", no_argument, NULL, 'h'},
        {"log", required_argument, NULL, 'l'},   {"mean", required_argument, NULL, 'p'},
        {"found", required_argument, NULL, 'o'}, {NULL, 0, NULL, 0}};
    options.log = stderr;
    for (int key; (key = getopt_long(argc, argv, "+", known, NULL)) != -1;) {
        if (key == 'f')
            options.fault = find_fault(optarg);
        else if (key == 'm')
            options.moments = strtoul(optarg, NULL, 10);
        else if (key == 'e')
            options.every_ms = strtoul(optarg, NULL, 10);
        else if (key == 'p')
            options.mean_ms = strtoul(optarg, NULL, 10);
        else if (key == 'o')
            options.found = optarg;
        else if (key == 'h')
            options.at_hold = true;
        else if (key == 'l')
            options.log = fopen(optarg, "we");
        else
            usage();
    }
    if (!options.log) {
        perror("inject: --log");
        exit(64);
    }
    if (optind == argc)
        usage();
}

int main(int argc, char *argv[])
{
    read_options(argc, argv);
    trace.random = now_us();
    if (!start(argv + optind)) {
        perror("inject: cannot trace the program");
        return 70;
    }
    strike_all();
    return WIFEXITED(trace.status) ? WEXITSTATUS(trace.status) : 128 + WTERMSIG(trace.status);
}
