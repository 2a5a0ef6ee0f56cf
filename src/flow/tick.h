/*
 * flow/tick.h: what the clock brings: a commit for each tick of a cron input that is due, and branches that follow
 * others by a clock (repo/trigger.h). Without a daemon `leat run` asks for it.
 *
 * A cron input NAME of a job JOB is the repo JOB_NAME. Each tick is an event, whose label is its time, and a commit of
 * one new file that bears the time as its name (2017-11-27T06:00:00Z); with overwrite it is the only one. The event of
 * the newest tick tells how far the clock was; before the first one it begins at `start`, or when the repo was made,
 * which is when the job was first seen. Inputs that tick at the same time do so in one event.
 */
#ifndef LEAT_FLOW_TICK_H
#define LEAT_FLOW_TICK_H

#include "flow/flow.h"

#define TICK_MAX 100000       /* due in one command; more is an error: a clock that was set wrong */
#define TICK_TRANSACTION 64   /* in one transaction */

/* Inside a write transaction: makes the repos of the job's cron inputs. */
must_check int tick_see(struct store *s, struct arena *a, const struct job *j, struct err *e);
/* Makes what is due. Those of `jobs` that have no cron inputs do not matter. */
struct tick_ask {
	const struct job *const *jobs;
	size_t n;
	const struct job *const *now; /* whose inputs tick now, whatever their clocks say */
	size_t n_now;
	int64_t now_ms;
	const char *command;
};
must_check int tick_make(struct store *s, struct arena *a, const struct tick_ask *ask, struct err *e);
/* How many ticks of a job's cron inputs are due. */
must_check int tick_count(struct store *s, struct arena *a, const struct job *j, int64_t now_ms, size_t *out,
                          struct err *e);
/* The next tick of a cron input after now: true with *out in ms. For who tells what a job waits for. */
must_check int tick_next(struct store *s, struct arena *a, const struct job_input *in, int64_t now_ms, int64_t *out,
                         struct err *e);

#endif
