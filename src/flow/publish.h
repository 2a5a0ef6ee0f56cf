/*
 * flow/publish.h: how results become durable and visible (DESIGN §2, SEMANTICS 5 and 9).
 *
 * Results of units wait at most RUN_FLUSH_MS for others; then one flush does for all of them: fsync of all new bytes
 * with no transaction held, then one transaction with their rows, the memo, and, for each publish group that is now
 * complete and good, the commits and heads of all its outputs. A group with a failed unit moves nothing. Only then is
 * anything said of them.
 *
 * Exactly once: a group publishes only while every lease of its units is still this run's own; dropping them and moving
 * the heads is one transaction. datastore/ follows later and may be behind after a crash (repo/datastore.h).
 */
#ifndef LEAT_FLOW_PUBLISH_H
#define LEAT_FLOW_PUBLISH_H

#include "flow/run_int.h"

/* Records all results that wait, publishes what is complete. -1: the machinery cannot go on; nothing of it is recorded.
 */
must_check int publish_flush(struct engine *g, struct err *e);
/* Publishes the group of a data-driven run of which no unit is to run. */
must_check int publish_alone(struct engine *g, struct group *gr, struct err *e);
/* Brings datastore/ after the heads: now, or if it has been behind for RUN_SHOW_MS. */
must_check int publish_show(struct engine *g, bool now, struct err *e);

#endif
