/* The rows of the clock: how far each schedule is, who is paused, what was missed. */
#include <inttypes.h>

#include "base/str.h"
#include "flow/clock_in.h"

struct state_row {
	int64_t seen;
	struct sha rule;
	bool gone, used;
};

static struct str row_key(struct arena *a, struct str job, struct str name)
{
	return arena_strf(a, "%.*s\n%.*s", STR_ARG(job), STR_ARG(name));
}

struct clock *clock_new(struct store *s, struct clock_say say)
{
	struct arena *a = arena_new();
	struct clock *c = arena_new_of(a, struct clock);

	*c = (struct clock){.store = s, .say = say, .arena = arena_new(), .forever = a, .now = INT64_MIN};
	return c;
}

void clock_free(struct clock *c)
{
	if (!c)
		return;
	arena_free(c->arena);
	arena_free(c->forever);
}

void clock_note(struct clock *c, const char *text)
{
	if (c->say.note)
		c->say.note(c->say.ptr, text);
}

/* ---- reading ---- */

static int read_states(struct clock *c, struct map *rows, struct err *e)
{
	struct q *q = db_query(c->store->db, "select job, name, seen, rule, gone is not null from schedule_state");
	int rc;

	while ((rc = q_step(q, e)) == 1) {
		struct state_row *r = arena_new_of(c->arena, struct state_row);

		r->seen = q_col_int(q, 2);
		if (!q_col_sha(q, 3, &r->rule))
			r->rule = (struct sha){0};
		r->gone = q_col_int(q, 4);
		map_set(rows, row_key(c->arena, q_col_text(q, 0), q_col_text(q, 1)), r);
	}
	q_done(q);
	return rc;
}

/* Jobs on which somebody has had a word: "p" paused, "" not. */
static int read_pauses(struct clock *c, struct map *pauses, struct err *e)
{
	struct q *q = db_query(c->store->db, "select seq, job, paused is not null from job_pause");
	int rc;

	while ((rc = q_step(q, e)) == 1) {
		map_set(pauses, q_col_text(q, 1), q_col_int(q, 2) ? (void *)"p" : (void *)"");
		c->pauses = MAX(c->pauses, q_col_int(q, 0));
	}
	q_done(q);
	return rc;
}

/* ---- writing ---- */

static int write_state(struct clock *c, const struct clock_entry *en, int64_t now_ms, struct err *e)
{
	struct q *q = db_query(c->store->db,
	                       "insert into schedule_state(job, name, seen, rule, activated) values(?, ?, ?, ?, ?)"
	                       " on conflict(job, name) do update set seen = excluded.seen, rule = excluded.rule,"
	                       " gone = null");

	q_text(q, 1, en->s->job->name);
	q_text(q, 2, en->s->name);
	q_int(q, 3, en->seen);
	q_sha(q, 4, &en->s->id);
	q_int(q, 5, now_ms);
	return q_run(q, e);
}

int clock_write_seen(struct clock *c, const struct clock_entry *en, struct err *e)
{
	struct q *q = db_query(c->store->db, "update schedule_state set seen = ? where job = ? and name = ?");

	q_int(q, 1, en->seen);
	q_text(q, 2, en->s->job->name);
	q_text(q, 3, en->s->name);
	return q_run(q, e);
}

static int write_gone(struct clock *c, struct str key, int64_t now_ms, struct err *e)
{
	struct q *q = db_query(c->store->db, "update schedule_state set gone = ? where job = ? and name = ?");
	struct str job, name;

	if (!str_cut(key, '\n', &job, &name))
		BUG("a key of states");
	q_int(q, 1, now_ms);
	q_text(q, 2, job);
	q_text(q, 3, name);
	return q_run(q, e);
}

/* ---- a load ---- */

struct load {
	struct clock *c;
	int64_t now_ms, now;
	struct map rows, pauses;
	VEC(struct clock_entry) all;
	VEC(size_t) write;    /* entries whose row is to be written */
	VEC(struct str) gone; /* keys of rows */
};

/* Where a schedule begins that is seen for the first time: what lies between its start and now was missed. */
static int64_t first_seen(const struct schedule *s, int64_t now)
{
	int64_t at = now;

	if (s->start != INT64_MIN)
		at = s->start - 1;
	else if (s->job->start.every != EVERY_NONE)
		at = ds_interval(&s->job->start, s->job->tz).start - 1;
	return MIN(at, now);
}

