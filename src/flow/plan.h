/*
 * flow/plan.h: what would run, and why: the one function behind `plan`, `run`, `backfill`, `status` and `why`, so that
 * they cannot differ. Reads state, changes none (SEMANTICS 5).
 */
#ifndef LEAT_FLOW_PLAN_H
#define LEAT_FLOW_PLAN_H

#include "flow/flow.h"

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
	const struct dom *ingredients; /* JSON: kind, code, ds, params, env, inputs[{name, repo, commit, parts[{ds, tree}]}] */
};

struct plan_unit {
	const struct job *job;
	struct ds ds;
	enum reason reason;
	const char *detail;          /* the missing partition, the changed input's name, the old parameter … */
	struct unit_key key;         /* valid when !after_upstream */
	struct unit_input *inputs;
	size_t n_inputs;
	bool known;                  /* the memo has its result: it will be published without running */
	bool after_upstream;         /* an input will be made by another unit of this plan: decided again when that is done */
	struct plan_unit **upstream; /* units of this plan that must be done before */
	size_t n_upstream;
	int64_t current_unit;        /* which unit made what is there now; 0 */
};

enum plan_mode { PLAN_STALE, PLAN_MISSING, PLAN_FAILED, PLAN_ALL, PLAN_EXPLICIT };
struct plan_ask {
	const struct job **jobs;     /* NULL: all jobs */
	size_t n_jobs;
	const struct ds_range *ranges; /* of the asked jobs; none: the set of SEMANTICS 5 */
	size_t n_ranges;
	enum plan_mode mode;         /* run JOB ds: EXPLICIT; leat run: STALE */
	bool upstream;               /* -u */
	bool again;                  /* --again: the memo is ignored */
	const struct dom *params;    /* --param k=v; NULL */
};

struct plan {
	struct plan_unit **units;    /* in an order in which they can run */
	size_t n_units;
	struct plan_unit **not_run;  /* asked for, but up to date or not possible, each with its reason */
	size_t n_not_run;
};

must_check int plan_make(struct flow *f, struct catalog *c, struct arena *a, const struct plan_ask *ask, struct plan **out,
                         struct err *e);
/* Decides one unit anew against a catalog that now holds its inputs: fills inputs, key, reason, known. */
must_check int plan_decide(struct flow *f, struct catalog *c, struct arena *a, const struct plan_ask *ask,
                           struct plan_unit *u, struct err *e);

#endif
