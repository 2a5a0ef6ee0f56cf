/* From requests to runners. */
#include "daemon/daemon.h"
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
	struct err ignored = ERR_INIT;
	struct ds ds = {0}, own;
	int64_t id;

	if ((r->ds.n && ds_parse(r->ds, &ds, &ignored)) || !ds_below(j, &ds, below, &own))
		return 0;
	n.ds = own.label;
	return request_add(d->store->db, &n, &id, e) < 0 ? -1 : 0;
}

/* Jobs without a schedule of their own that read what it makes run with it, as the steps of one pipeline. */
static int add_all_below(struct daemon *d, const struct request *r, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	const struct job *j = jobs_get(d->flow->jobs, r->job);
	struct map in;
	size_t n;
	const struct job **below;

	if (!j || !str_is(r->kind, "schedule") || r->parent || r->tries)
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

static int expand(struct daemon *d, struct request *r, size_t n, struct err *e)
{
	struct db *db = d->store->db;
	int rc = db_begin_durable(db, DB_PROCESS, e);

	for (size_t i = 0; !rc && i < n; i++)
		rc = add_all_below(d, &r[i], e);
	if (!rc)
		return db_commit(db, e);
	if (db_in_write(db))
		db_rollback(db);
	return -1;
}

/* --- runners --- */

static void runner_ended(struct daemon_runner *k)
{
	struct daemon *d = k->d;
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct err e = ERR_INIT;
	size_t lost;

	for (struct daemon_runner **p = &d->runners; *p; p = &(*p)->next)
		if (*p == k) {
			*p = k->next;
			break;
		}
	d->n_runners--;
	if (request_recover(d->store->db, str_of(k->batch), &lost, &e))
		daemon_log(d, "error", err_text(a, &e), NULL);
	else if (lost)
		daemon_log(d, "warning", "a runner died; what it had is queued again", "requests",
		           arena_printf(a, "%zu", lost), NULL);
	proc_free(&k->p);
	free(k);
	events_look(d);
}

static void on_child(struct loop_ev *ev, const struct proc_exit *x, void *ptr)
{
	struct daemon_runner *k = ptr;
	char text[PROC_TEXT];

	(void)ev;
	if (!proc_exit_ok(x)) {
		proc_exit_text(x, text);
		daemon_log(k->d, "warning", "a runner ended badly", "batch", k->batch, "how", text, NULL);
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
	snprintf(k->batch, sizeof(k->batch), "%s", batch);
	return k;
}

static void runner_add(struct daemon *d, struct daemon_runner *k)
{
	k->next = d->runners;
	d->runners = k;
	d->n_runners++;
}

static int start_runner(struct daemon *d, struct request *const *r, size_t n, struct err *e)
{
	struct id batch = id_new();
	const char *argv[] = {proc_self_exe(), "--role", RUNNER_ROLE, d->ws->dir, batch.hex, NULL};
	struct proc_spec spec = PROC_SPEC;
	struct daemon_runner *k;

	if (request_give(d->store->db, r, n, batch, e))
		return -1;
	k = runner_new(d, batch.hex);
	spec.argv = argv;
	spec.cwd = "/";
	spec.out = -1;
	spec.same_group = true; /* so that it can leave it by setsid */
	if (proc_spawn(&spec, &k->p, e)) {
		free(k);
		return -1;
	}
	k->child = true;
	if (loop_child(d->loop, &k->p, on_child, k, &k->ev, e)) {
		proc_free(&k->p);
		free(k);
		return -1;
	}
	runner_add(d, k);
	return 0;
}

/* --- what can start --- */

struct picking {
	struct arena *a;
	struct map busy; /* jobs that run, or are to; value: that is a backfill which begins now */
	bool data_runs;
	VEC(struct request *) plain;
};

static bool yes = true, no;

static void note_busy(struct picking *p, const struct request *r, bool begins)
{
	if (r->job.p)
		map_set(&p->busy, r->job, begins && str_is(r->kind, "backfill") ? &yes : &no);
	else
		p->data_runs = true;
}

/* A job's requests go one after the other, but for those of a backfill, which go together. */
static bool can_go(struct picking *p, const struct request *r)
{
	if (!r->job.p)
		return !p->data_runs;
	return !map_has(&p->busy, r->job) || (map_get(&p->busy, r->job) == &yes && str_is(r->kind, "backfill"));
}

static int pick(struct daemon *d, struct picking *p, struct request *q, size_t n, struct err *e)
{
	for (size_t i = 0; i < n && d->n_runners < DAEMON_RUNNERS; i++) {
		struct request *r = &q[i], *alone[] = {r};

		if (!can_go(p, r))
			continue;
		note_busy(p, r, true);
		if (r->job.p && !r->params.n) {
			vec_push(p->a, &p->plain, r);
			continue;
		}
		if (start_runner(d, alone, 1, e)) /* parameters are of a whole run */
			return -1;
	}
	return p->plain.n && d->n_runners < DAEMON_RUNNERS ? start_runner(d, p->plain.p, p->plain.n, e) : 0;
}

static int go(struct daemon *d, struct err *e)
{
	struct picking p = {.a = arena_new()};
	struct request *queued, *running;
	size_t n, n_running;
	int rc = -1;

	map_init(&p.busy, p.a);
	if (request_list(d->store->db, p.a, state_word(STATE_QUEUED), DAEMON_REQUESTS, &queued, &n, e))
		goto done;
	if (!n) {
		rc = 0;
		goto done;
	}
	if (expand(d, queued, n, e) ||
	    request_list(d->store->db, p.a, state_word(STATE_QUEUED), DAEMON_REQUESTS, &queued, &n, e) ||
	    request_list(d->store->db, p.a, state_word(STATE_RUNNING), DAEMON_REQUESTS, &running, &n_running, e))
		goto done;
	for (size_t i = 0; i < n_running; i++)
		note_busy(&p, &running[i], false);
	rc = pick(d, &p, queued, n, e);
done:
	arena_free(p.a);
	return rc;
}

void dispatch_go(struct daemon *d)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct err e = ERR_INIT;

	if (d->stopping || d->n_runners >= DAEMON_RUNNERS)
		return;
	if (go(d, &e))
		daemon_log(d, "error", err_text(a, &e), NULL);
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
	if (request_recover(d->store->db, STR_NULL, &lost, e))
		return -1;
	if (lost)
		daemon_log(d, "warning", "queued again: their runners died", "requests", arena_printf(a, "%zu", lost),
		           NULL);
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
}
