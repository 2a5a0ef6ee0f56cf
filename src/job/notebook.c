/*
 * Notebooks: .ipynb, or Python or SQL in cells. The unit's process is a worker of ours (notebook_worker.c), which has
 * the notebook run by an interpreter of the task's PATH, or by DuckDB; what it writes of that is the unit's report
 * (flow/report.h).
 */
#include "base/buf.h"
#include "base/keys.h"
#include "base/str.h"
#include "exec/exec.h"
#include "flow/flow.h"
#include "flow/report.h"
#include "job/common.h"
#include "job/kinds.h"
#include "job/notebook.h"
#include "note/run.h"
#include "sys/file.h"

#define REQUEST_MAX ((size_t)16 << 20)
#define STATE_MAX ((size_t)4 << 20)
#define GRACE_SHARE 2 /* of the time that a task has to end: the rest is for its page */
#define LIMIT_SHARE 6 /* of a limit of time, likewise (flow/run_unit.c) */

static const char *const code_names[] = {"notebook.ipynb", "notebook.py", "notebook.sql", "job.ipynb", NULL};

struct notebook_job {
	struct exec *x;
	struct attempt *t;
	struct str label;  /* of the notebook, from the folder with the code */
	const char *base;  /* of the files of its report */
	struct str request;
	bool warm;         /* it may be forked from an interpreter that is no child of its worker */
};
_Static_assert(!offsetof(struct notebook_job, x), "common_cancel finds it there");

/* --- what the worker is told --- */

static const char *base_of(struct arena *a, struct str label)
{
	const char *name = path_base(a, arena_cstr(a, label));
	const char *ext = path_ext(name);

	return arena_printf(a, "%.*s", (int)(strlen(name) - strlen(ext)), name);
}

static struct str facts_of(const struct attempt *t)
{
	return arena_strf(t->arena, "%s%s%srun %.12s", t->ds.label[0] ? "ds " : "", t->ds.label,
	                  t->ds.label[0] ? " \302\267 " : "", t->run_id);
}

static int64_t grace_of(const struct job *j)
{
	int64_t ms = j->grace_ms / GRACE_SHARE;

	return j->timeout_ms && !j->own_grace ? MIN(ms, j->timeout_ms / LIMIT_SHARE) : ms;
}

static bool flag(const struct attempt *t, const char *key)
{
	const struct dom *v = dom_get(t->spec, key);

	return v && v->type == DOM_BOOL && v->b;
}

static struct str word(const struct attempt *t, const char *key, struct str or)
{
	const struct dom *v = dom_get(t->spec, key);

	return v && v->type == DOM_STR ? v->s : or;
}

static void set_interpreter(struct notebook_job *n, struct dom *d)
{
	struct attempt *t = n->t;
	struct arena *a = t->arena;
	const char *python = exec_python(t) ? exec_python(t) : arena_cstr(a, word(t, "python", STR("python3")));
	const char *engine = arena_cstr(a, word(t, "engine", STR("auto")));
	bool own = !word(t, "kernel", STR("")).n && !str_has_suffix(n->label, STR(".sql"));
	const char *zygote = own ? zygote_for(t, python, engine, n->label) : NULL;

	dom_set_cstr(a, d, "python", python);
	dom_set_cstr(a, d, "engine", engine);
	if (zygote)
		dom_set_cstr(a, d, "zygote", zygote);
	if (zygote && exec_has_group(t))
		dom_set_cstr(a, d, "group", t->marker);
	n->warm = zygote;
}

static int64_t output_limit(const struct attempt *t)
{
	const struct dom *v = dom_get(t->job->own, "output_limit");
	int64_t n = 0;

	if (v && v->type == DOM_INT)
		return v->i;
	return v && v->type == DOM_STR && keys_size(v->s, &n) ? n : 0;
}

static bool has_startup(const struct job *j)
{
	for (size_t i = 0; i < j->n_code; i++)
		if (str_is(j->code[i].label, JOB_STARTUP))
			return true;
	return false;
}

