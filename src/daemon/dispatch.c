/* From requests to runners. */
#include "daemon/daemon.h"
#include "daemon/rules.h"
#include "daemon/runner.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"
#include "flow/lease.h"
#include "flow/state.h"
#include "sys/clock.h"
#include "sys/fault.h"

/* --- a slot of a job is one of all that follow it --- */

/* The unit of `below` that follows ds of `j`: its own interval ends with that of ds. false: none. */
static bool ds_below(const struct job *j, const struct ds *ds, const struct job *below, struct ds *out)
{
	*out = (struct ds){0};
	if (below->every == EVERY_NONE)
		return true;
	if (j->every == EVERY_NONE)
		return false;
	if (below->every == j->every) {
		*out = *ds;
		return true;
	}
	struct interval own = ds_interval(ds, j->tz);
	struct ds d = ds_at(below->every, own.start, below->tz);

	*out = d; /* a week's runs with its last day */
	return ds_nesting(ds, &d, j->tz) == DS_INSIDE && ds_interval(&d, below->tz).end == own.end;
}

static int add_below(struct daemon *d, const struct request *r, const struct job *j, const struct job *below,
                     struct err *e)
{
	struct request_new n = {.kind = REQUEST_SCHEDULE,
	                        .job = below->name,
	                        .slot = REQUEST_NONE,
	                        .parent = r->id,
	                        .priority = r->priority,
	                        .due_ms = r->due_ms};
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct err ignored = ERR_INIT;
	struct ds ds = {0}, own;
	int64_t id;

	if ((r->ds.n && ds_parse(r->ds, &ds, &ignored)) || !ds_below(j, &ds, below, &own))
		return 0;
	n.ds = own.label;
	n.idem = arena_strf(a, "below %lld %.*s", (long long)r->id,
	                    STR_ARG(below->name)); /* whoever is killed between */
	return request_add(d->store->db, &n, &id, e) < 0 ? -1 : 0;
}

static bool has_below(const struct daemon *d, const struct request *r, const struct job *j)
{
	return j && str_is(r->kind, "schedule") && !r->parent && !r->tries && graph_node(d->flow->graph, j)->n_down;
}

/* Jobs without a schedule of their own that read what it makes run with it, as the steps of one pipeline. */
static int add_all_below(struct daemon *d, const struct request *r, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	const struct job *j = jobs_get(d->flow->jobs, r->job);
	struct map in;
	size_t n;
	const struct job **below;

	if (!has_below(d, r, j))
		return 0;
	below = graph_descendants(d->flow->graph, a, j, &n);
	map_init(&in, a);
	map_set(&in, j->name, d);
	for (size_t i = 0; i < n; i++) {
		const struct graph_node *node = graph_node(d->flow->graph, below[i]);
		bool follows = false;

		if (below[i] == j || below[i]->schedule || below[i]->tree || job_stays(below[i]))
			continue;
		for (size_t k = 0; k < node->n_up; k++)
			follows |= map_has(&in, node->up[k]->job->name);
		if (!follows)
			continue;
		map_set(&in, below[i]->name, d);
		if (add_below(d, r, j, below[i], e))
			return -1;
	}
	return 0;
}

/* 1: there are more now; 0: nothing is below any; -1 */
static int expand(struct daemon *d, struct request *const *r, size_t n, struct err *e)
{
	struct db *db = d->store->db;
	bool any = false;
	int rc;

	for (size_t i = 0; !any && i < n; i++)
		any = has_below(d, r[i], jobs_get(d->flow->jobs, r[i]->job));
	if (!any)
		return 0;
	rc = db_begin_durable(db, DB_PROCESS, e);

	for (size_t i = 0; !rc && i < n; i++)
		rc = add_all_below(d, r[i], e);
	if (!rc)
		return db_commit(db, e) ? -1 : 1;
	if (db_in_write(db))
		db_rollback(db);
	return -1;
}

/* --- runners --- */

/*
 * Jobs that come after one that has succeeded may have waited for just that, though no head has moved. And what this
 * runner found missing may have come while it looked.
 */
