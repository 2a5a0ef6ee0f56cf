/*
 * How long a run may take (jobTimeout): at the end of that its units at work are ended, and those that wait do not
 * begin.
 */
#include "flow/run_int.h"

static const char *sentence(const struct run_job *r, struct arena *a)
{
	return arena_printf(a, "the run took longer than its limit of %lld ms", (long long)r->job->run_timeout_ms);
}

void run_limit_say(const struct run_unit *u, struct err *e)
{
	err_set(e, ERR_TIMEOUT, "%s", sentence(u->run, u->eng->arena));
	err_hint(e, "jobTimeout: in %.*s sets it", STR_ARG(u->p->job->file));
}

/* Takes the units of a run out of a queue. */
static void leave(struct queue *q, const struct run_job *r)
{
	struct queue rest = {0};
	struct run_unit *u;

	while ((u = queue_pop(q)))
		if (u->run != r)
			queue_push(&rest, u);
	*q = rest;
}

static void on_over(struct loop_ev *ev, void *ptr)
{
	struct run_unit *first = ptr;
	struct engine *g = first->eng;
	struct run_job *r = first->run;

	(void)ev;
	r->limit = NULL;
	if (r->n_left == 0 || g->cancelled)
		return;
	r->over = true;
	leave(&g->hot, r);
	leave(&g->cold, r);
	leave(&g->prepared, r);
	for (size_t i = 0; i < g->units.n; i++) {
		struct run_unit *u = g->units.p[i];

		if (u->run != r || (u->step > STEP_WORK && u->step != STEP_PAUSE))
			continue;
		if (u->step == STEP_WORK && u->task) {
			u->task->t.cancelled = true; /* no errCmd either */
			run_unit_cancel(u, false);
			continue;
		}
		loop_close(u->timer);
		u->timer = NULL;
		u->note = sentence(r, g->arena);
		run_unit_end(u, STATE_CANCELLED);
	}
	run_wake(g);
}

void run_limit_begin(struct run_unit *u)
{
	if (!u->run->job->run_timeout_ms || u->run->limited)
		return;
	u->run->limited = true;
	u->run->limit = loop_timer(u->eng->loop, u->run->job->run_timeout_ms, on_over, u);
}

void run_limit_end(struct run_job *r)
{
	loop_close(r->limit);
	r->limit = NULL;
}
