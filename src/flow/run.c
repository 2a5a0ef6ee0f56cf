/* The engine's frame: its loop, what is started when, signals, the end. */
#include "flow/codetext.h"
#include "flow/publish.h"
#include "flow/pyenv.h"
#include "flow/stop.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/clock.h"
#include "sys/fault.h"
#include "sys/proc.h"

void run_fatal(struct engine *g, const struct err *e)
{
	if (!g->fatal)
		g->fatal_err = *e;
	g->fatal = true;
	loop_stop(g->loop);
}

void run_event(struct engine *g, enum run_event_kind kind, struct run_unit *u, const char *text, const struct err *err,
               int64_t ms)
{
	struct run_event ev = {
		.kind = kind,
		.job = u ? u->p->job : NULL,
		.ds = u ? &u->p->ds : NULL,
		.label = u ? u->p->label : NULL,
		.run_id = !u ? NULL : u->other ? u->other->run : u->run->id,
		.unit_id = !u ? 0 : u->other ? u->other->unit : u->id,
		.text = text,
		.err = err,
		.ms = ms,
		.done = g->n_settled,
		.total = g->units.n,
		.running = (size_t)g->used,
	};

	if (g->o->on_event)
		g->o->on_event(g->o->ptr, &ev);
}

void run_event_set(struct engine *g, const struct data_set *d, const struct err *err)
{
	struct run_event ev = {.kind = RUN_UNIT_FAILED, .job = d->job, .run_id = d->run, .text = err->msg, .err = err,
	                       .done = g->n_settled, .total = g->units.n, .running = (size_t)g->used};

	if (g->o->on_event)
		g->o->on_event(g->o->ptr, &ev);
}

/* --- what can be started --- */

static bool hot_first(const struct engine *g)
{
	return g->hot.first && !(g->cold.first && queue_before(g->cold.first, g->hot.first));
}

/* The first unit of a queue whose pool has a place; it is taken out and holds the place. NULL: there is none. */
static int take_placed(struct queue *q, struct run_unit **out, struct err *e)
{
	struct run_unit *before = NULL;

	for (struct run_unit *u = q->first; u; before = u, u = u->next) {
		int r = run_pool_take(u, e);

		if (r < 0)
			return -1;
		if (!r)
			continue;
		if (before)
			before->next = u->next;
		else
			q->first = u->next;
		if (q->last == u)
			q->last = before;
		q->n--;
		u->next = NULL;
		u->placed = NULL;
		*out = u;
		return 0;
	}
	*out = NULL;
	return 0;
}

/*
 * Decides ready units until `want` of them are to be run, and records their attempts in one transaction: the intent
 * stands before the spawn. How many at once follows how fast they are used up.
 */
static int prepare(struct engine *g, size_t want, struct err *e)
{
	struct queue picked = {0};
	struct run_unit *u;
	size_t loud = 0;

	while (picked.n < want) {
		bool runs;

		bool hot = hot_first(g);

		if (take_placed(hot ? &g->hot : &g->cold, &u, e) ||
		    (!u && take_placed(hot ? &g->cold : &g->hot, &u, e)))
			return -1;
		if (!u)
			break;
		if (run_unit_decide(u, &runs, e))
			return -1;
		if (runs)
			queue_push(&picked, u);
	}
	if (!picked.n)
		return 0;
	for (u = picked.first; u; u = u->next) {
		run_rows_begun(u);
		u->quiet = u->p->job->no_output && run_many_can(u);
		loud += !u->quiet;
	}
	if (loud && run_rows_intents(g, picked.first, e))
		return -1;
	fault_crash("unit-intent-recorded");
	while ((u = queue_pop(&picked))) {
		u->step = STEP_PREPARED;
		queue_push(&g->prepared, u);
	}
	return 0;
}

/* As many as are used up in the time of two flushes, going by the last ones; where tasks are long, one a free slot. */
static size_t intents_due(struct engine *g)
{
	int64_t now = clock_mono_ms();

	g->intents = g->intents * 2 * RUN_FLUSH_MS / (size_t)MAX(now - g->intents_at, 1);
	g->intents = MIN(MAX(g->intents, (size_t)(g->slots - g->used)), RUN_INTENTS);
	g->intents_at = now;
	return MAX(g->intents, 1);
}

/*
 * While others have all slots: what turns out to be known, or cannot run, needs none. Nothing is recorded of what is to
 * run, for it does not.
 */
