/* The rows of runs, units, attempts and leases. */
#include "flow/codetext.h"
#include "flow/run_int.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/url.h"
#include "flow/lineage.h"
#include "flow/owner.h"
#include "flow/request.h"
#include "repo/overlay.h"
#include "sys/clock.h"
#include "sys/fault.h"

#define INGREDIENTS_MAX ((size_t)16 << 20)

void run_rows_set_state(struct run_unit *u, enum state s)
{
	if (!state_may_follow(u->state, s))
		BUG("unit %lld: %s after %s", (long long)u->id, state_word(s), state_word(u->state));
	u->state = s;
}

static struct lease run_lease(struct engine *g, const struct run_job *r)
{
	return (struct lease){.job = overlay_key(g->f->store, g->arena, r->job->name),
	                      .ds = arena_printf(g->arena, "@%s", r->id),
	                      .run = r->id};
}

/* A unit on a workspace branch is another one than on master. */
static struct lease unit_lease(struct engine *g, const struct run_unit *u)
{
	return (struct lease){.job = overlay_key(g->f->store, g->arena, u->p->job->name),
	                      .ds = u->p->ds.label,
	                      .run = u->run->id,
	                      .unit = u->id};
}

static struct str json_of(struct buf *b, const struct dom *d)
{
	if (!d)
		return STR_NULL;
	dom_write_json(b, d, DOM_COMPACT);
	return buf_str(b);
}

/* What ran can be told from what runs next: with its first attempt, since till then others wait for the rows of all. */
static int keep_code(struct engine *g, struct run_job *r, struct err *e)
{
	if (r->code_kept)
		return 0;
	r->code_kept = true;
	for (size_t i = 0; i < r->n_code; i++)
		if (r->code[i].bytes.p && codetext_keep(g->f->store->db, &r->job->code[i].sha, r->code[i].bytes, e))
			return -1;
	return codetext_keep_query(g->f->store->db, r->job, e);
}

