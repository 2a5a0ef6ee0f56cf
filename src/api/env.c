/* leat env: environments of jobs (flow/pyenv.h), and what runs found installed (flow/pyfreeze.h). */
#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/rows.h"
#include "base/buf.h"
#include "base/str.h"
#include "flow/jobenv.h"
#include "flow/pyenv.h"
#include "sys/env.h"
#include "sys/file.h"
#include "sys/proc.h"

#define TEXT_MAX ((size_t)4 << 20)
#define NEW_FILE "requirements.txt"

static void tell(void *ptr, const char *text)
{
	sink_note(ptr, "%s", text);
}

/* --- list --- */

static const struct dom *read_json(struct arena *a, const char *dir, const char *name)
{
	const char *path = path_join(a, dir, name);
	struct err e = ERR_INIT;
	struct str text;
	struct dom *d;

	return file_read_plain(a, path, TEXT_MAX, &text, &e) || dom_json(a, text, path, &d, &e) ? NULL : d;
}

static int list(struct api *api, struct sink *out, struct err *e)
{
	struct arena *a = api->arena;
	const char *root = arena_printf(a, "%s/cache/env", api->store->leat_dir);
	struct dir_names names = {0};

	if (dir_exists(root) && dir_list(a, root, &names, e))
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		const char *dir = path_join(a, root, names.p[i]);
		const struct dom *about = read_json(a, dir, "about.json"), *request = read_json(a, dir, "request.json");
		struct dom *row = dom_new(a, DOM_MAP);
		struct stat st;

		if (!about || !request || str_has_suffix(str_of(names.p[i]), STR(".new")) || file_stat(dir, &st, e)) {
			err_clear(e);
			continue;
		}
		dom_set_cstr(a, row, "id", names.p[i]);
		dom_set(a, row, "environment", dom_copy(a, dom_get(request, "name")));
		dom_set(a, row, "python", dom_copy(a, dom_get(about, "version")));
		dom_set(a, row, "packages", dom_copy(a, dom_get(about, "packages")));
		row_time(a, row, "used", (int64_t)st.st_mtim.tv_sec * 1000);
		dom_set_cstr(a, row, "path", path_join(a, dir, "venv"));
		if (sink_row(out, row, e))
			return -1;
	}
	return 0;
}

/* --- what a run found --- */

static int find_freeze(struct api *api, struct str run, struct str *id, struct str *real, struct err *e)
{
	struct q *q = db_query(api->store->db,
	                       "select json_extract(ingredients, '$.facts.python.freeze'),"
	                       " json_extract(ingredients, '$.facts.python.real') from unit"
	                       " where run >= ?1 and run < ?1 || 'g' and json_valid(ingredients)"
	                       " and json_extract(ingredients, '$.facts.python.freeze') is not null order by id desc");
	int r;

	q_text(q, 1, run);
	r = q_step(q, e);
	if (r == 1) {
		*id = arena_str(api->arena, q_col_text(q, 0));
		*real = arena_str(api->arena, q_col_text(q, 1));
	}
	q_done(q);
	if (r < 0)
		return -1;
	if (r)
		return 0;
	err_set(e, ERR_NOT_FOUND, "there is no run %s of which packages are known", STR_SHOWN(run));
	return err_hint(e, "leat runs shows them; notebooks, kind python, and scripts with an environment have them");
}

static int read_freeze(struct api *api, struct str run, struct str *text, struct str *real, struct err *e)
{
	struct str hex = STR_NULL;
	struct sha id;
	struct q *q;
	int r;

	if (run.n < 4 || find_freeze(api, run, &hex, real, e))
		return run.n < 4 ? err_set(e, ERR_BAD_REQUEST, "a run is named by 4 digits of its id at least") : -1;
	if (!sha_parse(hex, &id))
		return err_set(e, ERR_DAMAGED, "the packages of run %s are not told", STR_SHOWN(run));
	q = db_query(api->store->db, "select body from code_text where id = ?");
	q_sha(q, 1, &id);
	r = q_step(q, e);
	if (r == 1)
		*text = arena_str(api->arena, q_col_text(q, 0));
	q_done(q);
	if (!r)
		return err_set(e, ERR_NOT_FOUND, "the packages of run %s are not kept", STR_SHOWN(run));
	return r < 0 ? -1 : 0;
}

