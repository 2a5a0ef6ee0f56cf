/*
 * Why a run that could go does not: which pool has no place for it, or that there is no slot, and who has had one for
 * the longest time. One line in its row and in that of its request, for whoever asks; it goes as soon as a unit of it
 * starts. Looked at now and then, so that runs which wait for a moment only write nothing.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/xx64.h"
#include "flow/request.h"
#include "flow/run_int.h"
#include "sys/clock.h"

#define LOOK_MS 300 /* it waits for longer than a moment */
#define AGAIN_MS 1000
#define MINUTE_MS 60000
#define RENEW 50

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

/* One look at all runs. */
struct look {
	struct engine *g;
	struct arena *a;
	struct held share, *pools; /* who has the slots, and places of each pool; known once asked for */
	bool share_known, *pool_known;
	size_t renew; /* of runs whose row says something already, and not what it is now: so many more */
	bool writes;
};

/* Who has had a place of the pool for the longest time; NULL: a slot. */
static int look_holder(struct look *l, const struct run_pool *pool, struct held *out, struct err *e)
{
	struct engine *g = l->g;
	long long all = pool ? pool->places : g->slots;
	struct str what = pool ? arena_strf(l->a, "pool %.*s", STR_ARG(pool->name)) : STR("slots");
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
		out->plain = arena_strf(l->a, "waiting: %.*s %lld/%lld held by %.*s%s%.*s", STR_ARG(what), all, all,
		                        STR_ARG(q_col_text(q, 0)), q_col_text(q, 1).n ? " " : "",
		                        STR_ARG(q_col_text(q, 1)));
		out->ms = MAX(clock_now_ms() - q_col_int(q, 2), 0);
		break;
	}
	q_done(q);
	if (!rc)
		out->plain = arena_strf(l->a, "waiting: %.*s %lld/%lld held by other commands", STR_ARG(what), all,
		                        all);
	return rc < 0 ? -1 : 0;
}

static int holder(struct look *l, const struct run_pool *pool, struct held *out, struct err *e)
{
	size_t i = pool ? (size_t)(pool - l->g->pools) : 0;
	struct held *is = pool ? &l->pools[i] : &l->share;
	bool *known = pool ? &l->pool_known[i] : &l->share_known;

	if (!*known && look_holder(l, pool, is, e))
		return -1;
	*known = true;
	*out = *is;
	return 0;
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
	if (!r->waits_for)
		return 0;
	r->waits_for = 0;
	return write_reason(g, r, STR_NULL, e);
}

/* *out: what the run has to wait for now; plain is STR_NULL if it has not. */
static int why_waits(struct look *l, const struct run_job *r, struct held *out, struct err *e)
{
	struct engine *g = l->g;

	*out = (struct held){.plain = STR_NULL};
	if (r->at_work || !r->ready)
		return 0;
	if (r->pool && (r->pool->outside || r->pool->used >= r->pool->places))
		return holder(l, r->pool, out, e);
	return g->share.outside || g->used >= g->slots ? holder(l, NULL, out, e) : 0;
}

/* 1: it is as its row says, or its row was written; 0: the row is as it was, for another look; -1. */
static int look_at(struct look *l, struct run_job *r, struct err *e)
{
	struct engine *g = l->g;
	struct held h;
	struct str why;
	uint64_t is;

	if (why_waits(l, r, &h, e))
		return -1;
	is = h.plain.p ? xx64(h.plain.p, h.plain.n, 0) | 1 : 0;
	if (is == r->waits_for && (!is || h.ms / MINUTE_MS == r->waits_min))
		return 1;
	if (is && r->waits_for && !l->renew)
		return 0;
	l->renew -= is && r->waits_for;
	why = h.ms < 0 || !is ? h.plain
	                      : arena_strf(l->a, "%.*s (%.*s)", STR_ARG(h.plain), STR_ARG(age(l->a, h.ms)));
	if (is && is != r->waits_for && r->next_up)
		run_event(g, RUN_UNIT_WAITS, r->next_up,
		          arena_cstr(l->a, str_sub(why, strlen("waiting: "), SIZE_MAX)), NULL, 0);
	r->waits_for = is;
	r->waits_min = h.ms / MINUTE_MS;
	if (!l->writes && db_begin_durable(g->f->store->db, DB_PROCESS, e))
		return -1;
	l->writes = true;
	return write_reason(g, r, why, e) ? -1 : 1;
}

/*
 * Who holds a slot may be another one at each look, and very many may wait for it: those whose row says nothing yet are
 * all told, of the others RENEW at a time, in turn.
 */
static int look_at_all(struct engine *g, bool *more, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct look l = {.g = g, .a = a, .renew = RENEW};
	size_t from = g->n_jobs ? g->wait_from % g->n_jobs : 0;
	bool full = false;
	int rc = 1;

	l.pools = arena_array(a, struct held, g->n_pools + 1);
	l.pool_known = arena_array(a, bool, g->n_pools + 1);
	memset(l.pool_known, 0, g->n_pools + 1);
	for (size_t i = 0; i < g->n_jobs && rc >= 0; i++) {
		struct run_job *r = &g->jobs[(from + i) % g->n_jobs];

		rc = look_at(&l, r, e);
		if (!rc && !full) {
			full = true;
			g->wait_from = (from + i) % g->n_jobs;
		}
		*more |= r->ready;
	}
	if (rc >= 0)
		return l.writes ? db_commit(g->f->store->db, e) : 0;
	if (db_in_write(g->f->store->db))
		db_rollback(g->f->store->db);
	return -1;
}

static void on_look(struct loop_ev *ev, void *ptr)
{
	struct engine *g = ptr;
	struct err e = ERR_INIT;
	bool more = false;

	if (g->flushing || g->fatal || g->ended) {
		loop_timer_again(ev, LOOK_MS);
		return;
	}
	for (size_t i = 0; i < g->n_jobs; i++) {
		g->jobs[i].at_work = g->jobs[i].ready = false;
		g->jobs[i].next_up = NULL;
	}
	for (size_t i = 0; i < g->units.n; i++) {
		struct run_unit *u = g->units.p[i];

		u->run->at_work |= u->step == STEP_WORK;
		if (u->step != STEP_READY && u->step != STEP_PREPARED)
			continue;
		u->run->ready = true;
		if (!u->run->next_up)
			u->run->next_up = u;
	}
	if (look_at_all(g, &more, &e)) {
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
	if (!g->wait_timer && !g->ended && (g->hot.n || g->cold.n || g->prepared.n || g->passing.n))
		g->wait_timer = loop_timer(g->loop, LOOK_MS, on_look, g);
}
