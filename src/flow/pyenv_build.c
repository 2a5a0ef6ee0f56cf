/* Making one: the files it is made of are copied, environment.py does the rest in a process of its own. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "flow/pyenv.h"
#include "sys/clock.h"
#include "sys/env.h"
#include "sys/fault.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/proc.h"
#include "sys/rand.h"

#define LOOK_MS 100
#define GRACE_MS 2000
#define ANSWER_MAX ((size_t)1 << 20)
#define REQUEST_MAX ((size_t)4 << 20)

static const char *const forms[] = {
	[PYENV_REQUIREMENTS] = "requirements", [PYENV_PIPFILE] = "pipfile", [PYENV_PIPFILE_LOCK] = "pipfile.lock",
	[PYENV_UV] = "uv", [PYENV_POETRY] = "poetry", [PYENV_CONDA] = "conda",
};

static void say(const struct pyenv_request *q, const char *text)
{
	if (q->note)
		q->note(q->ptr, text);
}

static int stopped(struct err *e)
{
	return err_set(e, ERR_CANCELLED, "stopped while it was made");
}

/* Another command may be making it: that is waited for. */
static int take_lock(struct arena *a, const struct pyenv_request *q, const char *path, struct lock *l, struct err *e)
{
	bool told = false;

	for (;;) {
		if (!lock_take_for(l, path, "leat", 0, told ? LOOK_MS : 0, e))
			return 0;
		if (e->code != ERR_BUSY)
			return -1;
		err_clear(e);
		if (!told)
			say(q, arena_printf(a, "environment %s: another command makes it", q->name));
		told = true;
		if (pyenv_asked_to_end())
			return stopped(e);
	}
}

/* As they were when the job was read: what was changed since makes another environment. */
static int copy_files(struct arena *a, const struct pyenv_request *q, const char *dir, const char **main, struct err *e)
{
	for (size_t i = 0; i < q->n_files; i++) {
		const struct pyenv_file *f = &q->files[i];
		const char *from = path_join(a, q->flow->ws->dir, f->path);
		const char *name = f->path[0] == '/' ? path_base(a, f->path) : f->path;
		const char *to = arena_printf(a, "%s/files/%s", dir, name);
		struct sha now;

		if (dir_make_parent(to, 0777, e) || file_copy_sha(from, to, 0666, 0, &now, NULL, e))
			return -1;
		if (!sha_eq(&now, &f->sha)) {
			err_set(e, ERR_CODE_MOVED, "%s was changed while the run began", f->path);
			return err_hint(e, "run it again");
		}
		if (!strcmp(f->path, q->main))
			*main = to;
	}
	return 0;
}

static int write_request(struct arena *a, const struct pyenv_request *q, const char *dir, const char *main,
                         const char **path, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(REQUEST_MAX);
	struct dom *d = dom_new(a, DOM_MAP), *yaml = NULL;
	const char *own = path_join(a, q->flow->ws->dir, q->main);
	struct str text;

	*path = path_join(a, dir, "request.json");
	if (q->form == PYENV_CONDA &&
	    (file_read(a, main, REQUEST_MAX, &text, e) || dom_yaml(a, text, q->main, &yaml, e)))
		return -1;
	if (yaml)
		dom_set(a, d, "yaml", yaml);
	dom_set_cstr(a, d, "file", main);
	dom_set_cstr(a, d, "name", q->name);
	dom_set_cstr(a, d, "form", forms[q->form]);
	dom_set_cstr(a, d, "dir", dir);
	dom_set_cstr(a, d, "cwd", path_dir(a, own));
	dom_set_cstr(a, d, "request", *path);
	dom_set_cstr(a, d, "python", q->base);
	dom_write_json(&b, d, DOM_COMPACT);
	if (buf_over(&b))
		return err_set(e, ERR_LIMIT, "it is too large");
	return file_write(*path, buf_str(&b), 0666, 0, e) ||
	                       file_write(path_join(a, dir, "environment.py"), str_of(pyenv_script), 0666, 0, e)
	               ? -1
	               : 0;
}

/* The user's own, for proxies and pip's configuration; nothing that leads a Python elsewhere. */
static const char *const *environment(struct arena *a, const char *marker)
{
	struct env v;

	env_init(&v, a);
	for (char **at = environ; *at; at++) {
		struct str key, value;

		if (str_cut(str_of(*at), '=', &key, &value) && !str_has_prefix(key, STR("PYTHON")) &&
		    !str_has_prefix(key, STR("LEAT_")) && !str_is(key, "VIRTUAL_ENV") &&
		    !str_is(key, "PIP_REQUIRE_VIRTUALENV") && !str_is(key, "PIP_TARGET") && !str_is(key, "PIP_USER"))
			env_set(&v, arena_cstr(a, key), value.p);
	}
	env_set(&v, "PYTHONNOUSERSITE", "1");
	env_set(&v, "LC_ALL", "C.UTF-8"); /* its words are looked into */
	env_set(&v, PROC_MARKER, marker);
	return env_array(&v);
}