static int decide_waiting(struct engine *g, struct queue *q, struct err *e)
{
	struct queue rest = {0};
	size_t looked = 0;
	struct run_unit *u;

	while (looked++ < RUN_INTENTS && (u = queue_pop(q))) {
		if (run_unit_decide(u, &u->decided, e))
			return -1;
		if (u->decided)
			queue_push(&rest, u);
	}
	while ((u = queue_pop(q)))
		queue_push(&rest, u);
	*q = rest;
	return 0;
}

static int start_ready(struct engine *g, struct err *e)
{
	while (!g->cancelled && g->used < g->slots) {
		struct run_unit *u;

		if (!g->prepared.n && (g->flushing || (!g->hot.n && !g->cold.n)))
			return 0;
		if (!run_slot_open(g) && g->flushing)
			return 0;
		if (!run_slot_open(g))
			return decide_waiting(g, &g->hot, e) || decide_waiting(g, &g->cold, e) ? -1 : 0;
		u = queue_pop(&g->prepared);
		if (u) {
			if (!run_many_start(u))
				run_unit_start(u);
			continue;
		}
		size_t want = intents_due(g);

		u = hot_first(g) ? g->hot.first : g->cold.first;
		if (prepare(g, run_many_can(u) ? run_many_most(u) : want, e))
			return -1;
		if (!g->prepared.n)
			return 0;
	}
	return 0;
}

/* Where tasks are short a flush takes longer than many of them: enough are prepared for that time. */
static int prepare_ahead(struct engine *g, struct err *e)
{
	struct run_unit *u = hot_first(g) ? g->hot.first : g->cold.first;

	if (g->cancelled || !u || g->intents <= (size_t)g->slots || g->prepared.n >= g->intents / 2 ||
	    !u->run->job->kind->starts_process)
		return 0;
	return prepare(g, g->intents, e);
}

static struct run_unit *first_not_ahead(const struct engine *g, size_t among)
{
	struct run_unit *u = g->prepared.first;

	while (u && u->ahead && among--)
		u = u->next;
	return u && !u->ahead && among ? u : NULL;
}

/* The next ones, before there are slots for them: a slot that becomes free waits for no folder, nor for a flush. */
static int fill_ahead(struct engine *g, size_t n, struct err *e)
{
	struct run_unit *u;

	for (size_t i = 0; i < n && !g->cancelled && (u = first_not_ahead(g, n)); i++) {
		run_unit_ahead(u);
		if (!u->ahead)
			break;
		if (run_pump(g, e))
			return -1;
	}
	return 0;
}

static bool prepared_process(const struct engine *g)
{
	const struct run_unit *u = g->prepared.first;

	return !g->cancelled && !g->fatal && u && u->run->job->kind->starts_process;
}

bool run_pumps(const struct engine *g)
{
	/* Folders of inputs may be long in the making, and a transaction is short. */
	return prepared_process(g) && (g->prepared.first->ahead || !g->prepared.first->p->n_inputs);
}

int run_pump(struct engine *g, struct err *e)
{
	if (!g->used || !g->spawns || g->cancelled || g->fatal)
		return 0;
	if (loop_run_children(g->loop, e) < 0)
		return -1;
	run_next(g);
	return 0;
}

void run_next(struct engine *g)
{
	while ((g->flushing ? run_pumps(g) : prepared_process(g)) && run_slot_open(g))
		run_unit_start(queue_pop(&g->prepared));
}

static bool flush_due(struct engine *g)
{
	if (!g->done.n || g->flushing)
		return false;
	return g->done.n >= RUN_FLUSH_UNITS || !g->used || clock_mono_ms() - g->done_since >= RUN_FLUSH_MS;
}

static void look_beside(struct engine *g);

static void on_beside(struct loop_ev *ev, void *ptr)
{
	struct engine *g = ptr;
	struct err e = ERR_INIT;
	int more;

	(void)ev;
	g->beside = NULL;
	if (g->fatal || g->ended || g->beside_done)
		return;
	more = g->o->beside(g->o->beside_ptr, false, &e);
	g->beside_done = !more;
	if (more < 0)
		run_fatal(g, &e);
	else
		look_beside(g);
}

/* From when tasks run for the first time; it may hold what others wait for, and is ended soon. */
static void look_beside(struct engine *g)
{
	if (!g->o->beside || g->beside_done || g->beside || (!g->used && !g->beside_begun))
		return;
	g->beside = loop_timer(g->loop, g->beside_begun ? RUN_BESIDE_MS : 0, on_beside, g);
	g->beside_begun = true;
}

