#include "job/common.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/str.h"
#include "flow/flow.h"
#include "flow/pylib.h"
#include "note/driver.h"
#include "note/python_warm.h"
#include "sys/clock.h"
#include "sys/env.h"
#include "sys/file.h"

#define SOURCE_MAX ((size_t)16 << 20)
#define SERVE_MAX 65536
#define ROOM_FOR_MARKER 160 /* a forked process writes its own there (driver.py, mark) */

/* What is imported ahead, if the notebook does: well-known, and harmless to import. */
static const char *const modules[] = {"numpy",  "pandas",  "matplotlib.pyplot", "matplotlib", "scipy", "polars",
                                      "pyarrow", "sklearn", "seaborn",           "duckdb",     "requests"};

struct zygote {
	int asked;        /* how many attempts would have used it */
	bool started, ours;
	struct proc proc;
};

static bool is_env_of_its_own(const struct dom *map)
{
	static const char *const prefixes[] = {"PYTHON", "LD_",   "OPENBLAS", "OMP_", "MKL_", "MPL",  "IPYTHON", "LANG",
	                                       "LC_",    "HOME",  "XDG_",     "KMP_", "BLIS_", "NUMEXPR_", "NUMBA_",
	                                       "ARROW_", "POLARS_", "MALLOC_"};

	dom_each(v, map)
		for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
			if (str_has_prefix(v->key, str_of(prefixes[i])))
				return true;
	return false;
}

static bool is_fresh(const struct attempt *t)
{
	const struct dom *isolation = dom_get(t->job->own, "isolation");

	return (isolation && isolation->type == DOM_STR && str_is(isolation->s, "fresh")) || t->root_dir || t->shell ||
	       t->job->detach || t->n_lazy ||
	       is_env_of_its_own(t->job->env) || is_env_of_its_own(t->job->environment);
}

/* The daemon that serves the workspace, if one does. */
static pid_t daemon_of(struct attempt *t)
{
	const char *path = path_join(t->arena, t->flow->store->leat_dir, "serve.json");
	struct err e = ERR_INIT;
	const struct dom *pid, *start;
	struct dom *d;
	struct str text;

	if (!file_exists(path) || file_read_plain(t->arena, path, SERVE_MAX, &text, &e) ||
	    dom_json(t->arena, text, path, &d, &e))
		return 0;
	pid = dom_get(d, "pid");
	start = dom_get(d, "start");
	if (!pid || pid->type != DOM_INT || pid->i <= 1 || pid->i > INT32_MAX || !start || start->type != DOM_INT ||
	    clock_proc_start((pid_t)pid->i) != (uint64_t)start->i) /* its number is another's now */
		return 0;
	return (pid_t)pid->i;
}

static struct str code_of(struct attempt *t, const char *label)
{
	struct err e = ERR_INIT;
	struct str text = STR_NULL;

	return file_read_plain(t->arena, path_join(t->arena, t->work_dir, label), SOURCE_MAX, &text, &e) ? STR_NULL
	                                                                                               : text;
}

static bool imports(struct str text, struct str word, const char *module)
{
	const char *line = NULL;

	while (text.n && (line = memmem(text.p, text.n, word.p, word.n))) {
		size_t at = (size_t)(line - text.p) + word.n;

		text = str_sub(text, at, text.n);
		if (str_has_prefix(text, str_of(module)))
			return true;
	}
	return false;
}

/* A file of the job, or of python/, that is called so is what `import` means. */
static bool is_own(const struct job *j, struct str module)
{
	struct str first = module, rest;

	(void)!str_cut(module, '.', &first, &rest);
	for (size_t i = 0; i < j->n_code; i++) {
		struct str label = j->code[i].label, shared = STR(JOB_SHARED_CODE "/");

		if (str_has_prefix(label, shared))
			label = str_sub(label, shared.n, label.n);
		if (str_has_prefix(label, first) && label.n > first.n &&
		    (label.p[first.n] == '.' || label.p[first.n] == '/'))
			return true;
	}
	return false;
}

/* Of the notebook, and of what runs before it. */
static size_t modules_of(struct attempt *t, struct str label, const char **out)
{
	struct str texts[] = {code_of(t, arena_cstr(t->arena, label)), code_of(t, JOB_STARTUP)};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(modules); i++) {
		bool found = false;

		for (size_t k = 0; k < ARRAY_LEN(texts); k++)
			found |= imports(texts[k], STR("import "), modules[i]) ||
			         imports(texts[k], STR("from "), modules[i]);
		if (found && !is_own(t->job, str_of(modules[i])))
			out[n++] = modules[i];
	}
	return n;
}