static int show_path(struct api *api, struct sink *out, const struct pyenv *env, struct err *e)
{
	struct dom *row = dom_new(api->arena, DOM_MAP);

	if (out->people)
		return out->bytes(out->ptr, arena_strf(api->arena, "%s\n", env->dir), e);
	dom_set_cstr(api->arena, row, "id", env->id);
	dom_set_cstr(api->arena, row, "environment", env->name);
	dom_set_cstr(api->arena, row, "path", env->dir);
	return sink_row(out, row, e);
}

static int freeze(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct str text, real;

	if (!args_pos(args, 1).p)
		return err_set(e, ERR_BAD_REQUEST, "freeze asks for a run");
	return read_freeze(api, args_pos(args, 1), &text, &real, e) ? -1 : out->bytes(out->ptr, text, e);
}

static int build(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct str run = args_value(args, "from"), text, real = STR_NULL;
	const struct pyenv *env = NULL;
	const char *path, *base;
	struct sha id;
	char hex[SHA_HEX + 1];

	if (api_open(api, OP_W | OP_J, e))
		return -1;
	if (!run.p) {
		const struct job *j;
		struct job *found;

		if (!args_pos(args, 1).p)
			return err_set(e, ERR_BAD_REQUEST, "build asks for a job, or --from RUN");
		if (jobs_find(api->flow->jobs, args_pos(args, 1), &found, e))
			return -1;
		j = found;
		if (pyenv_need(api->flow, j, tell, out, &env, e))
			return -1;
		return env ? show_path(api, out, env, e)
		           : err_set(e, ERR_NOT_FOUND, "the job %.*s has no environment", STR_ARG(j->name));
	}
	if (read_freeze(api, run, &text, &real, e))
		return -1;
	id = sha_of(text.p, text.n);
	sha_hex(&id, hex);
	path = arena_printf(api->arena, "%s/cache/env/freeze-%.16s.txt", api->store->leat_dir, hex);
	base = real.n ? arena_cstr(api->arena, real) : NULL; /* the same interpreter, where it is still there */
	if (dir_make_parent(path, 0777, e) || file_replace(path, text, 0666, 0, e) ||
	    pyenv_make(api->flow, path, arena_printf(api->arena, "of run %.*s", STR_ARG(run)),
	               base && file_exists(base) ? base : NULL, tell, out, &env, e))
		return -1;
	return show_path(api, out, env, e);
}

/* --- shell --- */

static int in_shell(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	const char *shell = getenv("SHELL"), *path = getenv("PATH");
	const struct pyenv *env = NULL;
	struct proc_spec s = PROC_SPEC;
	struct proc p = PROC_INIT;
	struct job *j = NULL;
	struct proc_exit x;
	const char *argv[2] = {shell && *shell ? shell : "sh", NULL};
	struct env v;

	if (!args_pos(args, 1).p)
		return err_set(e, ERR_BAD_REQUEST, "shell asks for a job");
	if (api_open(api, OP_W | OP_J, e) || jobs_find(api->flow->jobs, args_pos(args, 1), &j, e) ||
	    pyenv_need(api->flow, j, tell, out, &env, e))
		return -1;
	if (!env) {
		err_set(e, ERR_NOT_FOUND, "the job %.*s has no environment", STR_ARG(j->name));
		return err_hint(e, "leat env add LIB --job %.*s makes one", STR_ARG(j->name));
	}
	env_init(&v, api->arena);
	for (char **at = environ; *at; at++) {
		struct str key, value;

		if (str_cut(str_of(*at), '=', &key, &value) && !str_is(key, "PYTHONHOME"))
			env_set(&v, arena_cstr(api->arena, key), value.p);
	}
	env_set(&v, "VIRTUAL_ENV", env->dir);
	env_setf(&v, "PATH", "%s/bin:%s", env->dir, path ? path : "/usr/bin:/bin");
	s.argv = argv;
	s.env = env_array(&v);
	s.in = STDIN_FILENO;
	s.out = STDOUT_FILENO;
	s.err = STDERR_FILENO;
	s.same_group = true;
	if (proc_spawn(&s, &p, e) || proc_wait(&p, &x, e))
		return -1;
	proc_free(&p);
	api->exit_status = proc_exit_ok(&x) ? 0 : 1;
	return 0;
}

/* --- add --- */

/* The project that a line of a requirements file names. */
static struct str project(struct str line)
{
	struct str s = str_trim(line);
	size_t n = 0;

	while (n < s.n && (isalnum((unsigned char)s.p[n]) || strchr("._-", s.p[n])))
		n++;
	return (struct str){s.p, n && s.p[0] != '-' ? n : 0};
}

static int folded(char c)
{
	return strchr("._-", c) ? '-' : tolower((unsigned char)c);
}

