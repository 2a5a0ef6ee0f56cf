#include "flow/pyenv.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/str.h"
#include "flow/run.h"
#include "sys/clock.h"
#include "sys/env.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/proc.h"

#define ABOUT_MAX ((size_t)64 << 10)
#define ABOUT_MS 20000
#define USED_MS ((int64_t)3600 * 1000) /* an environment that is needed is dated anew at most that often */
#define YAML_MAX ((size_t)1 << 20)

/* What became of asking for one: env, or why there is none. */
struct known {
	struct pyenv env;
	bool none, failed;
	struct err why;
};

bool pyenv_form(const char *name, enum pyenv_form *out)
{
	static const struct {
		const char *name;
		enum pyenv_form form;
	} names[] = {
		{"Pipfile", PYENV_PIPFILE}, {"Pipfile.lock", PYENV_PIPFILE_LOCK}, {"uv.lock", PYENV_UV},
		{"poetry.lock", PYENV_POETRY},
	};
	const char *ext = path_ext(name);

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(name, names[i].name)) {
			*out = names[i].form;
			return true;
		}
	*out = strcasecmp(ext, ".txt") && strcasecmp(ext, ".in") ? PYENV_CONDA : PYENV_REQUIREMENTS;
	return *out == PYENV_REQUIREMENTS || !strcasecmp(ext, ".yml") || !strcasecmp(ext, ".yaml");
}

bool pyenv_asked_to_end(void)
{
	sigset_t pending;

	return !sigpending(&pending) && (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1);
}

/* --- the interpreter --- */

/* One that is a script chooses another by what stands elsewhere: it is asked each time. */
static bool is_script(const char *path)
{
	char head[2];
	struct err e = ERR_INIT;
	size_t n = 0;
	int fd;

	if (file_open_read(path, &fd, &e))
		return true;
	if (fd_read_full(fd, head, sizeof(head), &n, path, &e))
		n = 0;
	fd_close(&fd);
	return n < sizeof(head) || (head[0] == '#' && head[1] == '!');
}

static const char *about_path(struct flow *f, struct arena *a, const char *which)
{
	char *real = realpath(which, NULL);
	struct err e = ERR_INIT;
	struct file_key key;
	struct sha_ctx h;
	struct sha id;
	char hex[SHA_HEX + 1];
	const char *out = NULL;

	sha_init(&h);
	sha_field(&h, str_of(which));
	if (real && !is_script(real) && !file_stat_key(real, &key, &e)) {
		sha_field(&h, str_of(real));
		sha_add(&h, &key, sizeof(key));
		id = sha_end(&h);
		sha_hex(&id, hex);
		out = arena_printf(a, "%s/cache/env/python-%.16s", f->store->leat_dir, hex);
	}
	free(real);
	return out;
}

static int no_python(const char *which, struct err *e)
{
	err_set(e, ERR_FAILED, "%s does not run as a Python", which);
	return err_hint(e, "Python 3.6 or newer is needed");
}

static int ask(struct arena *a, const char *which, struct str *out, struct err *e)
{
	const char *argv[] = {which, "-c", pyenv_script, "about", NULL};
	struct proc_spec s = PROC_SPEC;
	struct proc_exit x;
	struct env v;

	env_init(&v, a);
	env_keep(&v, "PATH");
	env_keep(&v, "HOME");
	s.argv = argv;
	s.env = env_array(&v);
	s.cwd = "/";
	s.err = -1;
	s.die_with_parent = true;
	if (proc_output(a, &s, ABOUT_MAX, ABOUT_MS, out, &x, e))
		return -1;
	if (proc_exit_ok(&x))
		return 0;
	return no_python(which, e);
}

int pyenv_about(struct flow *f, struct arena *a, const char *which, const struct dom **out, struct err *e)
{
	const char *path = about_path(f, a, which);
	struct err no = ERR_INIT;
	struct dom *d;
	struct str text;

	if (path && file_exists(path) && !file_read_plain(a, path, ABOUT_MAX, &text, &no) &&
	    !dom_json(a, text, path, &d, &no) && dom_get(d, "version")) {
		*out = d;
		return 0;
	}
	if (ask(a, which, &text, e))
		return -1;
	if (dom_json(a, text, which, &d, &no) || !dom_get(d, "version")) {
		err_clear(&no);
		return no_python(which, e);
	}
	if (path && (dir_make_parent(path, 0777, &no) || file_replace(path, text, 0666, 0, &no)))
		err_clear(&no);
	*out = d;
	return 0;
}

static const char *word(struct arena *a, const struct dom *d, const char *key)
{
	const struct dom *v = dom_get(d, key);

	return v && v->type == DOM_STR ? arena_cstr(a, v->s) : "";
}