static void step(struct engine *g)
{
	struct err e = ERR_INIT;

	for (;;) {
		run_many_arrive(g);
		if (run_pass(g, &e) || start_ready(g, &e))
			break;
		if (flush_due(g)) {
			if (prepare_ahead(g, &e) || fill_ahead(g, (size_t)g->slots + RUN_AHEAD, &e) ||
			    publish_flush(g, &e))
				break;
			for (struct run_unit *u; (u = queue_pop(&g->written));)
				run_out_take(u->task);
			if (!g->passing.n)
				continue;
			run_wake(g); /* there may be very many of them: signals are looked at in between */
			return;
		}
		if (g->hungry && !g->cancelled) {
			if (run_feed(g, &e))
				break;
			continue;
		}
		if (publish_show(g, false, &e))
			break;
		run_hook_start(g);
		if (g->n_settled == g->units.n && !run_feed_open(g) && !g->hooks) {
			g->ended = true;
			loop_stop(g->loop);
		}
		if (fill_ahead(g, (size_t)g->slots, &e))
			break;
		run_slot_give(g, &g->reserved);
		run_wait_look(g);
		look_beside(g);
		return;
	}
	run_fatal(g, &e);
}

static void on_wake(struct loop_ev *ev, void *ptr)
{
	struct engine *g = ptr;

	(void)ev;
	g->pump = NULL;
	if (!g->fatal && !g->ended)
		step(g);
}

void run_wake(struct engine *g)
{
	if (!g->pump && !g->flushing)
		g->pump = loop_defer(g->loop, on_wake, g);
}

static void on_flush_timer(struct loop_ev *ev, void *ptr)
{
	struct engine *g = ptr;

	(void)ev;
	g->flush_timer = NULL;
	run_wake(g);
}

void run_unit_end(struct run_unit *u, enum state s)
{
	struct engine *g = u->eng;

	run_unit_slot_free(u);
	run_rows_set_state(u, s);
	/*
	 * What it wrote is the store's by now: its folders serve the next one, so that few are ever made. What the
	 * store had already may have to be read once more; and until its end is recorded, who comes after us may have
	 * to.
	 */
	if (u->task && s == STATE_SUCCESS && !u->run->job->kind->reports && !ingest_needs_files(u->in) &&
	    (!run_shim_holds(u) || !u->in)) {
		run_shim_taken(u);
		run_dir_done(u->task);
	}
	u->step = STEP_DONE;
	if (!g->done.n)
		g->done_since = clock_mono_ms();
	queue_push(&g->done, u);
	if (!g->flush_timer)
		g->flush_timer = loop_timer(g->loop, RUN_FLUSH_MS, on_flush_timer, g);
	run_wake(g);
}

/* --- leases --- */

static void on_lease_timer(struct loop_ev *ev, void *ptr);

static void say_waits(struct engine *g, struct run_unit *u, const struct lease_holder *holder)
{
	struct other other = {.unit = holder->unit};

	memcpy(other.run, holder->run, sizeof(other.run));
	u->other = &other;
	run_event(g, RUN_UNIT_WAITS, u,
	          arena_printf(g->arena, "another command works on it (run %.12s, pid %lld)", holder->run,
	                       (long long)holder->pid),
	          NULL, 0);
	u->other = NULL;
}

static int lease_groups(struct engine *g, struct err *e)
{
	struct db *d = g->f->store->db;
	bool first = !g->lease_timer;

	if (!g->n_unleased)
		return 0;
	if (db_begin_durable(d, DB_PROCESS, e))
		return -1;
	/* One that held it when this was planned may have ended since: who finds it free has to look again too. */
	g->others |= first && g->o->looked && db_others(d) != g->o->looked;
	for (size_t i = 0; i < g->n_groups; i++) {
		struct group *gr = g->groups[i];
		struct lease_holder holder;
		size_t which;
		int r;

		if (gr->leased)
			continue;
		if (gr->steps) {
			gr->leased = true;
			g->n_unleased--;
			continue;
		}
		r = run_rows_lease(g, gr, &which, &holder, e);
		if (r < 0) {
			db_rollback(d);
			return -1;
		}
		if (!r && !gr->waited) {
			gr->waited = true;
			say_waits(g, gr->list.p[which], &holder);
		}
		if (!r)
			continue;
		gr->leased = true;
		g->n_unleased--;
	}
	if (db_commit(d, e))
		return -1;
	for (size_t i = 0; i < g->n_groups; i++)
		for (size_t k = 0; g->groups[i]->leased && !g->groups[i]->told && k < g->groups[i]->list.n; k++)
			run_unit_upstream_done(g->groups[i]->list.p[k], UP_LEASED);
	for (size_t i = 0; i < g->n_groups; i++)
		g->groups[i]->told = g->groups[i]->leased;
	if (g->n_unleased && first)
		g->lease_timer = loop_timer(g->loop, RUN_LEASE_POLL_MS, on_lease_timer, g);
	return 0;
}

