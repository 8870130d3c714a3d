/*
 * A process writes to no disk: an operating system has its own data there, and no Block I/O that
 * would bound a write to a partition.
 */
#include "../../efi/platform/scratch.h"
#include <stddef.h>

static struct scratch_activity activity = {.over = true};

const char *scratch_find(const struct scratch_plan *plan)
{
    (void)plan;
    return "a process writes to no disk";
}

const struct scratch_activity *scratch_activity(void)
{
    return &activity;
}

bool scratch_poll(enum scratch_work work)
{
    (void)work;
    return false;
}

bool scratch_rest(void)
{
    return true;
}

bool scratch_stop(void)
{
    return true;
}

bool scratch_next_wrong(struct wrong_block *wrong)
{
    (void)wrong;
    return false;
}

uint64_t scratch_wrong_blocks(void)
{
    return 0;
}

bool scratch_result(uint32_t number, struct scratch_result *result)
{
    (void)number;
    (void)result;
    return false;
}

void scratch_free(void)
{
}
