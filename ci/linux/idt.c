/*
 * What takes exceptions in a process: signals. The kernel has the processor's own words of what it
 * was (vector, error code, CR2), and puts the registers back that a window had at its fault.
 */
#include "../../efi/core/window/guard.h"
#include "process.h"
#include <signal.h>
#include <stddef.h>
#include <ucontext.h>

/*
 * A window's stack is its round, and small. AVX-512 state is 2.7 KiB of a signal's frame, AMX state
 * 8 KiB more (getauxval(3), AT_MINSIGSTKSZ).
 */
#define STACK_BYTES 65536u

#define VECTOR_INVALID_OPCODE     6u
#define VECTOR_GENERAL_PROTECTION 13u

static _Thread_local struct traps *current;
static _Thread_local char stack[STACK_BYTES];
static _Thread_local bool has_stack;

void traps_enter(struct traps *traps)
{
    if (!has_stack) {
        stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
        has_stack = sigaltstack(&alternate, NULL) == 0;
    }
    current = traps;
}

void traps_leave(struct traps *traps)
{
    (void)traps;
    current = NULL;
}

extern const char __executable_start[]; /* ld's, of where the program begins */

uint64_t image_offset(uint64_t address)
{
    return address - (uint64_t)__executable_start;
}

struct traps *traps_current(void)
{
    return current;
}

/* An emulator of processes need not say which exception it was (QEMU): the likely one then. */
static uint64_t vector_of(int number, greg_t told)
{
    if (told >= 0 && told < (greg_t)EXCEPTION_COUNT)
        return (uint64_t)told;
    return number == SIGILL ? VECTOR_INVALID_OPCODE : VECTOR_GENERAL_PROTECTION;
}

/* Outside of what traps_enter() and traps_leave() enclose it is nobody's: the process dies of it.
 */
static void on_exception(int number, siginfo_t *information, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    (void)information;
    if (!current) {
        (void)signal(number, SIG_DFL);
        return;
    }
    struct fault fault = {
        .vector = vector_of(number, registers[REG_TRAPNO]),
        .error_code = (uint64_t)registers[REG_ERR],
        .rip = (uint64_t)registers[REG_RIP],
        .cr2 = (uint64_t)registers[REG_CR2],
    };
    struct trap_point point = {
        .rip = (uint64_t)registers[REG_RIP],
        .rsp = (uint64_t)registers[REG_RSP],
        .rflags = (uint64_t)registers[REG_EFL],
    };
    traps_exception(current, &fault, &point);
    registers[REG_RIP] = (greg_t)point.rip;
    registers[REG_RSP] = (greg_t)point.rsp;
}

void process_exceptions(void)
{
    static const int raised[] = {SIGILL, SIGSEGV, SIGBUS, SIGFPE, SIGTRAP};
    struct sigaction action = {.sa_sigaction = on_exception, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    (void)sigemptyset(&action.sa_mask);
    for (size_t n = 0; n < sizeof(raised) / sizeof(raised[0]); n++)
        (void)sigaction(raised[n], &action, NULL); /* fails for no signal of these */
}
