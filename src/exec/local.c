/* Tasks as processes of this machine. */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/str.h"
#include "base/tmpl.h"
#include "exec/exec.h"
#include "exec/local_in.h"
#include "exec/local_layout.h"
#include "exec/local_limit.h"
#include "exec/local_mask.h"
#include "exec/local_pipes.h"
#include "flow/datum.h"
#include "flow/flow.h"
#include "flow/plan.h"
#include "flow/pyenv.h"
#include "flow/pylib.h"
#include "repo/blob.h"
#include "sys/bind.h"
#include "sys/env.h"
#include "sys/file.h"
#include "sys/root.h"
#include "sys/shim.h"

#define PFS "/pfs"
#define HOME_DIR "/" ROOT_OWN "/home"
#define SPEC_FILE "/" ROOT_OWN "/spec.json"

#define ONE_BY_ONE 100 /* files of an input of a unit that are shown one by one, at most */
#define ONE_BY_ONE_BYTES ((size_t)1 << 20)

#define END_MS 50    /* between looks at what a task left running */
#define END_TRIES 200
#define ANEW_MAX 3


/* How a task sees its folders: in a root of its own, or where they are with inputs bound over themselves. */
struct sight {
	struct attempt *t;
	VEC(struct root_mount) mounts;
	VEC(struct bind_mount) bind;
	struct bind_plan binds;
	struct root_plan root;
};

struct exec {
	struct attempt *t;
	struct sight sight;
	struct env env;
	int log; /* the engine's */
	struct proc proc;
	struct proc_spec spec; /* of it */
	struct proc_exit exit;
	struct loop_ev *watch, *again;
	struct proc pipes;       /* fills lazy inputs */
	struct loop_ev *pipes_watch;
	bool pipes_failed;
	bool hosted;             /* it outlives attempts: its log changes, and all that it prints comes by us */
	struct secrets secrets;  /* what may not come into the log */
	struct limit *limit;     /* what it may take of the machine; NULL: what there is */
	int said;                /* what it prints, on its way there; -1 */
	struct loop_ev *said_watch;
	struct mask *mask;
	exec_done_cb *cb;
	void *ptr;
	int tries, anew;
};

/* --- what it sees --- */

static const char *show(struct sight *s, const char *source, const char *target, bool writable, bool file)
{
	struct root_mount m = {.source = source, .target = target, .writable = writable, .file = file};

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
	const char *const own[] = {store->leat_dir, store->data_dir};
	struct flow *f = t->flow;

	for (size_t i = 0; i < ARRAY_LEN(own) && !f->real_dirs[i]; i++) {
		char *real = realpath(own[i], NULL);

		f->real_dirs[i] = arena_dup(f->arena, real ? real : own[i]);
		free(real);
	}
	return root_make(t->arena, t->root_dir, s->mounts.p, s->mounts.n, f->real_dirs, ARRAY_LEN(own), &s->root, e);
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

/* --- units that come from data --- */

static bool datum_has(const struct datum *d, size_t leaf)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->parts[i].leaf == leaf)
			return true;
	return false;
}

/* Files of a datum that are shown one by one. */
struct showing {
	struct sight *s;
	const char *at;   /* where the part is seen */
	bool names;       /* empty files */
	size_t n, bytes;
};

/* Stops (1) when there are too many for that. */
static int show_file(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct showing *w = ptr;
	struct attempt *t = w->s->t;
	struct store *store = t->flow->store;
	struct root_mount m = {.file = true, .bytes = STR("")};
	struct blob_at at;

	m.target = path.n ? arena_printf(t->arena, "%s/%.*s", w->at, STR_ARG(path)) : w->at;
	if (w->n++ >= ONE_BY_ONE)
		return 1;
	if (!w->names) {
		if (blob_need(store, &entry->id, &at, e))
			return -1;
		w->bytes += at.place == BLOB_WHOLE ? 0 : (size_t)at.size;
		if (w->bytes > ONE_BY_ONE_BYTES)
			return 1;
		if (at.place == BLOB_WHOLE) {
			char whole[BLOB_PATH_CAP];

			blob_path(store, &entry->id, whole, sizeof(whole));
			m.source = arena_dup(t->arena, whole);
		} else if (blob_bytes(store, &entry->id, t->arena, ONE_BY_ONE_BYTES, &m.bytes, e)) {
			return -1;
		}
	}
	vec_push(t->arena, &w->s->mounts, m);
	return 0;
}

