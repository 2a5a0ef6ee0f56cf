/*
 * flow/data.h: jobs whose units come from the data: which events their inputs had, what each of them is to run, and how
 * far they are (tables data_job, datum, datum_file, datum_in).
 *
 * An event is what moved heads under one global id; its order is the first of its head moves. A job takes the events of
 * its inputs in that order, each as one run that ends in one commit of its output under the event's id, in which its
 * other inputs are read as they stood at that event. A job that is new or was changed takes only the heads.
 *
 * The jobs of one event run side by side where none reads what another gives; where one fails, those that do not read
 * its output go on, and those that do are unrunnable.
 *
 * On a workspace branch there are no events one by one: a job takes the heads that are read there, under the command's
 * own event, and has a state of its own (its name in data_job is overlay_key's, its number in datum data_set.state).
 *
 * A run of a job holds the job's lease from before it looks at how far the job is until the transaction that publishes
 * it and notes the event as taken: so each event is taken once, whoever works beside.
 */
#ifndef LEAT_FLOW_DATA_H
#define LEAT_FLOW_DATA_H

#include "flow/datum.h"
#include "flow/run.h"
#include "repo/overlay.h"

#define DATA_LEASE_POLL_MS 50 /* how often to look whether another command is through with the job */

/*
 * One ds of a job that has partitions beside its globs: what its units read and whether they can. A job without
 * partitions has one day, whose ds is NONE.
 */
struct data_day {
	struct ds ds;
	struct unit_input *inputs; /* per input of the job; of those without glob as units of the calendar read them */
	struct sha *trees;         /* per input, of those with a glob */
	struct str *under;         /* per input: the partition that this tree is, "ds=2018-01-02"; STR_NULL: none */
	struct sha beside;         /* hash of what its units read without glob */
	const char *missing;       /* what is not there, so that it has no units now and keeps what it has; NULL */
	bool asked;                /* of this run; the others keep what they have */
	bool held;                 /* one of its units failed: what its head shows stays */
};

/* A datum that is not as the head of the output has it. */
struct data_item {
	struct data_day *day;      /* NULL: of one that is no more */
	const char *folder;        /* what it wrote lies there: "ds=2018-01-02/"; "": at the root */
	struct sha id;
	bool gone;
	const char *label;         /* its paths, one a line, as INPUT:/PATH */
	int64_t num;               /* its row; 0: it has none */
	struct sha old_tree;       /* of that row */
	struct sha key;
	struct plan_unit *run;     /* its unit, which is to run; NULL: known or gone */
	struct sha tree;           /* what it gave, if that is known */
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
	struct sha *trees;         /* of its inputs, at the event; of a job with partitions then a hash of its days */
	size_t n_trees;
	struct data_day *days;     /* by time */
	size_t n_days;
	bool part;                 /* not all days: how far the job is stays as it was */
	struct unit_input *inputs;
	struct repo repo;          /* its output; id 0: not there yet */
	int64_t state;             /* its number in datum and datum_file (overlay_state_id); 0: none yet */
	bool rebuild;              /* the head is not what the rows say: it is made anew from all of them */
	struct data_item *items;   /* data_set_free */
	size_t n_items;
	struct plan_unit **units;  /* those that are to run */
	size_t n_units;
	size_t total;              /* datums that there are */
	const char *unrunnable;    /* why it cannot run; NULL: it can */
	/* what came of it (data_publish.c) */
	size_t n_ran, n_recovered, n_failed, n_held; /* held: days */
	struct id commit;          /* which shows it */
	struct err refused;        /* why nothing was published though all units are good; code NONE: no */
};

/* What gives an engine sets to run, one after the other as what they read has come to be. */
struct data_feed {
	int (*next)(void *ptr, struct data_set **out, struct err *e); /* 1; 0: none (now); -1 */
	void (*ended)(void *ptr, struct data_set *set);               /* published or not */
	void *ptr;
	bool waits; /* after 0: another command works on a job; ask again after DATA_LEASE_POLL_MS */
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
	enum plan_mode mode;       /* with ranges: which of those days (data_days_only) */
	const struct ds_range *ranges; /* those days of `jobs` alone, at the heads of their inputs; no event is taken */
	size_t n_ranges;
};

