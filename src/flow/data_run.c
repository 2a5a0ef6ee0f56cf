/*
 * The events of data-driven jobs, one after the other, and what each of them is to do about it.
 *
 * Which events are pending is asked of the rows each time: head moves of a job's inputs beyond what it has taken. So
 * nothing is lost with a process that dies, and who works beside takes none of them twice (the job's lease).
 */
#include "flow/data.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "flow/catalog.h"
#include "flow/key.h"
#include "flow/lease.h"
#include "flow/run_int.h"
#include "flow/tick.h"
#include "sys/clock.h"
#include "sys/fault.h"

struct event_ref {
	struct id id;
	int64_t order; /* the first of its head moves */
};

struct driver {
	struct flow *f;
	struct catalog *c;
	struct arena *a;
	const struct data_ask *ask;
	const struct run_opts *o;
	struct run_summary *sum;
	const struct job **jobs; /* in an order in which they can run */
	size_t n_jobs;
	struct id *tried;        /* per job: the event of its last run in this command */
	struct id own, batch;    /* the command's own event, once it is recorded */
	bool recorded;
};

static struct db *db_of(const struct driver *d)
{
	return d->f->store->db;
}

/* --- which jobs --- */

static void add_job(struct driver *d, const struct job *j)
{
	for (size_t i = 0; i < d->n_jobs; i++)
		if (d->jobs[i] == j)
			return;
	d->jobs[d->n_jobs++] = j;
}

/* Those asked for with all above them: an input as it stood at an event is there only when that has been made. */
static void choose(struct driver *d)
{
	const struct graph *g = d->f->graph;
	bool *wanted = arena_array(d->a, bool, g->n + 1);

	d->jobs = arena_array(d->a, const struct job *, g->n + 1);
	d->tried = arena_array(d->a, struct id, g->n + 1);
	for (size_t i = 0; i < d->ask->n_jobs; i++) {
		size_t n = 0;
		const struct job **up = graph_ancestors(g, d->a, d->ask->jobs[i], &n);

		for (size_t k = 0; k < n; k++)
			wanted[up[k]->index] = true;
		wanted[d->ask->jobs[i]->index] = true;
	}
	for (size_t i = 0; i < g->n; i++)
		if (g->order[i]->tree && !job_stays(g->order[i]) && (!d->ask->jobs || wanted[g->order[i]->index]))
			add_job(d, g->order[i]);
}

static bool is_asked(const struct driver *d, const struct job *j)
{
	if (!d->ask->jobs)
		return true;
	for (size_t i = 0; i < d->ask->n_jobs; i++)
		if (d->ask->jobs[i] == j)
			return true;
	return false;
}

static const struct dom *params_of(const struct driver *d, const struct job *j)
{
	return d->ask->params && is_asked(d, j) ? d->ask->params : NULL;
}

/* --- how far a job is --- */

struct mark {
	bool there;
	int64_t taken, repo;
	struct sha rest;      /* zero: nothing was made yet, or the job was changed */
	struct str trees;
	bool failed;
};

static int look_mark(struct store *s, struct arena *a, const struct job *j, struct mark *out, struct err *e)
{
	struct q *q;
	int r;

	*out = (struct mark){0};
	if (!db_has_data(s->db))
		return 0;
	q = db_query(s->db, "select taken, repo, rest, trees, failed is not null from data_job where job = ?");
	q_text(q, 1, j->name);
	r = q_step(q, e);
	if (r == 1) {
		out->there = true;
		out->taken = q_col_int(q, 0);
		out->repo = q_col_int(q, 1);
		if (q_col_sha(q, 2, &out->rest))
			out->trees = arena_str(a, q_col_blob(q, 3));
		out->failed = q_col_int(q, 4);
	}
	q_done(q);
	return r < 0 ? -1 : 0;
}

static int last_move(struct store *s, int64_t *out, struct err *e)
{
	struct q *q = db_query(s->db, "select coalesce(max(seq), 0) from head_move");
	int r = q_step(q, e);

	if (r == 1)
		*out = q_col_int(q, 0);
	q_done(q);
	return r == 1 ? 0 : -1;
}