/*
 * A few files need no folder of their own on the disk: large ones are bound from the store, the bytes of small ones go
 * with the root. 1; 0: there are too many; -1.
 */
static int show_files(struct sight *s, size_t leaf, const char *seen, struct err *e)
{
	const struct datum *d = s->t->datum;
	struct arena *a = s->t->arena;
	struct showing w = {.s = s, .names = s->t->inputs[leaf].input->empty_files};
	size_t before = s->mounts.n;
	int r = 0;

	for (size_t i = 0; i < d->n && !r; i++) {
		const struct datum_part *p = &d->parts[i];

		if (p->leaf != leaf)
			continue;
		w.at = p->path.n ? arena_printf(a, "%s/%.*s", seen, STR_ARG(p->path)) : seen;
		if (p->entry.kind == ENTRY_FILE)
			r = show_file(&w, STR(""), &p->entry, e);
		else
			r = tree_walk(s->t->flow->store, NULL, &p->entry.id, false, show_file, &w, e);
		r = r < 0 ? -1 : r || w.n > ONE_BY_ONE || w.bytes > ONE_BY_ONE_BYTES;
	}
	if (r > 0)
		s->mounts.n = before;
	return r < 0 ? -1 : !r;
}

/* What Pachyderm tells a program of an input. Of several files the last one counts, as there. */
static void set_datum_input(struct env *v, const struct attempt *t, size_t leaf, const char *seen)
{
	const struct unit_input *in = &t->inputs[leaf];
	struct str folder = in->input->folder.p ? in->input->folder : in->input->name;
	const char *name = arena_cstr(t->arena, folder);

	for (size_t i = 0; i < t->datum->n; i++) {
		const struct datum_part *p = &t->datum->parts[i];

		if (p->leaf != leaf)
			continue;
		env_setf(v, name, "%s%s%.*s", seen, p->path.n ? "/" : "", STR_ARG(p->path));
		if (p->join.p)
			env_setf(v, arena_printf(t->arena, "PACH_DATUM_%s_JOIN_ON", name), "%.*s", STR_ARG(p->join));
		if (p->group.p)
			env_setf(v, arena_printf(t->arena, "PACH_DATUM_%s_GROUP_BY", name), "%.*s", STR_ARG(p->group));
	}
	if (in->reads.repo && in->reads.repo->has_commit)
		env_set(v, arena_printf(t->arena, "%s_COMMIT", name), in->reads.repo->head.id.hex);
}

/* The same of a process that stays, which sees all that the input has. */
static void set_given_input(struct env *v, const struct attempt *t, size_t i, const char *seen)
{
	const struct unit_input *in = &t->inputs[i];
	const char *name = arena_cstr(t->arena, in->input->folder.p ? in->input->folder : in->input->name);

	env_set(v, name, seen);
	if (in->reads.repo && in->reads.repo->has_commit)
		env_set(v, arena_printf(t->arena, "%s_COMMIT", name), in->reads.repo->head.id.hex);
}

static void set_datum(struct env *v, const struct attempt *t)
{
	char id[SHA_HEX + 1];

	sha_hex(&t->datum->id, id);
	env_set(v, "PACH_DATUM_ID", id);
	env_set(v, "PACH_JOB_ID", t->event);
	env_set(v, "PACH_OUTPUT_COMMIT_ID", t->event);
}

/* Adds what the task sees of one input; *seen is its folder there, NULL: the unit has nothing of it. */
static int show_input(struct sight *s, size_t i, const char **seen, struct err *e)
{
	struct attempt *t = s->t;
	const struct job_input *in = t->inputs[i].input;
	struct str name = in->folder.p ? in->folder : in->name;
	struct layout_places places;
	const char *folder;
	bool data = t->datum && in->glob.p; /* else its unit reads it as one of the calendar does */

	*seen = NULL;
	if (data && !datum_has(t->datum, i))
		return 0;
	if (t->root_dir && str_is(name, "out")) {
		err_set(e, ERR_BAD_CONFIG, "an input cannot be called out in a sandbox: " PFS "/out is the output");
		return err_hint(e, "give it another name: `inputs: {NAME: REPO}`");
	}
	*seen = arena_printf(t->arena, PFS "/%.*s", STR_ARG(name));
	if (data && t->root_dir && !(in->lazy && !in->empty_files)) {
		int r = show_files(s, i, *seen, e);

		if (r)
			return r < 0 ? err_wrap(e, "input %.*s", STR_ARG(name)) : 0;
	}
	if (attempt_input_folder(t, i, &folder, e))
		return -1;
	*seen = show(s, folder, *seen, false, false);
	if (layout_input_places(t, i, folder, &places, e))
		return -1;
	for (size_t k = 0; k < places.n; k++)
		show(s, places.p[k].source, places.p[k].target, false, false);
	if (!t->root_dir && s->binds.n < BIND_MAX && bind_available(NULL)) {
		struct bind_mount m = {.source = folder, .target = folder, .read_only = true};

		vec_push(t->arena, &s->bind, m);
		s->binds = (struct bind_plan){.mounts = s->bind.p, .n = (unsigned)s->bind.n};
	}
	return 0;
}

