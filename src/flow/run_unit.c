/* One unit: from nothing left to wait for, over its tries, to its result. */
#include "flow/run_int.h"

#include <stdio.h>

#include "base/str.h"
#include "sys/clock.h"
#include "sys/dir.h"
#include "sys/fault.h"
#include "sys/fs.h"
#include "sys/rand.h"

#define FULL_BYTES 65536 /* a disk with less left is full for all that a task does */
#define LIMIT_GRACE_SHARE 3 /* of a limit: sleep 60 under one of 1 s ends before 1.5 s, whoever ignores TERM too */

void run_unit_slot_take(struct run_unit *u)
{
	if (!u->in_slot)
		u->eng->used++;
	u->in_slot = true;
	if (!u->slot)
		u->slot = run_slot_have(u->eng);
}

void run_unit_slot_free(struct run_unit *u)
{
	if (u->in_slot)
		u->eng->used--;
	run_pool_give(u);
	run_slot_give(u->eng, &u->slot);
	u->in_slot = false;
}

void run_unit_ready(struct run_unit *u)
{
	u->step = STEP_READY;
	if (u->state == STATE_WAITING)
		run_rows_set_state(u, STATE_QUEUED);
	if (run_pass_is(u))
		queue_place(&u->eng->passing, u);
	else
		queue_place(u->p->n_upstream || u->attempts ? &u->eng->hot : &u->eng->cold, u);
	run_wake(u->eng);
}

void run_unit_upstream_done(struct run_unit *u, enum up_end how)
{
	u->n_good += how == UP_GOOD;
	u->n_bad += how == UP_BAD;
	u->n_skipped += how == UP_SKIPPED;
	if (--u->n_wait || u->step != STEP_WAIT)
		return;
	run_rule_end(u);
}

/* --- deciding --- */

/*
 * Another command held the group until now. What it made of this very unit since we began is the result: 1; else 0. The
 * keys must agree: it may have run other code.
 */
static int adopt(struct run_unit *u, struct err *e)
{
	struct engine *g = u->eng;
	struct store *s = g->f->store;
	struct q *q = db_query(
		s->db, "select u.id, u.run, u.state, u.key, u.tree, u.commit_id, u.error, r.batch from unit u"
	               " join run r on r.id = u.run where u.job = ? and u.ds = ? and u.id <> ? and u.finished >= ?"
	               " and u.state in ('success', 'failed', 'timed-out')"
	               /* not of one that waited as we did */
	               " and (u.original is null or u.commit_id is not null) order by u.id desc limit 1");
	enum state st = STATE_COUNT;
	struct sha key, tree;
	bool same = false, has_tree = false, committed = false;
	struct err *err = arena_new_of(u->arena, struct err);
	struct other *o = arena_new_of(g->arena, struct other);
	int r;

	q_text(q, 1, u->p->job->name);
	q_cstr(q, 2, u->p->ds.label);
	q_int(q, 3, u->id);
	q_int(q, 4, g->started_at);
	r = q_step(q, e);
	if (r == 1) {
		st = state_of_word(q_col_text(q, 2));
		committed = q_col_text(q, 5).n > 0;
		same = q_col_sha(q, 3, &key) && sha_eq(&key, &u->p->key.key);
		has_tree = q_col_sha(q, 4, &tree) && !q_col_is_null(q, 5);
		snprintf(o->run, sizeof(o->run), "%.*s", STR_ARG(q_col_text(q, 1)));
		snprintf(o->batch.hex, sizeof(o->batch.hex), "%.*s", STR_ARG(q_col_text(q, 7)));
		o->unit = u->original = q_col_int(q, 0);
		err_set(err, ERR_FAILED, "run %.12s of another command failed: %.*s", o->run,
		        STR_ARG(q_col_text(q, 6)));
	}
	q_done(q);
	if (r < 0)
		return -1;
	if (g->o->since_ms && st == STATE_SUCCESS && !committed) /* taken over, and held back: its group is this one */
		same = false;
	if (!same || !(st == STATE_FAILED || st == STATE_TIMED_OUT || (st == STATE_SUCCESS && has_tree))) {
		u->original = 0;
		return 0;
	}
	u->other = o;
	u->note = arena_printf(u->arena, "run %.12s of another command did it", o->run);
	if (st != STATE_SUCCESS) {
		u->err = err;
		run_unit_end(u, STATE_FAILED);
		return 1;
	}
	r = tree_find(s, NULL, &tree, STR(""), &u->tree, e);
	if (r < 0)
		return -1;
	u->has_tree = r;
	u->published = true;
	run_unit_end(u, STATE_SUCCESS);
	return 1;
}

