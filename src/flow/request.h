/*
 * flow/request.h: work that was asked for and outlives whoever asked: a slot of the clock, data that came, a call of
 * the API, a part of a backfill (rows of table request). The daemon gives requests to runners; a runner is a process
 * that does what `leat run` does.
 *
 *   waiting -> queued -> running -> success | failed | ...      (defs/states.def)
 *
 * waiting: something it reads is not there, or a rule holds it (enum request_rule); the reason says so in one line.
 * queued: it can go. running: a runner has it (boot,
 * pid, pid_start). It ends in the transaction in which its run ends, so that it is never done twice nor forgotten: one
 * whose runner died is queued again, under the same event and batch.
 */
#ifndef LEAT_FLOW_REQUEST_H
#define LEAT_FLOW_REQUEST_H

#include "db/db.h"
#include "repo/store.h"

#define REQUEST_MAX_TRIES 3         /* runners that died on one, before it has failed */
#define REQUEST_NONE      INT64_MIN /* slot: it is of no clock */

/* What asked for it. */
enum request_kind {
	REQUEST_SCHEDULE,
	REQUEST_DATA, /* of all jobs whose units come from data: it has no job of its own */
	REQUEST_BACKFILL,
	REQUEST_API,
	REQUEST_WEBHOOK,
	REQUEST_RERUN,
	REQUEST_KINDS
};
const char *request_kind_word(enum request_kind k);

/* Why one that could go does not (column held). */
enum request_rule {
	RULE_NONE,
	RULE_PAUSED,   /* its job is, and the clock asked for it */
	RULE_APPROVAL, /* a person has to say so */
	RULE_PAST,     /* depends_on_past: the partition before it did not succeed */
	RULE_OVERLAP,  /* another run of its job */
	RULE_BUSY,     /* as many runners as may be */
	RULE_INPUT,    /* what it reads is not there: for a runner to see, which is asked when a head moves */
	REQUEST_RULES
};

/* To a runner that is there already: no request_give, no request_taken. */
struct request_giving {
	struct id batch, event;
	int64_t pid, pid_start;
};

struct request_new {
	enum request_kind kind;
	struct str job;      /* STR_NULL: REQUEST_DATA */
	const char *ds;      /* NULL: none */
	struct str schedule; /* its name, of a job with several; STR_NULL */
	int64_t slot;        /* seconds, UTC; REQUEST_NONE */
	struct str params;   /* JSON; STR_NULL */
	struct str idem, who;
	int64_t priority, backfill, parent;
	int64_t slots;       /* of a backfill: how many units at a time; 0: the setting */
	bool reverse;        /* ... the last ds first */
	bool again;          /* the memo does not answer */
	int64_t due_ms;      /* since when it could go, for `due -> started` */
	const char *skipped; /* why it does not go at all: it is recorded as skipped; NULL */
	const struct request_giving *to; /* it is given to that runner at once; NULL */
};

struct request {
	int64_t id;
	struct str kind, job, ds, params, state, reason, event, batch, run, approved;
	int64_t slot, priority, due_ms, tries, parent, backfill, slots;
	enum request_rule held;
	bool reverse, again;
	struct str boot;
	int64_t pid, pid_start;
};

/*
 * Inside a write transaction. 1: it is there now, queued; 0: it was (that slot, that idem, or of a backfill one for
 * that ds which has not ended); -1. *id either way.
 */
must_check int request_add(struct db *d, const struct request_new *r, int64_t *id, struct err *e);
/* Inside that transaction: it is the first of a backfill, which is called by its id. */
must_check int request_leads(struct db *d, int64_t id, struct err *e);
/*
 * Those in a state that is not final, by priority, then as they came; at most n_max. In the arena. Slots of a paused
 * job (clock.h) are left out: they stay as they are.
 */
must_check int request_list(struct db *d, struct arena *a, const char *state, size_t n_max, struct request **out,
                            size_t *n, struct err *e);
/*
 * Each inside a write transaction of its own. give: to a runner that is to be started, under this batch; requests of
 * one ds that were not started before get one event. taken: by that process.
 */
must_check int request_give(struct db *d, struct request *const *r, size_t n, struct id batch, struct err *e);
must_check int request_taken(struct db *d, struct str batch, int64_t pid, int64_t pid_start, struct err *e);
/* Those that are queued or held by a rule that is looked at anew; as request_list. */
must_check int request_list_open(struct db *d, struct arena *a, size_t n_max, struct request **out, size_t *n,
                                 struct err *e);
/* It cannot go yet. hold: inside a write transaction. */
must_check int request_waits(struct db *d, int64_t id, const char *why, struct err *e);
must_check int request_hold(struct db *d, int64_t id, enum request_rule rule, const char *why, struct err *e);
/*
 * Inside a write transaction: somebody ends it before a runner has it. 1; 0: it has ended, or a runner has it; -1. who
 * says that it may go: 1; 0: it has ended; -1.
 */
must_check int request_cancel(struct db *d, int64_t id, const char *why, struct err *e);
must_check int request_approve(struct db *d, int64_t id, struct str who, struct err *e);
/* It ended without a run of its own: up to date, or refused. */
must_check int request_over(struct db *d, int64_t id, const char *state, const char *why, struct err *e);
/* It is a success that had nothing to do: a run of its own says so. */
must_check int request_known(struct db *d, const struct request *r, const char *why, struct err *e);
/*
 * Lets go of what ended before `before` (ms), as far as the next REQUEST_PRUNE_STEP rows after *from, in a write
 * transaction of its own; *n: how many. 1: there are more to look at, from the new *from; 0: all were; -1. The newest
 * of each job stays, and the last slot of each schedule (a clock that is set back finds what it did), and what one that
 * has not ended belongs to.
 */
#define REQUEST_PRUNE_STEP 2000
must_check int request_prune(struct db *d, int64_t before, int64_t *from, int64_t *n, struct err *e);
/* Now, or when the last request came if that is earlier: a clock that jumps ahead ages nothing. */
must_check int request_age(struct db *d, int64_t *now_ms, struct err *e);
/* Those that wait for what they read are tried again. Those of one job; STR_NULL: of all. */
must_check int request_wake(struct db *d, struct str job, struct err *e);
/* The jobs of a batch of which a request is in that state. */
must_check int request_jobs(struct db *d, struct arena *a, struct str batch, const char *state, struct str **out,
                            size_t *n, struct err *e);
/*
 * Those that no live runner has any more are queued again, or have failed after REQUEST_MAX_TRIES. *n: how many. batch:
 * of that one alone, whose runner has ended; STR_NULL: of all, for who has started none. tried: a runner that had not
 * taken it counts, since it was started.
 */
must_check int request_recover(struct db *d, struct str batch, bool tried, size_t *n, struct err *e);

/* For the engine, inside its transactions: the run of a job of that batch began; ended. A store without requests: fine.
 */
must_check int request_begun(struct db *d, const char *batch, struct str job, const char *run, struct err *e);
must_check int request_says(struct db *d, const char *run, struct str why, struct err *e); /* STR_NULL: it goes on */
must_check int request_ended(struct db *d, const char *run, const char *state, struct str why, struct err *e);

#endif
