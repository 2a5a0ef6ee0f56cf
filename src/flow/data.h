/*
 * flow/data.h: jobs whose units come from the data: which events their inputs had, what each of them is to run, and how
 * far they are (tables data_job, datum, datum_file, datum_in).
 *
 * An event is what moved heads under one global id; its order is the first of its head moves. A job takes the events of
 * its inputs in that order, each as one run that ends in one commit of its output under the event's id, in which its
 * other inputs are read as they stood at that event. A job that is new or was changed takes only the heads.
 *
 * A run of a job holds the job's lease from before it looks at how far the job is until the transaction that publishes
 * it and notes the event as taken: so each event is taken once, whoever works beside.
 */
#ifndef LEAT_FLOW_DATA_H
#define LEAT_FLOW_DATA_H

#include "flow/datum.h"
#include "flow/run.h"

#define DATA_LEASE_POLL_MS 50 /* how often to look whether another command is through with the job */

/* A datum that is not as the head of the output has it. */
struct data_item {
	struct sha id;
	const struct datum *datum; /* NULL: it is gone */
	const char *label;         /* its paths, one a line, as INPUT:/PATH */
	int64_t num;               /* its row; 0: it has none */
	struct sha old_tree;       /* of that row */
	struct sha key;
	struct plan_unit *run;     /* its unit, which is to run; NULL: known or gone */
	struct entry tree;         /* what it gave, if that is known */
	int64_t unit;              /* which made that */
};

/* One job at one event. */
struct data_set {
	const struct job *job;
	char run[ID_HEX + 1];      /* the run's id, whose lease is held */
	struct id event, batch;
	bool moved;                /* the event is one of the inputs' (else the command's own) */
	int64_t taken;             /* the order of the event: what the job is at after it */
	struct sha rest;           /* of its keys: all but the content of inputs */
	struct sha *trees;         /* of its inputs, at the event */
	struct unit_input *inputs;
	struct repo repo;          /* its output; id 0: not there yet */
	bool rebuild;              /* the head is not what the rows say: it is made anew from all of them */
	struct data_item *items;
	size_t n_items;
	size_t total;              /* datums that there are */
	const char *unrunnable;    /* why it cannot run; NULL: it can */
	/* what came of it (data_publish.c) */
	size_t n_ran, n_recovered, n_failed;
	struct err refused;        /* why nothing was published though all units are good; code NONE: no */
};

struct data_ask {
	const struct job **jobs;   /* those and the data-driven ones above them; NULL: all */
	size_t n_jobs;
	bool again;                /* all their units, whatever is known */
	const struct dom *params;  /* --param, of the first of jobs; NULL */
	const struct id *id;       /* new and changed jobs run under it; NULL: under an event of this command */
	const struct id *until;    /* events up to this one; NULL: all */
	bool ticks;                /* first makes what the clock brings (flow/tick.h) */
	bool tick_now;             /* ... and the cron inputs of `jobs` tick now */
};

/*
 * Takes all events that are pending, then the heads where a job is new, changed, or failed the last time. Adds to *sum.
 * What the jobs of one event give moves their heads one after the other.
 */
must_check int data_run(struct flow *f, struct catalog *c, struct arena *a, const struct data_ask *ask,
                        const struct run_opts *o, struct run_summary *sum, struct err *e);
/* A job is first seen, or was changed: from now on its inputs' commits are events that it takes one by one. */
must_check int data_see(struct flow *f, struct arena *a, const struct job *j, const struct dom *params, struct err *e);

/*
 * Whether the job cannot run before something is there that its inputs name: 1 and *why, a sentence that begins with
 * what; 0; -1.
 */
must_check int data_waits(struct flow *f, struct arena *a, const struct job *j, const char **why, struct err *e);

/* Whether it has something to do, as a unit that stands for all of its own (for plan and why); changes nothing. */
must_check int data_look(struct flow *f, struct arena *a, const struct job *j, struct plan_unit **out, struct err *e);

/*
 * Commits of a repo that a job has yet to take as events, and the one it stands at: retention lets none of them go
 * (SEMANTICS 5). None where the job is not data-driven or was never seen.
 */
must_check int data_untaken(struct flow *f, struct arena *a, const struct repo *repo, const struct job *j,
                            struct id **out, size_t *n, struct err *e);

/* data_plan.c: what is to be run; fills rebuild, items, total. params: --param, or NULL. */
must_check int data_plan(struct flow *f, struct arena *a, struct data_set *d, const struct dom *params, bool again,
                         struct err *e);

/* data_publish.c: inside the transaction that ends the run */
struct ingest;
/* 1 published (the commit's id is the event's); 0 refused (d->refused says why, nothing was done); -1 */
must_check int data_publish(struct store *s, struct ingest *in, struct data_set *d, struct err *e);
/* It failed: the event is used up. */
must_check int data_failed(struct store *s, const struct data_set *d, struct err *e);

/* The branch of its output that a job writes. */
static inline struct str data_branch(const struct job *j)
{
	return j->output_branch.p ? j->output_branch : STR(BRANCH_DEFAULT);
}

int64_t data_hash(struct str path); /* as in the tables */

#endif