static int set_inputs(struct env *v, struct sight *s, struct err *e)
{
	struct attempt *t = s->t;

	for (size_t i = 0; i < t->n_inputs; i++) {
		const char *seen;

		if (show_input(s, i, &seen, e))
			return -1;
		if (!seen)
			continue;
		env_set(v, input_variable(t->arena, t->inputs[i].input->name), seen);
		if (t->datum && t->inputs[i].input->glob.p)
			set_datum_input(v, t, i, seen);
		else if (t->given || t->datum)
			set_given_input(v, t, i, seen);
	}
	return 0;
}

/* Values stay in memory: variables, or files of the task's own root. */
static int set_secrets(struct env *v, struct sight *s, const struct secrets *list, struct err *e)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct secret *x = &list->p[i];
		struct root_mount m = {.target = x->path, .file = true, .among = true, .bytes = x->value};

		if (x->variable) {
			env_set(v, x->variable, x->value.p);
			continue;
		}
		if (!s->t->root_dir) {
			err_set(e, ERR_BAD_CONFIG, "a secret can be a file (%s) only in a sandbox", x->path);
			return err_hint(e, "`sandbox: on`, or envVar in place of mountPath");
		}
		vec_push(s->t->arena, &s->mounts, m);
	}
	return 0;
}

static bool has_code_in(const struct job *j, const char *under)
{
	for (size_t i = 0; i < j->n_code; i++)
		if (str_has_prefix(j->code[i].label, str_of(under)))
			return true;
	return false;
}

/* What the Python package needs: itself, behind what the job says, and this program, which knows tables. */
static int set_python(struct env *v, struct sight *s, struct err *e)
{
	struct attempt *t = s->t;
	const char *own = env_get(v, "PYTHONPATH"), *dir, *shared = "";

	if (pylib_dir(t->arena, t->flow->store->leat_dir, &dir, e))
		return -1;
	if (has_code_in(t->job, JOB_SHARED_CODE "/"))
		shared = arena_printf(t->arena, "%s/" JOB_SHARED_CODE ":", exec_work_dir(t));
	env_setf(v, "PYTHONPATH", "%s%s%s%s", own ? own : "", own && *own ? ":" : "", shared,
	         show(s, dir, PYLIB_SEEN, false, false));
	if (has_code_in(t->job, JOB_SPARK) && !env_get(v, "SPARK_CONF_DIR"))
		env_set(v, "SPARK_CONF_DIR", path_join(t->arena, exec_work_dir(t), JOB_CONFIG));
	env_set(v, "LEAT_BIN", proc_self_exe());
	env_keep(v, "LEAT_LIBDUCKDB");
	return 0;
}

/* Beside what every task sees: the output where dsflow has it, and its paths. */
static int set_layout(struct env *v, struct sight *s, struct err *e)
{
	struct attempt *t = s->t;
	const char *out = layout_output(t);

	if (!t->root_dir) {
		err_set(e, ERR_BAD_CONFIG, "layout: dsflow shows /data in a sandbox only");
		return err_hint(e, "leave `sandbox: off` out, or take the folders that LEAT_INPUT_... name");
	}
	if (out)
		show(s, t->out_dir, out, true, false);
	if (!t->given && !env_get(v, LAYOUT_SPECS)) /* a process that stays has no unit: nothing it reads has a ds */
		env_set(v, LAYOUT_SPECS, layout_specs(t));
	return 0;
}

