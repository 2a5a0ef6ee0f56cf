/*
 * flow/plan.h: what would run, and why: the one function behind `plan`, `run`, `backfill`, `status` and `why`, so that
 * they cannot differ. Reads state, changes none (SEMANTICS 5).
 */
#ifndef LEAT_FLOW_PLAN_H
#define LEAT_FLOW_PLAN_H

#include "flow/flow.h"

struct data_feed;

/* Why a unit is in a plan, or is not: one table of words (defs/reasons.def). */
enum reason {
#define R(name, word, runs, text) REASON_##name,
#include "defs/reasons.def"
#undef R
};
const char *reason_word(enum reason r);
const char *reason_text(enum reason r);
bool reason_runs(enum reason r);

/* The key of a unit and what it was made of (SEMANTICS 4). */
struct unit_key {
	struct sha key;
	bool memoised;            /* false: volatile, memo: off; then .why_not says why */
	const char *why_not;
	/*
	 * What the row of the unit keeps: {kind, code, files[{path, sha256}], ds, params, settings, output,
	 * inputs[{name,
	 * repo, pin, commit, content, format, tree | parts[{ds, tree}]}]}. NULL where nobody needed it
	 * yet: key_ingredients makes it.
	 */
	const struct dom *ingredients;
};

/* What a unit is in a plan for. */
enum plan_role {
	ROLE_STALE,    /* `leat run`: in the set of what may be stale */
	ROLE_ASKED,    /* its job was asked for */
	ROLE_UPSTREAM, /* -u */
};

struct plan_unit {
	const struct job *job;
	struct ds ds;
	const struct datum *datum;   /* of a data-driven job (data.h), whose ds is NONE; else NULL */
	const char *label;           /* what the unit is called: its paths; NULL: its ds says it */
	enum plan_role role;
	enum reason reason;
	const char *detail;          /* the missing partition, the changed input's name, the old parameter ...; NULL */
	struct unit_key key;         /* valid when !after_upstream and the inputs are there */
	struct unit_input *inputs;
	size_t n_inputs;
	/*
	 * Its result is known and whole in the store: it will be published without running. For CHECK_CHANGED it is
	 * what the
	 * head shows: checks are tried on it.
	 */
	bool known;
	struct entry known_tree;     /* valid if known: the folder ds=D, or the root of a job without partition */
	int64_t known_unit;          /* the unit row that made it */
	/*
	 * An input will be made by another unit of this plan and its content is not known: no key yet. Any unit with
	 * n_upstream is decided again (plan_decide) when those are done; it may turn out not to run.
	 */
	bool after_upstream;
	struct plan_unit **upstream; /* units of this plan that must be done before */
	size_t n_upstream;
	int64_t current_unit;        /* which unit made what is there now; 0 */
	struct sha current_tree;     /* what is there now; zero: nothing */
	bool again;                  /* the memo must not answer (--again, the outside world, memo: off) */
	void *own;                   /* the engine's */
};

enum plan_mode { PLAN_STALE, PLAN_MISSING, PLAN_FAILED, PLAN_ALL, PLAN_EXPLICIT };
/*
 * What is asked. jobs NULL: `leat run`: all that is stale. Jobs without ranges: the set of SEMANTICS 5, where that is
 * not
 * defined the last ended interval. ranges are of each asked job's own kind or of another (then all its partitions
 * inside
 * them); they do not touch jobs without partition.
 */
struct plan_ask {
	const struct job **jobs;     /* NULL: all jobs */
	size_t n_jobs;
	const struct ds_range *ranges; /* of the asked jobs; none: the set of SEMANTICS 5 */
	size_t n_ranges;
	bool pairs;                  /* ranges[i] is of jobs[i] (rerun), instead of every range of every job */
	enum plan_mode mode;         /* run JOB ds: EXPLICIT; leat run: STALE */
	bool upstream;               /* -u */
	bool again;                  /* --again: the memo is ignored */
	const struct dom *params;    /* --param k=v, of the asked jobs; NULL */
	bool each;                   /* .not_run has each unit, also of jobs of which nothing moved (settled.h) */
};

#define PLAN_SKIP "_skip" /* in an output of a job with skips: which jobs are not to run on it, a line each; *: none */
#define PLAN_MAX_UNITS 1000000

struct plan {
	struct plan_unit **units;    /* in an order in which they can run: by place in the graph, then ds */
	size_t n_units;
	struct plan_unit **not_run;  /* looked at, but up to date or not possible, each with its reason */
	size_t n_not_run;
	size_t n_up_to_date;         /* of not_run and of .n_settled */
	size_t n_settled;            /* units of jobs of which nothing moved since nothing was to do: in no list */
	struct data_feed *data;      /* units of data-driven jobs, which come as they can run (data.h); NULL */
	size_t n_missing_input;      /* of not_run: asked for by name or range and not possible: exit status 1 */
};

must_check int plan_make(struct flow *f, struct catalog *c, struct arena *a, const struct plan_ask *ask,
                         struct plan **out,
                         struct err *e);
/*
 * Decides one unit anew against a catalog that now holds its inputs: fills inputs, key, reason, known, after_upstream.
 * Where it turns out not to run, the catalog shows its output as it is again.
 */
must_check int plan_decide(struct flow *f, struct catalog *c, struct arena *a, const struct plan_ask *ask,
                           struct plan_unit *u, struct err *e);
/* One unit as plan_make would see it in a backfill of its ds (mode STALE), outside any plan: for `why` and `status`. */
must_check int plan_look(struct flow *f, struct catalog *c, struct arena *a, const struct job *j, const struct ds *ds,
                         struct plan_unit **out, struct err *e);
/* The latest ds of a job whose own inputs are there: `newest`. 1 found, 0 there is none, -1. */
must_check int plan_newest(struct flow *f, struct catalog *c, struct arena *a, const struct job *j, struct ds *out,
                           struct err *e);
/* Refuses parameters that the job does not have, and says which must be given (a null in job.yaml). */
must_check int plan_check_params(const struct job *j, const struct dom *params, struct err *e);
/* "stale: raw/x ds=2018-01-02 changed": reason with its detail, for people. */
const char *plan_say(struct arena *a, const struct plan_unit *u);

#endif