static int wake_after(struct daemon_runner *k, struct arena *a, struct err *e)
{
	struct daemon *d = k->d;
	struct str *done, *waits;
	struct request *any;
	size_t n, n_waits;

	if (request_list(d->store->db, a, state_word(STATE_WAITING), 1, &any, &n, e))
		return -1;
	if (!n)
		return 0;
	if (request_jobs(d->store->db, a, str_of(k->batch), state_word(STATE_SUCCESS), &done, &n, e) ||
	    request_jobs(d->store->db, a, str_of(k->batch), state_word(STATE_WAITING), &waits, &n_waits, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct job *j = jobs_get(d->flow->jobs, done[i]);
		const struct graph_node *node = j ? graph_node(d->flow->graph, j) : NULL;

		for (size_t m = 0; node && m < node->n_down; m++)
			if (request_wake(d->store->db, node->down[m]->job->name, e))
				return -1;
	}
	for (size_t i = 0; d->moved != k->moved && i < n_waits; i++)
		if (request_wake(d->store->db, waits[i], e))
			return -1;
	return 0;
}

/*
 * Data that came for a day while that day was made again is seen when its output moves. Where that failed it does not:
 * somebody has to look.
 */
static int late_after(struct daemon_runner *k, struct arena *a, struct err *e)
{
	static const enum state bad[] = {STATE_FAILED, STATE_TIMED_OUT};
	struct daemon *d = k->d;
	struct str *jobs;
	size_t n;

	if (d->moved == k->moved)
		return 0;
	for (size_t s = 0; s < ARRAY_LEN(bad); s++) {
		if (request_jobs(d->store->db, a, str_of(k->batch), state_word(bad[s]), &jobs, &n, e))
			return -1;
		for (size_t i = 0; i < n; i++) {
			const struct job *j = jobs_get(d->flow->jobs, jobs[i]);

			if (j && j->late_run && j->schedule && !j->tree)
				return events_ask_data(d, e);
		}
	}
	return 0;
}

/* What it had is queued again, and who waited for it looks again. */
static int take_back(struct daemon_runner *k, struct err *e)
{
	struct daemon *d = k->d;
	struct arena *a cleanup(arena_cleanup) = arena_new();
	size_t lost;

	if (request_recover(d->store->db, str_of(k->batch), k->begun, &lost, e))
		return -1;
	if (lost)
		daemon_log(d, "warning", "a runner died; what it had is queued again", "requests",
		           arena_printf(a, "%zu", lost));
	return *k->batch && (late_after(k, a, e) || wake_after(k, a, e)) ? -1 : 0;
}

static void take_back_all(struct daemon *d)
{
	struct err e = ERR_INIT;

	while (d->ended) {
		struct daemon_runner *k = d->ended;

		if (take_back(k, &e)) { /* a full disk: it stays in the list */
			events_failed(d, &e);
			return;
		}
		d->ended = k->next;
		free(k);
	}
}

static void runner_ended(struct daemon_runner *k)
{
	struct daemon *d = k->d;

	for (struct daemon_runner **p = &d->runners; *p; p = &(*p)->next)
		if (*p == k) {
			*p = k->next;
			break;
		}
	d->n_runners--;
	proc_free(&k->p);
	k->next = d->ended;
	d->ended = k;
	take_back_all(d);
	events_look(d);
}

static void on_child(struct loop_ev *ev, const struct proc_exit *x, void *ptr)
{
	struct daemon_runner *k = ptr;
	char text[PROC_TEXT];

	(void)ev;
	if (!proc_exit_ok(x)) {
		proc_exit_text(x, text);
		daemon_log(k->d, "warning", "a runner ended badly", "batch", k->batch, "how", text);
	}
	runner_ended(k);
}

static void on_adopted(struct loop_ev *ev, uint32_t events, void *ptr)
{
	(void)events;
	loop_close(ev);
	runner_ended(ptr);
}

static struct daemon_runner *runner_new(struct daemon *d, const char *batch)
{
	struct daemon_runner *k = xcalloc(1, sizeof(*k));

	k->d = d;
	k->p = (struct proc)PROC_INIT;
	k->moved = d->moved;
	snprintf(k->batch, sizeof(k->batch), "%s", batch);
	return k;
}

static void runner_add(struct daemon *d, struct daemon_runner *k)
{
	k->next = d->runners;
	d->runners = k;
	d->n_runners++;
}

static int watch_runner(struct daemon *d, struct daemon_runner *k, struct err *e)
{
	k->begun = true;
	if (loop_child(d->loop, &k->p, on_child, k, &k->ev, e)) {
		proc_free(&k->p);
		free(k);
		return -1;
	}
	runner_add(d, k);
	return 0;
}

int dispatch_given(struct daemon *d, const struct runner_told *told, struct err *e)
{
	struct daemon_runner *k = runner_new(d, told->batch.hex);

	fault_crash("request-given");
	if (standby_take(d, told, &k->p))
		return watch_runner(d, k, e);
	standby_drop(d); /* it has died: what it was given goes back */
	k->next = d->ended;
	d->ended = k;
	return 0;
}

static int start_runner(struct daemon *d, struct request *const *r, size_t n, struct err *e)
{
	struct id batch = id_new();
	const char *argv[] = {proc_self_exe(), "--role", RUNNER_ROLE, d->ws->dir, batch.hex, NULL};
	struct proc_spec spec = PROC_SPEC;
	struct daemon_runner *k;

	if (request_give(d->store->db, r, n, batch, e))
		return -1;
	fault_crash("request-given");
	k = runner_new(d, batch.hex);
	spec.argv = argv;
	spec.cwd = "/";
	spec.out = -1;
	spec.same_group = true; /* so that it can leave it by setsid */
	if (!standby_take(d, &(struct runner_told){.batch = batch}, &k->p) && proc_spawn(&spec, &k->p, e)) {
		/* too many processes: what it was given goes back */
		k->next = d->ended;
		d->ended = k;
		return -1;
	}
	return watch_runner(d, k, e);
}

/* --- what can start --- */

/* Requests that go to one runner: those of one backfill, which has slots of its own; all others. */
struct load {
	int64_t backfill;
	VEC(struct request *) list;
	struct load *next;
};

struct picking {
	struct arena *a;
	struct rules rules;
	struct load *loads;
	size_t n_loads;             /* runners that are to be started */
	VEC(struct request *) held; /* whose rule or reason has changed */
	VEC(struct rules_held) why;
};

static struct load *load_new(struct picking *p, int64_t backfill)
{
	struct load *l = arena_new_of(p->a, struct load);

	*l = (struct load){.backfill = backfill, .next = p->loads};
	p->loads = l;
	p->n_loads++;
	return l;
}

/* The runner that it goes to; NULL: there are as many as may be. */
static struct load *load_of(struct daemon *d, struct picking *p, const struct request *r)
{
	bool alone = !r->job.p || (r->params.n && !r->backfill); /* parameters are of a whole run */

	for (struct load *l = p->loads; l && !alone; l = l->next)
		if (l->backfill == r->backfill)
			return l;
	if (d->n_runners + p->n_loads >= DAEMON_RUNNERS)
		return NULL;
	return load_new(p, alone ? -1 : r->backfill);
}

static void hold(struct picking *p, struct request *r, const struct rules_held *h)
{
	if (!h->skip && r->held == h->rule && str_is(r->reason, h->why))
		return;
	vec_push(p->a, &p->held, r);
	vec_push(p->a, &p->why, *h);
}

static int pick(struct daemon *d, struct picking *p, struct request *r, struct err *e)
{
	struct rules_held h;
	struct load *l;

	if (rules_hold(&p->rules, r, &h, e))
		return -1;
	l = h.rule ? NULL : load_of(d, p, r);
	if (!h.rule && !l)
		h = (struct rules_held){
			.rule = RULE_BUSY,
			.why = arena_printf(p->a, "runners %d/%d are at work", DAEMON_RUNNERS, DAEMON_RUNNERS)};
	if (h.rule) {
		hold(p, r, &h);
		return 0;
	}
	rules_starts(&p->rules, r);
	vec_push(p->a, &l->list, r);
	return 0;
}

static int hold_all(struct daemon *d, struct picking *p, struct err *e)
{
	struct db *db = d->store->db;
	int rc = p->held.n ? db_begin_durable(db, DB_PROCESS, e) : 0;

	for (size_t i = 0; !rc && i < p->held.n; i++)
		if (!p->why.p[i].skip)
			rc = request_hold(db, p->held.p[i]->id, p->why.p[i].rule, p->why.p[i].why, e);
	if (!rc && p->held.n)
		rc = db_commit(db, e);
	else if (rc && db_in_write(db))
		db_rollback(db);
	for (size_t i = 0; !rc && i < p->held.n; i++)
		if (p->why.p[i].skip)
			rc = request_over(db, p->held.p[i]->id, state_word(STATE_SKIPPED), p->why.p[i].why, e);
	return rc;
}

/* What is asked for stands in one order: by priority, then jobs by turns, then as they came. */
struct turn {
	struct request *r;
	int64_t priority;
	uintptr_t turn;
};

static int by_turn(const void *x, const void *y)
{
	const struct turn *a = x, *b = y;

	if (a->priority != b->priority)
		return a->priority > b->priority ? -1 : 1;
	if (a->turn != b->turn)
		return a->turn < b->turn ? -1 : 1;
	return (a->r->id > b->r->id) - (a->r->id < b->r->id);
}

static struct turn *in_turns(struct daemon *d, struct arena *a, struct request *r, size_t n)
{
	struct turn *t = arena_array(a, struct turn, n + 1);
	struct map seen;

	map_init(&seen, a);
	for (size_t i = 0; i < n; i++) {
		const struct job *j = r[i].job.p ? jobs_get(d->flow->jobs, r[i].job) : NULL;

		t[i] = (struct turn){.r = &r[i], .priority = r[i].priority + (j ? j->priority : 0)};
		if (r[i].job.p) {
			t[i].turn = (uintptr_t)map_get(&seen, r[i].job);
			map_set(&seen, r[i].job, (void *)(t[i].turn + 1));
		}
	}
	qsort(t, n, sizeof(*t), by_turn);
	return t;
}

/* Those of jobs that run with a slot's, made just now, go with it. */
static int pick_below(struct daemon *d, struct picking *p, int64_t last, struct err *e)
{
	struct request *r;
	size_t n;

	if (request_list(d->store->db, p->a, state_word(STATE_QUEUED), DAEMON_REQUESTS, &r, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (r[i].id > last && r[i].parent && pick(d, p, &r[i], e))
			return -1;
	return 0;
}

static int go(struct daemon *d, struct arena *a, struct err *e)
{
	struct picking p = {.a = a};
	struct request *open, *running;
	struct turn *t;
	int64_t last = 0;
	size_t n, n_running;
	bool below = false;

	if (request_list_open(d->store->db, a, DAEMON_REQUESTS, &open, &n, e))
		return -1;
	if (!n)
		return 0;
	if (request_list(d->store->db, a, state_word(STATE_RUNNING), DAEMON_REQUESTS, &running, &n_running, e) ||
	    rules_begin(&p.rules, d, a, running, n_running, e))
		return -1;
	t = in_turns(d, a, open, n);
	for (size_t i = 0; i < n; i++) {
		last = MAX(last, t[i].r->id);
		if (pick(d, &p, t[i].r, e))
			return -1;
	}
	for (struct load *l = p.loads; l; l = l->next)
		if (l->backfill == 0) {
			int r = expand(d, l->list.p, l->list.n, e);

			if (r < 0)
				return -1;
			below |= r;
		}
	if (below && pick_below(d, &p, last, e))
		return -1;
	for (struct load *l = p.loads; l; l = l->next)
		if (start_runner(d, l->list.p, l->list.n, e))
			return -1;
	return hold_all(d, &p, e);
}

void dispatch_go(struct daemon *d)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct err e = ERR_INIT;

	if (d->stopping)
		return;
	take_back_all(d);
	if (go(d, a, &e))
		events_failed(d, &e);
}

/* --- what a daemon before left --- */

static bool known(const struct daemon *d, pid_t pid)
{
	for (const struct daemon_runner *k = d->runners; k; k = k->next)
		if (k->p.pid == pid)
			return true;
	return false;
}

static int adopt(struct daemon *d, struct arena *a, const struct request *r, struct err *e)
{
	struct daemon_runner *k;
	int fd;

	if (known(d, (pid_t)r->pid))
		return 0;
	fd = (int)syscall(SYS_pidfd_open, (pid_t)r->pid, 0);
	if (fd < 0)
		return errno == ESRCH ? 0 : err_errno(e, errno, "pid %lld", (long long)r->pid);
	k = runner_new(d, arena_cstr(a, r->batch));
	k->p.pid = (pid_t)r->pid;
	k->p.pidfd = fd;
	k->p.ended = true; /* not ours to reap */
	k->begun = true;
	if (loop_fd(d->loop, fd, EPOLLIN, on_adopted, k, &k->ev, e)) {
		proc_free(&k->p);
		free(k);
		return -1;
	}
	runner_add(d, k);
	return 0;
}

int dispatch_begin(struct daemon *d, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct request *running;
	size_t lost, n;

	if (request_list(d->store->db, a, state_word(STATE_RUNNING), DAEMON_REQUESTS, &running, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (running[i].boot.p && lease_alive(running[i].boot, running[i].pid, running[i].pid_start) &&
		    adopt(d, a, &running[i], e))
			return -1;
	if (request_recover(d->store->db, STR_NULL, false, &lost, e))
		return -1;
	if (lost)
		daemon_log(d, "warning", "queued again: their runners died", "requests", arena_printf(a, "%zu", lost));
	return 0;
}

void dispatch_end(struct daemon *d)
{
	while (d->runners) {
		struct daemon_runner *k = d->runners;

		d->runners = k->next;
		loop_close(k->ev);
		proc_free(&k->p); /* it goes on */
		free(k);
	}
	while (d->ended) {
		struct daemon_runner *k = d->ended;

		d->ended = k->next;
		free(k);
	}
}
