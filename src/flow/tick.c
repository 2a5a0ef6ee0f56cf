#include "flow/tick.h"

#include <stdlib.h>

#include "base/cron.h"
#include "base/str.h"
#include "repo/datastore.h"
#include "repo/trigger.h"
#include "sys/fault.h"

#define KIND "tick"

struct due {
	int64_t at;                     /* ms */
	const struct job *job;          /* of a cron input, */
	const struct job_input *input;
	const struct trigger_due *move; /* or a branch that goes by a clock */
};

struct due_list {
	struct due *p;
	size_t n, cap;
};

static void file_of(int64_t at, char out[TIME_TEXT])
{
	time_rfc3339(at, out);
	memcpy(out + 19, "Z", 2); /* without the milliseconds */
}

int tick_see(struct store *s, struct arena *a, const struct job *j, struct err *e)
{
	for (size_t i = 0; i < j->n_inputs; i++) {
		struct repo r;

		if (j->inputs[i].cron.p && repo_ensure(s, a, j->inputs[i].repo, REPO_SOURCE, STR_NULL, &r, e))
			return -1;
	}
	return 0;
}

/* --- how far a clock is --- */

/* Its newest tick, in ms: 1; 0: it has none; -1. */
static int last_tick(struct store *s, const struct repo *repo, int64_t *out, struct err *e)
{
	struct q *q = db_query(s->db, "select e.label from head_move m join event e on e.id = m.event"
	                              " where m.repo = ? and e.kind = '" KIND "' order by m.seq desc limit 1");
	int r;

	q_int(q, 1, repo->id);
	r = q_step(q, e);
	if (r == 1)
		r = time_parse_rfc3339(q_col_text(q, 0), out);
	q_done(q);
	return r;
}

static int made_at(struct store *s, const struct repo *repo, int64_t *out, struct err *e)
{
	struct q *q = db_query(s->db, "select created from repo where id = ?");
	int r;

	q_int(q, 1, repo->id);
	r = q_step(q, e);
	if (r == 1)
		*out = q_col_int(q, 0);
	q_done(q);
	return r;
}

/* When it began, or ticked last, in ms: 1; 0: nobody has seen it yet; -1. */
static int clock_at(struct store *s, struct arena *a, const struct job_input *in, int64_t *out, struct err *e)
{
	int64_t start = INT64_MIN, last = INT64_MIN;
	struct repo repo;
	int r = repo_find(s, a, in->repo, &repo, e);

	if (r <= 0)
		return r;
	if (last_tick(s, &repo, &last, e) < 0 ||
	    (!(in->cron_start.p && time_parse_rfc3339(in->cron_start, &start)) && made_at(s, &repo, &start, e) < 0))
		return -1;
	*out = MAX(start, last);
	return 1;
}

int tick_next(struct store *s, struct arena *a, const struct job_input *in, int64_t now_ms, int64_t *out, struct err *e)
{
	struct cron c;
	int64_t at = now_ms, sec;
	int r = cron_parse(in->cron, &c, e) ? -1 : clock_at(s, a, in, &at, e);

	if (r < 0 || !cron_next(&c, floor_div(r ? at : now_ms, 1000), &sec))
		return r < 0 ? -1 : 0;
	*out = sec * 1000;
	return 1;
}

/* --- what is due --- */

static int add_ticks(struct store *s, struct arena *a, const struct job *j, const struct job_input *in, int64_t now_ms,
                     struct due_list *l, struct err *e)
{
	int64_t at, sec, now = floor_div(now_ms, 1000);
	struct cron c;
	int r = cron_parse(in->cron, &c, e) ? -1 : clock_at(s, a, in, &at, e);

	if (r <= 0)
		return r;
	sec = floor_div(at, 1000);
	for (size_t n = 0; cron_next(&c, sec, &sec) && sec <= now; n++) {
		struct due d = {.at = sec * 1000, .job = j, .input = in};

		if (n == TICK_MAX) {
			char since[TIME_TEXT];

			file_of(at, since);
			err_set(e, ERR_LIMIT, "more than %d ticks of %.*s are due since %s", TICK_MAX,
			        STR_ARG(in->folder), since);
			err_hint(e, "give it a later start:, or let it tick less often");
			return job_at(e, j, in->line, in->col);
		}
		vec_push(a, l, d);
	}
	return 0;
}

int tick_count(struct store *s, struct arena *a, const struct job *j, int64_t now_ms, size_t *out, struct err *e)
{
	struct due_list l = {0};

	for (size_t i = 0; i < j->n_inputs; i++)
		if (j->inputs[i].cron.p && add_ticks(s, a, j, &j->inputs[i], now_ms, &l, e))
			return -1;
	*out = l.n;
	return 0;
}

static int by_time(const void *x, const void *y)
{
	const struct due *a = x, *b = y;

	return a->at != b->at ? (a->at < b->at ? -1 : 1) : (a->move != NULL) - (b->move != NULL);
}

