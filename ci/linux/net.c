/* A process sends no frames of its own making: the operating system keeps its adapters to itself.
 */
#include "../../efi/platform/net.h"
#include <stddef.h>

static struct net_activity activity = {.over = true};

const char *net_find(void)
{
    return "the operating system keeps it to itself";
}

const struct net_activity *net_activity(void)
{
    return &activity;
}

bool net_poll(void)
{
    return false;
}

void net_stop(void)
{
}

bool net_result(uint32_t number, struct net_result *result)
{
    (void)number;
    (void)result;
    return false;
}

void net_free(void)
{
}
