/* What happens, as log lines and as text: one function for each kind of event (the names in the log
 * are part of the interface; see efi/README.md, The log). */
#ifndef ZMMTEST_CORE_REPORT_EVENTS_H
#define ZMMTEST_CORE_REPORT_EVENTS_H

#include "../../platform/disks.h"
#include "../../platform/net.h"
#include "../../platform/scratch.h"
#include "../../platform/xstate_on.h"
#include "../machine/machine.h"
#include "../window/finding.h"
#include "results.h"
#include <stdint.h>

/*
 * `options` are the words that are in force, and where they came from. Where they do not fit into
 * the log line of the start, that ends with "...", and lines of their own have all of them.
 */
void event_start(const struct run_identity *identity, const char *firmware, const char *options);
void event_machine(const struct machine *machine);

/*
 * XCR0 of some vCPUs before and after, and its components; all of them as `saved`. `cpus` is a list
 * as cpus_fold() makes it. `again`: the text has just such a line.
 */
void event_state(const struct machine *machine, const char *cpus, const struct xstate_saved *saved,
                 bool again);

void event_selftest(const struct selftest *selftest);

/* Something that was not tested, on these vCPUs; NULL: on none. */
void event_skip(const char *what, const char *cpus, const char *reason);

/* Something that broke, and what the operator can do. */
void event_error(const char *reason);

/* Something worth knowing that changes nothing. */
void event_notice(const char *text);

/* Makes what was said so far outlast the machine, and tells what went wrong with that. */
void event_flush(void);

/* A finding with its meaning; the meaning only once. */
void event_finding(const struct found *found);

/*
 * The machine stood still for so long; or its TSC went back; or only the boot vCPU got no time.
 * `now` is what the machine is after that, `changed` what of it differs from before, in words;
 * NULL: nothing.
 */
enum gap_kind { GAP_STOOD, GAP_BACK, GAP_STARVED };
void event_gap(enum gap_kind kind, uint64_t milliseconds, const struct machine *now,
               const char *changed);

/* The TSCs of some vCPUs went back, by so much at the most. */
void event_gap_of_vcpus(const char *cpus, uint64_t milliseconds);

/* The operator stopped the clock of the run, which had gone so far; and lets it go on. */
void event_pause(uint64_t elapsed_milliseconds);
void event_resume(uint64_t paused_milliseconds);

void event_tick(uint64_t milliseconds, uint64_t rounds, uint64_t findings);

/* An exit that came to an end on some vCPUs before the run did. */
void event_exit_over(const struct exit_result *result, uint32_t vcpus, const char *reason);

/* The log lines of all exits come before the table of them. */
void event_exit_log(const struct exit_result *result);
void event_exit_header(void);
void event_exit_row(const struct exit_result *result);

void event_component_header(void);
void event_component(const struct component_result *result);

/* Which system registers were compared, and which were not. */
void event_system(const struct system_result *result);

/* What was read of one disk, in a run of so many milliseconds. */
void event_disk(uint32_t number, const struct disk_result *result, uint64_t milliseconds);

/* What one network adapter sent. */
void event_net(uint32_t number, const struct net_result *result, uint64_t milliseconds);

/* A block of a scratch partition that came back wrong, as a finding. `told_before`: what it means.
 */
void event_wrong_block(const struct wrong_block *wrong, uint64_t number, uint32_t cpu,
                       const char *exit_name, bool told_before);

/* What was written to a scratch partition, and read back. */
void event_storage(uint32_t number, const struct scratch_result *result, uint64_t milliseconds);

/*
 * Where the findings of some vCPUs that are alike hit; `tested` is what says which registers were
 * compared. The two are the same but for planted faults. It is in the log alone.
 */
struct hits;
void event_hits(const char *cpus, const struct hits *hits, const struct hits *tested);

/* Of a FAIL: how often something was found, where, and the options that show it again. Before the
 * verdict. */
void event_again(const struct outcome *outcome);

void event_done(const struct outcome *outcome);

#endif