/* python=3.11 among the dependencies of an environment.yml: "python3.11"; NULL. */
static const char *conda_python(struct flow *f, struct arena *a, const char *file)
{
	struct err e = ERR_INIT;
	struct str text;
	struct dom *d;

	if (file_read_plain(a, path_join(a, f->ws->dir, file), YAML_MAX, &text, &e) || dom_yaml(a, text, file, &d, &e))
		return NULL;
	dom_each(v, dom_get(d, "dependencies")) {
		struct str s = v->type == DOM_STR ? v->s : STR("");
		size_t at = 6, minor;

		if (!str_has_prefix(s, STR("python")) || s.n < 8 || !strchr("= ", s.p[6]))
			continue;
		while (at < s.n && strchr("= ", s.p[at]))
			at++;
		if (at + 2 >= s.n || s.p[at] != '3' || s.p[at + 1] != '.')
			return NULL;
		for (minor = at + 2; minor < s.n && s.p[minor] >= '0' && s.p[minor] <= '9'; minor++)
			;
		return arena_printf(a, "python%.*s", (int)(minor - at), s.p + at);
	}
	return NULL;
}

static int find_base(struct flow *f, struct arena *a, const struct job *j, const char *asked, const char **out,
                     struct err *e)
{
	const struct dom *own = j ? dom_get(j->environment, "path") : NULL;
	const char *path, *name = asked ? asked : "python3";

	if (run_task_path(f, a, &path, e))
		return -1;
	if (own && own->type == DOM_STR)
		path = arena_cstr(a, own->s);
	*out = strchr(name, '/') ? path_join(a, f->ws->dir, name) : proc_which(a, name, path);
	if (*out && file_exists(*out))
		return 0;
	err_set(e, ERR_NO_LIBRARY, "there is no %s to make an environment from", name);
	return err_hint(e, "`environment: {file: FILE, python: PATH}` names one; PATH is that of tasks");
}

/* --- which --- */

/* Whether it names what lies beside it: then the same text elsewhere is not the same. */
static bool is_of_its_place(struct arena *a, const struct pyenv_request *q)
{
	static const char *const words[] = {"find-links", "-f ", "./", "file:", ".whl"};
	const char *path = path_join(a, q->flow->ws->dir, q->main);
	struct err e = ERR_INIT;
	struct str text;

	if (q->form != PYENV_REQUIREMENTS && q->form != PYENV_CONDA)
		return true;
	if (q->n_files > 1 || file_read(a, path, YAML_MAX, &text, &e))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (memmem(text.p, text.n, words[i], strlen(words[i])))
			return true;
	return false;
}

static void name_it(const struct dom *about, const struct pyenv_request *q, char out[PYENV_ID + 1])
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	bool place = is_of_its_place(a, q);
	struct sha_ctx h;
	struct sha id;
	char hex[SHA_HEX + 1];

	sha_init(&h);
	sha_field(&h, STR("leat environment 1"));
	sha_field(&h, str_of(word(a, about, "implementation")));
	sha_field(&h, str_of(word(a, about, "version")));
	sha_field(&h, str_of(word(a, about, "real")));
	for (size_t i = 0; i < q->n_files; i++) {
		sha_field(&h, str_of(place ? q->files[i].path : path_base(a, q->files[i].path)));
		sha_add(&h, &q->files[i].sha, sizeof(q->files[i].sha));
	}
	id = sha_end(&h);
	sha_hex(&id, hex);
	memcpy(out, hex, PYENV_ID);
	out[PYENV_ID] = 0;
}

static void date(const char *dir)
{
	struct err e = ERR_INIT;
	struct stat st;
	int64_t now = clock_now_ms();

	if (file_stat(dir, &st, &e) || now - (int64_t)st.st_mtim.tv_sec * 1000 < USED_MS ||
	    file_set_mtime(dir, now * 1000000, &e))
		err_clear(&e);
}

static int make(struct flow *f, struct arena *a, const struct job *j, const char *python, struct pyenv_request *q,
                struct pyenv *out, struct err *e)
{
	const struct dom *about = NULL;
	const char *dir;

	if (find_base(f, a, j, python, &q->base, e) || pyenv_about(f, a, q->base, &about, e))
		return -1;
	q->version = word(a, about, "version");
	q->root = arena_printf(a, "%s/cache/env", f->store->leat_dir);
	name_it(about, q, out->id);
	dir = arena_printf(f->arena, "%s/%s", q->root, out->id);
	out->ours = true;
	out->name = arena_dup(f->arena, q->name);
	out->dir = arena_printf(f->arena, "%s/venv", dir);
	if (!dir_exists(dir) && pyenv_build(a, q, out->id, e))
		return err_wrap(e, "environment %s", q->name);
	date(dir);
	return 0;
}

