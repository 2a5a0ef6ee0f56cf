/*
 * Taking over runs whose process has died: tasks that live are followed, those that have ended are taken in, as if this
 * process had started them: same run, same global id, same try, and the key that they were started with, whatever the
 * inputs are by now. What else was open in such a run is lost. A unit of a publish group of several, or of one that
 * comes from the data, is only remembered (memo): who plans the group anew finds it known, and publishes all of it.
 */
#include "flow/run_int.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "flow/codetext.h"
#include "flow/run_orphan.h"
#include "repo/overlay.h"
#include "sys/clock.h"
#include "sys/fault.h"

/* One unit of one of them. */
struct adoptee {
	const struct orphan *o;
	struct run_unit u;
	struct plan_unit p;
	struct id event;
	char *log;
	bool of_data;
};

struct adopt_run {
	const char *run;
	struct orphans o;
	struct id batch;
	const struct job *job;
	const struct dom *params;
	int64_t started;
	struct run_job *r;
	struct adoptee *list;
	size_t n;
};

struct adopt {
	struct adopt_run *runs;
	size_t n;
};

/* --- claiming --- */

/* Its job is what it was called by; a file that is gone, or has a mistake, lets nobody take its output in. */
static int read_run(struct flow *f, struct arena *a, struct adopt_run *r, struct err *e)
{
	struct q *q = db_query(f->store->db, "select job, batch, params, started from run where id = ?");
	struct str params = STR_NULL, name = STR_NULL;
	struct err none = ERR_INIT;
	struct dom *doc = NULL;
	struct job *j = NULL;
	int got;

	q_cstr(q, 1, r->run);
	got = q_step(q, e);
	if (got == 1) {
		name = arena_str(a, q_col_text(q, 0));
		snprintf(r->batch.hex, sizeof(r->batch.hex), "%.*s", STR_ARG(q_col_text(q, 1)));
		params = arena_str(a, q_col_text(q, 2));
		r->started = q_col_int(q, 3);
	}
	q_done(q);
	if (got < 0)
		return -1;
	if (!got || jobs_find(f->jobs, name, &j, &none))
		err_clear(&none);
	else if (j->kind->adopt)
		r->job = j;
	if (params.n && !dom_json(a, params, "params", &doc, &none))
		r->params = doc;
	return 0;
}

static int read_unit(struct flow *f, struct arena *a, const struct adopt_run *r, struct adoptee *x, struct err *e)
{
	struct q *q = db_query(f->store->db,
	                       "select u.ds, u.global_id, u.key, u.ingredients, u.label, t.log, u.datum is not null"
	                       " from unit u join attempt t on t.unit = u.id and t.n = ?2 where u.id = ?1");
	struct err none = ERR_INIT;
	struct dom *doc = NULL;
	int got;

	q_int(q, 1, x->o->begun.unit);
	q_int(q, 2, x->o->begun.number);
	got = q_step(q, e);
	if (got == 1) {
		x->p.ds = ds_of_label(arena_cstr(a, q_col_text(q, 0)));
		snprintf(x->event.hex, sizeof(x->event.hex), "%.*s", STR_ARG(q_col_text(q, 1)));
		if (q_col_sha(q, 2, &x->p.key.key) && !q_col_is_null(q, 3) &&
		    dom_json(a, arena_str(a, q_col_text(q, 3)), "ingredients", &doc, &none))
			err_clear(&none);
		x->p.key.ingredients = doc;
		if (!q_col_is_null(q, 4))
			x->p.label = arena_cstr(a, q_col_text(q, 4));
		x->log = arena_cstr(a, q_col_text(q, 5));
		x->of_data = q_col_int(q, 6);
		x->u.held_back = x->of_data;
	}
	q_done(q);
	if (got < 0)
		return -1;
	x->p.job = r->job;
	x->p.role = ROLE_ASKED;
	x->p.reason = REASON_ASKED;
	x->u.id = x->o->begun.unit;
	x->u.attempts = x->o->begun.number;
	return 0;
}