static int make_request(struct notebook_job *n, struct err *e)
{
	struct attempt *t = n->t;
	struct arena *a = t->arena;
	struct dom *d = dom_new(a, DOM_MAP), *names = dom_new(a, DOM_MAP), *inputs = dom_new(a, DOM_LIST);
	const struct dom *params = dom_get(t->spec, "params");
	struct buf b cleanup(buf_free) = BUF_INIT(REQUEST_MAX);

	dom_set_cstr(a, d, "file", arena_printf(a, "%s/%.*s", exec_work_dir(t), STR_ARG(n->label)));
	dom_set_str(a, d, "name", t->job->main_file);
	if (has_startup(t->job))
		dom_set_cstr(a, d, "startup", path_join(a, exec_work_dir(t), JOB_STARTUP));
	dom_set_cstr(a, d, "dir", exec_report_dir(t));
	dom_set_cstr(a, d, "base", n->base);
	dom_set_str(a, d, "title", t->job->name);
	dom_set_str(a, d, "facts", facts_of(t));
	if (params && params->n)
		dom_set(a, d, "params", dom_copy(a, params));
	dom_set_str(a, names, "ds", t->ds.label[0] ? str_of(t->ds.label) : STR_NULL);
	dom_set_cstr(a, names, "run_id", t->run_id);
	dom_set(a, d, "names", names);
	for (size_t i = 0; i < t->n_inputs; i++)
		dom_add(inputs, dom_new_str(a, t->inputs[i].input->name));
	dom_set(a, d, "inputs", inputs);
	dom_set_str(a, d, "kernel", word(t, "kernel", STR("")));
	set_interpreter(n, d);
	dom_set_bool(a, d, "hide_input", flag(t, "hide_input"));
	dom_set_int(a, d, "output_limit", output_limit(t));
	dom_set_int(a, d, "timeout_ms", t->job->timeout_ms);
	dom_set_int(a, d, "grace_ms", grace_of(t->job));
	dom_write_json(&b, d, DOM_COMPACT);
	if (buf_over(&b))
		return err_set(e, ERR_LIMIT, "the parameters are larger than %zu bytes", REQUEST_MAX);
	n->request = arena_str(a, buf_str(&b));
	return 0;
}

/* --- its end --- */

/* As the worker would: from outside of the task's root. */
static struct note_request request_here(const struct notebook_job *n)
{
	struct attempt *t = n->t;
	struct arena *a = t->arena;

	return (struct note_request){
		.file = arena_printf(a, "%s/%.*s", t->work_dir, STR_ARG(n->label)),
		.name = arena_cstr(a, t->job->main_file),
		.dir = t->report_dir,
		.base = n->base,
		.title = t->job->name,
		.facts = facts_of(t),
		.hide_input = flag(t, "hide_input"),
	};
}

static const struct dom *read_state(const struct notebook_job *n)
{
	struct arena *a = n->t->arena;
	const char *path = path_join(a, n->t->report_dir, NOTE_STATE);
	struct err e = ERR_INIT;
	struct dom *d = NULL;
	struct str text;

	if (!file_exists(path))
		return NULL;
	if (file_read_plain(a, path, STATE_MAX, &text, &e) || dom_json(a, text, NOTE_STATE, &d, &e))
		err_clear(&e);
	if (file_unlink(path, &e))
		err_clear(&e);
	return d;
}

static struct str reason(const struct attempt *t, const struct attempt_result *r)
{
	if (t->timed_out)
		return arena_strf(t->arena, "it took longer than its limit of %lld ms", (long long)t->job->timeout_ms);
	if (t->cancelled)
		return STR("the run was stopped");
	return arena_str(t->arena, str_of(r->err.msg));
}

/* What is kept with the unit: where its page is, by what it ran, what it tells of itself. */
static const struct dom *facts_about(const struct notebook_job *n, const struct dom *state)
{
	static const char *const kept[] = {"python", "metrics"};
	struct arena *a = n->t->arena;
	struct dom *d = dom_new(a, DOM_MAP);

	dom_set_cstr(a, d, "page", report_place(n->t, arena_printf(a, "%s.html", n->base)));
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (dom_get(state, kept[i]))
			dom_set(a, d, kept[i], dom_copy(a, dom_get(state, kept[i])));
	return d;
}

/* The page is there, whoever died; the sentence of the failure is the cell's. */
static void look_at_report(struct notebook_job *n, const struct dom *state, struct attempt_result *r)
{
	struct attempt *t = n->t;
	const struct dom *text = dom_get(state, "text");
	struct note_request q = request_here(n);
	struct err e = ERR_INIT;
	size_t cell = 0;

	if (!state && r->state == ATTEMPT_OK) {
		r->state = ATTEMPT_FAILED;
		r->status = 1;
		err_set(&r->err, ERR_FAILED, "the notebook's worker ended without saying how it went");
	}
	r->facts = facts_about(n, state);
	if (r->state == ATTEMPT_OK)
		return;
	if (!state && note_finish(&q, reason(t, r), &cell, &e))
		err_clear(&e); /* what stands there is all there is */
	if (state && text && text->type == DOM_STR && text->s.n && !r->err.file[0] && r->err.code == ERR_FAILED)
		err_set(&r->err, ERR_FAILED, "%.*s", STR_ARG(text->s));
	err_hint(&r->err, "%s shows it", report_place(t, arena_printf(t->arena, "%s.html", n->base)));
}

/* A report that they cannot be taken out of is not kept. */
static void hide_secrets(struct notebook_job *n, struct attempt_result *r)
{
	struct err e = ERR_INIT;

	exec_mask_err(n->x, &r->err);
	if (exec_mask_folder(n->x, n->t->report_dir, &e)) {
		err_clear(&e);
		n->t->report_dir = "";
	}
}