static int decide(struct run_unit *u, bool *runs, struct err *e)
{
	struct engine *g = u->eng;
	struct plan_unit *p = u->p;
	const struct job_check **unchecked;
	size_t n;

	if (p->n_upstream && plan_decide(g->f, g->c, u->arena, g->ask, p, e))
		return -1;
	if (u->group->waited || ((g->o->since_ms || g->others) && !u->group->data)) {
		int r = u->group->waited || !g->ask->again ? adopt(u, e) : 0;

		if (r)
			return r < 0 ? -1 : 0;
		/* what is known may have grown */
		if (!p->n_upstream && plan_decide(g->f, g->c, u->arena, g->ask, p, e))
			return -1;
	}
	if (p->reason == REASON_INPUT_MISSING)
		return err_set(e, ERR_MISSING_INPUT, "%s", p->detail ? p->detail : reason_text(p->reason));
	if (!reason_runs(p->reason) && !p->known) {
		u->note = plan_say(u->arena, p);
		u->branched = p->reason == REASON_SKIPPED;
		run_unit_end(u, STATE_SKIPPED);
		return 0;
	}
	/* for what is recorded of it; of very many units in a plan most wait for long */
	if (!p->key.ingredients && key_ingredients(g->f, g->c, u->arena, run_params(u), p, &p->key.ingredients, e))
		return -1;
	if (p->known) {
		if (run_out_unchecked(u, u->arena, &unchecked, &n, e))
			return -1;
		u->tree = p->known_tree;
		u->has_tree = true;
		u->original = p->known_unit;
		u->checked_only = n > 0;
		if (!n)
			run_unit_end(u, STATE_SUCCESS);
		*runs = n > 0;
		return 0;
	}
	/* A key made with the plan knows nothing of what units before this one have learned. */
	u->learned = p->n_upstream ? g->learned : 0;
	*runs = true;
	return 0;
}

/* The first try of ours at a unit that another process began: what it reads is looked up now. */
static int decide_again(struct run_unit *u, bool *runs, struct err *e)
{
	struct engine *g = u->eng;
	struct plan_unit *p = u->p;
	struct plan_ask ask = *g->ask;

	ask.params = u->run->params;
	u->adopted = false;
	if (run_join(g, u->run, e) || plan_decide(g->f, g->c, u->arena, &ask, p, e))
		return -1;
	if (p->reason == REASON_INPUT_MISSING || p->reason == REASON_INPUT_GONE)
		return err_set(e, ERR_MISSING_INPUT, "%s", p->detail ? p->detail : reason_text(p->reason));
	if (!p->key.ingredients && key_ingredients(g->f, g->c, u->arena, run_params(u), p, &p->key.ingredients, e))
		return -1;
	*runs = true;
	return 0;
}

int run_unit_decide(struct run_unit *u, bool *runs, struct err *e)
{
	struct err *why;

	*runs = u->decided;
	if (u->decided)
		return 0;
	if (u->attempts && !u->adopted) {
		*runs = true;
		return 0;
	}
	if (!u->adopted) {
		u->arena = arena_new();
		u->started_ms = clock_mono_ms();
	}
	why = arena_new_of(u->arena, struct err);
	if (u->adopted ? !decide_again(u, runs, why) : !decide(u, runs, why))
		return 0;
	*runs = false;
	if (why->code == ERR_DISK_FULL || why->code == ERR_IO) { /* not the unit's fault: the store cannot be read */
		*e = *why;
		return -1;
	}
	u->err = why;
	run_unit_end(u, STATE_FAILED);
	return 0;
}

/* --- a try --- */

static void on_grace(struct loop_ev *ev, void *ptr)
{
	struct task *t = ptr;

	(void)ev;
	t->grace = NULL;
	run_unit_cancel(t->u, true);
}

/* A limit of time is one for those who do not listen too: what comes on top is a share of it, unless the job says. */
static int64_t grace_of(const struct run_unit *u)
{
	const struct job *j = u->p->job;
	int64_t limit = u->run->over ? j->run_timeout_ms : u->task->t.timed_out ? j->timeout_ms : 0;

	return limit && !j->own_grace && !u->eng->cancelled ? MIN(j->grace_ms, limit / LIMIT_GRACE_SHARE) : j->grace_ms;
}

