/*
 * flow/stop.h: ends a run, or its units of one ds, whichever process has it: rows of table stop say what, and a signal
 * tells the process that holds the run's lease to look. It ends what is named and goes on with all else.
 */
#ifndef LEAT_FLOW_STOP_H
#define LEAT_FLOW_STOP_H

#include "repo/store.h"

#define STOP_SIGNAL SIGUSR2

/* Inside a write transaction. ds NULL: the whole run. */
must_check int stop_ask(struct db *d, const char *run, const char *ds, struct str who, struct err *e);
/* After it. 1: the process that has the run was told; 0: none has; -1. */
must_check int stop_tell(struct db *d, const char *run, struct err *e);
/* For the engine. From now on a late signal does no harm to this process; its children do not inherit that. */
void stop_expect(void);

#endif
