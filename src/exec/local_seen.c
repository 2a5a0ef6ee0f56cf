/* Where a task finds what is its own. */
#include "base/str.h"
#include "exec/exec.h"
#include "exec/local_in.h"
#include "flow/pyenv.h"
#include "sys/path.h"

/* The virtual environment as its processes see it; NULL. */
static const char *seen_env(const struct attempt *t)
{
	return !t->pyenv ? NULL : t->pyenv->ours && t->root_dir ? PYENV_SEEN : t->pyenv->dir;
}

const char *exec_path(const struct attempt *t)
{
	const struct dom *own = dom_get(t->job->environment, "path");
	const char *path = own && own->type == DOM_STR ? arena_cstr(t->arena, own->s) : t->path, *env = seen_env(t);

	return env ? arena_printf(t->arena, "%s/bin:%s", env, path) : path;
}

const char *exec_python(const struct attempt *t)
{
	const char *env = seen_env(t);

	return env ? path_join(t->arena, env, "bin/python") : NULL;
}

const char *exec_work_dir(const struct attempt *t)
{
	return t->root_dir ? WORK_DIR : t->work_dir;
}

const char *exec_report_dir(const struct attempt *t)
{
	return t->root_dir ? REPORT_DIR : t->report_dir;
}
