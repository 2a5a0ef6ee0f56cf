/*
 * flow/tries.h: the last tries of units, for a plan that asks for those of thousands. Each asked by itself takes and
 * lets go of the database's locks, which costs more than the row; so after a few of one job those of the partitions
 * that follow are read with it. As things stood when they were read: for one plan, not for the run of it.
 */
#ifndef LEAT_FLOW_TRIES_H
#define LEAT_FLOW_TRIES_H

#include "flow/catalog.h"

struct tries;

struct tries *tries_new(struct store *s, struct arena *a); /* lives in the arena */
/* Of a unit, as catalog_last_try. 1; 0: it is to be asked by itself; -1. */
must_check int tries_find(struct tries *t, struct str job, const char *label, const struct last_try **out,
                          struct err *e);

#endif
