/*
 * For comparison with zmmtest-linux (make bench): a test of context switches such as operating
 * systems have. A ring of threads on one CPU; each fills its vector state with random data by
 * XRSTOR, wakes the next, waits to be woken, and looks with XSAVE whether the data are still there.
 *
 *   xstate-loop SECONDS THREADS
 */
#include "../faultvisor/area.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define AREA_BYTES  16384u
#define THREADS_MAX 64u
#define COMPONENTS                                                                                 \
    (1u << 1 | 1u << XSTATE_AVX | 1u << XSTATE_OPMASK | 1u << XSTATE_ZMM_HI256 |                   \
     1u << XSTATE_HI16_ZMM)

static struct {
    unsigned int count;
    time_t until;
    int pipe[THREADS_MAX][2]; /* a byte in it wakes that thread */
    atomic_ulong looked, changed;
    atomic_bool stop;
} ring;

static void fill(uint8_t *area)
{
    uint64_t random[32 * 8 + 8];
    size_t next = 0;
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        abort();
    for (unsigned int reg = 0; reg < 32; reg++)
        for (unsigned int lane = 0; lane < 8; lane++)
            *area_lane(area, reg, lane) = random[next++];
    for (unsigned int number = 0; number < 8; number++)
        *area_opmask(area, number) = random[next++];
    *area_in_use(area) = COMPONENTS;
}

static bool same(uint8_t *one, uint8_t *other)
{
    bool equal = true;
    for (unsigned int reg = 0; reg < 32; reg++)
        for (unsigned int lane = 0; lane < 8; lane++)
            equal &= *area_lane(one, reg, lane) == *area_lane(other, reg, lane);
    for (unsigned int number = 0; number < 8; number++)
        equal &= *area_opmask(one, number) == *area_opmask(other, number);
    return equal;
}

/* The wrappers of these calls touch no vector register. */
static void wake_and_wait(unsigned int self)
{
    char byte = 0;
    unsigned int next = (self + 1) % ring.count;
    if (write(ring.pipe[next][1], &byte, 1) != 1 || read(ring.pipe[self][0], &byte, 1) != 1)
        abort();
}

static void *run(void *argument)
{
    static _Thread_local _Alignas(64) uint8_t wanted[AREA_BYTES], found[AREA_BYTES];
    unsigned int self = (unsigned int)(size_t)argument;
    uint32_t mxcsr = 0x1f80;
    char byte;
    if (read(ring.pipe[self][0], &byte, 1) != 1)
        abort();
    while (!atomic_load(&ring.stop)) {
        fill(wanted);
        memcpy(wanted + AREA_MXCSR, &mxcsr, sizeof(mxcsr));
        __asm__ volatile("xrstor64 %0" ::"m"(wanted), "a"(COMPONENTS), "d"(0) : "memory");
        wake_and_wait(self);
        __asm__ volatile("xsave64 %0" : "+m"(found) : "a"(COMPONENTS), "d"(0) : "memory");
        atomic_fetch_add(&ring.looked, 1);
        if (!same(wanted, found)) {
            atomic_fetch_add(&ring.changed, 1);
            (void)printf("xstate-loop: changed in thread %u\n", self);
            (void)fflush(stdout);
        }
        if (time(NULL) >= ring.until)
            atomic_store(&ring.stop, true);
    }
    /* Whoever still waits goes on, and sees it. */
    (void)!write(ring.pipe[(self + 1) % ring.count][1], "", 1);
    return NULL;
}

int main(int argc, char *argv[])
{
    pthread_t thread[THREADS_MAX];
    ring.count = argc == 3 ? (unsigned int)strtoul(argv[2], NULL, 10) : 0;
    if (ring.count < 2 || ring.count > THREADS_MAX) {
        (void)fprintf(stderr, "usage: xstate-loop SECONDS THREADS (2 to %u)\n", THREADS_MAX);
        return 64;
    }
    cpu_set_t first;
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    (void)sched_setaffinity(0, sizeof(first), &first); /* where that is refused: several CPUs */
    ring.until = time(NULL) + (time_t)strtoul(argv[1], NULL, 10);
    for (unsigned int n = 0; n < ring.count; n++)
        if (pipe(ring.pipe[n]) != 0)
            return 70;
    for (unsigned int n = 0; n < ring.count; n++)
        if (pthread_create(&thread[n], NULL, run, (void *)(size_t)n) != 0) // NOLINT
            return 70;
    (void)!write(ring.pipe[0][1], "", 1);
    for (unsigned int n = 0; n < ring.count; n++)
        (void)pthread_join(thread[n], NULL);
    (void)printf("xstate-loop looked=%lu changed=%lu\n", atomic_load(&ring.looked),
                 atomic_load(&ring.changed));
    return atomic_load(&ring.changed) != 0;
}