static int put_mark(struct store *s, const struct job *j, int64_t taken, struct err *e)
{
	struct q *q = db_query(s->db,
	                       "insert into data_job(job, repo, taken) values(?1, 0, ?2) on conflict(job) do update"
	                       " set taken = ?2, rest = null, failed = null");

	q_text(q, 1, j->name);
	q_int(q, 2, taken);
	return q_run(q, e);
}

int data_see(struct flow *f, struct arena *a, const struct job *j, const struct dom *params, struct err *e)
{
	struct store *s = f->store;
	struct unit_key rest;
	struct mark m;
	int64_t last;

	if (key_rest(f, a, j, params, &rest, e) || look_mark(s, a, j, &m, e))
		return -1;
	if (m.there && (sha_is_zero(&m.rest) || sha_eq(&m.rest, &rest.key)))
		return 0;
	if (db_begin_durable(s->db, DB_PROCESS, e))
		return -1;
	if (db_make_data(s->db, e) || tick_see(s, a, j, e) || last_move(s, &last, e) || put_mark(s, j, last, e)) {
		db_rollback(s->db);
		return -1;
	}
	return db_commit(s->db, e);
}

/* --- events --- */

/* The repo of an input: 1, 0 it is not there (any more), -1. */
static int input_repo(struct driver *d, const struct job_input *in, struct repo *out, struct err *e)
{
	return repo_find(d->f->store, d->a, in->repo, out, e);
}

static int by_order(const void *x, const void *y)
{
	const struct event_ref *a = x, *b = y;

	return a->order < b->order ? -1 : a->order > b->order;
}

struct event_list {
	struct event_ref *p;
	size_t n, cap;
};

static int events_of(struct driver *d, const struct job *j, struct event_list *l, struct err *e)
{
	struct mark m;

	if (look_mark(d->f->store, d->a, j, &m, e))
		return -1;
	for (size_t i = 0; m.there && i < j->n_inputs; i++) {
		struct repo repo;
		int got = input_is_pinned(&j->inputs[i]) ? 0 : input_repo(d, &j->inputs[i], &repo, e), r;
		struct q *q;

		if (got < 0)
			return -1;
		if (!got)
			continue;
		q = db_query(db_of(d),
		             "select m.event, " DATA_ORDER " o from head_move m where m.repo = ?1 and m.branch = ?2"
		             " and m.seq > ?3 and o > ?3");
		q_int(q, 1, repo.id);
		q_text(q, 2, data_input_branch(&j->inputs[i]));
		q_int(q, 3, m.taken);
		while ((r = q_step(q, e)) == 1) {
			struct event_ref ref = {id_of(q_col_text(q, 0)), q_col_int(q, 1)};

			vec_push(d->a, l, ref);
		}
		q_done(q);
		if (r < 0)
			return -1;
	}
	return 0;
}

static int order_of(struct driver *d, const struct id *id, int64_t *out, struct err *e)
{
	struct q *q = db_query(db_of(d), "select coalesce(min(seq), 0) from head_move where event = ?");
	int r;

	q_cstr(q, 1, id->hex);
	r = q_step(q, e);
	if (r == 1)
		*out = q_col_int(q, 0);
	q_done(q);
	return r == 1 ? 0 : -1;
}

/* What is pending, in order, each once. */
static int pending(struct driver *d, struct event_list *out, struct err *e)
{
	struct event_list l = {0};
	int64_t until = INT64_MAX;
	size_t n = 0;

	if (d->ask->until && order_of(d, d->ask->until, &until, e))
		return -1;
	for (size_t i = 0; i < d->n_jobs; i++)
		if (events_of(d, d->jobs[i], &l, e))
			return -1;
	if (l.n > 1)
		qsort(l.p, l.n, sizeof(*l.p), by_order);
	for (size_t i = 0; i < l.n; i++)
		if (l.p[i].order <= until && (!n || l.p[n - 1].order != l.p[i].order))
			l.p[n++] = l.p[i];
	l.n = n;
	*out = l;
	return 0;
}

