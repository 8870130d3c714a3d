/* What happens, as log lines and as text: one function for each kind of event (the names in the log
 * are part of the interface; see README.md, log format). */
#ifndef ZMMTEST_REPORT_EVENTS_H
#define ZMMTEST_REPORT_EVENTS_H

#include "../diagnosis/diagnosis.h"
#include "../machine/machine.h"
#include "../selftest.h"
#include "../verdict.h"
#include "../window/finding.h"
#include "../window/rounds.h"
#include <stdint.h>

struct run_identity {
    const char *version, *commit;
    uint32_t run;
    uint64_t seed;
    uint32_t boot; /* number of the run on the boot volume; 0: it is not counted */
    uint32_t
        without_end; /* of the run before it on the volume, if that came to no end; 0: it did */
};

/*
 * `options` are the words that are in force, and where they came from. Where they do not fit into
 * the log line of the start, that ends with "...", and lines of their own have all of them.
 */
void event_start(const struct run_identity *identity, const char *firmware, const char *options);
void event_machine(const struct machine *machine);

/* XCR0 of one vCPU before and after; for the boot vCPU also the components and their sizes. */
void event_state(const struct machine *machine, uint32_t cpu, const struct xstate_saved *saved);

void event_selftest(const struct selftest *selftest);

/* Something that was not tested. `cpu` is a vCPU number, or CPU_ALL. */
#define CPU_ALL UINT32_MAX
void event_skip(const char *what, uint32_t cpu, const char *reason);

/* Something that broke, and what the operator can do. */
void event_error(const char *reason);

/* Something worth knowing that changes nothing. */
void event_notice(const char *text);

/* Makes what was said so far outlast the machine, and tells what went wrong with that. */
void event_flush(void);

/* A finding with its meaning; a sink that keeps it copies what it needs. */
struct found {
    const struct finding *finding;
    const struct diagnosis *diagnosis;
    const char *exit_name; /* of the finding's row */
    uint64_t number;       /* which finding this is, from 1 */
};

void event_finding(const struct finding *finding, const char *exit_name, uint64_t number);

/*
 * The machine stood still for so long. `now` is what it is after that, `changed` what of it differs
 * from before, in words; NULL: nothing.
 */
void event_gap(uint64_t milliseconds, const struct machine *now, const char *changed);

/* The operator stopped the clock of the run, which had gone so far; and lets it go on. */
void event_pause(uint64_t elapsed_milliseconds);
void event_resume(uint64_t paused_milliseconds);

void event_tick(uint64_t milliseconds, uint64_t rounds, uint64_t findings);

struct exit_result {
    const char *name;
    uint64_t rounds, findings;
    uint64_t cycles_min, cycles_median; /* 0: not timed */
    uint64_t live_cycles, slice_cycles; /* of all vCPUs; live: 0 where it is not measured */
    bool injected;                      /* the row of faults that zmmtest plants itself */
    bool takes_interrupts;
    uint64_t interrupts; /* taken in its rounds, with every register live */
};

/* An exit that came to an end on some vCPUs before the run did. */
void event_exit_over(const struct exit_result *result, uint32_t vcpus, const char *reason);

/* The log lines of all exits come before the table of them. */
void event_exit_log(const struct exit_result *result);
void event_exit_header(void);
void event_exit_row(const struct exit_result *result);

/* What became of a component of XSAVE in the rounds by XSAVE. */
struct component_result {
    uint32_t bit, size;
    uint64_t rounds, findings;
    const char *reason; /* why it was not tested; NULL: it was */
};

void event_component_header(void);
void event_component(const struct component_result *result);

/* What was read of one disk. */
struct disk_result {
    uint32_t number, block_bytes;
    uint64_t blocks;
    const char *by; /* the interface that it was read by */
    bool waiting;   /* the boot vCPU waited for each read, and the others went on */
    bool failed;    /* an error ended it */
    uint64_t reads, bytes, milliseconds;
};

void event_disk(const struct disk_result *result);

struct outcome {
    enum verdict verdict;
    const char *reason; /* of the verdict, in words */
    uint64_t rounds, findings, milliseconds;
    uint64_t planted, injected; /* faults of our own, and findings of them */
    uint32_t vcpus;
    bool control_run; /* no hypervisor seen: nothing beneath to blame */
    enum hypervisor_kind hypervisor;
    bool avx512;                /* it was tested */
    uint64_t live_milliseconds; /* for which all registers were live in holds, of all vCPUs */
    const char *system;         /* the operating system beneath; "": none */
};

void event_done(const struct outcome *outcome);

#endif