void run_unit_cancel(struct run_unit *u, bool hard)
{
	struct task *t = u->task;

	if (!t || t->hard)
		return;
	t->hard = hard;
	if (u->eng->cancelled)
		t->t.cancelled = true;
	if (t->started)
		u->p->job->kind->cancel(&t->t, hard);
	else if (t->work)
		workers_cancel(t->work, hard);
	if (!hard && !t->grace)
		t->grace = loop_timer(u->eng->loop, grace_of(u), on_grace, t);
}

static void on_limit(struct loop_ev *ev, void *ptr)
{
	struct task *t = ptr;

	(void)ev;
	t->limit = NULL;
	t->t.timed_out = true;
	run_unit_cancel(t->u, false);
}

void attempt_stands_by(struct attempt *a)
{
	struct task *t = (struct task *)a;

	loop_close(t->limit);
	loop_close(t->grace);
	t->limit = t->grace = NULL;
	t->hard = false;
	if (a->job->timeout_ms)
		t->limit = loop_timer(t->eng->loop, a->job->timeout_ms, on_limit, t);
}

/* What lies in each work folder is in memory, unless it is large. */
static struct str program_of(const struct run_job *r)
{
	for (size_t i = 0; i < r->n_code && r->job->main_file.p; i++)
		if (str_eq(r->job->code[i].path, r->job->main_file))
			return r->code[i].bytes;
	return STR_NULL;
}

int run_unit_attempt(struct task *t, struct err *e)
{
	struct run_unit *u = t->u;
	struct engine *g = t->eng;
	size_t others = g->hot.n + g->cold.n + g->prepared.n;
	int spare = g->slots - g->used + 1;

	t->t = (struct attempt){
		.arena = u->arena,
		.flow = g->f,
		.loop = g->loop,
		.job = u->p->job,
		.ds = u->p->ds,
		.datum = u->p->datum,
		.run_id = u->run->id,
		.event = u->event->hex,
		.program = program_of(u->run),
		.unit_id = u->id,
		.number = u->attempts,
		.inputs = u->p->inputs,
		.n_inputs = u->p->n_inputs,
		.params = run_params(u),
		.unit = u->p,
		.catalog = g->c,
		.workers = g->workers,
		.path = g->path,
		.kept = &u->run->kept,
		.marker = arena_printf(u->arena, "%s.%lld.%d", u->run->id, (long long)u->id, u->attempts),
		.threads = u->p->job->threads ? u->p->job->threads : others ? 1 : MAX(spare, 1),
	};
	if (u->p->job->no_output) /* nothing but its query is run, which is rendered by itself */
		return 0;
	t->t.vars = unit_vars(u->arena, u->p, t->t.params);
	return unit_spec(u->arena, u->p, t->t.params, &t->t.spec, e);
}

int run_unit_fill(struct task *t, struct err *e)
{
	t->gave_nothing = t->u->p->job->no_output;
	return run_unit_attempt(t, e) || (!t->gave_nothing && run_dir_make(t, e)) ? -1 : 0;
}

void run_unit_limit(struct task *t, int64_t ms)
{
	t->limit = loop_timer(t->eng->loop, ms, on_limit, t);
}

struct task *run_unit_task(struct run_unit *u)
{
	struct task *t = arena_new_of(u->arena, struct task);

	*t = (struct task){.eng = u->eng, .u = u, .log_fd = -1, .begin_ms = clock_mono_ms()};
	u->task = t;
	u->step = STEP_WORK;
	return t;
}

/* A rename takes as long as all else that the log of a small task costs. Who takes over from us names it too. */
static void on_naming(struct loop_ev *ev, void *ptr)
{
	struct task *t = ptr;

	(void)ev;
	t->naming = NULL;
	run_dir_log_named(t);
}

int run_unit_launch(struct task *t, struct err *e)
{
	const struct job *j = t->u->p->job;
	int rc;

	t->started = true;
	rc = j->kind->start(&t->t, e);
	fault_crash("unit-task-started");
	t->eng->learned += t->t.learned;
	t->started = !rc;
	if (!rc && t->log_unnamed)
		t->naming = loop_timer(t->eng->loop, RUN_NAME_MS, on_naming, t);
	if (!rc && j->timeout_ms && !t->t.shell)
		t->limit = loop_timer(t->eng->loop, j->timeout_ms, on_limit, t);
	return rc;
}

