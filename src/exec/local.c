/* Tasks as processes of this machine. */
#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "base/tmpl.h"
#include "exec/exec.h"
#include "flow/flow.h"
#include "sys/bind.h"
#include "sys/env.h"
#include "sys/file.h"
#include "sys/root.h"

#define PFS "/pfs"
#define WORK_DIR "/" ROOT_OWN "/work"
#define HOME_DIR "/" ROOT_OWN "/home"
#define SPEC_FILE "/" ROOT_OWN "/spec.json"

#define END_MS 50    /* between looks at what a task left running */
#define END_TRIES 200

struct exec {
	struct attempt *t;
	struct proc proc;
	struct proc_exit exit;
	struct loop_ev *watch, *again;
	exec_done_cb *cb;
	void *ptr;
	int tries;
};

const char *exec_path(const struct attempt *t)
{
	const struct dom *own = dom_get(t->job->environment, "PATH");

	return own && own->type == DOM_STR ? arena_cstr(t->arena, own->s) : t->path;
}

const char *exec_work_dir(const struct attempt *t)
{
	return t->root_dir ? WORK_DIR : t->work_dir;
}

/* --- what it sees --- */

/* How a task sees its folders: in a root of its own, or where they are with inputs bound over themselves. */
struct sight {
	struct attempt *t;
	VEC(struct root_mount) mounts;
	struct bind_plan binds;
	struct root_plan root;
};

static const char *show(struct sight *s, const char *source, const char *target, bool writable, bool file)
{
	struct root_mount m = {source, target, writable, file};

	if (!s->t->root_dir)
		return source;
	vec_push(s->t->arena, &s->mounts, m);
	return target;
}

/* The store and what is materialised of it are no task's business, wherever links of the workspace's path lead. */
static int plan_root(struct sight *s, struct err *e)
{
	struct attempt *t = s->t;
	struct store *store = t->flow->store;
	const char *hide[] = {store->leat_dir, store->data_dir};

	for (size_t i = 0; i < ARRAY_LEN(hide); i++) {
		char *real = realpath(hide[i], NULL);

		if (real)
			hide[i] = arena_dup(t->arena, real);
		free(real);
	}
	return root_make(t->arena, t->root_dir, s->mounts.p, s->mounts.n, hide, ARRAY_LEN(hide), &s->root, e);
}

/* --- environment --- */

/* A value of env: may hold {{ ds }} and its like. */
static int set_rendered(struct env *v, const struct attempt *t, const struct dom *n, struct err *e)
{
	struct str text = dom_text(t->arena, n);
	char *key = arena_cstr(t->arena, n->key);

	if (memmem(text.p, text.n, "{{", 2) || memmem(text.p, text.n, "{%", 2)) {
		struct tmpl_env env = {.vars = t->vars, .tz = t->job->tz, .mode = TMPL_TEXT};
		struct tmpl_result r;

		if (tmpl_render(t->arena, text, key, &env, &r, e)) {
			err_at(e, arena_cstr(t->arena, t->job->file), n->line, n->col);
			return -1;
		}
		text = r.text;
	}
	if (memchr(text.p, 0, text.n))
		return err_set(e, ERR_BAD_CONFIG, "env: %s holds a NUL byte", key);
	env_set(v, key, arena_cstr(t->arena, text));
	return 0;
}

static const char *input_variable(struct arena *a, struct str name)
{
	char *p = arena_printf(a, "LEAT_INPUT_%.*s", STR_ARG(name));

	for (char *c = p; *c; c++)
		if (!isalnum((unsigned char)*c))
			*c = '_';
	return p;
}

static int set_inputs(struct env *v, struct sight *s, struct err *e)
{
	struct attempt *t = s->t;
	bool can = t->n_inputs && !t->root_dir && bind_available(NULL);
	struct bind_mount *m = arena_array(t->arena, struct bind_mount, t->n_inputs);

	for (size_t i = 0; i < t->n_inputs; i++) {
		struct str name = t->inputs[i].input->name;
		const char *folder, *seen;

		if (t->root_dir && str_is(name, "out")) {
			err_set(e, ERR_BAD_CONFIG,
			        "an input cannot be called out in a sandbox: " PFS "/out is the output");
			return err_hint(e, "give it another name: `inputs: {NAME: REPO}`");
		}
		if (attempt_input_folder(t, i, &folder, e))
			return -1;
		seen = show(s, folder, arena_printf(t->arena, PFS "/%.*s", STR_ARG(name)), false, false);
		env_set(v, input_variable(t->arena, name), seen);
		if (can && i < BIND_MAX)
			m[s->binds.n++] = (struct bind_mount){.source = folder, .target = folder, .read_only = true};
	}
	s->binds.mounts = m;
	return 0;
}

