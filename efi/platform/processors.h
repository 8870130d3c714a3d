/* The vCPUs by number, and how to start one. */
#ifndef ZMMTEST_PLATFORM_PROCESSORS_H
#define ZMMTEST_PLATFORM_PROCESSORS_H

#include <stdbool.h>
#include <stdint.h>

/* Who starts them: the firmware by its MP services, or we do; auto: we, where it knows too few. */
enum processors_by { PROCESSORS_AUTO, PROCESSORS_FIRMWARE, PROCESSORS_OWN };

struct processors {
    uint32_t count; /* 1 where there is no way to start others */
    uint32_t boot;  /* the number of the vCPU that runs the firmware */
    bool own;       /* numbered in the order of ACPI's MADT, and started by us */
    /* What is to be told of how they were found, or why there is only one; or NULL. */
    const char *notice;
};

/* Nothing is started by that. */
void processors_find(struct processors *processors, enum processors_by by);

/* Before the first of the functions below: what they are about. */
void processors_use(const struct processors *processors);

/*
 * False: this one was given to somebody else, and nothing is missing without it (a process need not
 * be given all CPUs). The firmware gives all it has.
 */
bool processors_ours(uint32_t number);

/* NULL if this vCPU can be used, or else the reason. */
const char *processors_unusable(uint32_t number);

/* A procedure on another vCPU. It stays where it is until processors_returned(). */
struct processor_call {
    void (*procedure)(void *argument);
    void *argument;
    void *finished;     /* what tells that it has returned; NULL: it was not started */
    const char *failed; /* why it was not started; NULL: it was, but may not have answered */
    const char
        *remark; /* before the procedure: what is worth knowing of the start; NULL: nothing */
};

/*
 * The next processors_start() starts call->procedure(call->argument) on another vCPU. NULL, or the
 * reason why it cannot.
 */
const char *processors_ask(uint32_t number, struct processor_call *call);

/* Starts all that were asked for, as far as possible at once, and waits for none of them. */
void processors_start(void);

/* True once the procedure has returned and the vCPU has left our code; or never came into it. */
bool processors_returned(struct processor_call *call);

/* At the end: what the firmware has to know of how they are left; NULL: as they were found. */
const char *processors_left(void);

#endif
