/*
 * flow/lease.h: who works on which unit (rows of unit_lease), so that one unit is never run twice at once, whoever
 * asks.
 *
 * A holder is a process by boot id, pid and start time: it is alive or it is not, and no heartbeat is needed. All units
 * of a publish group are leased together or not at all, so that two commands cannot wait for each other. A run holds
 * one lease of its own from its first row to its last (ds "@RUN"), by which one sees that it died.
 */
#ifndef LEAT_FLOW_LEASE_H
#define LEAT_FLOW_LEASE_H

#include "base/ds.h"
#include "db/db.h"
#include "repo/store.h"

struct lease {
	struct str job;
	const char *ds;  /* label; "@RUN" for a run itself */
	const char *run;
	int64_t unit;
};

struct lease_holder {
	char run[ID_HEX + 1];
	int64_t unit;
	int64_t pid;
};

/* Of what nobody else can know, such as a run that begins. */
must_check int lease_make(struct db *d, const struct lease *l, struct err *e);
/*
 * Inside a write transaction. 1: all n are ours; 0: a live process holds one of them (*holder, *which), nothing is
 * taken. Leases of the dead are taken over.
 */
must_check int lease_take(struct db *d, const struct lease *l, size_t n, size_t *which, struct lease_holder *holder,
                          struct err *e);
/* Inside a write transaction: gives it back. 1: it was still ours; 0: it was not (taken over); -1. */
must_check int lease_drop(struct db *d, const struct lease *l, struct err *e);
/* A live process that works on a workspace branch: 1 and *holder (its unit is not set), 0, -1. */
must_check int lease_of_branch(struct db *d, struct str branch, struct lease_holder *holder, struct err *e);
/* Is that process alive? By boot id, pid and start time. */
bool lease_alive(struct str boot, int64_t pid, int64_t pid_start);
/* This process's own start time. */
int64_t lease_own_start(void);

#endif
