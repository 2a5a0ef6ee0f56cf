/*
 * flow/flow.h: a workspace with its jobs loaded: what planning and running start from.
 */
#ifndef LEAT_FLOW_FLOW_H
#define LEAT_FLOW_FLOW_H

#include "db/duck.h"
#include "flow/graph.h"
#include "flow/plug.h"
#include "repo/store.h"

struct shelf;

struct flow {
	struct arena *arena;
	struct workspace *ws;
	struct store *store;              /* not owned */
	const struct job_kind *const *kinds; /* ended by NULL; from job/kinds.c */
	struct jobs *jobs;
	struct graph *graph;
	struct duck *duck;                /* for parsing what no cache knows; not started until then */
	struct shelf *shelf;              /* where warm workers come from and go (workers.h); NULL: nowhere */
	struct key_cache *keys;           /* what is the same for all units of a job (key.c) */
	struct map code_told;             /* changes of code that were looked into (codetext.c) */
	struct map pyenvs;                /* environments that were asked for, by job (pyenv.c) */
	struct map freezes;               /* packages of interpreters, by their paths (pyfreeze.c) */
	const char *real_dirs[2];         /* .leat and datastore/ without links in the way, once asked for (exec) */
	int64_t now_ms;                   /* one instant for the whole command */
};

/*
 * Loads all jobs (through the job cache) and makes the graph. Broken job files fail it unless `lenient`, then they
 * are in
 * jobs->errors. The store must outlive it.
 */
must_check int flow_open(struct store *s, const struct job_kind *const *kinds, bool lenient,
                         struct flow **out, struct err *e);
/* The same for one of many in a process, with workers of theirs. */
must_check int flow_open_warm(struct store *s, const struct job_kind *const *kinds, bool lenient, struct shelf *shelf,
                              struct flow **out, struct err *e);
/* Those that the daemon took last as they were good (flow/live.h); what is broken in job files does not matter. */
must_check int flow_open_live(struct store *s, const struct job_kind *const *kinds, struct flow **out, struct err *e);
/* Its jobs over another store (of store_open_apart, in the same folder), at this time by the clock. */
void flow_turn(struct flow *f, struct store *s);
void flow_close(struct flow *f); /* NULL is fine */

#endif