/* Whether the event moved an input, or was to move it and failed to (*why). */
static int touches(struct driver *d, const struct job *j, const struct id *event, bool *moved, const char **why,
                   struct err *e)
{
	*moved = false;
	*why = NULL;
	for (size_t i = 0; i < j->n_inputs; i++) {
		const struct job *by = graph_producer(d->f->graph, j->inputs[i].repo);
		struct repo repo;
		int got = input_is_pinned(&j->inputs[i]) ? 0 : input_repo(d, &j->inputs[i], &repo, e), r;
		bool here = false;
		struct q *q;

		if (got < 0)
			return -1;
		if (got) {
			q = db_query(db_of(d),
			             "select 1 from head_move where event = ? and repo = ? and branch = ? limit 1");
			q_cstr(q, 1, event->hex);
			q_int(q, 2, repo.id);
			q_text(q, 3, data_input_branch(&j->inputs[i]));
			r = q_step(q, e);
			q_done(q);
			if (r < 0)
				return -1;
			here = r;
			*moved |= r;
		}
		if (!by || !by->tree || input_is_pinned(&j->inputs[i]) ||
		    !str_eq(data_branch(by), data_input_branch(&j->inputs[i])))
			continue;
		q = db_query(db_of(d),
		             "select state in ('failed', 'upstream-failed') from run where event = ? and job = ?"
		             " order by created desc limit 1");
		q_cstr(q, 1, event->hex);
		q_text(q, 2, by->name);
		r = q_step(q, e);
		if (r == 1 && q_col_int(q, 0) && !here) /* some of its days failed, others are there */
			*why = arena_printf(d->a, "%.*s could not be made", STR_ARG(j->inputs[i].repo));
		q_done(q);
		if (r < 0)
			return -1;
	}
	return 0;
}

/* --- the job's lease --- */

static int lease_job(struct driver *d, const struct data_set *set, struct err *e)
{
	struct lease l = {.job = set->job->name, .ds = "", .run = set->run};
	bool said = false;

	for (;;) {
		struct lease_holder holder;
		size_t which;
		int r;

		if (db_begin_durable(db_of(d), DB_PROCESS, e))
			return -1;
		r = lease_take(db_of(d), &l, 1, &which, &holder, e);
		if (r < 0) {
			db_rollback(db_of(d));
			return -1;
		}
		if (db_commit(db_of(d), e))
			return -1;
		if (r)
			return 0;
		if (!said && d->o->on_event) {
			struct run_event ev = {.kind = RUN_UNIT_WAITS, .job = set->job, .run_id = holder.run};

			ev.text = arena_printf(d->a, "another command works on it (run %.12s, pid %lld)", holder.run,
			                       (long long)holder.pid);
			d->o->on_event(d->o->ptr, &ev);
		}
		said = true;
		usleep(DATA_LEASE_POLL_MS * 1000);
	}
}

static int release_job(struct driver *d, const struct data_set *set, struct err *e)
{
	struct lease l = {.job = set->job->name, .ds = "", .run = set->run};

	if (db_begin_durable(db_of(d), DB_PROCESS, e))
		return -1;
	if (lease_drop(db_of(d), &l, e) < 0) {
		db_rollback(db_of(d));
		return -1;
	}
	return db_commit(db_of(d), e);
}

/* --- a run --- */

static int batch_of(struct driver *d, const struct id *event, struct id *out, struct err *e)
{
	struct q *q = db_query(db_of(d), "select batch from event where id = ?");
	int r;

	q_cstr(q, 1, event->hex);
	r = q_step(q, e);
	*out = r == 1 ? id_of(q_col_text(q, 0)) : *event;
	q_done(q);
	return r < 0 ? -1 : 0;
}