/* Whether others of its pipeline were to be published with it. */
static int is_one_of_many(struct flow *f, struct adopt_run *r, struct adoptee *x, struct err *e)
{
	struct q *q;
	size_t n = 0;
	int got;

	if (!r->job->pipeline.n || r->job->kind->outside_world)
		return 0;
	q = db_query(f->store->db, "select distinct u.job from unit u join run r on r.id = u.run"
	                          " where r.batch = ? and u.ds = ?");
	q_cstr(q, 1, r->batch.hex);
	q_cstr(q, 2, x->p.ds.label);
	while ((got = q_step(q, e)) == 1) {
		struct err none = ERR_INIT;
		struct job *j;

		if (jobs_find(f->jobs, q_col_text(q, 0), &j, &none)) {
			err_clear(&none);
			n++;
		} else {
			n += str_eq(j->pipeline, r->job->pipeline);
		}
	}
	q_done(q);
	x->u.held_back |= n > 1;
	return got;
}

static int read_units(struct flow *f, struct arena *a, struct adopt_run *r, struct err *e)
{
	r->list = arena_array(a, struct adoptee, r->o.n);
	for (size_t i = 0; i < r->o.n; i++) {
		struct adoptee *x = &r->list[r->n];

		if (r->o.p[i].state != ORPHAN_ALIVE && r->o.p[i].state != ORPHAN_ENDED)
			continue;
		*x = (struct adoptee){.o = &r->o.p[i]};
		if (read_unit(f, a, r, x, e) || is_one_of_many(f, r, x, e))
			return -1;
		r->n++;
	}
	return 0;
}

/* Inside a transaction: its leases are ours from now on. 1; 0: another process was sooner; -1. */
static int claim(struct store *s, const char *run, struct err *e)
{
	struct q *q = db_query(s->db, "select boot, pid, pid_start from unit_lease where run = ?");
	bool dead = false, alive = false;
	int r;

	q_cstr(q, 1, run);
	while ((r = q_step(q, e)) == 1) {
		bool lives = lease_alive(q_col_text(q, 0), q_col_int(q, 1), q_col_int(q, 2));

		alive |= lives;
		dead |= !lives;
	}
	q_done(q);
	if (r < 0 || alive || !dead)
		return r < 0 ? -1 : 0;
	q = db_query(s->db, "update unit_lease set boot = ?2, pid = ?3, pid_start = ?4, at = ?5 where run = ?1");
	q_cstr(q, 1, run);
	q_cstr(q, 2, clock_boot_id());
	q_int(q, 3, getpid());
	q_int(q, 4, lease_own_start());
	q_int(q, 5, clock_now_ms());
	return q_run(q, e) ? -1 : 1;
}

/*
 * Inside that transaction: a unit that another command was leased since its holder died is that one's, whose result
 * counts; our task of it is ended. (Units of data have no lease of their own.)
 */
static int leave_taken(struct store *s, struct adopt_run *r, struct err *e)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n; i++) {
		struct q *q = db_query(s->db, "select 1 from unit_lease where run = ? and unit = ?");
		int got;

		q_cstr(q, 1, r->run);
		q_int(q, 2, r->list[i].u.id);
		got = r->list[i].of_data ? 1 : q_step(q, e);
		q_done(q);
		if (got < 0)
			return -1;
		if (got) {
			r->list[kept++] = r->list[i];
			continue;
		}
		r->o.p[r->list[i].o - r->o.p].state = ORPHAN_LOST;
		r->o.n_held--;
	}
	r->n = kept;
	return 0;
}

static int take_run(struct flow *f, struct adopt_run *r, bool *taken, struct err *e)
{
	struct store *s = f->store;
	const struct orphans *keep;
	int got;

	*taken = false;
	if (db_begin_durable(s->db, DB_PROCESS, e))
		return -1;
	got = claim(s, r->run, e);
	if (got == 1 && leave_taken(s, r, e))
		got = -1;
	keep = r->job && r->o.n_held ? &r->o : NULL;
	if (got < 1 || orphan_close(s, r->run, keep, e)) {
		db_rollback(s->db);
		return got < 1 ? got : -1;
	}
	if (db_commit(s->db, e))
		return -1;
	*taken = keep != NULL;
	return orphan_end_tasks(s, r->run, keep, e);
}

