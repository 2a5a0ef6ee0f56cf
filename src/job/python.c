/*
 * A Python file with a function run(inputs, output, params): what it returns is written as the unit's Parquet. Its
 * process is python3 of the tasks' PATH with the runner of the Python package (clients/python: leat/_job.py), which
 * tells what went wrong in the user's code, and where, in a file beside it; or one that is forked from a python3 that
 * has imported already (job/common.h), with a stand-in in its place (job/forked_worker.c).
 */
#include "base/str.h"
#include "exec/exec.h"
#include "flow/flow.h"
#include "flow/pylib.h"
#include "job/common.h"
#include "job/kinds.h"
#include "sys/file.h"

#define FAILED_NAME ".leat-failed.json"
#define FAILED_MAX ((size_t)1 << 20)
#define FORKED_NAME ".leat-forked.json"
#define PROGRAM "python3"

static const char *const code_names[] = {"job.py", NULL};

struct python {
	struct exec *x;
	struct attempt *t;
	struct exec_task task;
	bool warm; /* it may be forked from an interpreter that is no child of its own */
};
_Static_assert(!offsetof(struct python, x), "common_cancel finds it there");

static int make_task(struct python *p, struct exec_task *out, struct err *e)
{
	struct attempt *t = p->t;
	struct arena *a = t->arena;
	const struct job_code *code = common_main(t->job);
	const char **argv = arena_array(a, const char *, 12), *lib = PYLIB_SEEN, *work = exec_work_dir(t), *zygote;
	size_t n = 0;

	if (t->shell)
		return script_task(t, out, e);
	if (!code) {
		err_set(e, ERR_BAD_CONFIG, "the job %.*s has no Python file", STR_ARG(t->job->name));
		return err_hint(e, "give it a file job.py with `def run(inputs, output, params)`");
	}
	if (!t->root_dir && pylib_dir(a, t->flow->store->leat_dir, &lib, e))
		return -1;
	zygote = zygote_for(t, PROGRAM, FORKED_JOB, code->label);
	p->warm = zygote;
	if (zygote) {
		argv[n++] = proc_self_exe();
		argv[n++] = "--role";
		argv[n++] = FORKED_ROLE;
		argv[n++] = zygote;
		argv[n++] = exec_has_group(t) ? t->marker : "";
		argv[n++] = path_join(a, work, FORKED_NAME);
	}
	argv[n++] = PROGRAM;
	argv[n++] = arena_printf(a, "%s/leat/_job.py", lib);
	argv[n++] = arena_printf(a, "%s/%.*s", work, STR_ARG(code->label));
	argv[n++] = work;
	argv[n++] = FAILED_NAME;
	out->argv = argv;
	return 0;
}

/* --- what the runner tells --- */

/* The user's file that lies there in the folder with the code. */
static struct str users_file(const struct job *j, struct str label)
{
	for (size_t i = 0; i < j->n_code; i++)
		if (str_eq(j->code[i].label, label))
			return j->code[i].path;
	return STR_NULL;
}

static struct dom *left_there(const struct attempt *t, const char *name)
{
	const char *path = path_join(t->arena, t->work_dir, name);
	struct err no = ERR_INIT;
	struct str text;
	struct dom *doc;

	if (!file_exists(path) || file_read_plain(t->arena, path, FAILED_MAX, &text, &no) ||
	    dom_json(t->arena, text, path, &doc, &no) || doc->type != DOM_MAP)
		return NULL;
	return doc;
}

/* What the task wrote is a text of anybody's: it explains, and decides nothing. */
static void explain(const struct attempt *t, struct attempt_result *r)
{
	struct arena *a = t->arena;
	const struct dom *doc = left_there(t, FAILED_NAME), *message, *file, *line, *hint;
	struct str users;

	if (!doc)
		return;
	message = dom_get(doc, "message");
	file = dom_get(doc, "file");
	line = dom_get(doc, "line");
	hint = dom_get(doc, "hint");
	if (!message || message->type != DOM_STR || !message->s.n)
		return;
	err_clear(&r->err);
	err_set(&r->err, ERR_FAILED, "%s", STR_SHOWN(message->s));
	users = file && file->type == DOM_STR ? users_file(t->job, file->s) : STR_NULL;
	if (users.p)
		err_at(&r->err, arena_cstr(a, users),
		       line && line->type == DOM_INT && line->i > 0 && line->i < INT32_MAX ? (int)line->i : 0, 0);
	if (hint && hint->type == DOM_STR && hint->s.n)
		err_hint(&r->err, "%s", STR_SHOWN(hint->s));
	else
		err_hint(&r->err, "leat logs %.*s%s%s shows what it printed", STR_ARG(t->job->name),
		         t->ds.label[0] ? " " : "", t->ds.label);
}

/* --- an attempt --- */

static void on_done(void *ptr, const struct proc_exit *x)
{
	struct python *p = ptr;
	struct attempt *t = p->t;
	struct attempt_result r;

	exec_result(t, x, &r);
	if (p->warm)
		forked_ended(t, x, left_there(t, FORKED_NAME), &r);
	if (r.state == ATTEMPT_FAILED && !x->signal && !x->why && !x->lost)
		explain(t, &r);
	exec_mask_err(p->x, &r.err);
	exec_metrics(t, &r);
	exec_python_ended(t, PROGRAM, &r);
	if (t->timed_out)
		r.state = ATTEMPT_TIMED_OUT;
	t->own = NULL;
	attempt_done(t, &r);
}

static int prepare(struct attempt *t, struct err *e)
{
	struct python *p = arena_new_of(t->arena, struct python);

	*p = (struct python){.t = t};
	if (exec_new(t, &p->x, e) || make_task(p, &p->task, e))
		return -1;
	t->own = p;
	return 0;
}

static int start(struct attempt *t, struct err *e)
{
	struct python *p;

	if (!t->own && prepare(t, e))
		return -1;
	p = t->own;
	if (!exec_run(p->x, &p->task, on_done, p, e)) {
		exec_python_began(t, PROGRAM);
		return 0;
	}
	t->own = NULL;
	return -1;
}

static int adopt(struct attempt *t, const struct proc_shim *row, struct err *e)
{
	struct python *p = arena_new_of(t->arena, struct python);

	*p = (struct python){.t = t, .warm = true}; /* it may have been */
	if (exec_adopt(t, row, on_done, p, &p->x, e))
		return -1;
	t->own = p;
	return 0;
}

static bool imports(const struct job *j, struct str main)
{
	return true;
}

static const struct key keys[] = {
#define K(section, name, forms, rule, words, sub, def, flags, text)                                                    \
	{section, name, forms, rule, words, sub, def, flags, text},
#include "defs/pythonkeys.def"
#include "defs/taskkeys.def"
#undef K
	{0},
};

const struct job_kind kind_python = {
	.name = "python",
	.text = "A Python file with run(inputs, output, params): inputs come as frames, what it returns is the output.",
	.keys = keys,
	.code_names = code_names,
	.imports = imports,
	.begins_with_startup = true,
	.told_by_name = true,
	.starts_process = true,
	.check = common_check,
	.ready = common_ready,
	.note = common_note,
	.prepare = prepare,
	.start = start,
	.adopt = adopt,
	.done = zygote_end,
	.cancel = common_cancel,
};
