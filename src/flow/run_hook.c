/*
 * on_success, on_failure, on_exit: shell commands after a run of a job, with LEAT_* of it in their environment. They
 * run beside the others, one of a run after the other; what becomes of them is said and changes no state.
 */
#include "flow/run_int.h"

#include <signal.h>
#include <stdlib.h>

#include "base/str.h"
#include "sys/proc.h"

#define HOOK_MS  60000 /* then it is ended */
#define HOOK_ENV 12

struct run_hook {
	struct engine *g;
	struct run_job *run;
	const char *key; /* on_failure */
	const char *then; /* the one after it; NULL */
	struct proc p;
	struct loop_ev *limit;
	bool late;
};

static void start(struct engine *g, struct run_job *r, const char *key, const char *then);

static void say(const struct run_hook *h, const char *what)
{
	run_event(h->g, RUN_NOTE, NULL,
	          arena_printf(h->g->arena, "%s of %.*s (run %.8s): %s", h->key, STR_ARG(h->run->job->name), h->run->id,
	                       what),
	          NULL, 0);
}

static void on_end(struct loop_ev *ev, const struct proc_exit *x, void *ptr)
{
	struct run_hook *h = ptr;
	char text[PROC_TEXT];

	(void)ev;
	loop_close(h->limit);
	if (!proc_exit_ok(x)) {
		proc_exit_text(x, text);
		say(h, h->late ? "it took longer than a minute, and was ended" : text);
	}
	proc_free(&h->p);
	h->g->hooks--;
	if (h->then)
		start(h->g, h->run, h->then, NULL);
	run_wake(h->g);
}

static void on_late(struct loop_ev *ev, void *ptr)
{
	struct run_hook *h = ptr;

	(void)ev;
	h->limit = NULL;
	h->late = true;
	proc_signal(&h->p, SIGKILL);
}

static int spawn(struct run_hook *h, const char *command, struct err *e)
{
	struct engine *g = h->g;
	struct arena *a = g->arena;
	const struct run_job *r = h->run;
	const char *argv[] = {"/bin/sh", "-c", command, NULL}, *env[HOOK_ENV], *home = getenv("HOME");
	struct proc_spec spec = PROC_SPEC;
	size_t n = 0;

	env[n++] = arena_printf(a, "PATH=%s", g->path);
	env[n++] = arena_printf(a, "HOME=%s", home && *home ? home : "/");
	env[n++] = "LANG=C.UTF-8";
	env[n++] = "TZ=UTC";
	env[n++] = arena_printf(a, "LEAT_JOB=%.*s", STR_ARG(r->job->name));
	env[n++] = arena_printf(a, "LEAT_RUN=%s", r->id);
	env[n++] = arena_printf(a, "LEAT_BATCH=%s", r->data ? r->data->batch.hex : g->sum->batch.hex);
	env[n++] = arena_printf(a, "LEAT_STATE=%s", state_word(r->ended));
	env[n++] = arena_printf(a, "LEAT_DS=%s", r->hook_ds ? r->hook_ds : "");
	env[n++] = arena_printf(a, "LEAT_ERROR=%s", r->hook_error ? r->hook_error : "");
	env[n] = NULL;
	spec.argv = argv;
	spec.env = env;
	spec.cwd = g->f->ws->dir;
	spec.out = 2; /* standard output is for results */
	return proc_spawn(&spec, &h->p, e) || loop_child(g->loop, &h->p, on_end, h, NULL, e) ? -1 : 0;
}

static void start(struct engine *g, struct run_job *r, const char *key, const char *then)
{
	const struct dom *v = dom_get(job_doc(r->job), key);
	struct run_hook *h;
	struct err e = ERR_INIT;

	if (!v || v->type != DOM_STR) {
		if (then)
			start(g, r, then, NULL);
		return;
	}
	h = arena_new_of(g->arena, struct run_hook);
	*h = (struct run_hook){.g = g, .run = r, .key = key, .then = then, .p = PROC_INIT};
	if (spawn(h, arena_cstr(g->arena, v->s), &e)) {
		say(h, e.msg);
		if (then)
			start(g, r, then, NULL);
		return;
	}
	h->limit = loop_timer(g->loop, HOOK_MS, on_late, h);
	g->hooks++;
}

void run_hook_failed(struct run_unit *u)
{
	struct run_job *r = u->run;

	if (!r->job->hooks)
		return;
	if (!r->hook_error && u->err)
		r->hook_error = arena_printf(u->eng->arena, "%s", u->err->msg);
	if (!r->hook_ds || !state_good(u->state))
		r->hook_ds = u->p->ds.label;
}

void run_hook_start(struct engine *g)
{
	for (struct run_job *r = g->ended_jobs, *next; r; r = next) {
		next = r->next_ended;
		start(g, r, state_good(r->ended) ? "on_success" : "on_failure", "on_exit");
	}
	g->ended_jobs = NULL;
}

void run_hook_ended(struct engine *g, struct run_job *r, enum state s)
{
	r->ended = s;
	if (!r->job->hooks)
		return;
	r->next_ended = g->ended_jobs;
	g->ended_jobs = r;
}
