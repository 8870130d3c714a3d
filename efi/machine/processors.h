/* The vCPUs as the firmware numbers them, and how to start one (EFI MP services). */
#ifndef ZMMTEST_MACHINE_PROCESSORS_H
#define ZMMTEST_MACHINE_PROCESSORS_H

#include <efi.h>
#include <stdbool.h>
#include <stdint.h>

struct processors {
    uint32_t count; /* 1 without MP services */
    uint32_t boot;  /* the number of the vCPU that runs the firmware */
    /* Why there is only one, or NULL. */
    const char *no_others;
};

void processors_find(struct processors *processors);

/* NULL if the firmware offers this vCPU for use, or else the reason. */
const char *processors_unusable(uint32_t number);

/*
 * Starts procedure(argument) on another vCPU and returns. *finished is signalled once the procedure
 * has returned there; the caller closes it.
 */
EFI_STATUS processors_start(uint32_t number, void(EFIAPI *procedure)(void *), void *argument,
                            EFI_EVENT *finished);

#endif
