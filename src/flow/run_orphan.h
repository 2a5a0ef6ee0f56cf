/*
 * flow/run_orphan.h: tasks that outlived the process of their run: who they are and what became of them. For the files
 * run*.c. A task is known by the rows of leat.db (its try is open, its run's holder is dead) and by a row of the table
 * of its run (sys/shim.h); one that is only in one of them is none.
 */
#ifndef LEAT_FLOW_RUN_ORPHAN_H
#define LEAT_FLOW_RUN_ORPHAN_H

#include "repo/store.h"
#include "sys/shim.h"

#define ORPHAN_TABLE "tasks" /* its name in staging/run/RUN */
#define ORPHAN_MARKER 128

enum orphan_state {
	ORPHAN_ALIVE,     /* its shim lives and will tell how it ends */
	ORPHAN_ENDED,     /* the table says how */
	ORPHAN_LOST,      /* it was begun, and nobody knows how it ended */
	ORPHAN_NOT_BEGUN, /* it never was */
};

struct orphan {
	uint32_t row;
	struct shim_begun begun;
	struct shim_told told;
	enum orphan_state state;
};

struct orphans {
	struct orphan *p;
	size_t n, n_held; /* n_held: alive or ended: they can be taken over */
	uint32_t n_rows;
	int table;        /* open, or -1; orphan_done closes it */
};

struct dead_run {
	char run[ID_HEX + 1];
	bool same_boot, here; /* here: of the workspace branch that we work on */
};

/* Runs whose holder has died. */
must_check int orphan_runs(struct store *s, struct arena *a, struct dead_run **out, size_t *n, struct err *e);
must_check int orphan_list(struct store *s, struct arena *a, const char *run, struct orphans *out, struct err *e);
void orphan_done(struct orphans *o);
const struct orphan *orphan_of(const struct orphans *o, int64_t unit); /* NULL: none */
void orphan_marker(const char *run, int64_t unit, int64_t n, char out[ORPHAN_MARKER]);
/*
 * Inside a write transaction: closes what of a run cannot be taken over; `keep` NULL: all of it, and the run.
 */
must_check int orphan_close(struct store *s, const char *run, const struct orphans *keep, struct err *e);
/* Ends what such tasks left running. */
must_check int orphan_end_tasks(struct store *s, const char *run, const struct orphans *keep, struct err *e);

#endif
