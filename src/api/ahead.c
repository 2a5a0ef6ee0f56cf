#include "api/ahead.h"

#include "base/str.h"
#include "flow/clock.h"
#include "flow/codetext.h"
#include "flow/key.h"
#include "flow/run.h"
#include "flow/schedule.h"

/* What every commit that a plan could see moves. */
static int look(struct db *d, struct store_marks *m, struct err *e)
{
	struct q *q = db_query(d, "select coalesce((select max(seq) from head_move), 0),"
	                          " coalesce((select max(id) from unit), 0),"
	                          " coalesce((select max(seq) from event), 0),"
	                          " coalesce((select max(id) from repo), 0),"
	                          " coalesce((select max(seq) from job_pause), 0),"
	                          " (select value from store where key = 'gc_epoch')");
	int rc = q_step(q, e);

	if (rc == 1)
		*m = (struct store_marks){q_col_int(q, 0), q_col_int(q, 1), q_col_int(q, 2), q_col_int(q, 3),
		                          q_col_int(q, 4), q_col_int(q, 5)};
	q_done(q);
	return rc == 1 ? 0 : -1;
}

/* The slots that are due next, of all jobs, in the order in which the clock makes them. */
static int next_slots(struct api *api, struct asking *q, struct err *e)
{
	const struct jobs *js = api->flow->jobs;
	int64_t now = floor_div(api->flow->now_ms, 1000), first = CLOCK_NEVER;
	struct clock_pause pause;

	for (size_t i = 0; i < js->n; i++) {
		struct schedules all;
		int paused = js->all[i]->schedule ? clock_paused(api->store, api->arena, js->all[i], &pause, e) : 1;

		if (paused < 0 || (!paused && schedules_of(api->arena, js->all[i], &all, e)))
			return -1;
		for (size_t k = 0; !paused && k < all.n; k++) {
			struct schedule_slot t;
			struct ds_range range;

			if (!schedule_next_firing(&all.p[k], now, &t) || t.slot.at > first)
				continue;
			if (t.slot.at < first)
				q->jobs.n = q->ranges.n = 0;
			first = t.slot.at;
			range = (struct ds_range){.from = t.ds, .to = t.ds};
			vec_push(api->arena, &q->jobs, js->all[i]);
			vec_push(api->arena, &q->ranges, range);
		}
	}
	return 0;
}

static int make(struct api *api, struct ahead *x, struct err *e)
{
	x->q = (struct asking){.ask = {.mode = PLAN_EXPLICIT, .pairs = true}, .explicit_ds = true};
	if (next_slots(api, &x->q, e) || !x->q.jobs.n)
		return -1;
	for (size_t i = 0; i < x->q.jobs.n; i++) {
		codetext_load(api->flow, x->q.jobs.p[i]);
		key_warm(api->flow, x->q.jobs.p[i]);
	}
	ask_finish(&x->q);
	x->looked_ms = api->flow->now_ms;
	x->looked = db_others(api->store->db);
	if (look(api->store->db, &x->marks, e) || catalog_new(api->store, api->arena, &x->c, e) ||
	    plan_make(api->flow, x->c, api->arena, &x->q.ask, &x->plan, e))
		return -1;
	return run_try_outputs(api->store, api->arena, x->plan, e);
}

void ahead_make(struct api *api, struct ahead *x)
{
	struct err ignored = ERR_INIT;

	if (db_has_set(api->store->db, DB_SET_TIME) && make(api, x, &ignored))
		x->plan = NULL; /* what is wrong is said when it is asked for */
}

bool ahead_holds(struct api *api, const struct ahead *x, const struct asking *q)
{
	struct err ignored = ERR_INIT;
	struct store_marks now;

	if (!x || !x->plan || q->jobs.n != x->q.jobs.n || q->ask.params || q->ask.again ||
	    look(api->store->db, &now, &ignored))
		return false;
	for (size_t i = 0; i < q->jobs.n; i++)
		if (q->jobs.p[i] != x->q.jobs.p[i] || !ds_eq(&q->ranges.p[i].from, &x->q.ranges.p[i].from))
			return false;
	return !memcmp(&now, &x->marks, sizeof(now));
}