/*
 * Takes all events that are pending, then the heads where a job is new, changed, or failed the last time. Adds to *sum.
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

/* Commits and trees of all inputs at an event. 1; 0: something is not there, *why says what; -1. data_bind.c */
must_check int data_bind(struct flow *f, struct arena *a, struct data_set *set, int64_t order, const char **why,
                         struct err *e);
void data_unbind(struct store *s, struct data_set *set);

/*
 * data_days.c: the days of a set whose inputs are bound: those of the partitions that its inputs and its output have
 * (SEMANTICS 5), with the ranges those of the ranges. Fills days, and of trees the last one.
 */
must_check int data_days(struct flow *f, struct arena *a, struct data_set *set, const struct ds_range *ranges,
                         size_t n_ranges, struct err *e);
/*
 * PLAN_MISSING: of its days only those that the output does not have stay asked for; PLAN_FAILED: also those of which a
 * unit failed in the last run that had units of that day. Other modes: all.
 */
must_check int data_days_only(struct flow *f, struct arena *a, struct data_set *set, enum plan_mode mode,
                              struct err *e);
/* The set of a job at commits that the caller holds (no id: nothing is there), with its days; for lists. */
must_check int data_at_heads(struct flow *f, struct arena *a, const struct job *j, const struct commit *heads,
                             struct data_set *out, struct err *e);
/*
 * What a run of these days at the heads would find, with items as data_plan fills them; changes nothing. 1; 0: it
 * cannot run at all, *why says why; -1.
 */
must_check int data_look_days(struct flow *f, struct arena *a, const struct job *j, const struct ds_range *ranges,
                              size_t n_ranges, enum plan_mode mode, struct data_set *out, const char **why,
                              struct err *e);
/* How many units of a day a run would have, and what for; NULL: none. In the arena. */
const char *data_day_says(struct arena *a, const struct data_set *set, const struct data_day *day, size_t *n);
/* The units of all days that have some. on_day, which may be NULL, is told of each day before its units. */
must_check int data_days_each(struct flow *f, struct arena *a, const struct data_set *set,
                              void (*on_day)(void *ptr, struct data_day *day), datum_cb cb, void *ptr, struct err *e);
/* The first line of a unit's label, "ds=2018-01-02", which is cut off; STR(""): it has no ds. */
struct str data_label_day(struct str *label);

/* data_bad.c: a run that gave no commit. */
struct data_bad {
	struct str run, job, state, event, batch;
	struct str why;       /* the error; of one that is unrunnable the sentence that says so */
	int64_t at;
	bool unrunnable;      /* what it reads could not be made */
};
/* Those of an id, a batch, or the beginning of one, the last of each job and event. */
must_check int data_bad_of(struct store *s, struct arena *a, struct str id, struct data_bad **out, size_t *n,
                           struct err *e);
/* The job's last run, if it is one: 1, 0, -1. */
must_check int data_bad_now(struct store *s, struct arena *a, const struct job *j, struct data_bad *out,
                            struct err *e);

/* data_plan.c: what is to be run; fills rebuild, items, total. params: --param, or NULL. */
must_check int data_plan(struct flow *f, struct arena *a, struct data_set *d, const struct dom *params, bool again,
                         struct err *e);

void data_set_free(struct data_set *d); /* its items; all else is the arena's */

/* data_publish.c: inside the transaction that ends the run */
struct ingest;
/* 1 published (the commit's id is the event's); 0 refused (d->refused says why, nothing was done); -1 */
must_check int data_publish(struct store *s, struct ingest *in, struct data_set *d, struct err *e);
/* It failed: the event is used up. */
must_check int data_failed(struct store *s, const struct data_set *d, struct err *e);

/* The order of the event of a row m of head_move. */
#define DATA_ORDER "(select min(x.seq) from head_move x where x.event = m.event)"

static inline struct str data_input_branch(const struct store *s, const struct job_input *in)
{
	return in->branch.p ? in->branch : store_branch(s);
}

/* The branch of its output that a job writes. */
static inline struct str data_branch(const struct store *s, const struct job *j)
{
	return j->output_branch.p ? j->output_branch : store_branch(s);
}

int64_t data_hash(struct str path); /* as in the tables */

#endif
