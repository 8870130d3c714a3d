/*
 * Runs unmodified programs of VMware's (open-vm-tools) as on a VMware host: faultvisor's pose
 * answers their backdoor. A process cannot leave the guest by these instructions; a tracer stops it
 * at each, by a breakpoint in its place. CPUID is one of them, as it says whose guest this is.
 *
 *   vmware-host [OPTION...] -- PROGRAM ARGUMENT... [\; PROGRAM ARGUMENT...]...
 *
 * Where the instructions stand comes from standard input: lines of a file's path and an offset.
 * Several programs have one host. The exit code is the last one's; what guests say goes to standard
 * error.
 */
#include "../../faultvisor/plan.h"
#include "../../faultvisor/say.h"
#include "../../faultvisor/vmware.h"
#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define SITES_MAX 512u
#define PATH_SIZE 512u

enum way { BY_NONE, BY_PORT, BY_VMMCALL, BY_VMCALL };
static const char *const way_names[] = {"none", "port", "vmmcall", "vmcall"};
static const char *const rpci_names[] = {
    [POSE_ANSWERS] = "answer",  [POSE_REFUSES] = "refuse", [POSE_SILENT] = "silent",
    [POSE_ENDLESS] = "endless", [POSE_ABSENT] = "absent",  [POSE_CHECKPOINTS] = "checkpoints",
};

/* Flags in DX of a hypercall (open-vm-tools, backdoor.c: BackdoorHb). */
#define FLAG_HIGH_BANDWIDTH 1u
#define FLAG_OUT            2u

enum instruction { CPUID, IN, REP_IN, REP_OUT, VMCALL, VMMCALL, INSTRUCTIONS };
static const struct {
    const char *name;
    unsigned int length;
    uint8_t bytes[3];
} instructions[INSTRUCTIONS] = {
    [CPUID] = {"cpuid", 2, {0x0f, 0xa2}},         [IN] = {"in", 1, {0xed}},
    [REP_IN] = {"rep-in", 2, {0xf3, 0x6c}},       [REP_OUT] = {"rep-out", 2, {0xf3, 0x6e}},
    [VMCALL] = {"vmcall", 3, {0x0f, 0x01, 0xc1}}, [VMMCALL] = {"vmmcall", 3, {0x0f, 0x01, 0xd9}},
};

static struct site {
    char path[PATH_SIZE];
    uint64_t offset, address;
    enum instruction instruction;
} sites[SITES_MAX];
static size_t site_count;

struct plan plan;
static enum way way = BY_PORT;
static unsigned int answered[INSTRUCTIONS], bulks;

void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start is two lines up */
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
}

_Noreturn static void die(const char *what)
{
    (void)fprintf(stderr, "vmware-host: %s: %s\n", what, strerror(errno));
    exit(125);
}

/* `data` is what ptrace calls so: an address, or a number. */
static void request(enum __ptrace_request what, pid_t process, uintptr_t data, const char *words)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): the call has one type for both */
    if (ptrace(what, process, NULL, (void *)data) != 0)
        die(words);
}

/* --- the process's memory ------------------------------------------------------------------------
 */

static int memory;

static void read_memory(uint64_t address, void *bytes, size_t size)
{
    if (pread(memory, bytes, size, (off_t)address) != (ssize_t)size)
        die("reading the program's memory");
}

static void write_memory(uint64_t address, const void *bytes, size_t size)
{
    if (pwrite(memory, bytes, size, (off_t)address) != (ssize_t)size)
        die("writing the program's memory");
}

static void open_file_of(pid_t process, const char *name, int flags, int *file)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)process, name);
    *file = open(path, flags | O_CLOEXEC);
    if (*file < 0)
        die(path);
}

static uint64_t entry_of(pid_t process)
{
    int file;
    Elf64_auxv_t entry;
    open_file_of(process, "auxv", O_RDONLY, &file);
    while (read(file, &entry, sizeof(entry)) == (ssize_t)sizeof(entry) && entry.a_type != AT_NULL) {
        if (entry.a_type == AT_ENTRY) {
            (void)close(file);
            return entry.a_un.a_val;
        }
    }
    die("the program has no entry point");
}

/* Where the start of a file is mapped; 0: nowhere. */
static uint64_t base_of(pid_t process, const char *wanted)
{
    char name[64], line[PATH_SIZE + 128];
    uint64_t base = 0;
    (void)snprintf(name, sizeof(name), "/proc/%d/maps", (int)process);
    FILE *maps = fopen(name, "re");
    if (!maps)
        die(name);
    while (!base && fgets(line, sizeof(line), maps)) {
        const char *path = strchr(line, '/');
        char *rest;
        uint64_t start = strtoull(line, &rest, 16);
        const char *offset = strchr(rest + 1, ' ');
        offset = offset ? strchr(offset + 1, ' ') : NULL;
        if (path && offset && strtoull(offset, NULL, 16) == 0 &&
            strncmp(path, wanted, strlen(wanted)) == 0 && path[strlen(wanted)] == '\n')
            base = start;
    }
    (void)fclose(maps);
    return base;
}

