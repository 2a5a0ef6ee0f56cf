/*
 * Any program: a script with a #! line, *.py by python3 and *.sh by sh of the tasks' PATH, an executable, or what the
 * keys say (defs/scriptkeys.def). Its output
 * folder is the result; what it prints is the log; an exit status other than 0 is a failure.
 */
#include <sys/stat.h>

#include "base/buf.h"
#include "base/str.h"
#include "exec/exec.h"
#include "job/common.h"
#include "job/kinds.h"
#include "sys/root.h"
#include "sys/file.h"

#define FIRST_LINE_MAX 4096
#define STDIN_MAX ((size_t)16 << 20)

static const char *const code_names[] = {"job.sh", "job.py", "job", NULL};

static const struct {
	const char *ext, *program;
} by_extension[] = {{".py", "python3"}, {".sh", "sh"}, {".bash", "bash"}, {".R", "Rscript"}, {".js", "node"}};

/* The first line of the program, without "#!" and line end; "" if it has none. */
static int shebang(struct attempt *t, const char *path, struct str *out, struct err *e)
{
	struct str rest = str_sub(t->program, 0, MIN(t->program.n, FIRST_LINE_MAX)), line;
	int fd FD_CLEANUP = -1;

	if (!t->program.p) {
		char *head = arena_alloc(t->arena, FIRST_LINE_MAX);
		size_t n;

		if (file_open_read(path, &fd, e) || fd_read_full(fd, head, FIRST_LINE_MAX, &n, path, e))
			return -1;
		rest = (struct str){head, n};
	}
	*out = STR("");
	if (str_has_prefix(rest, STR("#!")) && str_next_line(&rest, &line))
		*out = str_trim(str_sub(line, 2, line.n));
	return 0;
}

/*
 * argv for the program, which the task sees at `seen`. The #! line is read here, not by the kernel: so the file needs
 * no x bit, and a CR at the end of that line is no obstacle. "env PROGRAM" is that program on the tasks' PATH.
 */
static int make_argv(struct attempt *t, const char *path, const char *seen, const char **argv, struct err *e)
{
	struct arena *a = t->arena;
	struct str line, program, arg = STR_NULL;
	const char *ext = path_ext(path);
	struct stat st;
	size_t n = 0;

	if (shebang(t, path, &line, e))
		return -1;
	if (line.n) {
		program = line;
		if (str_cut(line, ' ', &program, &arg))
			arg = str_trim(arg);
		if (str_has_suffix(program, STR("/env")) && arg.n && !memchr(arg.p, ' ', arg.n) &&
		    !memchr(arg.p, '=', arg.n) && arg.p[0] != '-') {
			program = arg;
			arg = STR_NULL;
		}
		argv[n++] = arena_cstr(a, program);
		if (arg.n)
			argv[n++] = arena_cstr(a, arg);
		argv[n] = seen;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(by_extension); i++)
		if (!strcmp(ext, by_extension[i].ext)) {
			argv[n++] = by_extension[i].program;
			argv[n] = seen;
			return 0;
		}
	if (file_stat(path, &st, e))
		return -1;
	if (!(st.st_mode & 0111)) {
		err_set(e, ERR_BAD_CONFIG, "%.*s has no #! line, no known ending, and is not executable",
		        STR_ARG(t->job->main_file));
		err_hint(e, "begin it with #!/bin/sh or the like, or chmod +x it");
		return -1;
	}
	argv[0] = seen;
	return 0;
}

/* Where the program lies in the work folder `dir`: by its label, which is the path from the job's folder. */
static const char *main_path(const struct attempt *t, const char *dir)
{
	const struct job_code *code = common_main(t->job);

	return code ? arena_printf(t->arena, "%s/%.*s", dir, STR_ARG(code->label)) : NULL;
}

/* --- the command of the keys --- */

static const char *const *words(struct arena *a, const struct dom *list)
{
	const char **argv = arena_array(a, const char *, list->n + 1);
	size_t n = 0;

	dom_each(word, list)
		argv[n++] = arena_cstr(a, dom_text(a, word));
	return argv;
}

/* Lines, each with its end. STR_NULL if there are none. */
static struct str lines(struct arena *a, const struct dom *v)
{
	struct buf b cleanup(buf_free) = BUF_INIT(STDIN_MAX);

	if (!v || v->type == DOM_NULL)
		return STR_NULL;
	if (v->type != DOM_LIST)
		buf_addf(&b, "%.*s\n", STR_ARG(dom_text(a, v)));
	else
		dom_each(line, v)
			buf_addf(&b, "%.*s\n", STR_ARG(dom_text(a, line)));
	return arena_str(a, buf_str(&b));
}

static bool is_list(const struct dom *v)
{
	return v && v->type == DOM_LIST && v->n;
}