static int all_due(struct store *s, struct arena *a, const struct tick_ask *ask, struct due_list *l, struct err *e)
{
	struct trigger_due *moves;
	size_t n_moves;

	for (size_t i = 0; i < ask->n; i++)
		for (size_t k = 0; k < ask->jobs[i]->n_inputs; k++)
			if (ask->jobs[i]->inputs[k].cron.p &&
			    add_ticks(s, a, ask->jobs[i], &ask->jobs[i]->inputs[k], ask->now_ms, l, e))
				return -1;
	for (size_t i = 0; i < ask->n_now; i++)
		for (size_t k = 0; k < ask->now[i]->n_inputs; k++) {
			struct due d = {.at = floor_div(ask->now_ms, 1000) * 1000, .job = ask->now[i],
			                .input = &ask->now[i]->inputs[k]};

			if (d.input->cron.p)
				vec_push(a, l, d);
		}
	if (trigger_due(s, a, ask->now_ms, &moves, &n_moves, e))
		return -1;
	for (size_t i = 0; i < n_moves; i++) {
		struct due d = {.at = moves[i].at, .move = &moves[i]};

		vec_push(a, l, d);
	}
	if (l->n > 1)
		qsort(l->p, l->n, sizeof(*l->p), by_time);
	return 0;
}

/* --- making it --- */

struct making {
	struct store *s;
	struct arena *a;
	struct ingest *in;
	struct entry empty;
	struct id batch;
	const char *command;
};

static int one_tick(struct making *m, const struct due *d, const char *file, struct id event, struct err *e)
{
	struct tree_edit edit = {.op = EDIT_PUT, .path = str_of(file), .entry = m->empty};
	struct commit_new c = {.branch = STR(BRANCH_DEFAULT), .id = event, .batch = m->batch, .edits = &edit,
	                       .n_edits = 1, .clear = d->input->overwrite, .even_if_equal = true,
	                       .message = arena_strf(m->a, "tick %s", file)};
	struct commit out;
	bool made;

	if (repo_ensure(m->s, m->a, d->input->repo, REPO_SOURCE, STR_NULL, &c.repo, e))
		return -1;
	if (c.repo.role != REPO_SOURCE) {
		err_set(e, ERR_REFUSED, "the ticks of %.*s would lie in %.*s, which is the output of job %.*s",
		        STR_ARG(d->input->folder), STR_ARG(c.repo.name), STR_ARG(c.repo.job));
		err_hint(e, "give the cron input another name");
		return job_at(e, d->job, d->input->line, d->input->col);
	}
	return commit_make(m->s, m->in, &c, &out, &made, e);
}

/* Whether it has been made by another command meanwhile: 1, 0, -1. */
static int is_made(struct making *m, const struct due *d, struct err *e)
{
	int64_t at = INT64_MIN;
	struct commit head;
	struct repo repo;
	int r;

	if (d->input) {
		r = repo_find(m->s, m->a, d->input->repo, &repo, e);
		return r > 0 && last_tick(m->s, &repo, &at, e) < 0 ? -1 : r < 0 ? -1 : at >= d->at;
	}
	r = branch_head(m->s, d->move->repo, d->move->branch, &head, e);
	return r == 1 ? !strcmp(head.id.hex, d->move->to.hex) : r;
}

/* What is due at one time, as one event. */
static int one_time(struct making *m, const struct due *d, size_t n, struct err *e)
{
	struct event ev = {.id = id_new(), .batch = m->batch, .kind = KIND, .command = m->command};
	char file[TIME_TEXT];
	bool recorded = false;

	file_of(d->at, file);
	ev.label = file;
	for (size_t i = 0; i < n; i++) {
		int made = is_made(m, &d[i], e);

		if (made < 0)
			return -1;
		if (made)
			continue;
		if (!recorded && event_record(m->s, &ev, e))
			return -1;
		recorded = true;
		if (d[i].input ? one_tick(m, &d[i], file, ev.id, e)
		               : branch_move(m->s, d[i].move->repo, d[i].move->branch, &d[i].move->to, ev.id, e))
			return -1;
	}
	return 0;
}

static int some(struct making *m, const struct due *d, size_t n, size_t *done, struct err *e)
{
	size_t at = 0;

	m->in = ingest_new(m->s);
	if (ingest_bytes(m->in, STR(""), &m->empty, e) || ingest_begin(m->in, e))
		goto fail;
	for (int k = 0; at < n && k < TICK_TRANSACTION; k++) {
		size_t same = 1;

		while (at + same < n && d[at + same].at == d[at].at)
			same++;
		if (one_time(m, d + at, same, e)) {
			db_rollback(m->s->db);
			goto fail;
		}
		at += same;
	}
	fault_crash("ticks-made");
	if (db_commit(m->s->db, e))
		goto fail;
	ingest_free(m->in);
	*done = at;
	return 0;
fail:
	ingest_free(m->in);
	return -1;
}

int tick_make(struct store *s, struct arena *a, const struct tick_ask *ask, struct err *e)
{
	struct making m = {.s = s, .a = a, .batch = id_new(), .command = ask->command};
	struct due_list l = {0};

	if (all_due(s, a, ask, &l, e))
		return -1;
	for (size_t at = 0, done; at < l.n; at += done)
		if (some(&m, l.p + at, l.n - at, &done, e))
			return -1;
	return l.n ? datastore_update(s, NULL, NULL, e) : 0;
}
