/*
 * RPCI: a request to VMware and its reply, by the message channel of the backdoor (open-vm-tools,
 * message.c and rpcout.c). Requests are text: "log TEXT", "info-set KEY VALUE", "info-get KEY".
 * Only for where VMware's backdoor is known to answer. Each step is one backdoor_call(), which says
 * what registers change.
 */
#ifndef ZMMTEST_CORE_MACHINE_RPCI_H
#define ZMMTEST_CORE_MACHINE_RPCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rpci_status {
    RPCI_DONE,      /* with once also where the host has taken it, and its reply was lost */
    RPCI_REFUSED,   /* the host said no; the reply may say why */
    RPCI_NO_ANSWER, /* the channel did not work: reply.failure says where */
};

struct rpci_reply {
    char *text;  /* the caller's: what stands behind the status, terminated, cut where it is full */
    size_t size; /* of that buffer, with the terminator: 1 at least */
    bool once;   /* the caller's: what the host has taken is not sent again (a line of a log) */
    size_t length;       /* of the text before it was cut */
    const char *failure; /* RPCI_NO_ANSWER: in words that follow "VMware" */
};

/* text, size and once of *reply are set. Always comes back, and leaves no channel open. */
enum rpci_status rpci_request(const char *request, struct rpci_reply *reply);

#endif