static int run(struct arena *a, const struct pyenv_request *q, const char *dir, const char *request, int lock,
               struct err *e)
{
	const char *argv[] = {q->base, path_join(a, dir, "environment.py"), "build", request, NULL};
	const char *log = path_join(a, dir, "log");
	struct proc_spec s = PROC_SPEC;
	struct proc p = PROC_INIT;
	struct proc_exit x;
	char marker[RAND_NAME];
	int r, fd FD_CLEANUP = -1;

	rand_name(marker);
	if (file_open_write(log, O_CREAT | O_APPEND, 0666, &fd, e))
		return -1;
	s.argv = argv;
	s.env = environment(a, marker);
	s.cwd = "/";
	s.out = s.err = fd;
	s.fds[0] = lock;
	s.n_fds = 1;
	s.die_with_parent = true;
	if (proc_spawn(&s, &p, e))
		return -1;
	while (!(r = proc_wait_for(&p, LOOK_MS, &x, e)))
		if (pyenv_asked_to_end())
			break;
	if (!r && proc_kill_tree(&p, marker, GRACE_MS, &x, e) >= 0)
		(void)stopped(e);
	proc_free(&p);
	if (r <= 0)
		return -1;
	fault_crash("environment-made");
	return proc_exit_ok(&x) ? 0 : err_set(e, ERR_FAILED, "what makes it ended with %s",
	                                      x.signal ? "a signal" : "an error; its log tells more");
}

static int look_at_answer(struct arena *a, const char *dir, int64_t *packages, struct err *e)
{
	const char *path = path_join(a, dir, "answer.json");
	const struct dom *error, *hint, *n;
	struct str text;
	struct dom *d;

	if (file_read(a, path, ANSWER_MAX, &text, e) || dom_json(a, text, path, &d, e))
		return -1;
	error = dom_get(d, "error");
	hint = dom_get(d, "hint");
	n = dom_get(d, "packages");
	if (error && error->type == DOM_STR) {
		err_set(e, ERR_FAILED, "%s", STR_SHOWN(error->s));
		return hint && hint->type == DOM_STR && hint->s.n ? err_hint(e, "%s", STR_SHOWN(hint->s)) : -1;
	}
	*packages = n && n->type == DOM_INT ? n->i : 0;
	return file_rename(path, path_join(a, dir, "about.json"), e);
}

static int fill(struct arena *a, const struct pyenv_request *q, const char *dir, int lock, int64_t *packages,
                struct err *e)
{
	const char *main = NULL, *request;

	if (dir_make(dir, 0777, e) || copy_files(a, q, dir, &main, e) || write_request(a, q, dir, main, &request, e) ||
	    run(a, q, dir, request, lock, e))
		return -1;
	return look_at_answer(a, dir, packages, e);
}

int pyenv_build(struct arena *a, const struct pyenv_request *q, const char *id, struct err *e)
{
	struct lock l cleanup(lock_drop) = LOCK_INIT;
	const char *final = arena_printf(a, "%s/%s", q->root, id), *dir = arena_printf(a, "%s.new", final);
	const char *kept = arena_printf(a, "%s.failed.log", final);
	struct err ignored = ERR_INIT;
	int64_t begin = clock_mono_ms(), packages = 0;

	if (dir_make(q->root, 0777, e) || take_lock(a, q, arena_printf(a, "%s.lock", final), &l, e))
		return -1;
	if (dir_exists(final))
		return 0;
	say(q, arena_printf(a, "building environment %s with Python %s", q->name, q->version));
	if (dir_remove_tree(dir, e))
		return -1;
	if (!fill(a, q, dir, l.fd, &packages, e) && !file_rename(dir, final, e)) {
		say(q, arena_printf(a, "environment %s: %lld package%s, %.1f s", q->name, (long long)packages,
		                    packages == 1 ? "" : "s", (double)(clock_mono_ms() - begin) / 1e3));
		return 0;
	}
	if (file_rename(path_join(a, dir, "log"), kept, &ignored) || dir_remove_tree(dir, &ignored))
		err_clear(&ignored);
	if (!e->hint[0] && file_exists(kept))
		err_hint(e, ".leat/cache/env/%s.failed.log has all that it said", id);
	return -1;
}