static void plant(struct site *site)
{
    uint8_t bytes[3];
    read_memory(site->address, bytes, sizeof(bytes));
    for (enum instruction n = 0; n < INSTRUCTIONS; n++) {
        if (memcmp(bytes, instructions[n].bytes, instructions[n].length) == 0) {
            site->instruction = n;
            write_memory(site->address, "\xcc", 1);
            return;
        }
    }
    errno = EINVAL;
    die("there is another instruction there");
}

static void plant_all(pid_t process)
{
    for (size_t n = 0; n < site_count; n++) {
        uint64_t base = base_of(process, sites[n].path);
        sites[n].address = base ? base + sites[n].offset : 0;
        if (base)
            plant(&sites[n]);
    }
}

/* --- what the host answers -----------------------------------------------------------------------
 */

static void answer_cpuid(struct guest_registers *guest)
{
    static const char vendor[] = "VMwareVMware";
    uint32_t leaf = (uint32_t)guest->r[0], values[4];
    bool vmware = way != BY_NONE;
    __cpuid_count(leaf, (uint32_t)guest->r[1], values[0], values[1], values[2], values[3]);
    if (leaf == 1)
        values[2] = vmware ? values[2] | 1u << 31 : values[2] & ~(1u << 31);
    if (leaf >= 0x40000000 && leaf < 0x50000000)
        memset(values, 0, sizeof(values));
    if (leaf == 0x40000000 && vmware) {
        values[0] = 0x40000010;
        memcpy(&values[1], vendor, 12);
    }
    if (leaf == 0x40000010)
        values[2] = way == BY_VMMCALL ? 1 : way == BY_VMCALL ? 2 : 0;
    guest->r[0] = values[0];
    guest->r[3] = values[1];
    guest->r[1] = values[2];
    guest->r[2] = values[3];
}

static bool answer_bulk(struct guest_registers *guest, bool out)
{
    static char bytes[VMWARE_BYTES_MAX];
    uint64_t size = guest->r[1] < sizeof(bytes) ? guest->r[1] : sizeof(bytes);
    uint64_t address = guest->r[out ? 6 : 7];
    bulks++;
    if (out)
        read_memory(address, bytes, size);
    if (!vmware_high_bandwidth(guest, out, bytes))
        return false;
    if (!out && guest->r[3] >> 16)
        write_memory(address, bytes, size);
    return true;
}

/* False: on such a machine it faults. */
static bool answer(enum instruction instruction, struct guest_registers *guest)
{
    bool hypercall = instruction == VMCALL || instruction == VMMCALL;
    uint16_t flags = (uint16_t)guest->r[2];
    answered[instruction]++;
    if (instruction == CPUID) {
        answer_cpuid(guest);
        return true;
    }
    if (way == BY_NONE || (instruction == VMCALL && way != BY_VMCALL) ||
        (instruction == VMMCALL && way != BY_VMMCALL))
        return false;
    if (instruction == REP_IN || instruction == REP_OUT)
        return answer_bulk(guest, instruction == REP_OUT);
    if (hypercall && flags & FLAG_HIGH_BANDWIDTH)
        return answer_bulk(guest, flags & FLAG_OUT);
    return vmware_backdoor(guest);
}

/* --- the process ---------------------------------------------------------------------------------
 */

static struct guest_registers as_guest(const struct user_regs_struct *user)
{
    return (struct guest_registers){
        {user->rax, user->rcx, user->rdx, user->rbx, user->rsp, user->rbp, user->rsi, user->rdi}};
}

static void as_user(struct user_regs_struct *user, const struct guest_registers *guest)
{
    user->rax = guest->r[0];
    user->rcx = guest->r[1];
    user->rdx = guest->r[2];
    user->rbx = guest->r[3];
    user->rbp = guest->r[5];
    user->rsi = guest->r[6];
    user->rdi = guest->r[7];
}

