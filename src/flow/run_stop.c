/*
 * Of one run, or of its units of one ds: what is at work is asked to end, what waits does not begin. A limit of time
 * ends so (run_limit.c), and somebody who asks for it (stop.h).
 */
#include "flow/run_int.h"

#include "base/str.h"
#include "flow/stop.h"

/* Takes the units that are to stop out of a queue. */
static void leave(struct queue *q)
{
	struct queue rest = {0};
	struct run_unit *u;

	while ((u = queue_pop(q)))
		if (!u->stopped)
			queue_push(&rest, u);
	*q = rest;
}

void run_stop(struct run_job *r, struct engine *g, const char *ds, const char *why)
{
	for (size_t i = 0; i < g->units.n; i++) {
		struct run_unit *u = g->units.p[i];

		if (u->run == r && (!ds || !strcmp(ds, u->p->ds.label)) &&
		    (u->step <= STEP_WORK || u->step == STEP_PAUSE))
			u->stopped = true;
	}
	leave(&g->hot);
	leave(&g->cold);
	leave(&g->prepared);
	leave(&g->passing);
	for (size_t i = 0; i < g->units.n; i++) {
		struct run_unit *u = g->units.p[i];

		if (u->run != r || !u->stopped || (u->step > STEP_WORK && u->step != STEP_PAUSE))
			continue;
		u->note = why;
		if (u->step == STEP_WORK && u->task) {
			u->task->t.cancelled = true; /* no errCmd either */
			run_unit_cancel(u, false);
			continue;
		}
		loop_close(u->timer);
		u->timer = NULL;
		run_unit_end(u, STATE_CANCELLED);
	}
	run_wake(g);
}

static struct run_job *job_of(struct engine *g, struct str run)
{
	for (size_t i = 0; i < g->n_jobs; i++)
		if (str_is(run, g->jobs[i].id))
			return &g->jobs[i];
	return NULL;
}

static int look(struct engine *g, struct err *e)
{
	struct q *q;
	int rc;

	if (!db_has_set(g->f->store->db, DB_SET_TIME))
		return 0;
	q = db_query(g->f->store->db, "select run, ds, who from stop");
	while ((rc = q_step(q, e)) == 1) {
		struct run_job *r = job_of(g, q_col_text(q, 0));

		if (r && r->n_left)
			run_stop(r, g, q_col_is_null(q, 1) ? NULL : arena_cstr(g->arena, q_col_text(q, 1)),
			         arena_printf(g->arena, "cancelled by %.*s", STR_ARG(q_col_text(q, 2))));
	}
	q_done(q);
	return rc;
}

static void on_look(struct loop_ev *ev, void *ptr)
{
	struct engine *g = ptr;

	(void)ev;
	run_stop_look(g);
}

void run_stop_look(struct engine *g)
{
	struct err e = ERR_INIT;

	if (g->cancelled || g->ended || g->fatal)
		return;
	if (g->flushing) /* between its rows nothing ends */
		loop_timer(g->loop, RUN_STOP_AGAIN_MS, on_look, g);
	else if (look(g, &e))
		run_fatal(g, &e);
}

int run_stop_forget(struct engine *g, const struct run_job *r, struct err *e)
{
	struct q *q;

	if (!db_has_set(g->f->store->db, DB_SET_TIME))
		return 0;
	q = db_query(g->f->store->db, "delete from stop where run = ?");
	q_cstr(q, 1, r->id);
	return q_run(q, e);
}
