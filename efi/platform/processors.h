/* The vCPUs as the firmware numbers them, and how to start one. */
#ifndef ZMMTEST_PLATFORM_PROCESSORS_H
#define ZMMTEST_PLATFORM_PROCESSORS_H

#include <stdbool.h>
#include <stdint.h>

struct processors {
    uint32_t count; /* 1 without MP services */
    uint32_t boot;  /* the number of the vCPU that runs the firmware */
    /* Why there is only one, or NULL. */
    const char *no_others;
};

void processors_find(struct processors *processors);

/*
 * False: this one was given to somebody else, and nothing is missing without it (a process need not
 * be given all CPUs). The firmware gives all it has.
 */
bool processors_ours(uint32_t number);

/* NULL if the firmware offers this vCPU for use, or else the reason. */
const char *processors_unusable(uint32_t number);

/* A procedure on another vCPU. It stays where it is until processors_returned(). */
struct processor_call {
    void (*procedure)(void *argument);
    void *argument;
    void *finished; /* what tells that it has returned; NULL: it was not started */
};

/*
 * Starts call->procedure(call->argument) on another vCPU and does not wait. NULL, or the reason why
 * it was not started.
 */
const char *processors_start(uint32_t number, struct processor_call *call);

/* True once the procedure has returned and the vCPU is the firmware's again; or never was ours. */
bool processors_returned(struct processor_call *call);

#endif
