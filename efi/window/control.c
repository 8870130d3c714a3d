/* Reads and writes control registers, by a table. */
#include "control.h"
#include "../machine/instructions.h"
#include <stddef.h>

static uint64_t read_dr0(void)
{
    uint64_t value;
    __asm__ volatile("mov %%dr0, %0" : "=r"(value));
    return value;
}

static uint64_t read_dr1(void)
{
    uint64_t value;
    __asm__ volatile("mov %%dr1, %0" : "=r"(value));
    return value;
}

static uint64_t read_dr2(void)
{
    uint64_t value;
    __asm__ volatile("mov %%dr2, %0" : "=r"(value));
    return value;
}

static uint64_t read_dr3(void)
{
    uint64_t value;
    __asm__ volatile("mov %%dr3, %0" : "=r"(value));
    return value;
}

static uint64_t read_dr6(void)
{
    uint64_t value;
    __asm__ volatile("mov %%dr6, %0" : "=r"(value));
    return value;
}

static uint64_t read_dr7(void)
{
    uint64_t value;
    __asm__ volatile("mov %%dr7, %0" : "=r"(value));
    return value;
}

static void write_dr0(uint64_t value)
{
    __asm__ volatile("mov %0, %%dr0" ::"r"(value));
}

static void write_dr1(uint64_t value)
{
    __asm__ volatile("mov %0, %%dr1" ::"r"(value));
}

static void write_dr2(uint64_t value)
{
    __asm__ volatile("mov %0, %%dr2" ::"r"(value));
}

static void write_dr3(uint64_t value)
{
    __asm__ volatile("mov %0, %%dr3" ::"r"(value));
}

static uint64_t read_efer(void)
{
    return rdmsr(MSR_EFER);
}

static uint64_t read_fs_base(void)
{
    return rdmsr(MSR_FS_BASE);
}

static uint64_t read_gs_base(void)
{
    return rdmsr(MSR_GS_BASE);
}

static const struct {
    const char *name;
    uint64_t (*read)(void);
    void (*write)(uint64_t value); /* NULL: it keeps the value that it has */
    bool process;                  /* may be read without privileges */
} registers[CONTROL_COUNT] = {
    [CONTROL_XCR0] = {"xcr0", xgetbv0, NULL, true},
    [CONTROL_CR0] = {"cr0", read_cr0, NULL, false},
    [CONTROL_CR4] = {"cr4", read_cr4, NULL, false},
    [CONTROL_EFER] = {"efer", read_efer, NULL, false},
    [CONTROL_FS_BASE] = {"fs_base", read_fs_base, NULL, false},
    [CONTROL_GS_BASE] = {"gs_base", read_gs_base, NULL, false},
    [CONTROL_DR0] = {"dr0", read_dr0, write_dr0, false},
    [CONTROL_DR1] = {"dr1", read_dr1, write_dr1, false},
    [CONTROL_DR2] = {"dr2", read_dr2, write_dr2, false},
    [CONTROL_DR3] = {"dr3", read_dr3, write_dr3, false},
    [CONTROL_DR6] = {"dr6", read_dr6, NULL, false},
    [CONTROL_DR7] = {"dr7", read_dr7, NULL, false},
};

const char *control_name(enum control control)
{
    return registers[control].name;
}

void controls_begin(struct controls *controls, uint64_t pattern, bool privileged)
{
    for (enum control n = 0; n < CONTROL_COUNT; n++) {
        if (!privileged && !registers[n].process)
            continue;
        if (registers[n].write) {
            controls->kept[n] = controls->begun ? controls->kept[n] : registers[n].read();
            registers[n].write(pattern ^ n);
        }
        controls->want[n] = registers[n].read();
    }
    controls->begun = true;
}

uint32_t controls_end(struct controls *controls, bool privileged)
{
    uint32_t changed = 0;
    if (!controls->begun)
        return 0;
    controls->begun = false;
    for (enum control n = 0; n < CONTROL_COUNT; n++) {
        if (!privileged && !registers[n].process)
            continue;
        controls->got[n] = registers[n].read();
        changed |= (uint32_t)(controls->got[n] != controls->want[n]) << n;
        if (registers[n].write)
            registers[n].write(controls->kept[n]);
    }
    return changed;
}