/* What is downstream of a failure is not run: it is told so, and the event is used up. */
static int record_unrunnable(struct driver *d, struct data_set *set, struct err *e)
{
	struct run_event ev = {.kind = RUN_UNIT_SKIPPED, .job = set->job, .run_id = set->run};
	struct lease l = {.job = set->job->name, .ds = "", .run = set->run};
	struct q *q;

	if (db_begin(db_of(d), e))
		return -1;
	q = db_query(db_of(d),
	             "insert into run(id, job, batch, kind, state, reason, command, created, started, finished, event)"
	             " values(?, ?, ?, ?, ?, ?, ?, ?8, ?8, ?8, ?9)");
	q_cstr(q, 1, set->run);
	q_text(q, 2, set->job->name);
	q_cstr(q, 3, set->batch.hex);
	q_cstr(q, 4, d->o->kind ? d->o->kind : "run");
	q_cstr(q, 5, state_word(STATE_UPSTREAM_FAILED));
	q_cstr(q, 6, set->unrunnable);
	q_cstr(q, 7, d->o->command);
	q_int(q, 8, clock_now_ms());
	q_cstr(q, 9, set->event.hex);
	if (q_run(q, e) || data_failed(d->f->store, set, e) || lease_drop(db_of(d), &l, e) < 0) {
		db_rollback(db_of(d));
		return -1;
	}
	if (db_commit(db_of(d), e))
		return -1;
	d->sum->not_started++;
	ev.text = arena_printf(d->a, "unrunnable: %s", set->unrunnable);
	if (d->o->on_event)
		d->o->on_event(d->o->ptr, &ev);
	return 0;
}

static int carry_out(struct driver *d, struct data_set *set, struct err *e)
{
	struct plan p = {.data = set};
	struct plan_ask ask = {.params = params_of(d, set->job)};
	struct run_opts o = *d->o;
	struct run_summary sum = {0};
	size_t n = 0;

	p.units = arena_array(d->a, struct plan_unit *, set->n_items);
	for (size_t i = 0; i < set->n_items; i++)
		if (set->items[i].run)
			p.units[n++] = set->items[i].run;
	p.n_units = n;
	o.batch = set->batch;
	if (run_plan(d->f, d->c, &p, &ask, &o, &sum, e))
		return -1;
	/* What was known at no cost is no unit of the plan. */
	sum.known += set->total - MIN(set->total, sum.ran + sum.recovered + sum.failed + sum.skipped +
	                                     sum.not_started);
	run_summary_add(d->sum, &sum);
	return 0;
}

/* Days that were asked for and cannot be made. */
static void tell_missing(struct driver *d, const struct data_set *set)
{
	for (size_t i = 0; set->part && i < set->n_days; i++) {
		const struct data_day *day = &set->days[i];
		struct run_event ev = {.kind = RUN_UNIT_SKIPPED, .job = set->job, .ds = &day->ds, .run_id = set->run,
		                       .text = day->missing};

		if (!day->missing)
			continue;
		d->sum->not_started++;
		if (d->o->on_event)
			d->o->on_event(d->o->ptr, &ev);
	}
}

/* With the lease held; gives it back where the run does not. */
static int run_leased(struct driver *d, struct data_set *set, int64_t order, bool *did, struct err *e)
{
	bool heads = order == INT64_MAX;
	const char *missing = NULL;
	struct repo repo = {0};
	struct mark m;
	int got;

	if (look_mark(d->f->store, d->a, set->job, &m, e))
		return -1;
	if (!heads && m.taken >= order) /* another command took it meanwhile */
		return release_job(d, set, e);
	set->taken = order;
	if (d->ask->n_ranges)
		set->taken = m.taken;
	else if (heads && last_move(d->f->store, &set->taken, e))
		return -1;
	if (set->unrunnable) {
		*did = true;
		return record_unrunnable(d, set, e);
	}
	got = repo_find(d->f->store, d->a, set->job->output, &repo, e);
	if (got < 0)
		return -1;
	if (got)
		set->repo = repo;
	got = data_bind(d->f, d->a, set, order, &missing, e);
	if (got < 0)
		return -1;
	if (!got) /* its first data will be an event */
		return release_job(d, set, e);
	*did = true;
	if (data_days(d->f, d->a, set, d->ask->ranges, d->ask->n_ranges, e))
		return -1;
	tell_missing(d, set);
	if (data_plan(d->f, d->a, set, params_of(d, set->job), d->ask->again && is_asked(d, set->job), e))
		return -1;
	if (set->part && !set->n_items) { /* as it is asked for, it is */
		d->sum->known += set->total;
		return release_job(d, set, e);
	}
	return carry_out(d, set, e);
}