static void add_schedule(struct load *l, const struct schedule *s)
{
	struct arena *a = l->c->arena;
	struct state_row *r = map_get(&l->rows, row_key(a, s->job->name, s->name));
	const char *word = map_get(&l->pauses, s->job->name);
	struct clock_entry en = {.s = s, .paused = word ? *word : s->job->paused};
	bool write = true;

	if (r && !r->gone && sha_eq(&r->rule, &s->id)) {
		en.seen = MIN(r->seen, l->now);
		write = r->seen > l->now;
	} else if (r) {
		en.seen = l->now;
		if (!r->gone)
			clock_note(l->c, arena_printf(a,
			                              "job %.*s: its schedule is another one now (%.*s); nothing before"
			                              " this moment fires by it",
			                              STR_ARG(s->job->name), STR_ARG(s->text)));
	} else {
		en.seen = first_seen(s, l->now);
		write = !en.paused; /* one that has never been active begins when it is resumed */
	}
	if (r)
		r->used = true;
	clock_ahead(&en);
	if (write)
		vec_push(a, &l->write, l->all.n);
	vec_push(a, &l->all, en);
}

static int add_job(struct load *l, const struct job *j)
{
	struct schedules all;
	struct err why = ERR_INIT;

	if (schedules_of(l->c->arena, j, &all, &why)) { /* it was right when the job was loaded: a file of holidays */
		clock_note(l->c, err_text(l->c->arena, &why));
		return -1;
	}
	for (size_t i = 0; i < all.n; i++)
		add_schedule(l, &all.p[i]);
	return 0;
}

static bool is_broken(const struct jobs *js, struct str job, const struct map *broken)
{
	return map_has(broken, job) || (js->n_errors_all > js->n_errors && !jobs_get(js, job));
}

/* Rows whose schedule is not there any more; of jobs that cannot be read nothing is known. */
static void find_gone(struct load *l, const struct jobs *js, const struct map *broken)
{
	struct str key, job, name;
	void *value;

	for (size_t i = 0; map_each(&l->rows, &i, &key, &value);) {
		struct state_row *r = value;

		if (!r->used && !r->gone && str_cut(key, '\n', &job, &name) && !is_broken(js, job, broken))
			vec_push(l->c->arena, &l->gone, key);
	}
}

static int write_load(struct load *l, struct err *e)
{
	struct db *d = l->c->store->db;

	if (db_begin_durable(d, DB_PROCESS, e))
		return -1;
	if (db_make_set(d, DB_SET_TIME, e))
		goto fail;
	for (size_t i = 0; i < l->write.n; i++)
		if (write_state(l->c, &l->all.p[l->write.p[i]], l->now_ms, e))
			goto fail;
	for (size_t i = 0; i < l->gone.n; i++)
		if (write_gone(l->c, l->gone.p[i], l->now_ms, e))
			goto fail;
	return db_commit(d, e);
fail:
	db_rollback(d);
	return -1;
}

int clock_load(struct clock *c, struct flow *f, int64_t now_ms, struct err *e)
{
	struct load l = {.c = c, .now_ms = now_ms, .now = floor_div(now_ms, 1000)};
	struct map broken;

	c->n = 0;
	c->flow = f;
	c->stale = true;
	arena_reset(c->arena);
	map_init(&l.rows, c->arena);
	map_init(&l.pauses, c->arena);
	map_init(&broken, c->arena);
	if (db_has_set(c->store->db, DB_SET_TIME) && (read_states(c, &l.rows, e) || read_pauses(c, &l.pauses, e)))
		return -1;
	for (size_t i = 0; i < f->jobs->n_errors; i++)
		map_set(&broken, f->jobs->error_jobs[i], f);
	for (size_t i = 0; i < f->jobs->n; i++)
		if (f->jobs->all[i]->schedule && add_job(&l, f->jobs->all[i]))
			map_set(&broken, f->jobs->all[i]->name, f);
	find_gone(&l, f->jobs, &broken);
	if ((l.write.n || l.gone.n) && write_load(&l, e))
		return -1;
	c->entries = l.all.p;
	c->n = l.all.n;
	c->heap = arena_array(c->arena, struct clock_entry *, c->n);
	for (size_t i = 0; i < c->n; i++)
		c->heap[i] = &c->entries[i];
	clock_sort(c);
	c->stale = false;
	return 0;
}

/* ---- pauses ---- */

int clock_look_at_pauses(struct clock *c, int64_t now_ms, struct err *e)
{
	int64_t last = c->pauses;
	struct q *q;
	int rc;

	if (!db_has_set(c->store->db, DB_SET_TIME))
		return 0;
	q = db_query(c->store->db, "select max(seq) from job_pause");
	rc = q_step(q, e);
	if (rc == 1 && !q_col_is_null(q, 0))
		last = q_col_int(q, 0);
	q_done(q);
	return rc < 0 ? -1 : last == c->pauses || !c->flow ? 0 : clock_load(c, c->flow, now_ms, e);
}

