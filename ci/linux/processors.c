/* The CPUs that the kernel lets this process use, each with a thread that stays on it. */
#include "../../efi/platform/processors.h"
#include "process.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#define CPU_NUMBERS 4096u

static cpu_set_t *allowed;
static const size_t allowed_size = CPU_ALLOC_SIZE(CPU_NUMBERS);

struct thread {
    pthread_t id;
    atomic_bool returned;
    struct processor_call *call;
};

/* Where the kernel does not tell, there is the one that this thread is on, and it counts as number
 * 0. */
bool processors_ours(uint32_t number)
{
    if (!allowed)
        return number == 0;
    return number < CPU_NUMBERS && CPU_ISSET_S(number, allowed_size, allowed);
}

static cpu_set_t *only(uint32_t number)
{
    cpu_set_t *set = CPU_ALLOC(CPU_NUMBERS);
    if (!set)
        return NULL;
    CPU_ZERO_S(allowed_size, set);
    CPU_SET_S(number, allowed_size, set);
    return set;
}

/* What the process was given, once, before this thread stays on the first of it. */
static void find_allowed(struct processors *processors)
{
    allowed = CPU_ALLOC(CPU_NUMBERS);
    if (allowed && sched_getaffinity(0, allowed_size, allowed) != 0) {
        CPU_FREE(allowed);
        allowed = NULL;
    }
    while (allowed && !processors_ours(processors->boot))
        processors->boot++;
    cpu_set_t *set = allowed ? only(processors->boot) : NULL;
    if (!set || sched_setaffinity(0, allowed_size, set) != 0)
        processors->notice = "the kernel pins no thread to a CPU: one CPU only, whichever it is";
    if (set)
        CPU_FREE(set);
}

void processors_find(struct processors *processors, enum processors_by by)
{
    (void)by;
    static struct processors found;
    if (found.count == 0) {
        find_allowed(&found);
        found.count = found.boot + 1;
        for (uint32_t number = found.count; number < CPU_NUMBERS && !found.notice; number++)
            if (processors_ours(number))
                found.count = number + 1;
    }
    *processors = found;
}

void processors_use(const struct processors *processors)
{
    (void)processors;
}

const char *processors_left(void)
{
    return NULL;
}

const char *processors_unusable(uint32_t number)
{
    return processors_ours(number) ? NULL : "the kernel does not give it to this process";
}

void process_use_all_cpus(pthread_attr_t *attributes)
{
    if (allowed)
        (void)pthread_attr_setaffinity_np(attributes, allowed_size, allowed);
}

static void *run_thread(void *argument)
{
    struct thread *thread = argument;
    thread->call->procedure(thread->call->argument);
    atomic_store(&thread->returned, true);
    return NULL;
}

static int start_pinned(struct thread *thread, const cpu_set_t *set)
{
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error)
        return error;
    error = pthread_attr_setaffinity_np(&attributes, allowed_size, set);
    if (!error)
        error = pthread_create(&thread->id, &attributes, run_thread, thread);
    (void)pthread_attr_destroy(&attributes);
    return error;
}

/* The kernel starts a thread in less time than it takes to wait for others. */
const char *processors_ask(uint32_t number, struct processor_call *call)
{
    struct thread *thread = calloc(1, sizeof(*thread));
    cpu_set_t *set = only(number);
    int error = 1;
    if (thread && set) {
        thread->call = call;
        error = start_pinned(thread, set);
    }
    if (set)
        CPU_FREE(set);
    if (error) {
        free(thread);
        return "no thread could be started on it";
    }
    call->finished = thread;
    return NULL;
}

void processors_start(void)
{
}

bool processors_returned(struct processor_call *call)
{
    struct thread *thread = call->finished;
    if (!thread)
        return true;
    if (!atomic_load(&thread->returned))
        return false;
    (void)pthread_join(thread->id, NULL);
    free(thread);
    call->finished = NULL;
    return true;
}