static bool same_project(struct str x, struct str y)
{
	if (x.n != y.n || !x.n)
		return false;
	for (size_t i = 0; i < x.n; i++) {
		if (folded(x.p[i]) != folded(y.p[i]))
			return false;
	}
	return true;
}

static int write_lines(struct api *api, const struct args *args, const char *path, struct str old, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(TEXT_MAX);
	struct str rest = old, line;

	while (str_next_line(&rest, &line)) {
		bool again = false;

		for (size_t i = 1; i < args_n(args); i++)
			again |= same_project(project(line), project(args_pos(args, i)));
		if (!again)
			buf_addf(&b, "%.*s\n", STR_ARG(line));
	}
	for (size_t i = 1; i < args_n(args); i++) {
		if (!project(args_pos(args, i)).n)
			return err_set(e, ERR_BAD_REQUEST, "%s names no package", STR_SHOWN(args_pos(args, i)));
		buf_addf(&b, "%.*s\n", STR_ARG(args_pos(args, i)));
	}
	return file_replace(path, buf_str(&b), 0666, 0, e);
}

/* A job without one gets a requirements.txt beside its job.yaml. */
static int give_one(struct api *api, const struct job *j, const char **file, struct err *e)
{
	const char *yaml = path_join(api->arena, api->ws->dir, arena_cstr(api->arena, j->file));
	struct str text;

	if (j->single) {
		err_set(e, ERR_BAD_REQUEST, "%.*s is a job of one file, and names no environment", STR_ARG(j->name));
		return err_hint(e, "write `environment: FILE` among its keys");
	}
	*file = arena_printf(api->arena, "%s/%.*s/" NEW_FILE, api->ws->dir, STR_ARG(j->dir));
	if (file_read(api->arena, yaml, TEXT_MAX, &text, e) ||
	    (!file_exists(*file) && file_write(*file, STR(""), 0666, 0, e)))
		return -1;
	return file_replace(yaml,
	                    arena_strf(api->arena, "%.*s%senvironment: " NEW_FILE "\n", STR_ARG(text),
	                               text.n && text.p[text.n - 1] != '\n' ? "\n" : ""),
	                    0666, 0, e);
}

static int find_file(struct api *api, const struct job *j, const char **file, struct err *e)
{
	enum pyenv_form form;

	if (!j->env_file.p)
		return give_one(api, j, file, e);
	*file = path_join(api->arena, api->ws->dir, arena_cstr(api->arena, j->env_file));
	if (!j->env_folder && pyenv_form(path_base(api->arena, *file), &form) && form == PYENV_REQUIREMENTS)
		return 0;
	err_set(e, ERR_BAD_REQUEST, "%.*s is no requirements file, which env add could write to", STR_ARG(j->env_file));
	return err_hint(e, "what made it knows how: uv add, poetry add, pipenv install, pip install");
}

static int add(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct str name = args_value(args, "job"), old;
	const struct pyenv *env = NULL;
	struct flow *f = NULL;
	const char *file = NULL;
	struct job *j = NULL;
	struct err no = ERR_INIT;
	int rc;

	if (!name.p || args_n(args) < 2)
		return err_set(e, ERR_BAD_REQUEST, "add asks for packages and --job JOB");
	if (api_open(api, OP_W | OP_J, e) || jobs_find(api->flow->jobs, name, &j, e) || find_file(api, j, &file, e) ||
	    file_read(api->arena, file, TEXT_MAX, &old, e) || write_lines(api, args, file, old, e))
		return -1;
	rc = flow_open(api->store, api->kinds, true, &f, e) || jobs_find(f->jobs, name, &j, e) ||
	                     pyenv_need(f, j, tell, out, &env, e) || !env || show_path(api, out, env, e)
	             ? -1
	             : 0;
	flow_close(f);
	if (rc && file_replace(file, old, 0666, 0, &no)) /* as it was */
		err_clear(&no);
	return rc;
}

int api_env(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	static const struct {
		const char *word;
		op_fn *fn;
	} words[] = {{"add", add}, {"build", build}, {"freeze", freeze}, {"shell", in_shell}};
	struct str what = args_pos(args, 0);

	if (!what.p || str_is(what, "list"))
		return list(api, out, e);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_is(what, words[i].word))
			return words[i].fn(api, args, out, e);
	err_set(e, ERR_BAD_REQUEST, "env does not know %s", STR_SHOWN(what));
	return err_hint(e, "leat env [list], add, shell, freeze, build");
}