/* Of a stop by a breakpoint: the signal that the program goes on with. */
static int at_breakpoint(pid_t process)
{
    struct user_regs_struct user;
    request(PTRACE_GETREGS, process, (uintptr_t)&user, "its registers");
    for (size_t n = 0; n < site_count; n++) {
        if (sites[n].address != user.rip - 1)
            continue;
        struct guest_registers guest = as_guest(&user);
        bool done = answer(sites[n].instruction, &guest);
        if (done)
            as_user(&user, &guest);
        user.rip = sites[n].address + (done ? instructions[sites[n].instruction].length : 0);
        request(PTRACE_SETREGS, process, (uintptr_t)&user, "its registers");
        if (done)
            return 0;
        return sites[n].instruction == VMCALL || sites[n].instruction == VMMCALL ? SIGILL : SIGSEGV;
    }
    return SIGTRAP;
}

/* All its files are mapped once it comes to its entry point. */
static void run_to_entry(pid_t process)
{
    int status;
    uint8_t kept;
    struct user_regs_struct user;
    uint64_t entry = entry_of(process);
    read_memory(entry, &kept, 1);
    write_memory(entry, "\xcc", 1);
    request(PTRACE_CONT, process, 0, "letting it go");
    if (waitpid(process, &status, 0) != process || !WIFSTOPPED(status) ||
        WSTOPSIG(status) != SIGTRAP)
        die("it did not come to its entry point");
    write_memory(entry, &kept, 1);
    request(PTRACE_GETREGS, process, (uintptr_t)&user, "its registers");
    user.rip = entry;
    request(PTRACE_SETREGS, process, (uintptr_t)&user, "its registers");
}

static int run(char **program)
{
    int status;
    errno = EINVAL;
    if (!program[0])
        die("there is no program");
    pid_t process = fork();
    if (process < 0)
        die("fork");
    if (process == 0) {
        (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        (void)execv(program[0], program);
        _exit(127);
    }
    if (waitpid(process, &status, 0) != process || !WIFSTOPPED(status))
        die(program[0]);
    request(PTRACE_SETOPTIONS, process, PTRACE_O_EXITKILL, "tracing it");
    open_file_of(process, "mem", O_RDWR, &memory);
    run_to_entry(process);
    plant_all(process);
    int deliver = 0;
    do {
        request(PTRACE_CONT, process, (uintptr_t)deliver, "letting it go");
        if (waitpid(process, &status, 0) != process)
            die("waiting for it");
        deliver = 0;
        if (WIFSTOPPED(status))
            deliver = WSTOPSIG(status) == SIGTRAP ? at_breakpoint(process) : WSTOPSIG(status);
    } while (WIFSTOPPED(status));
    (void)close(memory);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* --- what it is told -----------------------------------------------------------------------------
 */

static void read_sites(void)
{
    char line[PATH_SIZE + 32];
    while (site_count < SITES_MAX && fgets(line, sizeof(line), stdin)) {
        char *blank = strrchr(line, ' ');
        if (!blank || (size_t)(blank - line) >= PATH_SIZE)
            continue;
        memcpy(sites[site_count].path, line, (size_t)(blank - line));
        sites[site_count++].offset = strtoull(blank + 1, NULL, 16);
    }
}

/* Which of the names it is. */
static unsigned int choice(const char *name, const char *const *names, unsigned int count)
{
    for (unsigned int n = 0; n < count; n++)
        if (strcmp(name, names[n]) == 0)
            return n;
    errno = EINVAL;
    die(name);
}

static char **take_options(int count, char **arguments)
{
    static const struct option options[] = {
        {"by", required_argument, NULL, 'b'},
        {"rpci", required_argument, NULL, 'r'},
        {"guestinfo", required_argument, NULL, 'g'},
        {"low-bandwidth", no_argument, NULL, 'l'},
        {NULL, 0, NULL, 0},
    };
    for (int option; (option = getopt_long(count, arguments, "+", options, NULL)) != -1;) {
        if (option == 'b')
            way = choice(optarg, way_names, sizeof(way_names) / sizeof(way_names[0]));
        else if (option == 'r')
            plan.rpci = choice(optarg, rpci_names, POSE_COUNT);
        else if (option == 'g')
            plan.guestinfo = optarg;
        else if (option == 'l')
            plan.low_bandwidth = true;
        else
            exit(125);
    }
    plan.guestinfo_bytes = plan.guestinfo ? strlen(plan.guestinfo) : 0;
    return arguments + optind;
}

int main(int count, char **arguments)
{
    int code = 125;
    char **program = take_options(count, arguments);
    read_sites();
    while (*program) {
        char **end = program;
        while (*end && strcmp(*end, ";") != 0)
            end++;
        bool more = *end;
        *end = NULL;
        code = run(program);
        program = end + more;
    }
    for (enum instruction n = 0; n < INSTRUCTIONS; n++)
        (void)fprintf(stderr, "%s=%u ", instructions[n].name, answered[n]);
    (void)fprintf(stderr, "high-bandwidth=%u\n", bulks);
    return code;
}
