/* Kernels of Jupyter over the wire: the real ones where they are installed (ipykernel, IRkernel, tslab). */
#include <unistd.h>

#include "base/str.h"
#include "note/engine.h"
#include "note/kernel.h"
#include "sys/file.h"
#include "t.h"

#define FOLDER "/tmp/leat-t-kernel-XXXXXX"

static struct arena *a;

/* What a cell said, as "type=text;" one after the other. */
struct said {
	struct buf b;
	bool ready, over;
	enum engine_how how;
	int64_t count;
	const char *died; /* NULL: it lives */
	struct loop *loop;
	struct loop_ev *limit;
	struct engine *g;
};

static void on_ready(void *ptr, const struct dom *about)
{
	struct said *s = ptr;

	s->ready = true;
	buf_reset(&s->b);
	buf_addf(&s->b, "%s %s", dom_text(a, dom_get(about, "language")).p, dom_text(a, dom_get(about, "version")).p);
}

static void on_stream(void *ptr, bool err, struct str text)
{
	struct said *s = ptr;

	buf_addf(&s->b, "%s=%.*s;", err ? "stderr" : "stdout", STR_ARG(text));
}

static void on_output(void *ptr, const struct dom *o, struct str id)
{
	struct said *s = ptr;

	(void)id;
	buf_addf(&s->b, "%s=%s;", dom_text(a, dom_get(o, "output_type")).p,
	         dom_text(a, dom_get(dom_get(o, "data"), "text/plain")).p);
}

static void on_clear(void *ptr, bool wait)
{
	buf_adds(&((struct said *)ptr)->b, wait ? "clear wait;" : "clear;");
}

static void on_done(void *ptr, const struct engine_done *d)
{
	struct said *s = ptr;

	s->over = true;
	s->how = d->how;
	s->count = d->count;
	if (d->how == ENGINE_ERROR)
		buf_addf(&s->b, "error=%.*s;", STR_ARG(d->ename));
}

static void on_died(void *ptr, const char *how)
{
	struct said *s = ptr;

	s->over = true;
	s->died = arena_dup(a, how);
}

static const struct engine_told told = {.ready = on_ready, .stream = on_stream, .output = on_output,
                                        .update = on_output, .clear = on_clear, .done = on_done, .died = on_died};

static void on_limit(struct loop_ev *ev, void *ptr)
{
	struct said *s = ptr;

	(void)ev;
	s->limit = NULL; /* it closes itself */
	engine_kernel.interrupt(s->g);
}

/* Until the cell is done, or the kernel has ended. */
static enum engine_how ask(struct said *s, const char *code, int64_t limit_ms)
{
	struct err e = ERR_INIT;
	bool more = true;

	buf_reset(&s->b);
	s->over = false;
	s->limit = limit_ms ? loop_timer(s->loop, limit_ms, on_limit, s) : NULL;
	if (!T_INT(engine_kernel.run(s->g, str_of(code), "cell 1", &e), 0, "a cell is asked of the kernel"))
		t_diag("error", err_text(a, &e));
	while (more && !s->over && !loop_run_once(s->loop, -1, &more, &e))
		;
	loop_close(s->limit);
	return s->how;
}

/* NULL: it is not installed. A kernel that dies at once has .died. */
static struct said *begin(const struct kernel_spec *spec)
{
	struct said *s = arena_new_of(a, struct said);
	struct engine_start start = {.kernel = spec, .notebook = "x.ipynb", .told = &told, .ptr = s};
	char *folder = arena_dup(a, FOLDER);
	struct err e = ERR_INIT;
	bool more = true;

	buf_init(&s->b, 16 << 20);
	start.folder = mkdtemp(folder);
	if (loop_new(&s->loop, &e) || engine_kernel.start(a, s->loop, &start, &s->g, &e)) {
		T_OK(false, "the kernel starts: %s", err_text(a, &e));
		return NULL;
	}
	while (more && !s->ready && !s->died && !loop_run_once(s->loop, -1, &more, &e))
		;
	return s;
}

static struct said *begin_named(const char *name, const char *language, const char *jupyter_path)
{
	struct kernel_where where = {.jupyter_path = jupyter_path, .home = getenv("HOME")};
	struct kernel_spec *spec = arena_new_of(a, struct kernel_spec);
	struct err e = ERR_INIT;
	struct said *s;

	if (kernel_find(a, &where, name, language, spec, &e)) {
		printf("# %s\n", err_text(a, &e));
		return NULL;
	}
	s = begin(spec);
	T_OK(s && s->ready, "the kernel %s starts and answers", name);
	return s;
}

static void end(struct said *s)
{
	engine_kernel.stop(s->g, 2000);
	loop_free(s->loop);
	buf_free(&s->b);
}

