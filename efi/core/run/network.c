/* Frames are sent only if the operator asks for them: they are seen by others than the host. */
#include "network.h"
#include "../../platform/net.h"
#include "../report/events.h"
#include "../window/exits.h"

static bool is_wanted(const struct run *run)
{
    bool wanted = false;
    for (uint32_t row = 0; row < exit_count; row++)
        wanted |= exits[row].with_net && run->options->exits >> row & 1;
    return wanted && !run->machine->system[0];
}

const char *network_find(struct run *run)
{
    if (!is_wanted(run))
        return NULL;
    if (!run->options->net)
        return "frames are sent only where net=on asks for them";
    const char *reason = net_find();
    if (reason)
        note_cause(&run->causes, CAUSE_EXIT_CANNOT_RUN);
    else
        run->plan.net = net_activity();
    return reason;
}

bool network_failed(const struct run *run)
{
    struct net_result result;
    bool failed = false;
    for (uint32_t n = 0; run->plan.net && net_result(n, &result); n++)
        failed |= result.failed;
    return failed;
}

void network_tell(const struct run *run)
{
    struct net_result result;
    for (uint32_t n = 0; run->plan.net && net_result(n, &result); n++)
        event_net(n, &result, run->elapsed);
}