/* A kernel is another program, unless it is one of the environment. */
static bool runs_python(const struct notebook_job *n)
{
	return !n->t->shell && !str_has_suffix(n->label, STR(".sql")) &&
	       (!word(n->t, "kernel", STR("")).n || n->t->pyenv);
}

static const char *python_of(const struct notebook_job *n)
{
	return arena_cstr(n->t->arena, word(n->t, "python", STR("python3")));
}

static void on_done(void *ptr, const struct proc_exit *x)
{
	struct notebook_job *n = ptr;
	const struct dom *state = read_state(n);
	struct attempt_result r;

	exec_result(n->t, x, &r);
	if (n->warm)
		forked_ended(n->t, x, dom_get(state, "forked"), &r);
	look_at_report(n, state, &r);
	hide_secrets(n, &r);
	if (runs_python(n) && (!state || dom_get(state, "python")))
		exec_python_ended(n->t, python_of(n), &r);
	if (n->t->timed_out)
		r.state = ATTEMPT_TIMED_OUT;
	n->t->own = NULL;
	attempt_done(n->t, &r);
}

/* --- an attempt --- */

static int begin(struct attempt *t, struct notebook_job **out, struct err *e)
{
	struct notebook_job *n = arena_new_of(t->arena, struct notebook_job);

	*n = (struct notebook_job){.t = t};
	/* The last of them: one of the folder that jobs share may be named in `code:`, too, and has a second label. */
	for (size_t i = 0; i < t->job->n_code; i++)
		if (str_eq(t->job->code[i].path, t->job->main_file))
			n->label = t->job->code[i].label;
	if (!n->label.p) {
		err_set(e, ERR_BAD_CONFIG, "the job %.*s has no notebook", STR_ARG(t->job->name));
		return err_hint(e, "give it a file notebook.ipynb, .py or .sql, or name one: `code: FILE`");
	}
	n->base = base_of(t->arena, n->label);
	*out = n;
	return 0;
}

static int prepare(struct attempt *t, struct err *e)
{
	struct notebook_job *n;

	if (begin(t, &n, e) || exec_new(t, &n->x, e) || make_request(n, e))
		return -1;
	t->own = n;
	return 0;
}

static int start(struct attempt *t, struct err *e)
{
	struct notebook_job *n;
	const char **argv = arena_array(t->arena, const char *, 4);
	struct exec_task task = {.argv = argv};

	if (!t->own && prepare(t, e))
		return -1;
	n = t->own;
	argv[0] = proc_self_exe();
	argv[1] = "--role";
	argv[2] = NOTEBOOK_ROLE;
	task.in = n->request;
	if (t->shell) {
		argv[0] = t->shell;
		argv[1] = NULL;
		task.terminal = true;
		task.in = STR_NULL;
	}
	if (!exec_run(n->x, &task, on_done, n, e)) {
		if (runs_python(n))
			exec_python_began(t, python_of(n));
		return 0;
	}
	t->own = NULL;
	return -1;
}

static int adopt(struct attempt *t, const struct proc_shim *row, struct err *e)
{
	struct notebook_job *n;

	if (begin(t, &n, e) || exec_adopt(t, row, on_done, n, &n->x, e))
		return -1;
	n->warm = true; /* it may have been */
	t->own = n;
	return 0;
}

static int check(const struct job *j, struct err *e)
{
	if (j->main_file.p && !str_has_suffix(j->main_file, STR(".ipynb")) &&
	    !str_has_suffix(j->main_file, STR(".py")) && !str_has_suffix(j->main_file, STR(".sql"))) {
		err_set(e, ERR_BAD_CONFIG, "%.*s is no notebook by its name", STR_ARG(j->main_file));
		err_hint(e, "notebooks are .ipynb, .py with cells that begin with `# %%%%`, or .sql with `-- %%%%`");
		return job_at(e, j, 1, 1);
	}
	return common_check(j, e);
}

static bool imports(const struct job *j, struct str main)
{
	return !str_has_suffix(main, STR(".sql"));
}

static const struct key keys[] = {
#define K(section, name, forms, rule, words, sub, def, flags, text)                                                    \
	{section, name, forms, rule, words, sub, def, flags, text},
#include "defs/notebookkeys.def"
#include "defs/taskkeys.def"
#undef K
	{0},
};

const struct job_kind kind_notebook = {
	.name = "notebook",
	.text = "A notebook, .ipynb, or Python or SQL in cells: it and its page are kept, also when it fails.",
	.keys = keys,
	.code_names = code_names,
	.imports = imports,
	.begins_with_startup = true,
	.starts_process = true,
	.reports = true,
	.check = check,
	.ready = common_ready,
	.note = common_note,
	.prepare = prepare,
	.start = start,
	.adopt = adopt,
	.done = zygote_end,
	.cancel = common_cancel,
};
