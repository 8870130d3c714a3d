/* How far a run is and what it has counted: for sinks that show that, some times a second. */
#ifndef ZMMTEST_CORE_REPORT_PROGRESS_H
#define ZMMTEST_CORE_REPORT_PROGRESS_H

#include "../window/hits.h"
#include "results.h"

/* The worst last. */
enum vcpu_sign {
    SIGN_NO_PART,
    SIGN_WAITED_FOR, /* has no rounds yet */
    SIGN_ALIVE,
    SIGN_SILENT,  /* has had no rounds of late */
    SIGN_PLANTED, /* has findings, of planted faults alone */
    SIGN_FOUND,
    SIGN_LOST, /* stopped, or does not answer */
};

struct progress {
    const struct run_identity *identity;
    const struct machine *machine;
    uint64_t milliseconds, time_limit; /* of the run; limit 0: none */
    uint64_t passes, passes_limit;     /* of the slowest vCPU; limit 0: none */
    uint64_t rounds, findings, injected;
    uint64_t per_second; /* rounds, of late */
    struct exposure exposure;
    bool reads, writes;                           /* disks or scratch partitions, */
    uint64_t read_per_second, written_per_second; /* bytes, of late; at the end, of all the run */
    const char *options;                          /* in force */
    const char *left_out; /* exits that were asked for and cannot run here, "hpet, vga"; "": none */
    uint32_t gaps;        /* so often the machine stood still, or the like */
    bool paused;
    const struct outcome *outcome; /* NULL: there is none yet */
    const char *error;             /* what broke last, in words; "": nothing did */

    const struct exit_result
        *exit; /* of each; its median is of one vCPU until there is an outcome */
    uint32_t exits;

    uint32_t cpus; /* of the machine; which of them were hit is in the hits */
    /* Of one vCPU; NULL: it has no rounds. `injected`: of planted faults instead. */
    const struct hits *(*hits)(const void *context, uint32_t cpu, bool injected);
    enum vcpu_sign (*sign)(const void *context, uint32_t cpu);
    const void *hits_context; /* of both */
};

#endif