int script_task(struct attempt *t, struct exec_task *out, struct err *e)
{
	const struct dom *cmd = dom_get(t->spec, "cmd"), *dir = dom_get(t->spec, "workingDir");
	const char *path = main_path(t, t->work_dir), **argv;

	if (t->shell) {
		argv = arena_array(t->arena, const char *, 2);
		argv[0] = t->shell;
		out->argv = argv;
		out->terminal = true;
		return 0;
	}
	if (dir && dir->type == DOM_STR)
		out->cwd = path_join(t->arena, exec_work_dir(t), arena_cstr(t->arena, dir->s));
	out->in = lines(t->arena, dom_get(t->spec, "stdin"));
	if (is_list(cmd)) {
		out->argv = words(t->arena, cmd);
		return 0;
	}
	if (!path) {
		err_set(e, ERR_BAD_CONFIG, "the job %.*s has no program", STR_ARG(t->job->name));
		return err_hint(e, "give it a file job.sh or job.py, or `cmd: [PROGRAM, ARGUMENT]`");
	}
	argv = arena_array(t->arena, const char *, 4);
	out->argv = argv;
	return make_argv(t, path, main_path(t, exec_work_dir(t)), argv, e);
}

bool script_imports(const struct job *j, struct str main)
{
	const struct dom *cmd = dom_get(j->own, "cmd");
	const char *name;

	if (!cmd || cmd->type != DOM_LIST || !cmd->first || cmd->first->type != DOM_STR)
		return str_has_suffix(main, STR(".py"));
	name = strrchr(cmd->first->s.p, '/');
	return str_has_prefix(name ? str_of(name + 1) : cmd->first->s, STR("python"));
}

const char *script_instead(const char *program)
{
	static const struct {
		const char *name, *instead;
	} known[] = {
		{"jupyter", "`apt install jupyter-notebook` or `pip install notebook` brings it"},
		{"jupyter-notebook", "`apt install jupyter-notebook` or `pip install notebook` brings it"},
		{"jupyter-lab", "`pip install jupyterlab` brings it"},
		{"python", "on this machine it may be called python3"},
		{"tar", "`apt install tar` brings it"},
	};
	const char *slash = strrchr(program, '/');

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (!strcmp(slash ? slash + 1 : program, known[i].name))
			return known[i].instead;
	return NULL;
}

/* --- an attempt --- */

struct script {
	struct attempt *t;
	struct exec *x;    /* of one that takes many units, only errCmd's */
	struct exec *adopted; /* started by another process; then x is errCmd's only */
	struct host *host; /* who has the unit, of datumBatching; NULL */
	struct exec_task task;
	bool standing_by, over; /* errCmd runs; whatever runs has been asked to end, and nothing comes after it */
	struct attempt_result failed; /* while errCmd runs */
};

static void on_err_done(void *ptr, const struct proc_exit *x)
{
	struct script *s = ptr;
	struct attempt_result r = s->failed;

	if (proc_exit_ok(x) && s->t->datum && !s->over)
		r.state = ATTEMPT_RECOVERED;
	s->t->own = NULL;
	attempt_done(s->t, &r);
}

/* The last try has failed: starts errCmd, if there is one. */
static bool stand_by(struct script *s, const struct attempt_result *failed)
{
	struct attempt *t = s->t;
	const struct dom *cmd = dom_get(t->job->own, "errCmd");
	struct err e = ERR_INIT;

	if (!is_list(cmd) || s->over || t->shell || t->number <= t->job->retries)
		return false;
	s->failed = *failed;
	/* It runs only while we do: who takes over from us runs it anew. */
	struct exec_task task = {.argv = words(t->arena, cmd), .bare = true,
	                         .in = lines(t->arena, dom_get(t->job->own, "errStdin"))};
	if (!s->x && exec_new(t, &s->x, &e))
		return false;
	if (exec_run(s->x, &task, on_err_done, s, &e))
		return false;
	s->standing_by = true;
	attempt_stands_by(t);
	return true;
}

static bool is_accepted(const struct attempt *t, const struct proc_exit *x)
{
	const struct dom *codes = dom_get(t->spec, "acceptReturnCode");

	if (codes && codes->type == DOM_LIST && !x->signal)
		dom_each(v, codes)
			if (v->type == DOM_INT && v->i == x->status)
				return true;
	return false;
}

static void task_ended(struct script *s, struct attempt_result *r)
{
	if (s->t->timed_out)
		r->state = ATTEMPT_TIMED_OUT;
	if (r->state != ATTEMPT_OK && stand_by(s, r))
		return;
	s->t->own = NULL;
	attempt_done(s->t, r);
}

static void log_start(struct attempt *t, const struct err *why);

