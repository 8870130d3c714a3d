/* The other vCPUs, as the boot vCPU sees them: started, looked after, stopped, given back. */
#ifndef ZMMTEST_CORE_RUN_WATCHING_H
#define ZMMTEST_CORE_RUN_WATCHING_H

#include "run_state.h"

void watching_start(struct run *run);

/* Looks after all vCPUs, takes their findings, and notices a gap in time. True while one has work
 * left. */
bool watching_look(struct run *run);

/* Tells all of them to stop after their round; or to wait between slices. */
void watching_tell_stop(struct run *run);
void watching_pause(struct run *run, bool pause);

/* At the end: those that are silent are errors. */
void watching_tell_lost(struct run *run);

/*
 * Waits until the firmware regards all vCPUs as its own again. False if one is not, so that this
 * program must not be unloaded.
 */
bool watching_give_back(struct run *run);

#endif