static void on_lease_timer(struct loop_ev *ev, void *ptr)
{
	struct engine *g = ptr;
	struct err e = ERR_INIT;

	if (g->cancelled || g->flushing)
		return;
	if (lease_groups(g, &e)) {
		run_fatal(g, &e);
		return;
	}
	if (g->n_unleased)
		loop_timer_again(ev, RUN_LEASE_POLL_MS);
	run_wake(g);
}

/* --- stopping --- */

void run_cancel_waiting(struct engine *g)
{
	struct run_unit *u;

	g->hot = g->cold = g->prepared = g->passing = (struct queue){0};
	for (size_t i = 0; i < g->units.n; i++) {
		u = g->units.p[i];
		if (u->step >= STEP_WORK && u->step != STEP_PAUSE)
			continue;
		loop_close(u->timer);
		u->timer = NULL;
		run_unit_end(u, STATE_CANCELLED);
	}
}

static void on_signal(struct loop_ev *ev, int signo, void *ptr)
{
	struct engine *g = ptr;

	(void)ev;
	if (signo == STOP_SIGNAL) {
		run_stop_look(g);
		return;
	}
	g->hard = g->cancelled;
	if (!g->cancelled)
		run_event(g, RUN_NOTE, NULL, "stopping; nothing more is published (once more stops at once)", NULL, 0);
	g->cancelled = true;
	for (size_t i = 0; i < g->units.n; i++)
		if (g->units.p[i]->step == STEP_WORK)
			run_unit_cancel(g->units.p[i], g->hard);
	run_cancel_waiting(g);
	run_wake(g);
}

/* Ends what runs when the machinery itself cannot go on: nothing may outlive us unseen. */
static void stop_all(struct engine *g)
{
	for (size_t i = 0; i < g->units.n; i++) {
		struct run_unit *u = g->units.p[i];

		if (u->task && u->task->started)
			proc_kill_marked(u->task->t.marker);
		if (u->task)
			run_dir_done(u->task);
		run_unit_forget(u);
	}
}

/* --- the frame --- */

/* Tasks run by the PATH that the workspace keeps: a shell that has another Python since is told so. */
static void tell_python(struct engine *g)
{
	const struct dom *set = workspace_setting(g->f->ws, "path");
	char *here, *theirs;

	if (g->told_python || (set && set->type == DOM_STR))
		return;
	g->told_python = true;
	here = proc_which(g->arena, "python3", NULL);
	theirs = proc_which(g->arena, "python3", g->path);
	if (!here || (theirs && !strcmp(here, theirs)))
		return;
	run_event(g, RUN_NOTE, NULL,
	          arena_printf(g->arena,
	                       "python3 here is %s, tasks use %s; 'leat config path --here' gives them this one", here,
	                       theirs ? theirs : "none"),
	          NULL, 0);
}

static void tell_note(void *ptr, const char *text)
{
	run_event(ptr, RUN_NOTE, NULL, arena_dup(((struct engine *)ptr)->arena, text), NULL, 0);
}

/* Made before a unit starts, so that no limit of time counts it. One that cannot be made fails each unit by itself. */
static void need_env(struct engine *g, const struct run_job *r)
{
	const struct pyenv *env;
	struct err ignored = ERR_INIT;

	if (r->n_units && pyenv_need(g->f, r->job, tell_note, g, &env, &ignored))
		err_clear(&ignored);
}

int run_join(struct engine *g, struct run_job *r, struct err *e)
{
	const struct job_kind *k = r->job->kind;

	codetext_load(g->f, r->job);
	if (run_code_pin(g, r, e))
		return -1;
	need_env(g, r);
	return r->n_units && k->ready ? k->ready(r->job, g->f->ws, e) : 0;
}

void run_join_tell(struct engine *g, struct run_job *r)
{
	const struct job *j = r->job;
	const char *text = j->kind->note ? j->kind->note(j, g->arena, r->n_units) : NULL;

	if (text)
		run_event(g, RUN_NOTE, NULL, text, NULL, 0);
	if (str_has_suffix(j->main_file, STR(".py")))
		tell_python(g);
}

/*
 * Who says how many slots it wants has them for itself, and so have backfills together: they do not hold up others. A
 * command inside a task is a part of that task, which has a slot.
 */
static void share_slots(struct engine *g)
{
	bool backfill = g->o->kind && !strcmp(g->o->kind, "backfill");

	g->share_since = clock_mono_ms();
	if (g->o->slots <= 0 && !getenv("LEAT_RUN"))
		run_pool_init(g, &g->share, backfill ? STR("slots of backfills") : STR("slots"), g->slots);
}

