/*
 * faultvisor: a small hypervisor that slides beneath the running firmware, runs zmmtest as its
 * guest and breaks the guest's registers on demand. Test equipment: it makes the bugs of real
 * hypervisors reproducible on any machine that has VMX, or in Bochs.
 */
#ifndef ZMMTEST_FAULTVISOR_FAULTVISOR_H
#define ZMMTEST_FAULTVISOR_FAULTVISOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE              4096u
#define XSAVE_AREA        4096u
#define EPT_GIBIBYTES     16u
#define PENDING_INTERRUPT 8u

/* The columns of the matrix: kinds of exits by the names that zmmtest has for them. */
enum column {
    COLUMN_CPUID,
    COLUMN_HYPERCALL,
    COLUMN_XSETBV,
    COLUMN_OUT80,
    COLUMN_RTC,
    COLUMN_PCI,
    COLUMN_STRING_IO,
    COLUMN_BACKDOOR,
    COLUMN_RDMSR,
    COLUMN_WRMSR,
    COLUMN_APIC,
    COLUMN_WBINVD,
    COLUMN_INVLPG,
    COLUMN_MOV_DR,
    COLUMN_MOV_CR,
    COLUMN_RDTSC,
    COLUMN_PAUSE,
    COLUMN_MWAIT,
    COLUMN_HOLD,
    COLUMN_COPY,
    COLUMN_COLD_PAGE,
    COLUMN_COLD_XSAVE,
    COLUMN_TIMER,
    COLUMN_HLT,
    COLUMN_IPI,
    COLUMN_COUNT,
    COLUMN_NONE,        /* an exit of no interest */
    COLUMN_ASYNCHRONOUS /* one that no instruction asked for: its RIP tells the column */
};

const char *column_name(enum column column);

/* General registers as the exit path stores them, by their number in the instruction set. */
struct guest_registers {
    uint64_t r[16]; /* r[4], RSP, is in the VMCS */
};

struct host_cpu {
    _Alignas(PAGE) uint8_t vmxon_region[PAGE];
    uint8_t vmcs[PAGE];
    uint64_t ept_pml4[512];
    uint64_t ept_pdpt[512];
    uint64_t ept_pd[EPT_GIBIBYTES][512];
    uint8_t stack[4 * PAGE];
    _Alignas(64) uint8_t area[XSAVE_AREA]; /* the guest's state at this strike */
    uint8_t after[XSAVE_AREA];             /* and after it */
    uint8_t earlier[XSAVE_AREA];           /* at an earlier exit, every component live */
    uint8_t scratch[512];                  /* where faulty code saves what it knows of */
    _Alignas(16) uint64_t host_gdt[64];
    uint8_t tss[104];

    uint32_t number;
    struct guest_registers *guest; /* during an exit */
    uint64_t firmware_cr4;
    uint8_t firmware_gdtr[10], firmware_idtr[10];

    uint8_t pending[PENDING_INTERRUPT]; /* acknowledged, not yet delivered */
    uint32_t pending_count;
    uint64_t random;
    bool calm;           /* the preemption timer comes seldom: the firmware runs */
    _Atomic bool forget; /* at the next exit: no page was ever touched */

    bool earlier_valid;
    uint64_t struck_rsp;         /* of the round struck last, while it lasts; 0: none */
    enum column struck_column;   /* in which that was */
    uint64_t seen[COLUMN_COUNT]; /* exits in zmmtest's windows */
    uint64_t strikes[COLUMN_COUNT];
    uint64_t next_strike[COLUMN_COUNT]; /* of seen[] */
    uint64_t next_by_time;              /* TSC */
    uint64_t strikes_by_time;
};

/* How the posed VMware's RPCI channel behaves. */
enum pose {
    POSE_ANSWERS,
    POSE_REFUSES, /* "0 " and a reason to each request */
    POSE_SILENT,  /* no step of a message succeeds */
    POSE_ENDLESS, /* each reply is of 4 GiB, and never ends */
    POSE_ABSENT,  /* nor does the port answer anything else */
    POSE_COUNT
};