/* One job at one event; order INT64_MAX: at the heads. */
static int run_one(struct driver *d, const struct job *j, const struct id *event, int64_t order,
                   const char *unrunnable, bool *did, struct err *e)
{
	struct data_set *set = arena_new_of(d->a, struct data_set);
	int rc;

	*set = (struct data_set){.job = j, .event = *event, .unrunnable = unrunnable, .refused = ERR_INIT};
	memcpy(set->run, id_new().hex, sizeof(set->run));
	d->tried[j->index] = *event;
	if (batch_of(d, event, &set->batch, e) || lease_job(d, set, e))
		return -1;
	fault_crash("data-leased");
	rc = run_leased(d, set, order, did, e);
	data_unbind(d->f->store, set);
	if (rc) {
		struct err ignored = ERR_INIT;

		if (release_job(d, set, &ignored))
			err_clear(&ignored);
		return err_wrap(e, "%.*s", STR_ARG(j->name));
	}
	return 0;
}

/* --- all of it --- */

static int take_event(struct driver *d, const struct event_ref *ev, bool *did, struct err *e)
{
	for (size_t i = 0; i < d->n_jobs && !d->sum->cancelled; i++) {
		const struct job *j = d->jobs[i];
		const char *why;
		struct mark m;
		bool moved;

		if (look_mark(d->f->store, d->a, j, &m, e) || touches(d, j, &ev->id, &moved, &why, e))
			return -1;
		if (!m.there || m.taken >= ev->order || (!moved && !why))
			continue;
		if (run_one(d, j, &ev->id, ev->order, why, did, e))
			return -1;
	}
	return 0;
}

/* The newest event of its inputs, under which it is tried again: 1, 0 there is none, -1. */
static int newest_event(struct driver *d, const struct job *j, struct id *out, struct err *e)
{
	int64_t best = 0;

	for (size_t i = 0; i < j->n_inputs; i++) {
		struct repo repo;
		int got = input_is_pinned(&j->inputs[i]) ? 0 : input_repo(d, &j->inputs[i], &repo, e);
		struct q *q;

		if (got < 0)
			return -1;
		if (!got)
			continue;
		q = db_query(db_of(d),
		             "select event, seq from head_move where repo = ? and branch = ?"
		             " order by seq desc limit 1");
		q_int(q, 1, repo.id);
		q_text(q, 2, data_input_branch(&j->inputs[i]));
		got = q_step(q, e);
		if (got == 1 && q_col_int(q, 1) > best) {
			best = q_col_int(q, 1);
			*out = id_of(q_col_text(q, 0));
		}
		q_done(q);
		if (got < 0)
			return -1;
	}
	return best > 0;
}

/* Whether none of its inputs ever had a commit: 1, 0, -1. Then there is nothing to run, not even for no units. */
static int is_untouched(struct driver *d, const struct job *j, struct err *e)
{
	struct id ignored;
	int r = input_any_pinned(j) ? 1 : newest_event(d, j, &ignored, e);

	return r < 0 ? -1 : !r;
}

static int record_own(struct driver *d, struct err *e)
{
	struct event ev = {.kind = d->o->kind ? d->o->kind : "run", .label = "", .command = d->o->command};

	if (d->recorded)
		return 0;
	d->recorded = true;
	if (d->ask->id) {
		d->own = *d->ask->id;
		return 0;
	}
	d->own = ev.id = id_new();
	ev.batch = d->sum->batch.hex[0] ? d->sum->batch : id_new();
	d->sum->batch = ev.batch;
	if (db_begin_durable(db_of(d), DB_PROCESS, e))
		return -1;
	if (event_record(d->f->store, &ev, e)) {
		db_rollback(db_of(d));
		return -1;
	}
	return db_commit(db_of(d), e);
}

/* An id names one commit of a repo: 1 it may be used for this output, 0, -1. */
static int id_is_free(struct driver *d, const struct job *j, const struct id *id, struct err *e)
{
	struct repo repo;
	struct commit c;
	int got = repo_find(d->f->store, d->a, j->output, &repo, e);

	if (got > 0)
		got = commit_find(d->f->store, repo.id, str_of(id->hex), &c, e);
	return got < 0 ? -1 : !got;
}