static int begin_run(struct engine *g, struct run_job *r, struct err *e)
{
	struct buf b = BUF_INIT(INGREDIENTS_MAX);
	struct lease own = run_lease(g, r);
	struct q *q = db_query(g->f->store->db,
	                       "insert into run(id, job, batch, kind, state, command, params, code, created, started,"
	                       " event, branch) values(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	struct sha code = job_code_id(r->job, NULL);
	int rc;

	q_cstr(q, 1, r->id);
	q_text(q, 2, r->job->name);
	q_cstr(q, 3, r->data ? r->data->batch.hex : g->sum->batch.hex);
	q_cstr(q, 4, g->o->kind ? g->o->kind : "run");
	q_cstr(q, 5, state_word(STATE_RUNNING));
	q_cstr(q, 6, g->o->command);
	q_text(q, 7, r->asked ? url_redact(g->arena, json_of(&b, g->ask->params)) : STR_NULL);
	if (r->job->sql_by_ds)
		q_null(q, 8);
	else
		q_sha(q, 8, &code);
	q_int(q, 9, clock_now_ms());
	q_int(q, 10, clock_now_ms());
	q_cstr(q, 11, r->data ? r->data->event.hex : NULL);
	q_text(q, 12, g->f->store->on ? g->f->store->on->name : STR_NULL);
	rc = lineage_ready(g->f->store, e) || q_run(q, e);
	buf_free(&b);
	if (rc || (g->o->labels && request_begun(g->f->store->db, g->sum->batch.hex, r->job->name, r->id, e)))
		return -1;
	if (g->o->each_asked && !db_changes(g->f->store->db))
		return err_set(e, ERR_CODE_MOVED, "job %.*s was not asked for", STR_ARG(r->job->name));
	return lease_make(g->f->store->db, &own, e);
}

static int begin_unit(struct engine *g, struct run_unit *u, struct err *e)
{
	struct q *q = db_query(
		g->f->store->db,
		"insert into unit(run, job, ds, global_id, state, reason, created, datum, label)"
		" values(?, ?, ?, ?, ?, ?, ?, ?, ?)");

	q_cstr(q, 1, u->run->id);
	q_text(q, 2, u->p->job->name);
	q_cstr(q, 3, u->p->ds.label);
	q_cstr(q, 4, u->event->hex);
	q_cstr(q, 5, state_word(u->state));
	q_cstr(q, 6, reason_word(u->p->reason));
	q_int(q, 7, clock_now_ms());
	if (u->p->datum)
		q_sha(q, 8, &u->p->datum->id);
	q_cstr(q, 9, u->p->label);
	if (q_run(q, e))
		return -1;
	u->id = db_last_rowid(g->f->store->db);
	return 0;
}

static int begin_events(struct engine *g, struct err *e)
{
	struct map seen;

	map_init(&seen, g->arena);
	for (size_t i = 0; i < g->units.n; i++) {
		struct run_unit *u = g->units.p[i];
		struct event ev = {.id = *u->event, .batch = g->sum->batch, .kind = g->o->kind ? g->o->kind : "run",
		                   .label = u->p->ds.label, .command = g->o->command};

		int there;

		if (map_has(&seen, str_of(ev.label)))
			continue;
		map_set(&seen, str_of(ev.label), u);
		there = g->o->labels ? event_there(g->f->store, &ev.id, e) : 0;
		if (there < 0 || (!there && event_record(g->f->store, &ev, e)))
			return -1;
	}
	return 0;
}

struct rows_begin {
	struct run_job *jobs;
	size_t n_jobs;
	struct run_unit **units;
	size_t n_units;
	bool events;
	size_t from, to; /* of the jobs, in this transaction */
};

static int begin_rows(struct engine *g, const struct rows_begin *b, struct err *e)
{
	bool all = b->to - b->from == b->n_jobs;

	if (b->events && !b->from && begin_events(g, e))
		return -1;
	for (size_t i = b->from; i < b->to; i++)
		if (begin_run(g, &b->jobs[i], e))
			return -1;
	for (size_t i = 0; i < b->n_units; i++)
		if ((all || (b->units[i]->run >= b->jobs + b->from && b->units[i]->run < b->jobs + b->to)) &&
		    begin_unit(g, b->units[i], e))
			return -1;
	return 0;
}

static int try_output(struct store *s, struct arena *a, const struct job *j, struct err *e)
{
	struct repo repo;
	int r = j->no_output ? 1 : repo_find(s, a, j->output, &repo, e);

	return r < 0 || (!r && owner_try(s, a, j, e)) ? -1 : 0;
}

int run_try_outputs(struct store *s, struct arena *a, const struct plan *p, struct err *e)
{
	for (size_t i = 0; i < p->n_units; i++)
		if ((!i || p->units[i]->job != p->units[i - 1]->job) && try_output(s, a, p->units[i]->job, e))
			return -1;
	return 0;
}

/* Repos that the run will make: a name that may not be is refused now, before anything has run. */
static int try_outputs(struct engine *g, const struct rows_begin *b, struct err *e)
{
	for (size_t i = 0; i < b->n_jobs; i++)
		if (try_output(g->f->store, g->arena, b->jobs[i].job, e))
			return -1;
	return 0;
}

static int rows_begin(struct engine *g, struct rows_begin *b, struct err *e)
{
	struct db *d = g->f->store->db;
	int rc = 0;

	if (!g->o->outputs_tried) {
		/* one transaction: of a thousand jobs each look would take and let go of the database's locks */
		if (db_read_begin(d, e))
			return -1;
		rc = try_outputs(g, b, e);
		db_read_end(d);
	}
	/* Of very many the first have begun, for whoever looks, before the last are written. */
	for (b->to = 0; !rc && b->from < b->n_jobs; b->from = b->to) {
		b->to = b->n_jobs - b->from <= RUN_BEGIN_MIN ? b->n_jobs : b->from + RUN_BEGIN_JOBS;
		if (db_begin_durable(d, DB_PROCESS, e))
			return -1;
		if (begin_rows(g, b, e)) {
			db_rollback(d);
			return -1;
		}
		rc = db_commit(d, e);
		if (b->to < b->n_jobs)
			fault_crash("runs-begun");
	}
	return rc;
}

int run_rows_begin(struct engine *g, struct err *e)
{
	struct rows_begin all = {g->jobs, g->n_jobs, g->units.p, g->units.n, true, 0, 0};

	return rows_begin(g, &all, e);
}

int run_rows_begin_set(struct engine *g, struct group *gr, struct err *e)
{
	struct rows_begin one = {gr->data, 1, gr->list.p, gr->list.n, false, 0, 0};

	return rows_begin(g, &one, e);
}

int run_rows_lease(struct engine *g, struct group *gr, size_t *which, struct lease_holder *holder, struct err *e)
{
	struct lease one = {0}, *all = &one;
	int r;

	if (gr->list.n > 1)
		all = xcalloc(gr->list.n, sizeof(*all));
	for (size_t i = 0; i < gr->list.n; i++)
		all[i] = unit_lease(g, gr->list.p[i]);
	r = lease_take(g->f->store->db, all, gr->list.n, which, holder, e);
	if (all != &one)
		free(all);
	return r;
}

int run_rows_unlease(struct engine *g, struct run_unit *u, struct err *e)
{
	struct lease l = unit_lease(g, u);

	return lease_drop(g->f->store->db, &l, e);
}

void run_rows_begun(struct run_unit *u)
{
	u->attempts++;
	run_rows_set_state(u, STATE_RUNNING);
	if (u->checked_only)
		u->attempts = 0;
}

/* The attempt and, in the unit's row, that it runs. */
int run_rows_intent(struct engine *g, struct run_unit *u, struct err *e)
{
	struct buf b = BUF_INIT(INGREDIENTS_MAX);
	struct q *q;
	char log[512];
	int rc;

	u->quiet = false;
	if (run_wait_over(g, u->run, e) || keep_code(g, u->run, e))
		return -1;
	q = db_query(
		g->f->store->db,
		"update unit set state = ?, reason = ?, attempts = ?, started = coalesce(started, ?), key = ?,"
		" ingredients = ? where id = ?");
	q_cstr(q, 1, state_word(u->state));
	q_cstr(q, 2, reason_word(u->p->reason));
	q_int(q, 3, u->attempts);
	q_int(q, 4, clock_now_ms());
	/* Who takes over from us remembers the result under the key that it was begun with. */
	if (u->arena && !sha_is_zero(&u->p->key.key))
		q_sha(q, 5, &u->p->key.key);
	q_text(q, 6, u->arena && u->p->job->kind->adopt ? json_of(&b, u->p->key.ingredients) : STR_NULL);
	q_int(q, 7, u->id);
	rc = q_run(q, e);
	u->told = b.n ? u->p->key.ingredients : NULL;
	buf_free(&b);
	if (rc)
		return -1;
	if (u->checked_only)
		return 0;
	if (!u->p->job->no_output)
		run_dir_log_name(u, log, sizeof(log));
	q = db_query(g->f->store->db, "insert into attempt(unit, n, state, started, boot, pid, pid_start, log)"
	                              " values(?, ?, ?, ?, ?, ?, ?, ?)");
	q_int(q, 1, u->id);
	q_int(q, 2, u->attempts);
	q_cstr(q, 3, state_word(STATE_RUNNING));
	q_int(q, 4, clock_now_ms());
	q_cstr(q, 5, g->boot);
	q_int(q, 6, g->pid);
	q_int(q, 7, g->pid_start);
	q_cstr(q, 8, u->p->job->no_output ? NULL : log);
	u->attempt_open = true;
	return q_run(q, e);
}

int run_rows_intents(struct engine *g, struct run_unit *first, struct err *e)
{
	struct db *d = g->f->store->db;

	if (db_begin_durable(d, DB_PROCESS, e))
		return -1;
	for (struct run_unit *u = first; u; u = u->next)
		if (!u->quiet && run_rows_intent(g, u, e)) {
			db_rollback(d);
			return -1;
		}
	return db_commit(d, e);
}

/* By the clock of the day, when its task was started. */
static int64_t begun_ms(const struct run_unit *u)
{
	return clock_now_ms() - (u->task ? clock_mono_ms() - u->task->begin_ms : 0);
}

/* Of a unit whose intent was not recorded: the attempt as it ended. */
static int all_of_it(struct engine *g, struct run_unit *u, struct err *e)
{
	struct q *q = db_query(g->f->store->db,
	                       "insert into attempt(unit, n, state, reason, started, finished, status, boot, pid,"
	                       " pid_start) values(?1, ?2, ?3, ?8, ?9, ?4, ?10, ?5, ?6, ?7)");

	q_int(q, 1, u->id);
	q_int(q, 2, u->attempts);
	q_cstr(q, 3, state_word(u->state));
	q_int(q, 4, clock_now_ms());
	q_cstr(q, 8, !state_good(u->state) && u->err ? u->err->msg : NULL);
	q_int(q, 9, begun_ms(u));
	q_int(q, 10, u->task ? u->task->result.status : 0);
	q_cstr(q, 5, g->boot);
	q_int(q, 6, g->pid);
	q_int(q, 7, g->pid_start);
	return q_run(q, e);
}

/* reason: the error's sentence. An attempt that was recorded and never begun has no task. */
int run_rows_attempt_end(struct engine *g, struct run_unit *u, const struct task *t, enum state s, struct err *e)
{
	struct q *q;

	if (u->quiet)
		return all_of_it(g, u, e);
	if (!u->attempt_open)
		return 0;
	u->attempt_open = false;
	q = db_query(
		g->f->store->db,
		"update attempt set state = ?, reason = ?, finished = ?, status = ?, log = ?, cpu_ms = ?, peak_kb = ?"
		" where unit = ? and n = ?");
	q_cstr(q, 1, state_word(s));
	q_cstr(q, 2, !state_good(s) && u->err ? u->err->msg : NULL);
	q_int(q, 3, clock_now_ms());
	q_int(q, 4, t ? t->result.status : 0);
	q_cstr(q, 5, t ? t->log_name : NULL);
	if (t && t->result.peak_kb) { /* it was a process */
		q_int(q, 6, t->result.cpu_ms);
		q_int(q, 7, t->result.peak_kb);
	}
	q_int(q, 8, u->id);
	q_int(q, 9, u->attempts);
	return q_run(q, e);
}

/* The ingredients with what the kind tells of the attempt (`facts`) as one more member. */
static struct str ingredients_of(struct buf *b, const struct run_unit *u)
{
	const struct dom *facts = u->task ? u->task->result.facts : NULL;
	struct str s = json_of(b, u->p->key.ingredients);

	if (!s.p || !facts || b->p[b->n - 1] != '}')
		return s;
	b->n--;
	buf_adds(b, ",\"facts\":");
	dom_write_json(b, facts, DOM_COMPACT);
	buf_addc(b, '}');
	return buf_str(b);
}

int run_rows_unit_end(struct engine *g, struct run_unit *u, struct err *e)
{
	struct buf b = BUF_INIT(INGREDIENTS_MAX);
	bool same = u->told && u->told == u->p->key.ingredients && !(u->task && u->task->result.facts);
	struct q *q = db_query(
		g->f->store->db,
		"update unit set state = ?, reason = ?, key = ?, original = ?, repo = ?, tree = ?, commit_id = ?,"
		" threads = ?,"
		" ingredients = case when ?13 then ingredients else ?9 end, error = ?10, finished = ?11,"
		" attempts = ?14, started = coalesce(started, ?15)"
		" where id = ?12");
	bool keyed = u->arena && !sha_is_zero(&u->p->key.key);
	int rc;

	q_cstr(q, 1, state_word(u->state));
	q_cstr(q, 2, reason_word(u->p->reason));
	if (keyed)
		q_sha(q, 3, &u->p->key.key);
	if (u->original)
		q_int(q, 4, u->original);
	if (u->run->repo.id)
		q_int(q, 5, u->run->repo.id);
	if (u->has_tree)
		q_sha(q, 6, &u->tree.id);
	q_cstr(q, 7, u->commit[0] ? u->commit : NULL);
	if (u->task && u->task->t.threads)
		q_int(q, 8, u->task->t.threads);
	q_text(q, 9, u->arena && !same ? ingredients_of(&b, u) : STR_NULL);
	q_cstr(q, 10, u->err ? u->err->msg : u->state != STATE_SUCCESS ? u->note : NULL);
	q_int(q, 11, clock_now_ms());
	q_int(q, 12, u->id);
	q_int(q, 13, same);
	q_int(q, 14, u->attempts);
	if (u->quiet)
		q_int(q, 15, begun_ms(u));
	rc = q_run(q, e);
	buf_free(&b);
	if (!rc && u->task && u->task->result.text.p)
		rc = codetext_keep(g->f->store->db, &u->task->result.text_id, u->task->result.text, e);
	return rc;
}

/* What became of the units of a data-driven run. */
static int run_counts(struct engine *g, const struct run_job *r, const struct data_set *d, struct err *e)
{
	struct q *q = db_query(g->f->store->db,
	                       "update run set ran = ?, known = ?, recovered = ?, failed = ? where id = ?");

	q_int(q, 1, (int64_t)d->n_ran);
	q_int(q, 2, (int64_t)(d->total - MIN(d->total, r->n_units)));
	q_int(q, 3, (int64_t)d->n_recovered);
	q_int(q, 4, (int64_t)d->n_failed);
	q_cstr(q, 5, r->id);
	return q_run(q, e);
}

int run_rows_run_told(struct engine *g, struct run_job *r, struct err *e)
{
	struct q *q;

	if (!r->untold)
		return 0;
	r->untold = false;
	if (g->o->labels && request_ended(g->f->store->db, r->id, state_word(r->state), STR_NULL, e))
		return -1;
	if (!r->n_bad)
		return 0;
	q = db_query(g->f->store->db, "update run set reason = (select error from unit where run = ?1 and error is not"
	                              " null order by id limit 1) where id = ?1 and reason is null");
	q_cstr(q, 1, r->id);
	return q_run(q, e);
}

int run_rows_run_end(struct engine *g, struct run_job *r, struct err *e)
{
	struct lease own = run_lease(g, r);
	enum state s = r->over && r->n_bad        ? STATE_TIMED_OUT
	               : r->n_cancelled           ? STATE_CANCELLED
	               : r->n_bad > r->n_unmade ? STATE_FAILED
	               : r->n_bad                 ? STATE_UPSTREAM_FAILED
	                                          : STATE_SUCCESS;
	const struct data_set *data = r->data;
	struct q *q;

	run_limit_end(r);
	if (data && (data->refused.code || (s == STATE_SUCCESS && data->n_held)))
		s = STATE_FAILED;
	if (data && run_counts(g, r, data, e))
		return -1;
	run_hook_ended(g, r, s);
	if (run_spare_hold(g, r, e) || keep_code(g, r, e))
		return -1;
	q = db_query(g->f->store->db, "update run set state = ?, finished = ?, reason = ? where id = ?");
	q_cstr(q, 1, state_word(s));
	q_int(q, 2, clock_now_ms());
	if (data && data->refused.code)
		q_cstr(q, 3, data->refused.msg);
	else if (r->n_held && !data)
		q_text(q, 3, arena_strf(g->arena, "%zu not published: others of its pipeline failed", r->n_held));
	q_cstr(q, 4, r->id);
	if (q_run(q, e) || (r->n_cancelled && run_stop_forget(g, r, e)))
		return -1;
	r->state = s;
	r->untold = true;
	return lease_drop(g->f->store->db, &own, e) < 0 ? -1 : 0;
}