/* What this run is about: read by the exit handlers, written between runs. */
struct planted_fault;

struct plan {
    const struct planted_fault *fault; /* NULL: none */
    uint32_t columns;                  /* bit n: strike on column n */
    uint64_t every, after;
    uint64_t every_ms; /* not by exits: at whatever instruction it is then; 0: by exits */
    uint64_t migrate;  /* at this CPUID of a window: five seconds pass, and the build is another */
    uint64_t hang;     /* at this CPUID of a window, the last vCPU never comes back; 0: never */
    bool x2apic;       /* turn it on for each vCPU */
    bool no_console;   /* zmmtest finds no console */
    bool pose_vmware;
    enum pose rpci;
    const char *guestinfo; /* guestinfo.zmmtest.options, not terminated; NULL: not set */
    size_t guestinfo_bytes;
    uint64_t window_start, window_end; /* zmmtest's .window section in memory */
    uint64_t image_start, image_end;   /* all of zmmtest */
    uint64_t tsc_khz;
    _Atomic uint64_t tsc_offset; /* what the guest's TSC is ahead */
    _Atomic bool migrated;
};

extern struct plan plan;
extern struct host_cpu *cpus[64];
extern uint32_t cpu_count;

/* launch.c: on the calling vCPU; false: VMX is missing or refused, *reason says which. */
bool faultvisor_launch(struct host_cpu *cpu, const char **reason);
/* In the guest: leaves VMX on this vCPU, which goes on as it was. */
void faultvisor_leave(void);
/* NULL: this processor has VMX and lets us use it. */
const char *vmx_missing(void);
/* In an exit: VMXOFF, and the vCPU goes on natively behind the call that asked for it. */
void launch_finish_leaving(struct host_cpu *cpu);
void launch_set_primary(struct host_cpu *cpu, uint32_t bit, bool on);

/* exits.c: called by launch.S with interrupts off; true: VMXOFF was done, go on natively. */
bool exits_handle(struct guest_registers *guest, struct host_cpu *cpu);
/* Two pages of I/O bitmap and one of MSR bitmap, 4 KiB aligned. */
const uint8_t *exits_io_bitmaps(void);
const uint8_t *exits_msr_bitmap(void);

/* What a guest asks faultvisor_leave() with. */
#define LEAVE_CALL UINT64_C(0x6661756c746f6666)

/* ept.c */
void ept_prepare(struct host_cpu *cpu);
uint64_t ept_pointer(const struct host_cpu *cpu);
/* False: outside of what the tables can map. */
bool ept_map(struct host_cpu *cpu, uint64_t address);
void ept_unmap(struct host_cpu *cpu, uint64_t address);
/* The next write to it exits, reads do not. */
void ept_protect(struct host_cpu *cpu, uint64_t address);

/* faults.c: an exit of this column has been handled; the guest was at rip when it happened. */
void faults_consider(struct host_cpu *cpu, enum column column, uint64_t rip);
/* At any instruction of zmmtest: strikes if it is time. */
void faults_consider_time(struct host_cpu *cpu, uint64_t rip);
const struct planted_fault *fault_find(const char *name, size_t length);
void faults_reset(void);
/* Log lines: what the fault should be named as, and how often it struck. */
void faults_describe(void);
void faults_report(void);
struct text;
void faults_list(struct text *text);

/* vmware.c: true if this was a call of VMware's backdoor and has been answered. */
bool vmware_backdoor(struct guest_registers *guest);
/* Between runs: no channel is open, and no guest has set anything. */
void vmware_reset(void);

/* say.c: finds COM1. */
void say_start(void);

/* A line on COM1 and on port 0xe9, where emulators print it. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/* Ends everything: says why, and powers the machine off if the firmware still can. */
__attribute__((format(printf, 1, 2), noreturn)) void give_up(const char *format, ...);

#endif
