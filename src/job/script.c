/*
 * Any program: a script with a #! line, *.py by python3 and *.sh by sh of the tasks' PATH, or an executable. Its output
 * folder is the result; what it prints is the log; an exit status other than 0 is a failure.
 */
#include <sys/stat.h>

#include "base/str.h"
#include "exec/exec.h"
#include "job/kinds.h"
#include "sys/file.h"

#define FIRST_LINE_MAX 4096

static const char *const code_names[] = {"job.sh", "job.py", "job", NULL};

static const struct {
	const char *ext, *program;
} by_extension[] = {{".py", "python3"}, {".sh", "sh"}, {".bash", "bash"}, {".R", "Rscript"}, {".js", "node"}};

/* The first line of the program, without "#!" and line end; "" if it has none. */
static int shebang(struct arena *a, const char *path, struct str *out, struct err *e)
{
	int fd FD_CLEANUP = -1;
	char *head = arena_alloc(a, FIRST_LINE_MAX);
	struct str rest, line;
	size_t n;

	if (file_open_read(path, &fd, e) || fd_read_full(fd, head, FIRST_LINE_MAX, &n, path, e))
		return -1;
	rest = (struct str){head, n};
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

	if (shebang(a, path, &line, e))
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

static void on_done(void *ptr, const struct proc_exit *x)
{
	struct attempt *t = ptr;
	struct attempt_result r;

	t->own = NULL;
	exec_result(t, x, &r);
	attempt_done(t, &r);
}

/* Where the program lies in the work folder `dir`: by its label, which is the path from the job's folder. */
static const char *main_path(const struct attempt *t, const char *dir)
{
	for (size_t i = 0; i < t->job->n_code; i++)
		if (str_eq(t->job->code[i].path, t->job->main_file))
			return arena_printf(t->arena, "%s/%.*s", dir, STR_ARG(t->job->code[i].label));
	return NULL;
}

static int start(struct attempt *t, struct err *e)
{
	const char **argv = arena_array(t->arena, const char *, 4);
	const char *path = main_path(t, t->work_dir);
	struct exec *x;

	if (!path)
		return err_set(e, ERR_BAD_CONFIG, "the job %.*s has no program", STR_ARG(t->job->name));
	if (make_argv(t, path, main_path(t, exec_work_dir(t)), argv, e) || exec_start(t, argv, on_done, t, &x, e))
		return -1;
	t->own = x;
	return 0;
}

static void cancel(struct attempt *t, bool hard)
{
	if (t->own)
		exec_cancel(t->own, hard);
}

const struct job_kind kind_script = {
	.name = "script",
	.text = "Any program: it finds its inputs and its output folder in the environment.",
	.keys = (const struct key[]){{0}},
	.code_names = code_names,
	.starts_process = true,
	.start = start,
	.cancel = cancel,
};