/* --- in the engine --- */

/* Its row names a log that its shim's task may still have open under the name of the try before. */
static void name_log(struct engine *g, const char *log, int64_t ino)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	const char *leat = g->f->store->leat_dir;
	char *want = arena_printf(a, "%s/%s", leat, log), *slash = strrchr(want, '/');
	struct dir_names names = {0};
	struct err ignored = ERR_INIT;
	struct stat st;

	if (!ino || file_exists(want) || !slash)
		return;
	*slash = '\0';
	if (dir_list(a, want, &names, &ignored)) {
		err_clear(&ignored);
		return;
	}
	for (size_t i = 0; i < names.n; i++) {
		char *path = arena_printf(a, "%s/%s", want, names.p[i]);

		if (file_lstat(path, &st, &ignored) || (int64_t)st.st_ino != ino) {
			err_clear(&ignored);
			continue;
		}
		*slash = '/';
		if (file_rename(path, want, &ignored))
			err_clear(&ignored);
		return;
	}
}

static int make_unit(struct engine *g, struct run_job *r, struct adopt_run *from, struct adoptee *x, struct err *e)
{
	struct run_unit *u = &x->u;
	struct group *gr = arena_new_of(g->arena, struct group);
	struct unit_key rest;

	u->p = &x->p;
	x->p.own = u;
	u->eng = g;
	u->run = r;
	u->event = &x->event;
	u->group = gr;
	u->arena = arena_new();
	u->state = STATE_RUNNING;
	u->attempt_open = u->said = u->adopted = true;
	u->row = x->o->row + 1;
	u->learned = g->learned;
	u->started_ms = clock_mono_ms();
	if (key_rest(g->f, u->arena, r->job, from->params, &rest, e))
		return -1;
	x->p.key.memoised = rest.memoised;
	gr->key = r->job->name;
	gr->told = true;
	gr->leased = !u->held_back; /* units of data have none of their own, and those of others go with the run */
	gr->held = u->held_back;
	gr->n_left = 1;
	vec_push(g->arena, &gr->list, u);
	vec_push(g->arena, &g->units, u);
	g->groups[g->n_groups++] = gr;
	r->n_units++;
	r->n_left++;
	return 0;
}

int run_adopt_make(struct engine *g, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < g->adopt->n; i++)
		n += g->adopt->runs[i].n;
	g->groups = arena_array(g->arena, struct group *, n + 1);
	g->jobs = arena_array(g->arena, struct run_job, g->adopt->n + 1);
	g->pools = arena_array(g->arena, struct run_pool, g->adopt->n + 1);
	for (size_t i = 0; i < g->adopt->n; i++) {
		struct adopt_run *from = &g->adopt->runs[i];
		struct run_job *r = &g->jobs[g->n_jobs++];

		from->r = r;
		r->job = from->job;
		memcpy(r->id, from->run, sizeof(r->id));
		r->batch = &from->batch;
		if (from->job->pool.n)
			r->pool = run_pool_of(g, from->job->pool); /* of another try; this one's place is its shim's */
		r->params = from->params;
		r->dirs = r->logs = true;
		r->tasks = from->o.table + 1;
		from->o.table = -1;
		r->n_rows = from->o.n_rows;
		for (size_t k = 0; k < from->o.n; k++)
			r->n_desks = MAX(r->n_desks, (size_t)from->o.p[k].begun.desk);
		r->n_desks += RUN_ADOPT_DESKS;
		for (size_t k = 0; k < from->n; k++)
			if (make_unit(g, r, from, &from->list[k], e))
				return -1;
	}
	return 0;
}