/* Whether its inputs are laid out in no time: what takes long would hold up the results that wait for the flush. */
static bool is_soon_laid(const struct plan_unit *p)
{
	int64_t bytes = 0;

	if (!p->datum)
		return !p->n_inputs;
	for (size_t i = 0; i < p->datum->n; i++) {
		if (p->datum->parts[i].entry.kind != ENTRY_FILE)
			return false;
		bytes += p->datum->parts[i].entry.size;
	}
	return p->datum->n <= RUN_AHEAD_FILES && bytes <= RUN_AHEAD_BYTES;
}

void run_unit_ahead(struct run_unit *u)
{
	const struct job_kind *kind = u->p->job->kind;
	struct err e = ERR_INIT;

	if (u->ahead || !kind->prepare || u->checked_only || !is_soon_laid(u->p))
		return;
	run_unit_task(u);
	u->step = STEP_PREPARED;
	u->ahead = !run_unit_fill(u->task, &e) && !kind->prepare(&u->task->t, &e) && u->task->t.own;
	if (u->ahead)
		return;
	err_clear(&e); /* it happens again at the start, which says so */
	run_dir_done(u->task);
	u->task = NULL;
}

void run_unit_start(struct run_unit *u)
{
	struct engine *g = u->eng;
	struct task *t = u->ahead ? u->task : run_unit_task(u);
	struct err e = ERR_INIT;

	u->step = STEP_WORK;
	t->begin_ms = clock_mono_ms();
	run_unit_slot_take(u);
	run_limit_begin(u);
	if (u->checked_only) {
		run_out_known(u, t);
		return;
	}
	if (u->quiet) { /* alone it is as any other */
		u->quiet = false;
		if (run_rows_intents(g, u, &e)) {
			run_fatal(g, &e);
			return;
		}
	}
	if (!u->ahead && run_unit_fill(t, &e)) {
		run_unit_failed(u, &e, 0, STATE_FAILED);
		return;
	}
	if (!u->said || u->attempts > 1)
		run_event(g, RUN_UNIT_STARTED, u, u->attempts > 1 ? "once more" : plan_say(u->arena, u->p), NULL, 0);
	u->ahead = false;
	if (run_unit_launch(t, &e))
		run_unit_failed(u, &e, 0, STATE_FAILED);
}

/* What was learned of the inputs while it ran counts in its key, as it will the next time. */
static int rekey(struct run_unit *u, struct err *e)
{
	struct engine *g = u->eng;

	return key_make(g->f, g->c, u->arena, run_params(u), u->p, e) ||
	               key_ingredients(g->f, g->c, u->arena, run_params(u), u->p, &u->p->key.ingredients, e)
	           ? -1
	           : 0;
}

/* What a task said of a full disk may have found no room in its log. */
static void say_full(const struct task *t, struct err *e)
{
	const struct engine *g = t->eng;
	struct err ignored = ERR_INIT, said = *e;
	uint64_t left;

	if (e->code == ERR_DISK_FULL || fs_free_bytes(g->run_dir, &left, &ignored) || left >= FULL_BYTES)
		return;
	err_set(e, said.code, "%s; the disk of %s is full", said.msg, g->f->store->leat_dir);
	err_hint(e, "%s", said.hint);
	/* Nobody looks at what it left, and its end has to be recorded. */
	if (t->t.out_dir && !g->o->keep_staging && dir_remove_tree(t->t.out_dir, &ignored))
		err_clear(&ignored);
}

