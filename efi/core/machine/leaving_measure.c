/* What an exit takes here, by the TSC. */
#include "../../platform/instructions.h"
#include "leaving.h"
#include "machine.h"

#define ATTEMPTS 32u

/* Less is no exit but an emulator, whose cycles are instructions. */
#define CYCLES_LEAST 50u

static void do_nothing(void)
{
}

static void do_cpuid(void)
{
    (void)cpuid(0, 0);
}

static void write_diagnostic(void)
{
    __asm__ volatile("outb %%al, $0x80" ::"a"(0));
}

static void read_rtc(void)
{
    uint8_t value;
    __asm__ volatile("inb $0x71, %0" : "=a"(value));
}

static void read_pci(void)
{
    uint8_t value;
    __asm__ volatile("inb %%dx, %0" : "=a"(value) : "d"(0xcf8));
}

static uint64_t least_of(void (*event)(void))
{
    uint64_t least = UINT64_MAX;
    for (unsigned int n = 0; n < ATTEMPTS; n++) {
        uint64_t start = rdtsc();
        event();
        uint64_t end = rdtsc();
        if (end > start && end - start < least)
            least = end - start;
    }
    return least;
}

static uint64_t cycles_of(void (*event)(void), uint64_t bare)
{
    uint64_t least = least_of(event);
    return least > bare && least != UINT64_MAX ? least - bare : 0;
}

/* Nothing beneath to go to; or an exception is the way there; or cycles of no meaning. */
static bool can_be_told(const struct machine *machine)
{
    return (machine->hypervisor.kind != HYPERVISOR_NONE || machine->hidden[0]) &&
           machine->hypervisor.kind != HYPERVISOR_TCG && !machine->confidential &&
           !machine->refused;
}

void leaving_measure(struct machine *machine)
{
    struct leaving *leaving = &machine->leaving;
    *leaving = (struct leaving){0};
    if (!can_be_told(machine))
        return;
    uint64_t bare = least_of(do_nothing), cycles = cycles_of(do_cpuid, bare);
    leaving->cycles = cycles >= CYCLES_LEAST ? cycles : 0;
    if (!leaving->cycles || machine->system[0])
        return;
    /* A real port that is passed through takes as long as an exit. Xen always passes this one
     * through (hvm_io_bitmap, xen/arch/x86/hvm/hvm.c). */
    bool diagnostic = machine->hypervisor.kind != HYPERVISOR_XEN &&
                      leaving_left(leaving, cycles_of(write_diagnostic, bare));
    leaving_choose_port(leaving, diagnostic, leaving_left(leaving, cycles_of(read_rtc, bare)),
                        leaving_left(leaving, cycles_of(read_pci, bare)));
}
