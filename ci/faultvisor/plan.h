/* What this run is about: written between runs, read by the exit handlers. */
#ifndef ZMMTEST_FAULTVISOR_PLAN_H
#define ZMMTEST_FAULTVISOR_PLAN_H

#include "../../efi/core/word.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How the posed VMware's RPCI channel behaves. */
enum pose {
    POSE_ANSWERS,
    POSE_REFUSES,     /* "0 " and a reason to each request */
    POSE_SILENT,      /* no step of a message succeeds */
    POSE_ENDLESS,     /* each reply is of 4 GiB, and never ends */
    POSE_ABSENT,      /* nor does the port answer anything else */
    POSE_CHECKPOINTS, /* every now and then a step is interrupted by one */
    POSE_COUNT
};

/* What CPUID says that the processor does not. */
#define CPUID_LIES 8u
struct cpuid_lie {
    uint32_t leaf, subleaf;
    uint32_t reg; /* 0 to 3: EAX, EBX, ECX, EDX */
    uint32_t value;
};

struct planted_fault;

#define HANG_LAST  UINT64_MAX
#define TSC_OF_ALL UINT64_MAX

struct plan {
    const struct planted_fault *fault; /* NULL: none */
    uint64_t kinds;                    /* bit n: strike on exits of kind n */
    uint64_t every, after;
    uint64_t every_ms; /* not by exits: at whatever instruction it is then; 0: by exits */
    uint64_t mean_ms;  /* by the clock, whatever the guest runs then; 0: not so */
    uint64_t migrate;  /* at this CPUID of a window time passes, and the build is another */
    uint64_t migrate_ms;
    uint32_t migrate_xcr0; /* and there is no more in XCR0 then; 0: as before */
    uint64_t tsc_back;     /* at this CPUID of a window the TSC goes back */
    uint64_t tsc_back_ms;
    uint64_t tsc_back_cpu; /* of this vCPU alone; TSC_OF_ALL: of all */
    uint64_t hang;         /* at this CPUID of a window a vCPU stands still; 0: never */
    uint64_t hang_cpu;     /* it is this one; HANG_LAST: the last */
    uint64_t hang_ms;      /* for so long; 0: for good */
    struct cpuid_lie lie[CPUID_LIES];
    uint32_t lies;
    bool through_diagnostic, through_rtc; /* let ports 80h and 71h through to the machine */
    bool x2apic;                          /* turn it on for each vCPU */
    bool no_console;                      /* zmmtest finds no console */
    bool pose_vmware;
    enum pose rpci;
    bool low_bandwidth;    /* VMware offers no other */
    const char *guestinfo; /* guestinfo.zmmtest.options, not terminated; NULL: not set */
    size_t guestinfo_bytes;
    uint64_t image_start, image_end; /* zmmtest in memory */
    uint64_t tsc_khz;
    _Atomic uint64_t tsc_offset; /* what the guest's TSC is ahead */
    _Atomic bool migrated, went_back;
};

extern struct plan plan;

/* The next word of a line. Between double quotes blanks are part of it, as are the quotes. False:
 * there is none. */
bool plan_next_word(const char **at, const char *end, struct word *word);

/* The plan that a line has; *rest is what follows its "--". False: something in it is wrong, and
 * was said. */
bool plan_read(const char *line, const char *end, struct word *rest);

#endif