static void python(void)
{
	struct said *s = begin_named("python3", "python", NULL);

	if (!s)
		return;
	T_OK(!strncmp(s->b.p, "python 3", 8), "it says what it is: %s", s->b.p);
	T_INT(ask(s, "x = 5\nprint(x)\nx + 1", 0), ENGINE_OK, "a cell that ends well is told");
	T_INT((int)s->count, 1, "the first cell is number 1");
	T_STR(s->b.p, "stdout=5\n;execute_result=6;", "what it prints comes before what it is");
	T_INT(ask(s, "1 / 0", 0), ENGINE_ERROR, "a cell that raises is told apart");
	T_STR(s->b.p, "error=ZeroDivisionError;", "with its error");
	for (int i = 0; i < 20; i++)
		(void)ask(s, "1 / 0", 0);
	T_INT(ask(s, "x * 2", 0), ENGINE_OK, "cells after failed ones are run, not aborted");
	T_STR(s->b.p, "execute_result=10;", "with what was there before");
	T_INT(ask(s, "input('name?')", 0), ENGINE_ERROR, "a question to nobody is an error, and does not wait");
	T_INT(ask(s, "import time\nprint('on', flush=True)\ntime.sleep(1000)", 1500), ENGINE_ERROR,
	      "an endless cell is interrupted");
	T_STR(s->b.p, "stdout=on\n;error=KeyboardInterrupt;", "and says where it was");
	T_INT(ask(s, "from IPython.display import clear_output, display\nclear_output(wait=True)\n"
	             "h = display('a', display_id='i')\nh.update('b')", 0), ENGINE_OK, "it goes on after that");
	T_STR(s->b.p, "clear wait;display_data='a';display_data='b';", "what is cleared and shown anew is told so");
	(void)ask(s, "print('x' * 3_000_000)", 0);
	T_OK(s->b.n > 3000000, "a message of 3 MB is read");
	(void)ask(s, "print('last', flush=True)\nimport os, time\ntime.sleep(.3)\nos._exit(7)", 0);
	T_STR(s->died, "exit status 7", "a kernel that ends is told apart, with its exit status");
	T_STR(s->b.p, "stdout=last\n;", "after what it said before");
	end(s);
}

static void killed(void)
{
	struct said *s = begin_named("python3", "python", NULL);

	if (!s)
		return;
	(void)ask(s, "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", 0);
	T_STR(s->died, "killed by signal 9 (Killed)", "a killed kernel is told apart");
	end(s);
}

static void r(void)
{
	struct said *s = begin_named("ir", "R", NULL);

	if (!s)
		return;
	T_INT(ask(s, "x <- 5\nx + 1", 0), ENGINE_OK, "R runs a cell");
	T_OK(strstr(s->b.p, "=[1] 6"), "R says what it is: %s", s->b.p);
	T_INT(ask(s, "stop('no')", 0), ENGINE_ERROR, "R's errors are told apart");
	T_INT(ask(s, "x * 2", 0), ENGINE_OK, "R goes on after one");
	end(s);
}

/* tslab's package, where it is; its kernel.json is written here as its installer does. */
static void javascript(void)
{
	static const char spec[] = "{\"argv\":[\"%s\",\"kernel\",\"--js\","
	                           "\"--config-path={connection_file}\"],"
	                           "\"display_name\":\"JavaScript\",\"language\":\"javascript\"}\n";
	char *program = proc_which(a, "tslab", NULL), *folder = arena_dup(a, FOLDER);
	struct err e = ERR_INIT;
	struct said *s;

	if (!program || !mkdtemp(folder) || dir_make(path_join(a, folder, "kernels/jslab"), 0700, &e) ||
	    file_write(path_join(a, folder, "kernels/jslab/kernel.json"), arena_strf(a, spec, program), 0600, 0, &e)) {
		printf("# tslab is not installed\n");
		return;
	}
	if (!(s = begin_named("jslab", "javascript", folder)))
		return;
	T_INT(ask(s, "let x = 5; x + 1", 0), ENGINE_OK, "a kernel that knows only TCP is reached");
	T_OK(strstr(s->b.p, "6"), "JavaScript says what it is: %s", s->b.p);
	T_INT(ask(s, "throw new Error('no')", 0), ENGINE_ERROR, "its errors are told apart");
	end(s);
}

static void absent(void)
{
	struct kernel_where nowhere = {.home = "/nowhere"};
	struct kernel_spec spec;
	struct err e = ERR_INIT;

	T_INT(kernel_find(a, &nowhere, "julia", "julia", &spec, &e), -1, "a kernel that is not there is an error");
	T_INT((int)e.code, ERR_NO_LIBRARY, "of its own code");
	T_OK(strstr(e.msg, "no Jupyter kernel julia") && strstr(e.hint, "IJulia"), "that names the package: %s; %s",
	     e.msg, e.hint);
	err_clear(&e);
	T_INT(kernel_find(a, &nowhere, "../x", NULL, &spec, &e), -1, "a name with a slash is refused");
}

static void dies_at_start(void)
{
	struct kernel_spec spec = {.name = "dead", .argv = {"sh", "-c", "exit 3", NULL}, .folder = "/"};
	struct said *s = begin(&spec);

	if (!s)
		return;
	T_STR(s->died, "the kernel dead ended before it answered: exit status 3",
	      "a kernel that ends at its start is told apart, with its exit status");
	end(s);
}

int main(void)
{
	a = arena_new();
	absent();
	dies_at_start();
	python();
	killed();
	r();
	javascript();
	arena_free(a);
	return t_done();
}
