/*
 * flow/run.h: carries out a plan: slots, attempts, checks, publish groups, leases, recovery. The only writer of the
 * states of runs and units (defs/states.def).
 */
#ifndef LEAT_FLOW_RUN_H
#define LEAT_FLOW_RUN_H

#include "flow/plan.h"

struct datum_part;

enum run_event_kind {
	RUN_UNIT_STARTED,
	RUN_UNIT_DONE,
	RUN_UNIT_KNOWN,
	RUN_UNIT_FAILED,
	RUN_UNIT_RETRY,
	RUN_UNIT_SKIPPED,
	RUN_UNIT_WAITS,
	RUN_PUBLISHED,
	RUN_NOT_PUBLISHED,
	RUN_NOTE
};
struct run_event {
	enum run_event_kind kind;
	const struct job *job;
	const struct ds *ds;
	const char *label;      /* of a unit that comes from the data: its paths; else NULL */
	const char *run_id;
	int64_t unit_id;
	const char *text;       /* reason, error sentence, note */
	const struct err *err;  /* for FAILED */
	int64_t ms;
	size_t done, total, running;
};

struct run_label {
	const char *label;      /* a ds, or "" */
	struct id event;
};

struct run_opts {
	int slots;              /* -j; 0 = setting */
	const char *command;    /* what the user typed, for the rows */
	const char *kind;       /* run, backfill, rerun */
	struct id batch;        /* of the rows and commits; "": a new one */
	bool reverse;           /* the last ds first, where nothing else says the order */
	/* Of a runner: the events of its requests, by label; those of other labels are new ones. NULL: no requests. */
	const struct run_label *labels;
	size_t n_labels;
	bool each_asked;        /* each run has a request; where it is not there, ERR_CODE_MOVED: look again */
	void (*on_event)(void *ptr, const struct run_event *ev);
	void *ptr;
	bool keep_staging;
	bool outputs_tried;     /* run_try_outputs has been asked */
	/* What became of units since then, of runs that this command took over, is their result; 0: nothing was. */
	int64_t since_ms;
	/* When, and by which state of leat.db (db_others), what is to be run was looked up; 0: nobody comes between. */
	int64_t looked_ms, looked;
	/*
	 * Work that nothing waits for: called every few milliseconds while tasks run; with `rest` it is ended, before
	 * datastore/ is changed. 1: there is more; 0; -1. NULL: none.
	 */
	int (*beside)(void *beside_ptr, bool rest, struct err *e);
	void *beside_ptr;
};

struct run_summary {
	struct id batch;
	size_t ran, known, recovered, failed, skipped, not_started, published_groups, held_groups;
	size_t missing;         /* days of a job on data of which an input is not there; not in not_started */
	bool cancelled;
	struct err first;       /* the first failure, for the last line; code NONE if none */
};

/* The numbers of both, and the first failure; `to` keeps its batch. */
void run_summary_add(struct run_summary *to, const struct run_summary *s);

/* Repos that its units will make: a name that may not be is refused. */
must_check int run_try_outputs(struct store *s, struct arena *a, const struct plan *p, struct err *e);
/* Runs to the end; SIGINT and SIGTERM stop children, publish nothing more and say so in the summary. 0 even when units
 * failed: the summary says. -1 only when the machinery itself cannot go on (a full disk under leat.db). */
must_check int run_plan(struct flow *f, struct catalog *c, struct plan *p, const struct plan_ask *ask,
                        const struct run_opts *o, struct run_summary *out, struct err *e);
/*
 * Lays what the units of a run gave (published or not, checks held or not) over the heads in the catalog, to look at
 * it: `leat sql
 * --at RUN`. id: a run's, or a unique prefix of 4 digits and more. 1 done, 0 there is no such run, -1. f may be NULL.
 */
must_check int run_lay(struct store *s, struct flow *f, struct catalog *c, struct str id, struct err *e);
/* Whether tasks of the job get a root of their own: 1, 0, -1 if they must and cannot. */
must_check int run_wants_root(const struct job *j, struct err *e);
/* PATH of tasks where neither a job nor its `environment:` says one: leat.yaml's, else that of `leat init`. */
must_check int run_task_path(struct flow *f, struct arena *a, const char **out, struct err *e);
/*
 * Files of an input in a folder, under their paths in the repo; names: empty ones; copy: none is a link into the store.
 */
must_check int run_lay_part(struct store *s, struct arena *a, const struct datum_part *p, const char *dir, bool names,
                            bool copy, struct err *e);
/*
 * Marks attempts of dead processes as lost, removes their leases and staging folders. Called by commands that write.
 * Runs with a task that lives, or has told how it ended, are left as they are: run_adopt takes them over.
 */
must_check int run_recover(struct store *s, struct err *e);
/*
 * Ends a run whose process has died, and the tasks of it that go on: all is cancelled, for the reason `who`. 1; 0: a
 * process has it; -1.
 */
must_check int run_cancel_orphan(struct store *s, const char *run, const char *who, struct err *e);
/*
 * Takes over the runs of dead processes, and follows their tasks to the end: 1; 0: there was none; -1. Heads may have
 * moved then. Called by commands that run, after run_recover. Adds its numbers to *out.
 */
must_check int run_adopt(struct flow *f, struct catalog *c, const struct run_opts *o, struct run_summary *out,
                         struct err *e);

#endif