static void on_done(void *ptr, const struct proc_exit *x)
{
	struct script *s = ptr;
	struct attempt_result r;

	if (x->why)
		log_start(s->t, x->why);
	exec_result(s->t, x, &r);
	if (r.state == ATTEMPT_FAILED && is_accepted(s->t, x)) {
		r.state = ATTEMPT_OK;
		err_clear(&r.err);
	}
	exec_metrics(s->t, &r);
	if (s->t->job->env_file.p)
		exec_python_ended(s->t, "python3", &r);
	task_ended(s, &r);
}

static void on_batch_done(void *ptr, const struct err *why, int status)
{
	struct script *s = ptr;
	struct attempt_result r = {.state = why ? ATTEMPT_FAILED : ATTEMPT_OK, .status = status, .err = ERR_INIT};

	if (why)
		r.err = *why;
	s->host = NULL;
	exec_metrics(s->t, &r);
	task_ended(s, &r);
}

/* The log of an attempt that could not start says so: nobody else writes it. */
static void log_start(struct attempt *t, const struct err *why)
{
	struct err e = ERR_INIT;
	char *line = arena_printf(t->arena, "leat: attempt %d: %s\n", t->number, why->msg);
	int fd;

	if (attempt_log_fd(t, &fd, &e) || fd_write_all(fd, line, strlen(line), t->log_path, &e))
		err_clear(&e);
}

static bool is_batching(const struct job *j)
{
	const struct dom *v = dom_get(j->own, "datumBatching");

	return v && v->type == DOM_BOOL && v->b;
}

static bool joins_a_batch(const struct attempt *t)
{
	return is_batching(t->job) && t->datum && !t->shell;
}

static int start_in_batch(struct attempt *t, struct err *e)
{
	struct script *s = arena_new_of(t->arena, struct script);

	*s = (struct script){.t = t};
	t->own = s;
	if (!exec_batch_start(t, script_task, on_batch_done, s, &s->host, e))
		return 0;
	t->own = NULL;
	return -1;
}

static int prepare(struct attempt *t, struct err *e)
{
	struct script *s;

	if (joins_a_batch(t))
		return 0;
	s = arena_new_of(t->arena, struct script);
	*s = (struct script){.t = t};
	if (script_task(t, &s->task, e) || exec_new(t, &s->x, e))
		return -1;
	t->own = s;
	return 0;
}

static int start(struct attempt *t, struct err *e)
{
	struct script *s;

	if (joins_a_batch(t))
		return start_in_batch(t, e);
	if (!t->own && prepare(t, e))
		return -1;
	s = t->own;
	if (exec_run(s->x, &s->task, on_done, s, e)) {
		struct attempt_result failed = {.state = ATTEMPT_FAILED, .status = 127, .err = *e};

		log_start(t, e);
		if (!stand_by(s, &failed)) {
			t->own = NULL;
			return -1;
		}
		err_clear(e);
	} else if (t->pyenv) {
		exec_python_began(t, "python3");
	}
	return 0;
}

static int adopt(struct attempt *t, const struct proc_shim *row, struct err *e)
{
	struct script *s = arena_new_of(t->arena, struct script);

	*s = (struct script){.t = t};
	if (exec_adopt(t, row, on_done, s, &s->adopted, e))
		return -1;
	t->own = s;
	return 0;
}

static void cancel(struct attempt *t, bool hard)
{
	struct script *s = t->own;

	if (s) {
		/* At the limit of time errCmd still has its turn. */
		s->over |= t->cancelled || s->standing_by;
		if (s->host)
			exec_batch_cancel(s->host, hard);
		else if (s->adopted && !s->standing_by)
			exec_cancel(s->adopted, hard);
		else
			exec_cancel(s->x, hard);
	}
}

static const char *note(const struct job *j, struct arena *a, size_t n_units)
{
	const char *why = exec_limits_note(j, a);

	if (why)
		return why;
	if (job_sandbox(j) != SANDBOX_AUTO || root_available(&why))
		return NULL;
	return arena_printf(a, "%.*s has no /pfs here, only the folders that LEAT_INPUT_... and LEAT_OUTPUT name: %s",
	                    STR_ARG(j->name), why);
}

static const struct key keys[] = {
#define K(section, name, forms, rule, words, sub, def, flags, text)                                                    \
	{section, name, forms, rule, words, sub, def, flags, text},
#include "defs/scriptkeys.def"
#include "defs/taskkeys.def"
#undef K
	{0},
};

const struct job_kind kind_script = {
	.name = "script",
	.text = "Any program: it finds its inputs and its output folder in the environment.",
	.keys = keys,
	.told_by = "cmd",
	.code_names = code_names,
	.imports = script_imports,
	.starts_process = true,
	.check = common_check,
	.ready = common_ready,
	.note = note,
	.prepare = prepare,
	.start = start,
	.adopt = adopt,
	.cancel = cancel,
	.done = exec_batch_end,
};