void attempt_done(struct attempt *a, const struct attempt_result *r)
{
	struct task *t = (struct task *)a;
	struct run_unit *u = t->u;
	struct err e = ERR_INIT;

	BUG_IF(!t->started);
	if (t->many) {
		run_many_done(t, r);
		return;
	}
	t->started = false;
	if (t->alone) {
		t->alone(t, r);
		return;
	}
	t->result = *r;
	loop_close(t->limit);
	loop_close(t->grace);
	t->limit = t->grace = NULL;
	t->hard = false;
	run_dir_log_end(t);
	if (t->t.cancelled && u->run->over && !u->eng->cancelled) {
		run_limit_say(u, &e);
		run_unit_failed(u, &e, 0, STATE_TIMED_OUT);
	} else if (t->t.cancelled || (r->state == ATTEMPT_CANCELLED && !t->t.timed_out)) {
		run_unit_end(u, STATE_CANCELLED);
	} else if (r->state == ATTEMPT_RECOVERED) {
		run_unit_end(u, STATE_RECOVERED);
	} else if (t->t.timed_out || r->state == ATTEMPT_TIMED_OUT) {
		err_set(&e, ERR_TIMEOUT, "it took longer than its limit of %lld ms", (long long)u->p->job->timeout_ms);
		err_hint(&e, "timeout: in %.*s sets it", STR_ARG(u->p->job->file));
		run_unit_failed(u, &e, 0, STATE_TIMED_OUT);
	} else if (r->state == ATTEMPT_FAILED) {
		e = r->err;
		say_full(t, &e);
		run_unit_failed(u, &e, r->retry_after_ms, STATE_FAILED);
	} else {
		fault_crash("unit-task-ended");
		if (!u->run->pool) {
			run_unit_slot_free(u);
			run_next(u->eng);
		}
		if (u->learned != u->eng->learned && rekey(u, &e))
			run_unit_wrong(u, &e);
		else if (u->eng->flushing && !t->gave_nothing && !run_dir_untouched(t->t.out_dir, t->desk->out_stamp))
			queue_push(&u->eng->written, u); /* no data is read while a transaction is open */
		else
			run_out_take(t);
	}
}

/* --- trying again --- */

static int64_t retry_delay(const struct run_unit *u)
{
	const struct job *j = u->p->job;
	double ms = (double)j->retry_delay_ms;
	double spread = (double)(rand_u64() >> 11) / (double)(1ull << 53) * 2 - 1;

	for (int i = 1; i < u->attempts && ms < RUN_MAX_RETRY_MS; i++)
		ms *= j->backoff;
	ms *= 1 + j->jitter * spread;
	return (int64_t)MIN(MAX(ms, 0), (double)RUN_MAX_RETRY_MS);
}

static void on_retry(struct loop_ev *ev, void *ptr)
{
	struct run_unit *u = ptr;

	(void)ev;
	u->timer = NULL;
	run_unit_ready(u);
}

static int record_retry(struct run_unit *u, enum state s, struct err *e)
{
	struct db *d = u->eng->f->store->db;

	if (db_begin_durable(d, DB_PROCESS, e))
		return -1;
	if (run_rows_attempt_end(u->eng, u, u->task, s, e)) {
		db_rollback(d);
		return -1;
	}
	return db_commit(d, e);
}

void run_unit_failed(struct run_unit *u, const struct err *why, int64_t retry_after_ms, enum state s)
{
	struct engine *g = u->eng;
	struct err *err = arena_new_of(u->arena, struct err), e = ERR_INIT;
	int64_t delay = retry_after_ms > 0 ? MIN(retry_after_ms, RUN_MAX_RETRY_MS) : retry_delay(u);

	*err = *why;
	u->err = err;
	run_dir_log_end(u->task);
	if (g->cancelled || (u->stopped && !u->run->over)) {
		run_unit_end(u, STATE_CANCELLED);
		return;
	}
	bool final = u->run->over || u->held_back || run_rule_final(u) ||
	             (u->task && (u->task->result.state == ATTEMPT_RECOVERED ||
	                          (u->task->result.state == ATTEMPT_FAILED && u->task->result.final)));
	if (final || u->attempts > u->p->job->retries) {
		run_unit_end(u, s);
		return;
	}
	/* In a flush the transaction is open: the row then waits for the end of the unit (the log has it all). */
	if (!g->flushing && record_retry(u, s, &e)) {
		run_fatal(g, &e);
		return;
	}
	run_event(g, RUN_UNIT_RETRY, u, arena_printf(u->arena, "again in %.1f s", (double)delay / 1e3), err,
	          clock_mono_ms() - u->task->begin_ms);
	run_dir_done(u->task);
	u->task = NULL;
	run_unit_slot_free(u);
	run_rows_set_state(u, STATE_RETRY_WAIT);
	u->step = STEP_PAUSE;
	u->timer = loop_timer(g->loop, delay, on_retry, u);
	run_wake(g);
}

void run_unit_wrong(struct run_unit *u, const struct err *why)
{
	struct err *err = arena_new_of(u->arena, struct err);

	*err = *why;
	u->err = err;
	run_unit_end(u, STATE_FAILED);
}

void run_unit_forget(struct run_unit *u)
{
	ingest_free(u->in);
	u->in = NULL;
	run_shim_done(u);
	arena_free(u->arena);
	u->arena = NULL;
	u->task = NULL;
	u->err = NULL;
	u->note = NULL;
	u->checks = NULL;
	loop_close(u->timer);
	u->timer = NULL;
}