static int need(struct flow *f, const struct job *j, pyenv_note *note, void *ptr, struct pyenv *out, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	const char *file = arena_cstr(a, j->env_file), *python = j->env_python.p ? arena_cstr(a, j->env_python) : NULL;
	struct pyenv_request q = {.flow = f, .name = file, .main = file, .note = note, .ptr = ptr};
	struct pyenv_file *files = arena_array(a, struct pyenv_file, j->n_code + 1);

	if (j->env_folder) {
		*out = (struct pyenv){.name = arena_dup(f->arena, file), .dir = path_join(f->arena, f->ws->dir, file)};
		return 0;
	}
	for (size_t i = 0; i < j->n_code; i++)
		if (str_has_prefix(j->code[i].label, STR(JOB_ENVIRONMENT)))
			files[q.n_files++] = (struct pyenv_file){arena_cstr(a, j->code[i].path), j->code[i].sha};
	q.files = files;
	if (!pyenv_form(path_base(a, file), &q.form))
		BUG("an environment of no known form");
	if (!python && q.form == PYENV_CONDA)
		python = conda_python(f, a, file);
	return make(f, a, j, python, &q, out, e);
}

int pyenv_need(struct flow *f, const struct job *j, pyenv_note *note, void *ptr, const struct pyenv **out,
               struct err *e)
{
	struct known *k;

	*out = NULL;
	if (!j->env_file.p)
		return 0;
	k = map_get(&f->pyenvs, j->name);
	if (!k) {
		k = arena_new_of(f->arena, struct known);
		*k = (struct known){.why = ERR_INIT};
		k->failed = need(f, j, note, ptr, &k->env, &k->why);
		map_set(&f->pyenvs, j->name, k);
	}
	if (k->failed) {
		*e = k->why;
		return -1;
	}
	*out = &k->env;
	return 0;
}

int pyenv_make(struct flow *f, const char *file, const char *name, const char *base, pyenv_note *note, void *ptr,
               const struct pyenv **out, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct pyenv_file one = {.path = file};
	struct pyenv_request q = {.flow = f, .name = name, .main = file, .files = &one, .n_files = 1, .note = note,
	                          .ptr = ptr};
	struct pyenv *made = arena_new_of(f->arena, struct pyenv);
	uint64_t size;

	*made = (struct pyenv){.ours = true};
	if (file_sha(file, &one.sha, &size, e) || make(f, a, NULL, base, &q, made, e))
		return -1;
	*out = made;
	return 0;
}

/* --- letting go --- */

static int let_log_go(const char *path, const struct stat *st, int64_t before, bool dry_run, struct err *e)
{
	if (dry_run || (int64_t)st->st_mtim.tv_sec * 1000 > before || !str_has_suffix(str_of(path), STR(".failed.log")))
		return 0;
	return file_unlink(path, e);
}

struct weigh {
	int64_t bytes;
};

static int weigh(const struct dir_entry *entry, void *ptr, struct err *e)
{
	(void)e;
	if (entry->type == DIR_FILE)
		((struct weigh *)ptr)->bytes += (int64_t)entry->st.st_blocks * 512;
	return DIR_GO;
}

static int let_go(struct arena *a, const char *root, const char *name, bool dry_run, int64_t *bytes, struct err *e)
{
	struct lock l cleanup(lock_drop) = LOCK_INIT;
	const char *dir = path_join(a, root, name);
	struct weigh w = {0};
	struct str id, rest;

	if (!str_cut(str_of(name), '.', &id, &rest))
		id = str_of(name);
	if (lock_try(&l, arena_printf(a, "%s/%.*s.lock", root, STR_ARG(id)), NULL, 0, e)) {
		if (e->code != ERR_BUSY)
			return -1;
		err_clear(e);
		return 1;
	}
	if (dir_walk(dir, DIR_UNSORTED | DIR_GONE_OK, weigh, &w, e))
		return -1;
	*bytes += w.bytes;
	return dry_run ? 0 : dir_remove_tree(dir, e);
}

int pyenv_gc(struct store *s, int64_t keep_ms, bool dry_run, int64_t *n, int64_t *bytes, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	const char *root = arena_printf(a, "%s/cache/env", s->leat_dir);
	int64_t now = clock_now_ms();
	struct dir_names names;

	*n = *bytes = 0;
	if (!dir_exists(root))
		return 0;
	if (dir_list(a, root, &names, e))
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		const char *path = path_join(a, root, names.p[i]);
		struct stat st;
		int r;

		if (file_lstat(path, &st, e)) {
			err_clear(e);
			continue;
		}
		if (!S_ISDIR(st.st_mode)) {
			if (let_log_go(path, &st, now - keep_ms, dry_run, e))
				return -1;
			continue;
		}
		if (!str_has_suffix(str_of(path), STR(".new")) && now - (int64_t)st.st_mtim.tv_sec * 1000 < keep_ms)
			continue;
		r = let_go(a, root, names.p[i], dry_run, bytes, e);
		if (r < 0)
			return -1;
		*n += !r;
	}
	return 0;
}