static int make_env(struct env *v, struct sight *s, const struct secrets *secrets, struct err *e)
{
	struct attempt *t = s->t;
	const char *home = t->root_dir ? HOME_DIR : getenv("HOME");

	env_init(v, t->arena);
	if (pyenv_need(t->flow, t->job, NULL, NULL, &t->pyenv, e))
		return -1;
	/* First: an input that is called HOME or PATH takes nothing from the task. */
	if (set_inputs(v, s, e))
		return -1;
	env_set(v, "PATH", exec_path(t));
	env_set(v, "HOME", home && *home ? home : "/");
	env_set(v, "LANG", "C.UTF-8");
	env_set(v, "TZ", "UTC");
	if (t->pyenv)
		env_set(v, "VIRTUAL_ENV",
		        t->pyenv->ours ? show(s, t->pyenv->dir, PYENV_SEEN, false, false) : t->pyenv->dir);
	dom_each(n, t->job->env)
		if (set_rendered(v, t, n, e))
			return -1;
	if (set_secrets(v, s, secrets, e) || set_python(v, s, e))
		return -1;
	env_set(v, "DS", t->ds.label);
	env_set(v, "LEAT_DS", t->ds.label);
	env_set(v, "LEAT_JOB", arena_cstr(t->arena, t->job->name));
	env_set(v, "LEAT_RUN", t->run_id);
	env_setf(v, "LEAT_UNIT", "%lld", (long long)t->unit_id);
	env_setf(v, "LEAT_ATTEMPT", "%d", t->number);
	env_set(v, "LEAT_OUTPUT", show(s, t->out_dir, PFS "/out", true, t->given && t->given->pipe));
	if (layout_wanted(t) && set_layout(v, s, e))
		return -1;
	if (t->job->skips && !t->given)
		env_setf(v, "LEAT_SKIP", "%s/" PLAN_SKIP, t->root_dir ? PFS "/out" : t->out_dir);
	if (t->given && t->given->port)
		env_setf(v, "LEAT_PORT", "%d", t->given->port);
	env_set(v, "LEAT_SPEC", show(s, t->spec_path, SPEC_FILE, false, true));
	env_set(v, PROC_MARKER, t->marker);
	if (t->report_dir)
		env_set(v, "LEAT_REPORT", show(s, t->report_dir, REPORT_DIR, true, false));
	if (t->datum)
		set_datum(v, t);
	if (t->shell && getenv("TERM"))
		env_set(v, "TERM", getenv("TERM"));
	if (!t->root_dir)
		return 0;
	show(s, t->work_dir, WORK_DIR, true, false);
	show(s, t->tmp_dir, "/tmp", true, false);
	show(s, t->home_dir, HOME_DIR, true, false);
	return plan_root(s, e);
}

/* --- lazy inputs --- */

/* It ends by itself only when it cannot go on, and has said why. */
static void on_pipes_end(struct loop_ev *ev, const struct proc_exit *exit, void *ptr)
{
	struct exec *x = ptr;

	(void)ev;
	(void)exit;
	x->pipes_watch = NULL;
	x->pipes_failed = true;
	exec_cancel(x, true);
}

static int fill_pipes(struct exec *x, const struct attempt *t, struct err *e)
{
	x->pipes_failed = false;
	if (!t->n_lazy)
		return 0;
	if (pipes_start(t, x->log, &x->pipes, e))
		return err_wrap(e, "lazy inputs");
	return loop_child(x->t->loop, &x->pipes, on_pipes_end, x, &x->pipes_watch, e);
}

static void end_pipes(struct exec *x)
{
	struct proc_exit exit;
	struct err ignored = ERR_INIT;

	loop_close(x->pipes_watch);
	x->pipes_watch = NULL;
	if (x->pipes.pid && !x->pipes.ended) {
		proc_signal(&x->pipes, SIGKILL);
		if (proc_wait(&x->pipes, &exit, &ignored))
			err_clear(&ignored);
		else if (!exit.signal)
			x->pipes_failed = true; /* it ended by itself, and the task was sooner to tell */
	}
	proc_free(&x->pipes);
	x->pipes = (struct proc)PROC_INIT;
}

/* --- what it prints --- */