int clock_paused(struct store *s, struct arena *a, const struct job *j, struct clock_pause *out, struct err *e)
{
	struct q *q;
	int rc;

	*out = (struct clock_pause){.who = STR_NULL};
	if (!j->schedule)
		return 0;
	if (!db_has_set(s->db, DB_SET_TIME))
		return j->paused;
	q = db_query(s->db, "select coalesce(paused, 0), who from job_pause where job = ?");
	q_text(q, 1, j->name);
	rc = q_step(q, e);
	if (rc == 1) {
		out->since_ms = q_col_int(q, 0);
		out->who = arena_str(a, q_col_text(q, 1));
		rc = out->since_ms != 0;
	} else if (!rc) {
		rc = j->paused;
	}
	q_done(q);
	return rc;
}

static int write_pause(struct store *s, const struct job *j, bool paused, int64_t now_ms, struct err *e)
{
	struct q *q = db_query(s->db, "insert or replace into job_pause(job, paused, who, at) values(?, ?, ?, ?)");

	q_text(q, 1, j->name);
	if (paused)
		q_int(q, 2, now_ms);
	else
		q_null(q, 2);
	q_cstr(q, 3, store_who());
	q_int(q, 4, now_ms);
	return q_run(q, e);
}

static int begin_again(struct store *s, const struct job *j, int64_t now_ms, struct err *e)
{
	struct q *q = db_query(s->db, "update schedule_state set seen = max(seen, ?) where job = ?");

	q_int(q, 1, floor_div(now_ms, 1000));
	q_text(q, 2, j->name);
	return q_run(q, e);
}

static int change(struct store *s, const struct job *j, bool pause, bool catchup, int64_t now_ms, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct clock_pause had;
	int is;

	if (db_begin(s->db, e))
		return -1;
	is = db_make_set(s->db, DB_SET_TIME, e) ? -1 : clock_paused(s, a, j, &had, e);
	if (is < 0 || (is != pause &&
	               (write_pause(s, j, pause, now_ms, e) || (!pause && !catchup && begin_again(s, j, now_ms, e))))) {
		db_rollback(s->db);
		return -1;
	}
	return db_commit(s->db, e) ? -1 : is != pause;
}

int clock_pause(struct store *s, const struct job *j, int64_t now_ms, struct err *e)
{
	return change(s, j, true, false, now_ms, e);
}

int clock_resume(struct store *s, const struct job *j, bool catchup, int64_t now_ms, struct err *e)
{
	return change(s, j, false, catchup, now_ms, e);
}

/* ---- what was missed ---- */

#define MISSED "select name, first, last, n, why, first_ds, last_ds, id from schedule_missed"

static const char *day_minute(struct arena *a, int64_t at)
{
	char text[TIME_TEXT];

	time_rfc3339(at * 1000, text);
	text[16] = '\0';
	return arena_printf(a, "%sZ", text);
}

static struct str sentence(struct arena *a, const struct job *j, struct q *q)
{
	struct str name = q_col_text(q, 0), from = q_col_text(q, 5), to = q_col_text(q, 6);
	int64_t first = q_col_int(q, 1), last = q_col_int(q, 2), n = q_col_int(q, 3);
	const char *count = n == 1 ? "a slot"
	                    : n    ? arena_printf(a, "%" PRId64 " slots", n)
	                           : arena_printf(a, "more than %d slots", CLOCK_MAX_COUNTED);
	const char *when = n == 1 ? arena_printf(a, "of %s", day_minute(a, first))
	                          : arena_printf(a, "from %s to %s", day_minute(a, first), day_minute(a, last));
	const char *rest = "";

	if (from.n && to.n)
		rest = arena_printf(a, "; leat backfill %.*s --from %.*s --to %.*s makes what is missing",
		                    STR_ARG(j->name), STR_ARG(from), STR_ARG(to));
	return arena_strf(a, "job %.*s%s%.*s: %s %s did not fire (%.*s)%s", STR_ARG(j->name),
	                  name.n ? ", schedule " : "", STR_ARG(name), count, when, STR_ARG(q_col_text(q, 4)), rest);
}

int clock_missed_text(struct store *s, struct arena *a, const struct job *j, int64_t id, struct str *out, struct err *e)
{
	struct q *q = db_query(s->db, MISSED " where id = ?");
	int rc;

	q_int(q, 1, id);
	rc = q_step(q, e);
	if (rc == 1)
		*out = sentence(a, j, q);
	q_done(q);
	return rc == 1 ? 0 : -1;
}

int clock_missed(struct store *s, struct arena *a, const struct job *j, size_t n_max, struct str **out, size_t *n,
                 struct err *e)
{
	VEC(struct str) v = {0};
	struct q *q;
	int rc;

	*n = 0;
	if (!db_has_set(s->db, DB_SET_TIME))
		return 0;
	q = db_query(s->db, MISSED " where job = ? order by id desc limit ?");
	q_text(q, 1, j->name);
	q_int(q, 2, (int64_t)n_max);
	while ((rc = q_step(q, e)) == 1)
		vec_push(a, &v, sentence(a, j, q));
	q_done(q);
	*out = v.p;
	*n = v.n;
	return rc;
}
