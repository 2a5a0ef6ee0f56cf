/*
 * flow/clock.h: the clock of the daemon: slots that are due become requests (flow/request.h). It starts nothing.
 *
 * Per schedule a row of schedule_state says up to which instant it has been looked at, written in the transaction that
 * makes the requests; a slot is one request for ever (unique by job, schedule, slot). So nothing fires twice: not after
 * a restart, nor when the clock is set back, when what was looked at begins anew at the earlier time.
 *
 * Of several slots that are found due at once all but the newest were missed, and the newest too if it is older than
 * CLOCK_ON_TIME: the machine was off, asleep, or the clock was put forward. `catchup` says which of them are made up
 * for. A schedule that is seen for the first time has missed what lies after its start, if it has one. One that was
 * edited, or is there again after it was not, begins at that moment, and so does a job that is resumed, unless it is
 * asked to catch up.
 */
#ifndef LEAT_FLOW_CLOCK_H
#define LEAT_FLOW_CLOCK_H

#include "flow/flow.h"
#include "flow/request.h"
#include "flow/schedule.h"

#define CLOCK_ON_TIME     60    /* seconds */
#define CLOCK_MAX_ROWS    2000  /* requests of one transaction; the rest comes at once in the next */
#define CLOCK_MAX_COUNTED 20000 /* slots that are gone through one by one; beyond, how many were missed is not told */
#define CLOCK_NEVER       INT64_MAX

struct clock;

struct clock_say {
	void (*note)(void *ptr,
	             const char *text); /* a sentence for the log: slots that were missed, jobs that are new */
	void *ptr;
	/* In the transaction that makes it: a slot that fires; it may say to whom the request is given (r->to). NULL */
	int (*due)(void *ptr, struct request_new *r, struct err *e);
};

struct clock *clock_new(struct store *s, struct clock_say say); /* the store is not owned */
void clock_free(struct clock *c);                               /* NULL is fine */
/*
 * The jobs have been loaded (anew). The flow must live until the next call. One write transaction if a schedule is new,
 * edited or gone.
 */
must_check int clock_load(struct clock *c, struct flow *f, int64_t now_ms, struct err *e);
/*
 * Makes what is due; *next_ms: when to call again (CLOCK_NEVER). Also after the clock was set and when somebody else
 * has written leat.db (paused, resumed): cheap if nothing is due, whatever the number of jobs.
 */
must_check int clock_tick(struct clock *c, int64_t now_ms, int64_t *next_ms, struct err *e);

/* In `due`: whether it holds of the jobs of all slots that are due, what has been made of them included. */
bool clock_due_all(const struct clock *c, bool (*is)(const void *ptr, const struct job *j), const void *ptr);

/* ---- paused jobs ---- */

struct clock_pause {
	int64_t since_ms; /* 0: from the first, as its file says */
	struct str who;
};
/* 1: paused; 0; -1. */
must_check int clock_paused(struct store *s, struct arena *a, const struct job *j, struct clock_pause *out,
                            struct err *e);
/* 1: it is paused now; 0: it was already. */
must_check int clock_pause(struct store *s, const struct job *j, int64_t now_ms, struct err *e);
/* catchup: slots of the meantime are missed ones. 1: it goes on; 0: it was not paused. */
must_check int clock_resume(struct store *s, const struct job *j, bool catchup, int64_t now_ms, struct err *e);

/* ---- what did not fire ---- */

/* Sentences about slots of the job that were missed and not made up for, the newest first, at most n_max. */
must_check int clock_missed(struct store *s, struct arena *a, const struct job *j, size_t n_max, struct str **out,
                            size_t *n, struct err *e);

#endif
