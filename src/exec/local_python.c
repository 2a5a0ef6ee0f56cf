/* Which Python ran an attempt, and what it found (flow/pyfreeze.h). */
#include "base/str.h"
#include "exec/exec.h"
#include "flow/flow.h"
#include "flow/pyenv.h"
#include "flow/pyfreeze.h"
#include "sys/path.h"
#include "sys/proc.h"

/* Where it lies on this machine. */
static const char *which(struct attempt *t, const char *name)
{
	const char *path;
	struct err e = ERR_INIT;

	if (!t->pyenv && pyenv_need(t->flow, t->job, NULL, NULL, &t->pyenv, &e)) /* of one that was taken over */
		return NULL;
	if (t->pyenv)
		return path_join(t->arena, t->pyenv->dir, "bin/python");
	path = proc_which(t->arena, name, exec_path(t));
	return path && path[0] == '/' ? path : NULL;
}

void exec_python_began(struct attempt *t, const char *name)
{
	pyfreeze_begin(t->flow, which(t, name));
}

void exec_python_ended(struct attempt *t, const char *name, struct attempt_result *r)
{
	struct dom *facts = r->facts ? (struct dom *)r->facts : dom_new(t->arena, DOM_MAP);
	struct dom *python = dom_get(facts, "python");

	if (!python) {
		python = dom_new(t->arena, DOM_MAP);
		dom_set(t->arena, facts, "python", python);
	}
	pyfreeze_end(t->flow, t, which(t, name), python, r);
	if (python->n)
		r->facts = facts;
}