/* As if this process had started it. */
static int start(struct engine *g, struct adoptee *x, struct err *e)
{
	struct run_unit *u = &x->u;
	struct task *t = run_unit_task(u);
	const struct job *j = u->p->job;
	int64_t passed = MAX(clock_mono_ms() - x->o->begun.mono_ms, 0);

	run_unit_slot_take(u);
	t->begin_ms = x->o->begun.mono_ms;
	t->gave_nothing = x->o->begun.taken;
	name_log(g, x->log, x->o->begun.log_ino);
	if (run_unit_attempt(t, e) || run_dir_adopt(t, &x->o->begun, x->log, e))
		return -1;
	t->shim = (struct proc_shim){.table = u->run->tasks - 1, .row = x->o->row, .detach = j->detach};
	if (j->kind->adopt(&t->t, &t->shim, e))
		return -1;
	t->started = true;
	if (x->o->state == ORPHAN_ALIVE && j->timeout_ms)
		run_unit_limit(t, MAX(j->timeout_ms - passed, 0));
	return 0;
}

int run_adopt_start(struct engine *g, struct err *e)
{
	for (size_t i = 0; i < g->adopt->n; i++) {
		struct adopt_run *from = &g->adopt->runs[i];
		size_t n_alive = 0;

		for (size_t k = 0; k < from->n; k++) {
			struct err why = ERR_INIT;

			n_alive += from->list[k].o->state == ORPHAN_ALIVE;
			if (start(g, &from->list[k], &why))
				run_unit_wrong(&from->list[k].u, &why);
		}
		run_event(g, RUN_NOTE, NULL,
		          arena_printf(g->arena, "%.*s: the process of run %.12s died; of its tasks %zu go on,"
		                       " %zu had ended",
		                       STR_ARG(from->job->name), from->run, n_alive, from->n - n_alive),
		          NULL, 0);
	}
	(void)e;
	return 0;
}

static int drop_leases(struct store *s, const char *run, struct err *e)
{
	struct q *q;

	if (db_begin_durable(s->db, DB_PROCESS, e))
		return -1;
	q = db_query(s->db, "delete from unit_lease where run = ?");
	q_cstr(q, 1, run);
	if (q_run(q, e)) {
		db_rollback(s->db);
		return -1;
	}
	return db_commit(s->db, e);
}

int run_adopt(struct flow *f, struct catalog *c, const struct run_opts *o, struct run_summary *out, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct plan none = {0};
	struct plan_ask ask = {.mode = PLAN_EXPLICIT};
	struct run_opts opts = *o;
	struct run_summary sum = {.first = ERR_INIT};
	struct adopt adopt = {0};
	struct dead_run *dead;
	size_t n;
	int rc = -1, got = 0;

	if (orphan_runs(f->store, a, &dead, &n, e))
		return -1;
	adopt.runs = arena_array(a, struct adopt_run, n + 1);
	for (size_t i = 0; i < n; i++) {
		struct adopt_run *r = &adopt.runs[adopt.n];
		bool taken;

		if (!dead[i].same_boot || !dead[i].here)
			continue;
		*r = (struct adopt_run){.run = dead[i].run, .o = {.table = -1}};
		adopt.n++; /* its table is closed below, whatever comes */
		if (orphan_list(f->store, a, r->run, &r->o, e))
			goto done;
		if (!r->o.n_held) {
			adopt.n--;
			orphan_done(&r->o);
			continue;
		}
		if (read_run(f, a, r, e) || (r->job && read_units(f, a, r, e)) || take_run(f, r, &taken, e))
			goto done;
		got |= taken;
		if (!taken) {
			adopt.n--;
			orphan_done(&r->o);
		}
	}
	rc = 0;
	opts.beside = NULL;
	opts.batch = (struct id){0};
	if (got)
		rc = run_carry(f, c, &none, &ask, &opts, &adopt, &sum, e);
	run_summary_add(out, &sum);
	for (size_t i = 0; i < adopt.n && !rc; i++)
		rc = drop_leases(f->store, adopt.runs[i].run, e);
done:
	for (size_t i = 0; i < adopt.n; i++)
		orphan_done(&adopt.runs[i].o);
	return rc ? -1 : got;
}
