/* How far data-driven jobs are, and which events of their inputs they have yet to take. */
#include <stdlib.h>

#include "base/str.h"
#include "flow/data_in.h"
#include "flow/key.h"
#include "flow/tick.h"

/* --- how far a job is --- */

int data_mark(struct store *s, struct arena *a, const struct job *j, struct data_mark *out, struct err *e)
{
	struct q *q;
	int r;

	*out = (struct data_mark){0};
	if (!db_has_data(s->db))
		return 0;
	q = db_query(s->db, "select taken, repo, rest, trees, failed is not null from data_job where job = ?");
	q_text(q, 1, overlay_key(s, a, j->name));
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

int data_last_move(struct store *s, int64_t *out, struct err *e)
{
	struct q *q = db_query(s->db, "select coalesce(max(seq), 0) from head_move");
	int r = q_step(q, e);

	if (r == 1)
		*out = q_col_int(q, 0);
	q_done(q);
	return r == 1 ? 0 : -1;
}

static int put_mark(struct store *s, struct arena *a, const struct job *j, int64_t taken, struct err *e)
{
	struct q *q = db_query(s->db,
	                       "insert into data_job(job, repo, taken) values(?1, 0, ?2) on conflict(job) do update"
	                       " set taken = ?2, rest = null, failed = null");

	q_text(q, 1, overlay_key(s, a, j->name));
	q_int(q, 2, taken);
	return q_run(q, e);
}

int data_see(struct flow *f, struct arena *a, const struct job *j, const struct dom *params, struct err *e)
{
	struct store *s = f->store;
	struct unit_key rest;
	struct data_mark m;
	int64_t last;

	if (key_rest(f, a, j, params, &rest, e) || data_mark(s, a, j, &m, e))
		return -1;
	if (m.there && (sha_is_zero(&m.rest) || sha_eq(&m.rest, &rest.key)))
		return 0;
	if (db_begin_durable(s->db, DB_PROCESS, e))
		return -1;
	if (db_make_set(s->db, DB_SET_DATA, e) || (!s->on && tick_see(s, a, j, e)) || data_last_move(s, &last, e) ||
	    put_mark(s, a, j, last, e)) {
		db_rollback(s->db);
		return -1;
	}
	return db_commit(s->db, e);
}

/* --- events --- */

static int by_order(const void *x, const void *y)
{
	const struct data_event *a = x, *b = y;

	return a->order < b->order ? -1 : a->order > b->order;
}

int data_events(struct flow *f, struct arena *a, const struct job *j, struct data_events *l, struct err *e)
{
	struct data_mark m;

	if (f->store->on) /* it takes the heads */
		return 0;
	if (data_mark(f->store, a, j, &m, e))
		return -1;
	for (size_t i = 0; m.there && i < j->n_inputs; i++) {
		struct repo repo;
		int got = input_is_pinned(&j->inputs[i]) ? 0 : repo_find(f->store, a, j->inputs[i].repo, &repo, e);
		struct q *q;
		int r;

		if (got < 0)
			return -1;
		if (!got)
			continue;
		q = db_query(f->store->db,
		             "select m.event, " DATA_ORDER " o from head_move m where m.repo = ?1 and m.branch = ?2"
		             " and m.seq > ?3 and o > ?3");
		q_int(q, 1, repo.id);
		q_text(q, 2, data_input_branch(f->store, &j->inputs[i]));
		q_int(q, 3, m.taken);
		while ((r = q_step(q, e)) == 1) {
			struct data_event ref = {id_of(q_col_text(q, 0)), q_col_int(q, 1)};

			vec_push(a, l, ref);
		}
		q_done(q);
		if (r < 0)
			return -1;
	}
	return 0;
}

static int order_of(struct flow *f, const struct id *id, int64_t *out, struct err *e)
{
	struct q *q = db_query(f->store->db, "select coalesce(min(seq), 0) from head_move where event = ?");
	int r;

	q_cstr(q, 1, id->hex);
	r = q_step(q, e);
	if (r == 1)
		*out = q_col_int(q, 0);
	q_done(q);
	return r == 1 ? 0 : -1;
}

int data_pending(struct flow *f, struct arena *a, const struct job **jobs, size_t n, const struct id *until,
                 struct data_events *out, struct err *e)
{
	struct data_events l = {0};
	int64_t last = DATA_HEADS;
	size_t kept = 0;

	if (until && order_of(f, until, &last, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (data_events(f, a, jobs[i], &l, e))
			return -1;
	if (l.n > 1)
		qsort(l.p, l.n, sizeof(*l.p), by_order);
	for (size_t i = 0; i < l.n; i++)
		if (l.p[i].order <= last && (!kept || l.p[kept - 1].order != l.p[i].order))
			l.p[kept++] = l.p[i];
	l.n = kept;
	*out = l;
	return 0;
}

/* Whether its last run at the event failed: 1 and *why, what that means for who reads `repo`; 0; -1. */
static int failed_at(struct flow *f, struct arena *a, const struct job *by, struct str repo, const struct id *event,
                     const char **why, struct err *e)
{
	struct q *q = db_query(f->store->db,
	                       "select state in ('failed', 'timed-out'), state = 'upstream-failed', reason from run"
	                       " where event = ? and +job = ? order by created desc limit 1"); /* by the event's runs */
	int r;

	q_cstr(q, 1, event->hex);
	q_text(q, 2, by->name);
	r = q_step(q, e);
	if (r == 1 && q_col_int(q, 0))
		*why = arena_printf(a, "%.*s could not be made: job %.*s failed; runs once that succeeds"
		                       " ('leat logs %.*s' tells why it failed)",
		                    STR_ARG(repo), STR_ARG(by->name), STR_ARG(by->name));
	else if (r == 1 && q_col_int(q, 1)) /* what is at the root of it is in its reason */
		*why = arena_cstr(a, q_col_text(q, 2));
	q_done(q);
	return r < 0 ? -1 : *why != NULL;
}

int data_touches(struct flow *f, struct arena *a, const struct job *j, const struct id *event, bool *moved,
                 const char **why, struct err *e)
{
	*moved = false;
	*why = NULL;
	for (size_t i = 0; i < j->n_inputs; i++) {
		const struct job_input *in = &j->inputs[i];
		const struct job *by = graph_producer(f->graph, in->repo);
		struct repo repo;
		int got = input_is_pinned(in) ? 0 : repo_find(f->store, a, in->repo, &repo, e), r = 0;
		struct q *q;

		if (got < 0)
			return -1;
		if (got) {
			q = db_query(f->store->db,
			             /* by the event's few rows, not by all that the branch ever had: hence + */
			             "select 1 from head_move where event = ? and +repo = ? and +branch = ? limit 1");
			q_cstr(q, 1, event->hex);
			q_int(q, 2, repo.id);
			q_text(q, 3, data_input_branch(f->store, in));
			r = q_step(q, e);
			q_done(q);
			if (r < 0)
				return -1;
			*moved |= r;
		}
		/* where some of its days failed, others are there */
		if (!r && !*why && by && by->tree && !job_stays(by) && !input_is_pinned(in) &&
		    str_eq(data_branch(f->store, by), data_input_branch(f->store, in)) &&
		    failed_at(f, a, by, in->repo, event, why, e) < 0)
			return -1;
	}
	return 0;
}

int data_newest(struct flow *f, struct arena *a, const struct job *j, struct id *out, struct err *e)
{
	int64_t best = 0;

	for (size_t i = 0; i < j->n_inputs; i++) {
		struct repo repo;
		int got = input_is_pinned(&j->inputs[i]) ? 0 : repo_find(f->store, a, j->inputs[i].repo, &repo, e);
		struct q *q;

		if (got > 0 && f->store->on) { /* nobody's event: the command's own */
			struct commit head;

			got = branch_head(f->store, repo.id, data_input_branch(f->store, &j->inputs[i]), &head, e);
			best = MAX(best, got);
			if (got >= 0)
				continue;
		}
		if (got < 0)
			return -1;
		if (!got)
			continue;
		q = db_query(f->store->db,
		             "select event, seq from head_move where repo = ? and branch = ?"
		             " order by seq desc limit 1");
		q_int(q, 1, repo.id);
		q_text(q, 2, data_input_branch(f->store, &j->inputs[i]));
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
