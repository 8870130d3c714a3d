/*
 * Work for the network beneath: frames that are in flight while vCPUs hold their registers. They
 * can disturb nobody: each goes from an adapter to its own address, with an EtherType that is kept
 * for local experiments (IEEE Std 802, 9.2.4). As with disks (disks.h), no window spans a call of
 * the firmware.
 */
#ifndef ZMMTEST_PLATFORM_NET_H
#define ZMMTEST_PLATFORM_NET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Written by the boot vCPU, read by the others. */
struct net_activity {
    _Atomic uint32_t in_flight; /* frames that an adapter has taken and not given back */
    _Atomic bool over;          /* there will be no more */
};

/*
 * Takes the adapters that nobody needs, and tells of each that is left alone. NULL, or the reason
 * why there is none. Nothing is sent before the first poll.
 */
const char *net_find(void);

const struct net_activity *net_activity(void);

/*
 * On the boot vCPU, between slices: takes what has ended, and sends more. True if that took a
 * second or more, as disks_poll().
 */
bool net_poll(void);

/* No more frames: waits a second at the most for those in flight, and puts the adapters in the
 * state that they were found in. */
void net_stop(void);

#define NET_ADDRESS_TEXT 18u

/* Of one adapter. */
struct net_result {
    char address[NET_ADDRESS_TEXT]; /* "52:54:00:12:34:56" */
    uint64_t frames, bytes;         /* that it took */
    uint64_t returned;              /* frames that came back to it from the network */
    uint64_t lost;                  /* frames that it never gave back */
    uint32_t most;                  /* in flight at once */
    bool failed;                    /* it could not send to the end of the run */
};

/* Of adapter `number`, from 0; false: there are no more. */
bool net_result(uint32_t number, struct net_result *result);

/* Gives the adapters back to the firmware's network stack, and the memory. */
void net_free(void);

#endif