static int make_env(struct env *v, struct sight *s, struct err *e)
{
	struct attempt *t = s->t;
	const char *home = t->root_dir ? HOME_DIR : getenv("HOME");

	env_init(v, t->arena);
	env_set(v, "PATH", exec_path(t));
	env_set(v, "HOME", home && *home ? home : "/");
	env_set(v, "LANG", "C.UTF-8");
	env_set(v, "TZ", "UTC");
	dom_each(n, t->job->environment)
		if (n->type != DOM_LIST && n->type != DOM_MAP && set_rendered(v, t, n, e))
			return -1;
	dom_each(n, t->job->env)
		if (set_rendered(v, t, n, e))
			return -1;
	env_set(v, "DS", t->ds.label);
	env_set(v, "LEAT_DS", t->ds.label);
	env_set(v, "LEAT_JOB", arena_cstr(t->arena, t->job->name));
	env_set(v, "LEAT_RUN", t->run_id);
	env_setf(v, "LEAT_UNIT", "%lld", (long long)t->unit_id);
	env_setf(v, "LEAT_ATTEMPT", "%d", t->number);
	env_set(v, "LEAT_OUTPUT", show(s, t->out_dir, PFS "/out", true, false));
	env_set(v, "LEAT_SPEC", show(s, t->spec_path, SPEC_FILE, false, true));
	env_set(v, PROC_MARKER, t->marker);
	if (set_inputs(v, s, e))
		return -1;
	if (!t->root_dir)
		return 0;
	show(s, t->work_dir, WORK_DIR, true, false);
	show(s, t->tmp_dir, "/tmp", true, false);
	show(s, t->home_dir, HOME_DIR, true, false);
	return plan_root(s, e);
}

/* --- running --- */

static void end(struct exec *x)
{
	exec_done_cb *cb = x->cb;
	void *ptr = x->ptr;
	struct proc_exit exit = x->exit;

	loop_close(x->again);
	proc_free(&x->proc);
	cb(ptr, &exit);
}

/* What the task left running is no part of it: it is ended before anybody looks at the output. */
static void on_again(struct loop_ev *ev, void *ptr)
{
	struct exec *x = ptr;

	if (x->tries++ < END_TRIES && proc_signal_tree(&x->proc, x->t->marker, SIGKILL)) {
		loop_timer_again(ev, END_MS);
		return;
	}
	proc_reap_orphans();
	x->again = NULL;
	end(x);
}

static void on_exit_of(struct loop_ev *ev, const struct proc_exit *exit, void *ptr)
{
	struct exec *x = ptr;

	(void)ev;
	x->watch = NULL;
	x->exit = *exit;
	/* Its group first: cheap, and nearly always empty. Orphans come to us (subreaper) and are counted there. */
	proc_signal(&x->proc, SIGKILL);
	if (!proc_reap_orphans()) {
		end(x);
		return;
	}
	proc_signal_tree(&x->proc, x->t->marker, SIGKILL);
	x->again = loop_timer(x->t->loop, 1, on_again, x);
}

int exec_start(struct attempt *t, const char *const *argv, exec_done_cb *cb, void *ptr, struct exec **out,
               struct err *e)
{
	struct proc_spec s = PROC_SPEC;
	struct sight sight = {.t = t};
	struct env env;
	struct exec *x;
	int log;

	if (make_env(&env, &sight, e) || attempt_log_fd(t, &log, e))
		return -1;
	s.argv = argv;
	s.env = env_array(&env);
	s.path = exec_path(t);
	s.cwd = exec_work_dir(t);
	s.out = s.err = log;
	s.die_with_parent = true;
	s.binds = sight.binds.n ? &sight.binds : NULL;
	s.root = t->root_dir ? &sight.root : NULL;
	x = arena_new_of(t->arena, struct exec); /* goes with the attempt, also when the engine gives up on it */
	*x = (struct exec){.t = t, .proc = PROC_INIT, .cb = cb, .ptr = ptr};
	if (proc_spawn(&s, &x->proc, e))
		return -1;
	if (loop_child(t->loop, &x->proc, on_exit_of, x, &x->watch, e)) {
		struct err ignored = ERR_INIT;

		if (proc_kill_tree(&x->proc, t->marker, 0, &x->exit, &ignored) < 0)
			err_clear(&ignored);
		proc_free(&x->proc);
		return -1;
	}
	*out = x;
	return 0;
}

void exec_cancel(struct exec *x, bool hard)
{
	proc_signal_tree(&x->proc, x->t->marker, hard ? SIGKILL : SIGTERM);
	if (!hard) /* one that was stopped hears it only when it goes on */
		proc_signal_tree(&x->proc, x->t->marker, SIGCONT);
}

void exec_result(const struct attempt *t, const struct proc_exit *x, struct attempt_result *out)
{
	char text[PROC_TEXT];

	*out = (struct attempt_result){
		.state = ATTEMPT_OK, .status = x->signal ? 128 + x->signal : x->status, .err = ERR_INIT};
	if (proc_exit_ok(x))
		return;
	proc_exit_text(x, text);
	out->state = ATTEMPT_FAILED;
	err_set(&out->err, ERR_FAILED, "%s", text);
	err_hint(&out->err, "leat logs %.*s%s%s shows what it printed", STR_ARG(t->job->name),
	         t->ds.label[0] ? " " : "", t->ds.label);
}
