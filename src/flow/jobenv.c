#include "flow/jobenv.h"

#include <errno.h>
#include <stdlib.h>

#include "base/str.h"
#include "flow/plug.h"
#include "flow/pyenv.h"

#define TEXT_MAX ((size_t)4 << 20)
#define FILES_MAX 200

struct look {
	struct jobs *js;
	struct job_entry *en;
	struct job *j;
	struct jobfile_list *l;
	const struct dom *at; /* where the job names it; NULL: leat.yaml does */
};

struct str jobenv_setting(struct arena *a, const struct workspace *ws)
{
	const struct dom *v = workspace_setting(ws, "environment");

	return v && v->type == DOM_STR ? arena_str(a, v->s) : STR("");
}

static int fault(const struct look *k, struct err *e)
{
	return k->at ? job_at(e, k->j, k->at->line, k->at->col) : err_at(e, WORKSPACE_FILE, 0, 0);
}

/* Where links of the workspace's own path lead is no matter; one that leaves it is not followed. */
static bool leads_out(const struct look *k, const char *path)
{
	const char *dir = k->js->ws->dir;
	char *root = realpath(dir, NULL), *real = realpath(path_join(k->js->arena, dir, path), NULL);
	bool out = root && real && !path_inside(root, real, NULL);

	free(root);
	free(real);
	return out;
}

static int add(const struct look *k, const char *path, struct err *e)
{
	struct arena *a = k->js->arena;
	struct job_code f = {.path = str_of(path), .label = arena_strf(a, JOB_ENVIRONMENT "%s", path)};

	for (size_t i = 0; i < k->l->files.n; i++)
		if (str_eq(k->l->files.p[i].label, f.label))
			return 0;
	if (k->l->files.n >= JOB_MAX_CODE_FILES)
		return err_set(e, ERR_LIMIT, "%s includes too many files", path);
	if (!k->j->env_folder && leads_out(k, path)) {
		err_set(e, ERR_BAD_CONFIG, "%s is a link that leads out of the workspace", path);
		return fault(k, e);
	}
	vec_push(a, &k->l->files, f);
	return 0;
}

/* A path from a folder of the workspace that stays in it; NULL. */
static const char *inside(struct arena *a, struct str dir, struct str rel)
{
	const char *p = path_clean(a, arena_printf(a, "%.*s/%.*s", STR_ARG(dir), STR_ARG(rel)));

	return strcmp(p, "..") != 0 && strncmp(p, "../", 3) != 0 ? p : NULL;
}

/* What a line of a requirements file names beside it; STR_NULL. */
static struct str named_by(struct str line, bool *include)
{
	static const char *const words[] = {"-r", "--requirement", "-c", "--constraint"};
	struct str s = str_trim(line), path;

	*include = false;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t n = strlen(words[i]);

		if (str_has_prefix(s, str_of(words[i])) && s.n > n && memchr(" =\t", s.p[n], 3)) {
			*include = true;
			return str_trim(str_sub(s, n + 1, s.n));
		}
	}
	for (path.n = 0; path.n < s.n && !memchr(" \t;", s.p[path.n], 3); path.n++)
		;
	path.p = s.p;
	return str_has_suffix(path, STR(".whl")) && !memmem(path.p, path.n, "://", 3) ? path : STR_NULL;
}

static int add_requirements(const struct look *k, const char *path, struct str root, struct err *e)
{
	struct arena *a = k->js->arena;
	struct str text, line, dir = str_of(path_dir(a, path));
	size_t before = k->l->files.n;

	if (add(k, path, e) || k->l->files.n == before)
		return e->code ? -1 : 0;
	if (k->l->files.n > FILES_MAX + JOB_MAX_CODE_FILES / 2)
		return err_set(e, ERR_LIMIT, "%s includes too many files", path);
	if (file_read_plain(a, path_join(a, k->js->ws->dir, path), TEXT_MAX, &text, e))
		return -1;
	while (str_next_line(&text, &line)) {
		bool include;
		struct str name = named_by(line, &include);
		const char *at = name.n && name.p[0] != '/' ? inside(a, include ? dir : root, name) : NULL;

		if (!at || jobcache_node(k->js, k->en, str_of(at), NULL))
			continue; /* pip says what is not there */
		if (include ? add_requirements(k, at, root, e) : add(k, at, e))
			return -1;
	}
	return 0;
}

static int add_beside(const struct look *k, const char *path, const char *name, struct err *e)
{
	struct arena *a = k->js->arena;
	const char *at = path_join(a, path_dir(a, path), name);

	at = path_clean(a, at);
	return jobcache_node(k->js, k->en, str_of(at), NULL) ? 0 : add(k, at, e);
}

