/*
 * Why a run that could go does not: which pool has no place for it, or that there is no slot, and who has had one for
 * the longest time. One line in its row and in that of its request, for whoever asks; it goes as soon as a unit of it
 * starts. Looked at now and then, so that runs which wait for a moment only write nothing.
 */
#include <stdio.h>

#include "base/str.h"
#include "flow/request.h"
#include "flow/run_int.h"
#include "sys/clock.h"

#define LOOK_MS 300 /* it waits for longer than a moment */
#define AGAIN_MS 1000
#define MINUTE_MS 60000

struct held {
	struct str plain; /* without the time */
	int64_t ms;       /* how long; -1: not known */
};

static struct str age(struct arena *a, int64_t ms)
{
	return ms < MINUTE_MS        ? arena_strf(a, "%lld s", (long long)(ms / 1000))
	       : ms < 60 * MINUTE_MS ? arena_strf(a, "%lld min", (long long)(ms / MINUTE_MS))
	                             : arena_strf(a, "%lld h", (long long)(ms / (60 * MINUTE_MS)));
}

/* Who has had a place of the pool for the longest time; NULL: a slot. */
static int look_holder(struct engine *g, const struct run_pool *pool, struct held *out, struct err *e)
{
	long long all = pool ? pool->places : g->slots;
	struct str what = pool ? arena_strf(g->arena, "pool %.*s", STR_ARG(pool->name)) : STR("slots");
	struct q *q = db_query(g->f->store->db,
	                       "select u.job, u.ds, t.started from unit u join attempt t on t.unit = u.id"
	                       " where u.finished is null and u.state = 'running' and t.finished is null"
	                       " order by t.started, u.id");
	int rc;

	out->ms = -1;
	while ((rc = q_step(q, e)) == 1) {
		const struct job *j = jobs_get(g->f->jobs, q_col_text(q, 0));

		if (pool && (!j || !str_eq(j->pool, pool->name)))
			continue;
		out->plain = arena_strf(g->arena, "waiting: %.*s %lld/%lld held by %.*s%s%.*s", STR_ARG(what), all, all,
		                        STR_ARG(q_col_text(q, 0)), q_col_text(q, 1).n ? " " : "",
		                        STR_ARG(q_col_text(q, 1)));
		out->ms = MAX(clock_now_ms() - q_col_int(q, 2), 0);
		break;
	}
	q_done(q);
	if (!rc)
		out->plain = arena_strf(g->arena, "waiting: %.*s %lld/%lld held by other commands", STR_ARG(what), all,
		                        all);
	return rc < 0 ? -1 : 0;
}

/* Whoever follows the workspace sees it as a step of the run. */
static int write_reason(struct engine *g, const struct run_job *r, struct str why, struct err *e)
{
	struct db *d = g->f->store->db;
	struct q *q = db_query(d, "update run set reason = ? where id = ? and finished is null");

	q_text(q, 1, why);
	q_cstr(q, 2, r->id);
	if (q_run(q, e) || request_says(d, r->id, why, e))
		return -1;
	if (!db_has_set(d, DB_SET_WATCH))
		return 0;
	q = db_query(d, "insert into change(at, kind, id, state) select ?1, 'run', id, state from run where id = ?2");
	q_int(q, 1, clock_now_ms());
	q_cstr(q, 2, r->id);
	return q_run(q, e);
}

int run_wait_over(struct engine *g, struct run_job *r, struct err *e)
{
	if (!r->waits_for.p)
		return 0;
	r->waits_for = STR_NULL;
	return write_reason(g, r, STR_NULL, e);
}

/* *out: what the run has to wait for now; plain is STR_NULL if it has not. */
static int why_waits(struct engine *g, const struct run_job *r, struct held *out, struct err *e)
{
	*out = (struct held){.plain = STR_NULL};
	if (r->at_work || !r->ready)
		return 0;
	if (r->pool && (r->pool->outside || r->pool->used >= r->pool->places))
		return look_holder(g, r->pool, out, e);
	return g->share.outside || g->used >= g->slots ? look_holder(g, NULL, out, e) : 0;
}

static struct run_unit *first_ready(struct engine *g, const struct run_job *r)
{
	for (size_t i = 0; i < g->units.n; i++) {
		struct run_unit *u = g->units.p[i];

		if (u->run == r && (u->step == STEP_READY || u->step == STEP_PREPARED))
			return u;
	}
	return NULL;
}

static int look_at(struct engine *g, struct run_job *r, struct err *e)
{
	struct db *d = g->f->store->db;
	struct held h;
	struct run_unit *u;
	struct str why;

	if (why_waits(g, r, &h, e))
		return -1;
	if (str_eq(h.plain, r->waits_for) && (!h.plain.p || h.ms / MINUTE_MS == r->waits_min))
		return 0;
	why = h.ms < 0 || !h.plain.p ? h.plain
	                             : arena_strf(g->arena, "%.*s (%.*s)", STR_ARG(h.plain),
	                                          STR_ARG(age(g->arena, h.ms)));
	if (why.p && !str_eq(h.plain, r->waits_for) && (u = first_ready(g, r)))
		run_event(g, RUN_UNIT_WAITS, u, arena_cstr(g->arena, str_sub(why, strlen("waiting: "), SIZE_MAX)), NULL,
		          0);
	r->waits_for = h.plain;
	r->waits_min = h.ms / MINUTE_MS;
	if (db_begin_durable(d, DB_PROCESS, e))
		return -1;
	if (write_reason(g, r, why, e)) {
		db_rollback(d);
		return -1;
	}
	return db_commit(d, e);
}

static void on_look(struct loop_ev *ev, void *ptr)
{
	struct engine *g = ptr;
	struct err e = ERR_INIT;
	bool more = false;
	int rc = 0;

	if (g->flushing || g->fatal || g->ended) {
		loop_timer_again(ev, LOOK_MS);
		return;
	}
	for (size_t i = 0; i < g->n_jobs; i++)
		g->jobs[i].at_work = g->jobs[i].ready = false;
	for (size_t i = 0; i < g->units.n; i++) {
		struct run_unit *u = g->units.p[i];

		u->run->at_work |= u->step == STEP_WORK;
		u->run->ready |= u->step == STEP_READY || u->step == STEP_PREPARED;
	}
	for (size_t i = 0; i < g->n_jobs && !rc; i++) {
		rc = look_at(g, &g->jobs[i], &e);
		more |= g->jobs[i].ready;
	}
	if (rc) {
		run_fatal(g, &e);
		return;
	}
	if (more) {
		loop_timer_again(ev, AGAIN_MS);
	} else {
		loop_close(ev);
		g->wait_timer = NULL;
	}
}

void run_wait_look(struct engine *g)
{
	if (!g->wait_timer && !g->ended && (g->hot.n || g->cold.n || g->prepared.n))
		g->wait_timer = loop_timer(g->loop, LOOK_MS, on_look, g);
}