/* Whether it has made something, and the branch that it writes now has no commit: 1, 0, -1. */
static int is_unwritten(struct driver *d, const struct job *j, const struct mark *m, struct err *e)
{
	struct commit head;
	int r;

	if (!m->repo || sha_is_zero(&m->rest))
		return 0;
	r = branch_head(d->f->store, m->repo, data_branch(j), &head, e);
	return r < 0 ? -1 : !r;
}

/* Whether the heads of its inputs are not what its output was made from, or that failed. */
static int is_behind(struct driver *d, const struct job *j, const struct mark *m, bool *out, struct err *e)
{
	struct data_set set = {.job = j};
	const char *missing = NULL;
	int got = data_bind(d->f, d->a, &set, INT64_MAX, &missing, e), untouched = is_untouched(d, j, e),
	    unwritten = is_unwritten(d, j, m, e);

	got = got < 0 || untouched < 0 || unwritten < 0 ? -1 : got && !untouched;
	if (got > 0 && data_days(d->f, d->a, &set, NULL, 0, e))
		got = -1;
	data_unbind(d->f->store, &set);
	if (got < 0)
		return -1;
	*out = got && (m->failed || unwritten || m->trees.n != set.n_trees * SHA_BYTES ||
	               memcmp(m->trees.p, set.trees, m->trees.n) != 0);
	return 0;
}

/* Whether changes stand before it that are not to be taken now: they will be, one by one, each under its own id. */
static int is_owed(struct driver *d, const struct job *j, const struct mark *m, bool *out, struct err *e)
{
	struct event_list l = {0};

	if (!sha_is_zero(&m->rest) && events_of(d, j, &l, e))
		return -1;
	*out = l.n;
	return 0;
}

/* New and changed jobs, and those whose last run failed. */
static int take_heads(struct driver *d, bool *did, struct err *e)
{
	for (size_t i = 0; i < d->n_jobs && !d->sum->cancelled; i++) {
		const struct job *j = d->jobs[i];
		bool behind, owed, again = d->ask->again && is_asked(d, j) && !d->tried[j->index].hex[0], moved, waited;
		struct id id = {0};
		const char *why = NULL;
		struct mark m;
		int free;

		if (look_mark(d->f->store, d->a, j, &m, e) || is_behind(d, j, &m, &behind, e) ||
		    is_owed(d, j, &m, &owed, e))
			return -1;
		if (!again && (!behind || owed || d->tried[j->index].hex[0] || (d->ask->until && m.failed)))
			continue;
		if (newest_event(d, j, &id, e) < 0)
			return -1;
		/* Who waits for a change that a job has never seen waits for the job under that change's id. */
		waited = d->ask->until && !strcmp(id.hex, d->ask->until->hex);
		if (again || (sha_is_zero(&m.rest) && !waited && !m.failed)) {
			if (record_own(d, e))
				return -1;
			id = d->own;
		}
		free = id.hex[0] ? id_is_free(d, j, &id, e) : 0;
		if (free < 0)
			return -1;
		if (!free) {
			if (record_own(d, e))
				return -1;
			id = d->own;
		}
		if (touches(d, j, &id, &moved, &why, e) || run_one(d, j, &id, INT64_MAX, why, did, e))
			return -1;
	}
	return 0;
}

/* The days that were asked for, of the jobs that were, whatever they have yet to take. */
static int take_days(struct driver *d, struct err *e)
{
	for (size_t i = 0; i < d->ask->n_jobs && !d->sum->cancelled; i++) {
		const struct job *j = d->ask->jobs[i];
		const char *why = NULL;
		bool did = false;

		if (data_see(d->f, d->a, j, params_of(d, j), e) || record_own(d, e))
			return -1;
		if (run_one(d, j, &d->own, INT64_MAX, NULL, &did, e))
			return -1;
		if (did)
			continue;
		if (data_waits(d->f, d->a, j, &why, e) < 0)
			return -1;
		return err_set(e, ERR_MISSING_INPUT, "job %.*s cannot run: %s", STR_ARG(j->name),
		               why ? why : "nothing is there");
	}
	return 0;
}