/* All that is there now; false: there will be no more. */
static bool take_said(struct exec *x, struct err *e)
{
	char chunk[MASK_CHUNK];
	ssize_t n;

	while ((n = read(x->said, chunk, sizeof(chunk))) > 0)
		if (x->log >= 0 && mask_write(x->mask, chunk, (size_t)n, false, x->log, x->t->log_path, e))
			return false;
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void on_said(struct loop_ev *ev, uint32_t events, void *ptr)
{
	struct exec *x = ptr;
	struct err e = ERR_INIT;

	(void)events;
	if (take_said(x, &e))
		return;
	loop_close(ev);
	x->said_watch = NULL;
	if (e.code) /* a log that cannot be written to: the task hears it as if its reader had gone */
		fd_close(&x->said);
}

static void end_said(struct exec *x)
{
	struct err e = ERR_INIT;

	loop_close(x->said_watch);
	x->said_watch = NULL;
	if (x->said < 0)
		return;
	(void)take_said(x, &e);
	if (x->log >= 0 && mask_write(x->mask, NULL, 0, true, x->log, x->t->log_path, &e))
		err_clear(&e);
	fd_close(&x->said);
}

const struct secrets *local_secrets(const struct exec *x)
{
	return &x->secrets;
}

struct arena *local_arena(const struct exec *x)
{
	return x->t->arena;
}

/* A task that knows secrets writes to us, and we to the log. *out: its end of that. */
static int hear(struct exec *x, int *out, struct err *e)
{
	int fds[2];

	if (!x->secrets.n && !x->hosted)
		return 0;
	if (fd_pipe(fds, e))
		return -1;
	x->said = fds[0];
	*out = fds[1];
	x->mask = mask_new(x->t->arena, &x->secrets);
	return fd_nonblock(x->said, true, e) ||
	                       loop_fd(x->t->loop, x->said, EPOLLIN, on_said, x, &x->said_watch, e)
	               ? -1
	               : 0;
}

/* --- running --- */

static void end(struct exec *x)
{
	exec_done_cb *cb = x->cb;
	void *ptr = x->ptr;
	struct proc_exit exit = x->exit;

	limit_end(x->limit, &exit);
	x->limit = NULL;
	if (exit.no_exec) {
		struct err *why = arena_new_of(x->t->arena, struct err);

		*why = (struct err)ERR_INIT;
		if (x->spec.argv)
			proc_not_started(&x->spec, &exit, why);
		else
			err_errno(why, exit.no_exec, "its program cannot be started");
		exit.why = why;
	}
	loop_close(x->again);
	proc_free(&x->proc);
	end_pipes(x);
	end_said(x);
	if (x->pipes_failed && !exit.signal && !exit.status)
		exit.status = 1;
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

static void on_exit_of(struct loop_ev *ev, const struct proc_exit *exit, void *ptr);

/* Its shim was killed before it came to it: another one starts it. What else was prepared for it was for that shim. */
static bool start_anew(struct exec *x)
{
	struct err ignored = ERR_INIT;

	if (!x->spec.argv || x->limit || x->said >= 0 || x->spec.in >= 0 || x->anew++ >= ANEW_MAX)
		return false;
	proc_free(&x->proc);
	x->proc = (struct proc)PROC_INIT;
	return !proc_spawn(&x->spec, &x->proc, &ignored) &&
	       !loop_child(x->t->loop, &x->proc, on_exit_of, x, &x->watch, &ignored);
}

static void on_exit_of(struct loop_ev *ev, const struct proc_exit *exit, void *ptr)
{
	struct exec *x = ptr;

	(void)ev;
	x->watch = NULL;
	x->exit = *exit;
	if (exit->unbegun && start_anew(x))
		return;
	if (x->proc.shimmed && !exit->lost && !exit->left) { /* its shim has ended what was left */
		end(x);
		return;
	}
	/* Its group first: cheap, and nearly always empty. Orphans come to us (subreaper) and are counted there. */
	proc_signal(&x->proc, SIGKILL);
	if (!proc_reap_orphans() && !x->proc.shimmed) {
		end(x);
		return;
	}
	proc_signal_tree(&x->proc, x->t->marker, SIGKILL);
	x->again = loop_timer(x->t->loop, 1, on_again, x);
}

int local_host(struct attempt *t, const struct root_mount *more, size_t n_more, struct exec **out, struct err *e)
{
	struct exec *x = arena_new_of(t->arena, struct exec);

	*x = (struct exec){.t = t, .proc = PROC_INIT, .pipes = PROC_INIT, .said = -1, .log = -1, .hosted = true,
	                   .sight = {.t = t}};
	for (size_t i = 0; t->root_dir && i < n_more; i++)
		vec_push(t->arena, &x->sight.mounts, more[i]);
	if (secret_list(t->arena, t->flow->ws, t->job, &x->secrets, e) ||
	    make_env(&x->env, &x->sight, &x->secrets, e))
		return -1;
	*out = x;
	return 0;
}

void local_set(struct exec *x, const char *key, const char *value)
{
	env_set(&x->env, key, value);
}

void local_drain(struct exec *x)
{
	struct err e = ERR_INIT;

	if (x->said >= 0)
		(void)take_said(x, &e);
	if (x->said >= 0 && x->log >= 0 &&
	    mask_write(x->mask, NULL, 0, true, x->log, x->t->log_path, &e))
		err_clear(&e);
}

void local_log(struct exec *x, int fd, const char *path)
{
	x->log = fd;
	if (path)
		x->t->log_path = arena_dup(x->t->arena, path);
}

int local_fill(struct exec *x, const struct attempt *t, struct err *e)
{
	return fill_pipes(x, t, e);
}

bool local_filled(struct exec *x)
{
	end_pipes(x);
	return !x->pipes_failed;
}

bool local_over(struct exec *x)
{
	return limit_look(x->limit);
}

void local_end(struct exec *x, int64_t ms)
{
	struct proc_exit exit;
	struct err e = ERR_INIT;
	int ended = 1;

	loop_close(x->watch);
	loop_close(x->again);
	if (x->proc.pid && !x->proc.ended)
		ended = proc_wait_for(&x->proc, ms, &exit, &e);
	if (ended < 0)
		err_clear(&e);
	if (x->proc.pid && proc_kill_tree(&x->proc, x->t->marker, 0, &exit, &e) < 0)
		err_clear(&e);
	limit_end(x->limit, NULL);
	x->limit = NULL;
	proc_free(&x->proc);
	end_said(x);
}

void local_unit_env(struct attempt *t, const char *pfs, struct env *v)
{
	for (size_t i = 0; i < t->n_inputs; i++) {
		struct str name = t->inputs[i].input->folder.p ? t->inputs[i].input->folder : t->inputs[i].input->name;
		const char *seen = arena_printf(t->arena, "%s/%.*s", pfs, STR_ARG(name));

		if (!datum_has(t->datum, i))
			continue;
		env_set(v, input_variable(t->arena, t->inputs[i].input->name), seen);
		set_datum_input(v, t, i, seen);
	}
	env_set(v, "LEAT_RUN", t->run_id);
	env_setf(v, "LEAT_UNIT", "%lld", (long long)t->unit_id);
	env_setf(v, "LEAT_ATTEMPT", "%d", t->number);
	set_datum(v, t);
}

int exec_new(struct attempt *t, struct exec **out, struct err *e)
{
	struct exec *x = arena_new_of(t->arena, struct exec); /* also when the engine gives up on the attempt */

	*x = (struct exec){.t = t, .proc = PROC_INIT, .pipes = PROC_INIT, .said = -1, .sight = {.t = t}};
	if (secret_list(t->arena, t->flow->ws, t->job, &x->secrets, e) ||
	    make_env(&x->env, &x->sight, &x->secrets, e) || attempt_log_fd(t, &x->log, e))
		return -1;
	*out = x;
	return 0;
}

static int text_fd(struct str text, int *fd, struct err *e)
{
	int f FD_CLEANUP = memfd_create("stdin", MFD_CLOEXEC);

	if (f < 0)
		return err_errno(e, errno, "cannot make a task's standard input");
	if (fd_pwrite_all(f, text.p, text.n, 0, "a task's standard input", e))
		return -1;
	*fd = fd_steal(&f);
	return 0;
}

static void on_over(void *ptr)
{
	exec_cancel(ptr, true);
}

int exec_run(struct exec *x, const struct exec_task *task, exec_done_cb *cb, void *ptr, struct err *e)
{
	struct proc_spec s = PROC_SPEC;
	struct attempt *t = x->t;
	/* Who prints, or reads, by way of us cannot do without us. */
	bool shim = !task->terminal && !task->bare && !x->hosted && !x->secrets.n && !t->n_lazy;
	int in FD_CLEANUP = -1, said FD_CLEANUP = -1;

	if (task->in.p && text_fd(task->in, &in, e))
		return -1;
	s.argv = task->argv;
	s.env = env_array(&x->env);
	s.path = exec_path(t);
	s.cwd = task->cwd ? task->cwd : exec_work_dir(t);
	s.in = in;
	s.out = s.err = x->log;
	if (!task->terminal && hear(x, &said, e)) {
		end_said(x);
		return -1;
	}
	if (said >= 0)
		s.out = s.err = said;
	if (task->terminal) {
		s.in = STDIN_FILENO;
		s.out = STDOUT_FILENO;
		s.err = STDERR_FILENO;
		s.same_group = true;
	}
	if (!task->bare && attempt_shim(t, shim, &s.shim, e)) {
		end_said(x);
		return -1;
	}
	s.die_with_parent = !s.shim;
	s.binds = x->sight.binds.n ? &x->sight.binds : NULL;
	s.root = t->root_dir ? &x->sight.root : NULL;
	x->cb = cb;
	x->ptr = ptr;
	x->tries = 0;
	x->spec = s;
	if ((!task->terminal && limit_new(t, &s, &x->limit, e)) || fill_pipes(x, t, e) ||
	    proc_spawn(&s, &x->proc, e)) {
		limit_end(x->limit, NULL);
		x->limit = NULL;
		end_pipes(x);
		end_said(x);
		return -1;
	}
	if (loop_child(t->loop, &x->proc, on_exit_of, x, &x->watch, e)) {
		struct err ignored = ERR_INIT;

		if (proc_kill_tree(&x->proc, t->marker, 0, &x->exit, &ignored) < 0)
			err_clear(&ignored);
		limit_end(x->limit, NULL);
		x->limit = NULL;
		proc_free(&x->proc);
		end_pipes(x);
		end_said(x);
		return -1;
	}
	limit_watch(x->limit, &x->proc, on_over, x);
	return 0;
}

static void on_ended(struct loop_ev *ev, void *ptr)
{
	struct exec *x = ptr;

	x->watch = NULL;
	on_exit_of(ev, &x->exit, x);
}

int exec_adopt(struct attempt *t, const struct proc_shim *row, exec_done_cb *cb, void *ptr, struct exec **out,
               struct err *e)
{
	struct exec *x = arena_new_of(t->arena, struct exec);
	struct shim_told told;

	*x = (struct exec){.t = t, .proc = PROC_INIT, .pipes = PROC_INIT, .said = -1, .log = -1, .sight = {.t = t}};
	x->cb = cb;
	x->ptr = ptr;
	shim_told(row->table, row->row, &told);
	if (told.phase == SHIM_STARTED && proc_adopt(told.pid, row->table, row->row, &x->proc)) {
		if (loop_child(t->loop, &x->proc, on_exit_of, x, &x->watch, e)) {
			proc_free(&x->proc);
			return -1;
		}
		limit_adopt(t, &x->limit);
		limit_watch(x->limit, &x->proc, on_over, x);
	} else {
		limit_adopt(t, &x->limit);
		proc_told(told.pid, row->table, row->row, &x->proc, &x->exit);
		x->watch = loop_defer(t->loop, on_ended, x);
	}
	*out = x;
	return 0;
}

void exec_cancel(struct exec *x, bool hard)
{
	limit_cancel(x->limit, hard);
	proc_signal_tree(&x->proc, x->t->marker, hard ? SIGKILL : SIGTERM);
	if (!hard) /* one that was stopped hears it only when it goes on */
		proc_signal_tree(&x->proc, x->t->marker, SIGCONT);
}

void exec_result(const struct attempt *t, const struct proc_exit *x, struct attempt_result *out)
{
	char text[PROC_TEXT];

	*out = (struct attempt_result){
		.state = ATTEMPT_OK, .status = x->signal ? 128 + x->signal : x->status, .err = ERR_INIT};
	out->cpu_ms = (x->usage.ru_utime.tv_sec + x->usage.ru_stime.tv_sec) * 1000 +
	              (x->usage.ru_utime.tv_usec + x->usage.ru_stime.tv_usec + 500) / 1000;
	out->peak_kb = x->usage.ru_maxrss;
	if (proc_exit_ok(x))
		return;
	out->state = ATTEMPT_FAILED;
	if (x->why) {
		if (!x->over)
			out->status = 127;
		out->err = *x->why;
		return;
	}
	if (x->lost) {
		err_set(&out->err, ERR_FAILED, "the process that watched it was killed, so how it ended is not known");
		return;
	}
	proc_exit_text(x, text);
	err_set(&out->err, ERR_FAILED, "%s", text);
	err_hint(&out->err, "leat logs %.*s%s%s shows what it printed", STR_ARG(t->job->name),
	         t->ds.label[0] ? " " : "", t->ds.label);
}