static int begin(struct engine *g, struct err *e)
{
	struct store *s = g->f->store;
	static const int signals[] = {SIGINT, SIGTERM, STOP_SIGNAL};
	struct duck_conf conf = {.leat_dir = s->leat_dir};

	g->boot = clock_boot_id();
	g->pid = getpid();
	g->pid_start = lease_own_start();
	g->started_at = g->o->since_ms ? g->o->since_ms : g->o->looked ? g->o->looked_ms : clock_now_ms();
	g->intents = 1;
	g->slots = g->o->slots > 0 ? g->o->slots : g->f->ws->slots;
	share_slots(g);
	g->sum->batch = g->o->batch.hex[0] ? g->o->batch : id_new();
	g->run_dir = arena_printf(g->arena, "%s/staging/run", s->leat_dir);
	if ((g->adopt ? run_adopt_make(g, e) : run_make(g, e)) || run_task_path(g->f, g->arena, &g->path, e) ||
	    loop_new(&g->loop, e))
		return -1;
	g->workers = workers_new(g->loop, &conf, g->f->shelf);
	proc_subreaper();
	stop_expect();
	if (loop_signal(g->loop, signals, ARRAY_LEN(signals), on_signal, g, &g->signals, e))
		return -1;
	for (size_t i = 0; i < g->n_jobs; i++)
		if (run_join(g, &g->jobs[i], e))
			return -1;
	if (g->adopt)
		return run_adopt_start(g, e);
	if (!g->p->data && run_rows_begin(g, e))
		return -1;
	for (size_t i = 0; i < g->n_jobs; i++)
		run_join_tell(g, &g->jobs[i]);
	return 0;
}

static void end(struct engine *g)
{
	stop_all(g);
	for (size_t i = 0; i < g->n_jobs; i++)
		if (g->jobs[i].kept)
			g->jobs[i].job->kind->done(g->jobs[i].kept);
	shim_seats_end();
	workers_free(g->workers);
	loop_free(g->loop);
	run_dir_end(g);
	for (size_t i = 0; i < g->n_pools; i++)
		run_pool_end(&g->pools[i]);
	run_pool_end(&g->share);
	fd_close(&g->pools_fd);
	arena_free(g->arena);
}

/* Of one command that did all that we were to do, its batch; else NULL. */
static const struct id *others_batch(const struct engine *g)
{
	const struct id *batch = NULL;

	for (size_t i = 0; i < g->units.n; i++) {
		const struct other *o = g->units.p[i]->other;

		if (!o || (batch && strcmp(batch->hex, o->batch.hex) != 0))
			return NULL;
		batch = &o->batch;
	}
	return batch;
}

void run_summary_add(struct run_summary *to, const struct run_summary *s)
{
	to->ran += s->ran;
	to->known += s->known;
	to->recovered += s->recovered;
	to->failed += s->failed;
	to->skipped += s->skipped;
	to->not_started += s->not_started;
	to->missing += s->missing;
	to->published_groups += s->published_groups;
	to->held_groups += s->held_groups;
	to->cancelled |= s->cancelled;
	if (!to->first.code)
		to->first = s->first;
}

int run_plan(struct flow *f, struct catalog *c, struct plan *p, const struct plan_ask *ask, const struct run_opts *o,
             struct run_summary *out, struct err *e)
{
	return run_carry(f, c, p, ask, o, NULL, out, e);
}

int run_carry(struct flow *f, struct catalog *c, struct plan *p, const struct plan_ask *ask, const struct run_opts *o,
              struct adopt *adopt, struct run_summary *out, struct err *e)
{
	struct run_summary sum = {.first = ERR_INIT};
	struct engine g = {.f = f, .c = c, .p = p, .ask = ask, .o = o, .sum = &sum, .arena = arena_new(),
	                   .pools_fd = -1, .adopt = adopt};
	const struct id *batch;
	int rc = -1;

	fault_crash("run-planned");
	if (begin(&g, e) || lease_groups(&g, e))
		goto done;
	run_wake(&g);
	if (loop_run(g.loop, e))
		goto done;
	if (g.fatal) {
		*e = g.fatal_err;
		goto done;
	}
	if (publish_show(&g, true, e))
		goto done;
	sum.cancelled = g.cancelled || g.interrupted;
	batch = others_batch(&g);
	if (batch)
		sum.batch = *batch;
	*out = sum;
	rc = 0;
done:
	end(&g);
	return rc;
}