static const char *const *environment(struct attempt *t)
{
	const char *home = getenv("HOME"), *dir;
	struct err e = ERR_INIT;
	struct env v;

	env_init(&v, t->arena);
	env_set(&v, "PATH", exec_path(t));
	env_set(&v, "HOME", home && *home ? home : "/");
	env_set(&v, "LANG", "C.UTF-8");
	env_set(&v, "TZ", "UTC");
	if (!pylib_dir(t->arena, t->flow->store->leat_dir, &dir, &e))
		env_set(&v, "PYTHONPATH", dir);
	env_set(&v, "OPENBLAS_NUM_THREADS", "1");
	env_set(&v, "OMP_NUM_THREADS", "1");
	env_set(&v, "MKL_NUM_THREADS", "1");
	env_setf(&v, PROC_MARKER, "%0*d", ROOM_FOR_MARKER, 0);
	for (size_t i = 0; i < v.vars.n; i++) {
		char *at = (char *)v.vars.p[i];

		if (!strncmp(at, PROC_MARKER "=", strlen(PROC_MARKER "=")))
			memset(at + strlen(PROC_MARKER "="), '.', ROOM_FOR_MARKER);
	}
	return env_array(&v);
}

static bool spawn(struct attempt *t, struct zygote *z, const char *const *argv)
{
	struct proc_spec s = PROC_SPEC;
	struct err e = ERR_INIT;

	s.argv = argv;
	s.env = environment(t);
	s.path = exec_path(t);
	s.cwd = "/";
	s.out = s.err = -1;
	return !proc_spawn(&s, &z->proc, &e);
}

const char *zygote_for(struct attempt *t, const char *python, const char *mode, struct str label)
{
	struct arena *a = t->arena;
	const char **argv = arena_array(a, const char *, ARRAY_LEN(modules) + 8), *which, *name;
	struct zygote *z = *t->kept;
	pid_t owner;
	size_t n = 0;
	struct sha_ctx h;
	struct sha sum;
	struct stat st;
	char hex[SHA_HEX + 1];

	if (is_fresh(t) || !(which = proc_which(a, python, exec_path(t))))
		return NULL;
	if (!z)
		*t->kept = z = xcalloc(1, sizeof(*z));
	owner = daemon_of(t);
	z->asked++;
	if (!owner && z->asked < 2)
		return NULL;
	argv[n++] = which;
	argv[n++] = "-c";
	argv[n++] = note_zygote;
	argv[n++] = "zygote";
	argv[n++] = ""; /* its name */
	argv[n++] = arena_printf(a, "%d", (int)(owner ? owner : getpid()));
	argv[n++] = mode;
	n += modules_of(t, label, argv + n);
	if (stat(which, &st))
		return NULL;
	sha_init(&h);
	sha_field(&h, arena_strf(a, "%lld %lld %lld.%ld", (long long)st.st_dev, (long long)st.st_ino,
	                         (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec)); /* another since is another */
	sha_field(&h, str_of(t->flow->store->leat_dir));
	sha_field(&h, str_of(exec_path(t)));
	for (size_t i = 0; i < n; i++)
		sha_field(&h, str_of(argv[i]));
	sum = sha_end(&h);
	sha_hex(&sum, hex);
	argv[4] = name = arena_printf(a, "leat-%.32s", hex);
	if (!z->started && !warm_listens(name)) {
		z->ours = !owner;
		z->started = spawn(t, z, argv);
	}
	return name;
}

int zygote_main(int argc, char **argv)
{
	enum { NAME = 3, OWNER, MODE, PYTHON };

	if (argc <= PYTHON)
		return 2;
	execlp(argv[PYTHON], argv[PYTHON], "-c", note_zygote, "zygote", argv[NAME], argv[OWNER], argv[MODE], NULL);
	return 127;
}

void zygote_end(void *kept)
{
	struct zygote *z = kept;
	struct proc_exit x;
	struct err e = ERR_INIT;

	if (z->started && z->ours) {
		proc_signal(&z->proc, SIGKILL);
		if (proc_wait(&z->proc, &x, &e))
			err_clear(&e);
	}
	if (z->started)
		proc_free(&z->proc);
	free(z);
}