static int add_file(const struct look *k, const char *path, struct err *e)
{
	enum pyenv_form form;
	struct arena *a = k->js->arena;

	if (!pyenv_form(path_base(a, path), &form)) {
		err_set(e, ERR_BAD_CONFIG, "%s is no file that an environment is made of", path);
		err_hint(e, "there are requirements.txt (any .txt), Pipfile, Pipfile.lock, uv.lock, poetry.lock, "
		            "environment.yml, and folders of virtual environments");
		return fault(k, e);
	}
	/* A file that comes or goes beside it is seen by its folder's stat. */
	(void)jobcache_node(k->js, k->en, str_of(path_clean(a, path_dir(a, path))), NULL);
	if (form == PYENV_REQUIREMENTS)
		return add_requirements(k, path, str_of(path_dir(a, path)), e);
	if (form == PYENV_PIPFILE && add_beside(k, path, "Pipfile.lock", e))
		return -1;
	if (form == PYENV_POETRY && add_beside(k, path, "pyproject.toml", e))
		return -1;
	return add(k, path, e);
}

/* A virtual environment that is there: it is taken as it is; of its files only the one that says what it is counts. */
static int add_folder(const struct look *k, const char *path, struct err *e)
{
	struct arena *a = k->js->arena;
	const char *cfg = path_join(a, path, "pyvenv.cfg");

	if (jobcache_node(k->js, k->en, str_of(cfg), NULL) ||
	    !file_exists(path_join(a, k->js->ws->dir, path_join(a, path, "bin/python")))) {
		err_set(e, ERR_BAD_CONFIG, "%s is no virtual environment", path);
		err_hint(e, "python3 -m venv %s makes one", path);
		return fault(k, e);
	}
	k->j->env_folder = true;
	return path[0] == '/' ? 0 : add(k, cfg, e);
}

static int add_named(const struct look *k, struct str name, bool lock, struct err *e)
{
	struct arena *a = k->js->arena;
	struct str from[2] = {k->at ? k->j->dir : STR("."), STR(".")};
	const char *path = NULL;
	struct stat st;

	if (name.p[0] == '/')
		path = path_clean(a, arena_cstr(a, name));
	if (path && jobcache_node(k->js, k->en, str_of(path), &st))
		path = NULL;
	for (size_t i = 0; name.p[0] != '/' && !path && i < ARRAY_LEN(from); i++) {
		path = inside(a, from[i], name);
		if (path && jobcache_node(k->js, k->en, str_of(path), &st))
			path = NULL;
	}
	if (!path || (path[0] == '/' && !S_ISDIR(st.st_mode))) {
		err_set(e, ERR_BAD_CONFIG,
		        path ? "%s: %.*s is no folder, and not in the workspace" : "%s: there is no %.*s",
		        lock ? "lock" : "environment", STR_ARG(name));
		return fault(k, e);
	}
	if (lock)
		return add(k, path, e);
	k->j->env_file = str_of(path);
	return S_ISDIR(st.st_mode) ? add_folder(k, path, e) : add_file(k, path, e);
}

int jobenv_files(struct jobs *js, struct job_entry *en, struct job *j, struct jobfile_list *l, struct str main,
                 struct err *e)
{
	const struct dom *v = dom_get(j->doc, "environment"), *lock = dom_get(j->doc, "lock");
	const struct dom *file = v && v->type == DOM_MAP ? dom_get(v, "file") : v;
	const struct dom *python = v && v->type == DOM_MAP ? dom_get(v, "python") : NULL;
	const struct dom *own = dom_get(j->doc, "python");
	struct look k = {.js = js, .en = en, .j = j, .l = l, .at = lock};
	struct str name = jobenv_setting(js->arena, js->ws);

	if (lock && lock->type == DOM_STR && add_named(&k, lock->s, true, e))
		return -1;
	k.at = file && file->type == DOM_STR ? file : NULL;
	if (k.at)
		name = k.at->s;
	else if (!j->kind->imports || !j->kind->imports(j, main))
		return 0;
	if (!name.n || str_is(name, JOBENV_NONE))
		return 0;
	if (!j->kind->starts_process) {
		err_set(e, ERR_BAD_CONFIG, "a %s job has no Python to give an environment", j->kind->name);
		return fault(&k, e);
	}
	if (python && python->type == DOM_STR)
		j->env_python = python->s;
	else if (own && own->type == DOM_STR)
		j->env_python = own->s;
	return add_named(&k, name, false, e);
}
