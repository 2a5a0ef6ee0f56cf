/*
 * api/lineage.h: runs as OpenLineage events (https://openlineage.io, RunEvent 2-0-2): START, then COMPLETE, FAIL or ABORT.
 *
 * Nothing is kept for them but which are still to be told (flow/lineage.h): an event is made of the rows of its run.
 * They are told in order, each at least once, by one process at a time, `leat --role lineage`: the daemon starts it
 * when there is something to tell, a command at its end where no daemon is. Only there is libcurl loaded.
 */
#ifndef LEAT_API_LINEAGE_H
#define LEAT_API_LINEAGE_H

#include "api/api.h"
#include "flow/lineage.h"

/* leat --role lineage DIR MS (0: as long as it takes): daemon/lineage_send.c. Exit status 1: not all could be told */
#define LINEAGE_ROLE "lineage"
#define LINEAGE_TROUBLE "lineage.json" /* {"to", "error"}; not there: the last try told all */

/* The event in the arena. 1; 0: there is no such run any more; -1. f: for what the job's file says; may be NULL. */
must_check int lineage_event(struct store *s, struct flow *f, struct arena *a, const struct lineage_row *r,
                             struct dom **out, struct err *e);
/* Why the last try did not tell all; NULL: it did. */
const char *lineage_trouble(struct store *s, struct arena *a);
/* At the end of a command: tells what waits, unless a daemon does. What cannot be told now is said and stays. */
void lineage_after(struct api *api, struct sink *out);
/* For status: events that wait since the receiver does not take them. */
must_check int lineage_attention(struct api *api, struct dom *list, struct err *e);

#endif