static int make_ticks(struct driver *d, struct err *e)
{
	struct tick_ask t = {.jobs = d->jobs, .n = d->n_jobs, .now_ms = d->f->now_ms, .command = d->o->command};

	if (d->ask->tick_now) {
		t.now = d->ask->jobs;
		t.n_now = d->ask->n_jobs;
	}
	return tick_make(d->f->store, d->a, &t, e);
}

int data_run(struct flow *f, struct catalog *c, struct arena *a, const struct data_ask *ask, const struct run_opts *o,
             struct run_summary *sum, struct err *e)
{
	struct driver d = {.f = f, .c = c, .a = a, .ask = ask, .o = o, .sum = sum};
	bool did = true;

	choose(&d);
	for (size_t i = 0; i < d.n_jobs; i++)
		if (data_see(f, a, d.jobs[i], params_of(&d, d.jobs[i]), e))
			return -1;
	if (ask->n_ranges)
		return take_days(&d, e);
	if (ask->ticks && make_ticks(&d, e))
		return -1;
	while (did && !sum->cancelled) {
		struct event_list l;

		did = false;
		if (pending(&d, &l, e))
			return -1;
		for (size_t i = 0; i < l.n && !sum->cancelled; i++)
			if (take_event(&d, &l.p[i], &did, e))
				return -1;
		if (!did && take_heads(&d, &did, e))
			return -1;
	}
	return 0;
}

int data_waits(struct flow *f, struct arena *a, const struct job *j, const char **why, struct err *e)
{
	struct data_ask ask = {0};
	struct driver d = {.f = f, .a = a, .ask = &ask};
	struct data_set set = {.job = j};
	const char *missing = NULL;
	int got = data_bind(f, a, &set, INT64_MAX, &missing, e);

	data_unbind(f->store, &set);
	if (got > 0) {
		const struct job_input *in = &j->inputs[0];

		got = is_untouched(&d, j, e);
		got = got < 0 ? -1 : !got;
		missing = arena_printf(a, "%.*s has no commit on %.*s yet", STR_ARG(in->repo),
		                       STR_ARG(data_input_branch(in)));
	}
	if (!got)
		*why = missing;
	return got < 0 ? -1 : !got;
}

int data_look(struct flow *f, struct arena *a, const struct job *j, struct plan_unit **out, struct err *e)
{
	struct data_ask ask = {0};
	struct driver d = {.f = f, .a = a, .ask = &ask, .jobs = &j, .n_jobs = 1};
	struct plan_unit *u = arena_new_of(a, struct plan_unit);
	struct event_list l = {0};
	const char *why = NULL;
	struct unit_key rest;
	size_t n, ticks = 0;
	struct mark m;

	*u = (struct plan_unit){.job = j, .ds = {.every = EVERY_NONE}, .role = ROLE_STALE, .reason = REASON_UP_TO_DATE};
	if (key_rest(f, a, j, NULL, &rest, e) || look_mark(f->store, a, j, &m, e) || (m.there && pending(&d, &l, e)) ||
	    (m.there && tick_count(f->store, a, j, f->now_ms, &ticks, e)))
		return -1;
	n = l.n + ticks;
	if (n) {
		u->reason = REASON_INPUT_CHANGED;
		u->detail = arena_printf(a, "%zu change%s to take", n, n == 1 ? "" : "s");
	} else if (m.there && sha_is_zero(&m.rest) && data_waits(f, a, j, &why, e)) {
		u->reason = REASON_INPUT_MISSING; /* a job that nobody has seen yet may have clocks that begin now */
		u->detail = why;
		if (!why)
			return -1;
	} else if (!m.there || (sha_is_zero(&m.rest) && !m.failed)) {
		u->reason = REASON_MISSING;
	} else if (m.failed) {
		u->reason = REASON_FAILED_BEFORE;
	} else if (!sha_eq(&m.rest, &rest.key)) {
		u->reason = REASON_CODE_CHANGED;
	}
	*out = u;
	return 0;
}
